// SPDX-License-Identifier: GPL-2.0
/*
 * What stacked devices offer: those whose drivers say that they can copy offer
 * what the drives below them have in common; all others offer nothing, and
 * refuse. And limits that change below a stacked device that is in use.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define BASE	(1 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define COPY	(64 * BC_KIB)

FIXTURE(offering) {
	struct bc_dev a, b;
	struct bc_stack stack;
};

FIXTURE_VARIANT(offering) {
	const char *tables[BC_STACK_MOST];
	bool both;	/* drives are below */
};

FIXTURE_VARIANT_ADD(offering, linear) {
	.tables = { "0 @8000 linear %a @5000\n" },
};
FIXTURE_VARIANT_ADD(offering, linear_of_two_drives) {
	.tables = { "0 @8000 linear %a @5000\n@8000 @8000 linear %b @5000\n" },
	.both = true,
};
FIXTURE_VARIANT_ADD(offering, striped) {
	.tables = { "0 @8192 striped 2 @128 %a @5000 %b @5000\n" },
	.both = true,
};
FIXTURE_VARIANT_ADD(offering, flakey) {
	.tables = { "0 @8000 flakey %a @5000 3600 0\n" },
};
FIXTURE_VARIANT_ADD(offering, delay) {
	.tables = { "0 @8000 delay %a @5000 1\n" },
};
FIXTURE_VARIANT_ADD(offering, error_in_the_middle) {
	.tables = { "0 @4000 linear %a @5000\n@4000 @8 error\n@4008 @4000 linear %a @9008\n" },
};
FIXTURE_VARIANT_ADD(offering, two_levels) {
	.tables = { "0 @8192 striped 2 @128 %a @5000 %b @5000\n", "0 @8000 linear %0 @100\n" },
	.both = true,
};

FIXTURE_SETUP(offering)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->b, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->a));
	BC_REQUIRE(bc_need_copy(&self->b));
}

FIXTURE_TEARDOWN(offering)
{
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_reset_limits(&self->a);
	bc_reset_limits(&self->b);
	bc_close(&self->a);
	bc_close(&self->b);
}

TEST_F(offering, limits_of_the_drives)
{
	BC_REQUIRE(bc_stack_make(&self->stack, variant->tables, &self->a, &self->b));
	EXPECT_EQ(0, bc_expect_stacked_limits(&self->stack.top, &self->a,
					      variant->both ? &self->b : &self->a));
}

/* The hardware's limit is taken, not what somebody has set; then the user's. */
TEST_F(offering, lowered_limits)
{
	struct bc_dev *top = &self->stack.top;

	ASSERT_EQ(0, bc_queue_write(&self->a, "copy_max_bytes", 5 * self->a.lbs));
	BC_REQUIRE(bc_stack_make(&self->stack, variant->tables, &self->a, &self->b));
	EXPECT_EQ(self->a.lim.hw_bytes, top->lim.hw_bytes);
	ASSERT_EQ(0, bc_queue_write(top, "copy_max_bytes", 3 * self->a.lbs));
	ASSERT_EQ(0, bc_read_limits(top));
	EXPECT_EQ(3 * self->a.lbs, top->lim.max_bytes);
	ASSERT_EQ(0, bc_queue_write(top, "copy_max_bytes", 0));
	ASSERT_EQ(0, bc_read_limits(top));
	EXPECT_EQ(0, top->lim.max_bytes);
	EXPECT_EQ(0, top->lim.max_extents);
	EXPECT_EQ(self->a.lim.hw_bytes, top->lim.hw_bytes);
}

FIXTURE(refusing) {
	struct bc_dev a, b, top;
	struct bc_win win;
	struct bc_stack stack;
	struct bc_md md;
};

FIXTURE_VARIANT(refusing) {
	const char *tables[BC_STACK_MOST];
	int md;		/* level */
	bool thin;
};

FIXTURE_VARIANT_ADD(refusing, md_raid0) { .md = 0 };
FIXTURE_VARIANT_ADD(refusing, md_raid1) { .md = 1 };
FIXTURE_VARIANT_ADD(refusing, linear_beside_zero) {
	.tables = { "0 @16000 linear %a @5000\n@16000 @8 zero\n" },
	.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, dust_beside_linear) {
	.tables = { "0 @8000 dust %a @5000 512\n@8000 @8000 linear %a @13000\n" },
	.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, linear_over_dust) {
	.tables = { "0 @16000 dust %a @5000 512\n", "0 @16000 linear %0 0\n" },
	.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, mirror) {
	.tables = { "0 @16384 mirror core 2 1024 nosync 2 %a @5000 %b @5000\n" },
	.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, snapshot_origin) {
	.tables = { "0 @16000 linear %a @5000\n", "0 @16000 snapshot-origin %0\n" },
	.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, snapshot) {
	.tables = { "0 @16000 linear %a @5000\n", "0 @32000 linear %b @8192\n",
		    "0 @16000 snapshot %0 %1 N 16\n" },
	.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, thin) {
	.tables = { "0 @8192 linear %b @8192\n", "0 @32768 linear %a @5000\n",
		    "0 @32768 thin-pool %0 %1 128 0\n" },
	.md = -1,
	.thin = true,
};
FIXTURE_VARIANT_ADD(refusing, crypt) {
	.tables = { "0 @16000 crypt aes-xts-plain64 "
		    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 0 %a @5000\n" },
	.md = -1,
};

/* Snapshots and pools take what is not zero for their own metadata. */
static int zero(const struct bc_dev *dev, __u64 off, __u64 len)
{
	char *buf = bc_alloc(len);
	ssize_t n;

	memset(buf, 0, len);
	n = pwrite(dev->fd, buf, len, off);
	free(buf);
	return n == (ssize_t)len ? 0 : -1;
}

static int make(struct bc_stack *s, const char *const tables[BC_STACK_MOST], bool thin,
		const struct bc_dev *a, const struct bc_dev *b)
{
	int ret = bc_stack_make(s, tables, a, b);

	if (ret || !thin)
		return ret;
	if (bc_dm_message(&s->dm[s->nr - 1], "create_thin 0")) {
		bc_set_reason("the pool makes no thin device");
		return -1;
	}
	return bc_stack_add(s, "0 @16384 thin %2 0\n", a, b);
}

FIXTURE_SETUP(refusing)
{
	const char *path = self->md.path;

	self->top.fd = -1;
	self->top.bfd = -1;
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->b, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->a));
	BC_REQUIRE(bc_need_copy(&self->b));
	ASSERT_EQ(0, zero(&self->b, 8192 * self->b.lbs, BC_MIB));
	if (variant->md >= 0) {
		BC_REQUIRE(bc_md_make(&self->md, variant->md, &self->a, &self->b));
	} else {
		BC_REQUIRE(make(&self->stack, variant->tables, variant->thin, &self->a, &self->b));
		path = self->stack.dm[self->stack.nr - 1].path;
	}
	ASSERT_EQ(0, bc_open_path(&self->top, path))
		TH_LOG("%s", bc_reason());
	ASSERT_EQ(0, bc_win_init(&self->win, &self->top, BASE, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(refusing)
{
	bc_win_free(&self->win);
	bc_close(&self->top);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	EXPECT_EQ(0, bc_md_remove(&self->md));
	bc_reset_limits(&self->a);
	bc_reset_limits(&self->b);
	bc_close(&self->a);
	bc_close(&self->b);
}

static int refused(struct bc_dev *dev, struct bc_dev *src)
{
	struct blk_copy_extent ext = { BASE + COPY, COPY };
	int iface, bad = 0;

	for (iface = BC_IOCTL; iface <= BC_CFR; iface++)
		bad |= bc_refused(bc_copy(iface, dev->fd, BASE + LEN / 2, src->fd, &ext, 1),
				  EOPNOTSUPP, iface ? "copy_file_range" : "BLKCOPY");
	return bad;
}

TEST_F(refusing, to_copy)
{
	EXPECT_EQ(0, bc_expect_no_limits(&self->top));
	EXPECT_EQ(0, refused(&self->top, &self->top));
	/* Between the stacked device and a drive below it. */
	EXPECT_EQ(0, refused(&self->top, &self->a));
	EXPECT_EQ(0, refused(&self->a, &self->top));
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/*
 * Stacked reads and writes and refused copies, while the limits of the drives
 * below go down, to 0 and up again. Nobody may hang.
 */
TEST_F_TIMEOUT(refusing, while_limits_change_below, 120)
{
	struct bc_load load = {
		.win = &self->win, .rng = bc_seed, .ops = BC_OP_WRITES | BC_OP_READS,
	};
	__u64 end = bc_now_ms() + (variant->md < 0 ? 100 : 500), changes = 0;
	int bad;

	ASSERT_EQ(0, bc_load_start(&load));
	do {
		struct bc_dev *leg = changes % 2 ? &self->b : &self->a;

		bad = bc_queue_write(leg, "copy_max_bytes", changes % 7 * leg->lbs);
		bad |= refused(&self->top, &self->top);
		bad |= bc_queue_write(leg, "copy_max_extents", changes % 3);
		if (changes % 5 == 4)
			bad |= bc_reset_limits(leg);
		changes++;
	} while (!bad && bc_now_ms() < end);
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, bc_load_stop(&load));
	EXPECT_NE(0, load.done);
	EXPECT_EQ(0, bc_win_check(&self->win));
	bc_log("%llu changes of limits, %llu reads and writes", changes, load.done);
}

/* The drive itself still copies, beside the part that is in use above. */
TEST_F(refusing, but_the_drive_copies)
{
	struct blk_copy_extent ext;
	struct bc_win w;

	ASSERT_EQ(0, bc_win_init(&w, &self->a, 72 * BC_MIB, LEN));
	ext = (struct blk_copy_extent){ w.base + self->a.lbs, COPY };
	EXPECT_EQ(0, bc_step(&w, BC_IOCTL, w.base + LEN / 2, &ext, 1));
	ASSERT_EQ(0, bc_queue_write(&self->a, "copy_max_bytes", 3 * self->a.lbs));
	ASSERT_EQ(0, bc_read_limits(&self->a));
	ext.offset += self->a.lbs;
	EXPECT_EQ(0, bc_step(&w, BC_CFR, w.base + LEN / 2, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&w));
	bc_win_free(&w);
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
