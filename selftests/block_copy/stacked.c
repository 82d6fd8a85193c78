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

FIXTURE(off) {
	struct bc_dev a;
	struct bc_stack stack;
};

FIXTURE_SETUP(off)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
}

FIXTURE_TEARDOWN(off)
{
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

/*
 * Offload is switched off in the middle of a stack: as a source and as a
 * destination, nothing gets through.
 */
TEST_F(off, in_the_middle)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @8000 linear %a @5000\n", "0 @8000 linear %0 0\n",
	};
	struct bc_dev *top = &self->stack.top, middle;
	struct blk_copy_extent ext = { 0, COPY };
	int iface;

	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	ASSERT_EQ(0, bc_open_path(&middle, self->stack.dm[0].path));
	ASSERT_EQ(0, bc_queue_write(&middle, "copy_max_bytes", 0));
	bc_close(&middle);
	ASSERT_EQ(0, bc_mark());
	for (iface = BC_IOCTL; iface <= BC_CFR; iface++) {
		EXPECT_EQ(0, bc_refused(bc_copy(iface, self->a.fd, 64 * BC_MIB, top->fd, &ext, 1),
					EOPNOTSUPP, "from it"));
		EXPECT_EQ(0, bc_refused(bc_copy(iface, top->fd, LEN, self->a.fd, &ext, 1),
					EOPNOTSUPP, "to it"));
		EXPECT_EQ(0, bc_refused(bc_copy(iface, top->fd, LEN, top->fd, &ext, 1),
					EOPNOTSUPP, "inside"));
	}
	EXPECT_EQ(0, bc_expect_no_copies());
}

struct kind {
	const char *tables[BC_STACK_MOST];
	int md;		/* level, or -1 */
	bool thin;
};

struct set {
	struct bc_dev a, b, top;
	struct bc_win win;
	struct bc_stack stack;
	struct bc_md md;
};

FIXTURE(refusing) {
	struct set set;
};

FIXTURE_VARIANT(refusing) {
	struct kind kind;
};

FIXTURE_VARIANT_ADD(refusing, md_raid0) { .kind.md = 0 };
FIXTURE_VARIANT_ADD(refusing, md_raid1) { .kind.md = 1 };
FIXTURE_VARIANT_ADD(refusing, linear_beside_zero) {
	.kind.tables = { "0 @16000 linear %a @5000\n@16000 @8 zero\n" },
	.kind.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, dust_beside_linear) {
	.kind.tables = { "0 @8000 dust %a @5000 512\n@8000 @8000 linear %a @13000\n" },
	.kind.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, linear_over_dust) {
	.kind.tables = { "0 @16000 dust %a @5000 512\n", "0 @16000 linear %0 0\n" },
	.kind.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, mirror) {
	.kind.tables = { "0 @16384 mirror core 2 1024 nosync 2 %a @5000 %b @5000\n" },
	.kind.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, snapshot_origin) {
	.kind.tables = { "0 @16000 linear %a @5000\n", "0 @16000 snapshot-origin %0\n" },
	.kind.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, snapshot) {
	.kind.tables = { "0 @16000 linear %a @5000\n", "0 @32000 linear %b @8192\n",
			 "0 @16000 snapshot %0 %1 N 16\n" },
	.kind.md = -1,
};
FIXTURE_VARIANT_ADD(refusing, thin) {
	.kind.tables = { "0 @8192 linear %b @8192\n", "0 @32768 linear %a @5000\n",
			 "0 @32768 thin-pool %0 %1 128 0\n" },
	.kind.md = -1,
	.kind.thin = true,
};
FIXTURE_VARIANT_ADD(refusing, crypt) {
	.kind.tables = { "0 @16000 crypt aes-xts-plain64 "
			 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 0 %a @5000\n" },
	.kind.md = -1,
};

FIXTURE_VARIANT_ADD(refusing, integrity) {
	.kind.tables = { "0 @32768 linear %b @8192\n",
			 "0 @16000 integrity %0 0 - J 1 internal_hash:crc32c\n" },
	.kind.md = -1,
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

/*
 * What a pool knows of its new blocks, or what is in a journal, is written some time after
 * it was asked for. Waits until nothing more comes, and counts from there.
 */
static int settle(struct bc_dev *dev)
{
	struct bc_counts c = { .writes = 1 };
	unsigned int tries = 30;

	if (fsync(dev->fd))
		return -1;
	while (c.writes && tries--) {
		if (bc_mark())
			return -1;
		usleep(300000);
		if (!bc_have_witness())
			return 0;
		if (bc_count(&c))
			return -1;
	}
	return bc_mark();
}

/* Returns as bc_stack_make(). */
static int set_up(struct set *s, const struct kind *kind)
{
	const char *path = s->md.path;
	int ret;

	s->top.fd = -1;
	s->top.bfd = -1;
	ret = bc_open(&s->a, "COPY_DEV") ?: bc_open(&s->b, "COPY_DEV2") ?:
	      bc_need_copy(&s->a) ?: bc_need_copy(&s->b) ?:
	      zero(&s->b, 8192 * s->b.lbs, BC_MIB);
	if (!ret && kind->md >= 0) {
		ret = bc_md_make(&s->md, kind->md, &s->a, &s->b);
	} else if (!ret) {
		ret = make(&s->stack, kind->tables, kind->thin, &s->a, &s->b);
		path = s->stack.dm[ret ? 0 : s->stack.nr - 1].path;
	}
	return ret ?: bc_open_path(&s->top, path) ?:
	       bc_win_init(&s->win, &s->top, BASE, LEN) ?: settle(&s->top);
}

static int tear_down(struct set *s)
{
	int bad;

	bc_win_free(&s->win);
	bc_close(&s->top);
	bad = bc_stack_remove(&s->stack) | bc_md_remove(&s->md);
	bc_reset_limits(&s->a);
	bc_reset_limits(&s->b);
	bc_close(&s->a);
	bc_close(&s->b);
	return bad;
}

static int refused(struct bc_dev *dev, struct bc_dev *src)
{
	struct blk_copy_extent ext = { BASE + COPY, COPY };
	int iface, bad = 0;

	for (iface = BC_IOCTL; iface <= BC_CFR; iface++)
		bad |= bc_refused(bc_copy(iface, dev->fd, BASE + LEN / 2, src->fd, &ext, 1),
				  EOPNOTSUPP, bc_iface_name(iface));
	return bad;
}

FIXTURE_SETUP(refusing)
{
	BC_REQUIRE(set_up(&self->set, &variant->kind));
}

FIXTURE_TEARDOWN(refusing)
{
	EXPECT_EQ(0, tear_down(&self->set));
}

TEST_F(refusing, to_copy)
{
	struct set *s = &self->set;
	struct blk_copy_extent ext;
	struct bc_win w;

	EXPECT_EQ(0, bc_expect_no_limits(&s->top));
	EXPECT_EQ(0, refused(&s->top, &s->top));
	/* Between the stacked device and a drive below it. */
	EXPECT_EQ(0, refused(&s->top, &s->a));
	EXPECT_EQ(0, refused(&s->a, &s->top));
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&s->win));

	/* The drive itself still copies, beside the part that is in use above. */
	ASSERT_EQ(0, bc_win_init(&w, &s->a, 72 * BC_MIB, LEN));
	ext = (struct blk_copy_extent){ w.base + s->a.lbs, COPY };
	EXPECT_EQ(0, bc_step(&w, BC_IOCTL, w.base + LEN / 2, &ext, 1));
	ASSERT_EQ(0, bc_queue_write(&s->a, "copy_max_bytes", 3 * s->a.lbs));
	ASSERT_EQ(0, bc_read_limits(&s->a));
	ext.offset += s->a.lbs;
	EXPECT_EQ(0, bc_step(&w, BC_CFR, w.base + LEN / 2, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&w));
	bc_win_free(&w);
	EXPECT_EQ(0, bc_win_check(&s->win));
}

FIXTURE(changing) {
	struct set set;
};

FIXTURE_VARIANT(changing) {
	struct kind kind;
};

FIXTURE_VARIANT_ADD(changing, md_raid0) { .kind.md = 0 };
FIXTURE_VARIANT_ADD(changing, md_raid1) { .kind.md = 1 };
FIXTURE_VARIANT_ADD(changing, dm_dust) {
	.kind.tables = { "0 @8192 striped 2 @128 %a @5000 %b @5000\n",
			 "0 @8192 dust %0 0 512\n" },
	.kind.md = -1,
};

FIXTURE_SETUP(changing)
{
	BC_REQUIRE(set_up(&self->set, &variant->kind));
}

FIXTURE_TEARDOWN(changing)
{
	EXPECT_EQ(0, tear_down(&self->set));
}

/*
 * Stacked reads and writes and refused copies, while the limits of the drives
 * below go down, to 0 and up again. Nobody may hang.
 */
TEST_F_TIMEOUT(changing, limits_below, 120)
{
	struct set *s = &self->set;
	struct bc_load load = {
		.win = &s->win, .rng = bc_seed, .ops = BC_OP_WRITES | BC_OP_READS,
	};
	__u64 end = bc_now_ms() + 500, changes = 0;
	int bad;

	ASSERT_EQ(0, bc_load_start(&load));
	do {
		struct bc_dev *leg = changes % 2 ? &s->b : &s->a;

		bad = bc_queue_write(leg, "copy_max_bytes", changes % 7 * leg->lbs);
		bad |= refused(&s->top, &s->top);
		bad |= bc_queue_write(leg, "copy_max_extents", changes % 3);
		if (changes % 5 == 4)
			bad |= bc_reset_limits(leg);
		changes++;
	} while (!bad && bc_now_ms() < end);
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, bc_load_stop(&load));
	EXPECT_NE(0, load.done);
	EXPECT_EQ(0, bc_win_check(&s->win));
	bc_log("%llu changes of limits, %llu reads and writes", changes, load.done);
}

TEST_HARNESS_MAIN
