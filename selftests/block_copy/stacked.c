// SPDX-License-Identifier: GPL-2.0
/*
 * Devices stacked on drives that copy, whose drivers know nothing of copies:
 * they must not offer what is below them. And limits that change below a
 * stacked device, while it is in use.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define SIZE	(64 * BC_MIB)
#define BASE	(4 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define COPY	(64 * BC_KIB)

FIXTURE(stacked) {
	struct bc_dev a, b, top;
	struct bc_win win;
	struct bc_stack stack;
	bool made;
};

FIXTURE_VARIANT(stacked) {
	enum bc_stack_kind kind;
};

FIXTURE_VARIANT_ADD(stacked, dm_linear) { .kind = BC_DM_LINEAR };
FIXTURE_VARIANT_ADD(stacked, dm_striped) { .kind = BC_DM_STRIPED };
FIXTURE_VARIANT_ADD(stacked, md_raid0) { .kind = BC_MD_RAID0 };
FIXTURE_VARIANT_ADD(stacked, md_raid1) { .kind = BC_MD_RAID1 };

FIXTURE_SETUP(stacked)
{
	self->top.fd = -1;
	self->top.bfd = -1;
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->b, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->a));
	BC_REQUIRE(bc_need_copy(&self->b));
	/* md wants the legs to itself. */
	BC_REQUIRE(bc_stack_make(&self->stack, variant->kind, &self->a, &self->b, SIZE));
	self->made = true;
	ASSERT_EQ(0, bc_open_path(&self->top, self->stack.path))
		TH_LOG("%s", bc_reason());
	ASSERT_EQ(0, bc_win_init(&self->win, &self->top, BASE, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(stacked)
{
	bc_win_free(&self->win);
	bc_close(&self->top);
	if (self->made)
		EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_reset_limits(&self->a);
	bc_reset_limits(&self->b);
	bc_close(&self->a);
	bc_close(&self->b);
}

TEST_F(stacked, advertises_no_copy)
{
	static const char * const attrs[] = {
		"copy_max_bytes", "copy_max_extent_bytes", "copy_max_extents",
		"copy_max_hw_bytes", "copy_max_hw_extent_bytes", "copy_max_hw_extents",
	};
	unsigned int i;
	__u64 value;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		value = 1;
		EXPECT_EQ(0, bc_queue_read(&self->top, attrs[i], &value));
		EXPECT_EQ(0, value);
	}
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

TEST_F(stacked, refuses_to_copy)
{
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
TEST_F_TIMEOUT(stacked, lower_limits_change_below, 120)
{
	struct bc_load load = {
		.win = &self->win, .rng = bc_seed, .ops = BC_OP_WRITES | BC_OP_READS,
	};
	__u64 end = bc_now_ms() + 2000, changes = 0;
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
TEST_F(stacked, drive_below_still_copies)
{
	struct blk_copy_extent ext;
	struct bc_win w;

	ASSERT_EQ(0, bc_win_init(&w, &self->a, SIZE + 8 * BC_MIB, LEN));
	ext = (struct blk_copy_extent){ w.base + 512, COPY };
	EXPECT_EQ(0, bc_step(&w, BC_IOCTL, w.base + LEN / 2, &ext, 1));
	ASSERT_EQ(0, bc_queue_write(&self->a, "copy_max_bytes", 3 * self->a.lbs));
	ASSERT_EQ(0, bc_read_limits(&self->a));
	ext.offset += 512;
	EXPECT_EQ(0, bc_step(&w, BC_CFR, w.base + LEN / 2, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&w));
	bc_win_free(&w);
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
