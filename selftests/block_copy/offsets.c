// SPDX-License-Identifier: GPL-2.0
/*
 * Where on the device: its first and last blocks, and past 2^32 sectors,
 * where 32-bit sector arithmetic would wrap around to the beginning.
 */
#include "blkcopy_test.h"

#define LEN	(2 * BC_MIB)
#define WRAP	(BC_SECTOR << 32)	/* 2 TiB */

FIXTURE(offsets) {
	struct bc_dev dev;
	struct bc_win a, b;
};

BC_IFACE_VARIANTS(offsets);

FIXTURE_SETUP(offsets)
{
	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
}

FIXTURE_TEARDOWN(offsets)
{
	bc_win_free(&self->a);
	bc_win_free(&self->b);
	bc_close(&self->dev);
}

static int from_to(struct bc_win *dst_win, __u64 dst, struct bc_win *src_win, __u64 src, __u64 len,
		   enum bc_iface iface)
{
	struct blk_copy_extent ext = { src, len };
	int fd = dst_win->dev->fd;

	return bc_step2(dst_win, fd, src_win, fd, iface, dst, &ext, 1) ?:
	       bc_win_check(dst_win) ?: bc_win_check(src_win);
}

TEST_F(offsets, first_and_last_blocks)
{
	__u64 size = self->dev.size, lbs = self->dev.lbs, len = 77 * lbs;

	ASSERT_EQ(0, bc_win_init(&self->a, &self->dev, 0, LEN));
	ASSERT_EQ(0, bc_win_init(&self->b, &self->dev, size - LEN, LEN));
	EXPECT_EQ(0, from_to(&self->b, size - len, &self->a, 0, len, variant->iface));
	EXPECT_EQ(0, from_to(&self->b, size - lbs, &self->a, lbs, lbs, variant->iface));
	EXPECT_EQ(0, from_to(&self->a, 0, &self->b, size - len - lbs, len, variant->iface));
	EXPECT_EQ(0, from_to(&self->a, lbs, &self->b, size - lbs, lbs, variant->iface));
	EXPECT_EQ(0, from_to(&self->a, 0, &self->a, LEN / 2, len, variant->iface));
	EXPECT_EQ(0, from_to(&self->b, size - len, &self->b, size - LEN, len, variant->iface));
}

TEST_F(offsets, low_to_high_and_back)
{
	__u64 high = WRAP + 16 * BC_MIB + 3 * self->dev.lbs, low = 16 * BC_MIB + 3 * self->dev.lbs;
	__u64 len = 300 * self->dev.lbs;

	if (self->dev.size < WRAP + 64 * BC_MIB)
		SKIP(return, "%s has no sectors past 2^32", self->dev.path);
	/* The windows are where a wrapped address would go. */
	ASSERT_EQ(0, bc_win_init(&self->a, &self->dev, 15 * BC_MIB, LEN));
	ASSERT_EQ(0, bc_win_init(&self->b, &self->dev, WRAP + 15 * BC_MIB, LEN));
	EXPECT_EQ(0, from_to(&self->b, high, &self->a, low - len, len, variant->iface));
	EXPECT_EQ(0, from_to(&self->a, low, &self->b, high + len, len, variant->iface));
	EXPECT_EQ(0, from_to(&self->b, high - len, &self->b, high, len, variant->iface));
}

TEST_F(offsets, across_the_32_bit_boundary)
{
	__u64 len = 200 * self->dev.lbs;

	if (self->dev.size < WRAP + 64 * BC_MIB)
		SKIP(return, "%s has no sectors past 2^32", self->dev.path);
	ASSERT_EQ(0, bc_win_init(&self->a, &self->dev, 0, LEN));
	ASSERT_EQ(0, bc_win_init(&self->b, &self->dev, WRAP - LEN / 2, LEN));
	EXPECT_EQ(0, from_to(&self->b, WRAP - len / 2, &self->a, 0, len, variant->iface));
	EXPECT_EQ(0, from_to(&self->b, WRAP - 2 * len, &self->b, WRAP - len / 4, len,
			     variant->iface));
	EXPECT_EQ(0, from_to(&self->a, 0, &self->b, WRAP - len / 2, len, variant->iface));
}

TEST_F(offsets, extents_on_both_sides)
{
	__u64 lbs = self->dev.lbs;
	struct blk_copy_extent ext[8];
	int i;

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	if (self->dev.size < WRAP + 64 * BC_MIB)
		SKIP(return, "%s has no sectors past 2^32", self->dev.path);
	ASSERT_EQ(0, bc_win_init(&self->b, &self->dev, WRAP - LEN / 2, LEN));
	for (i = 0; i < 8; i++)
		ext[i] = (struct blk_copy_extent){ WRAP + (i - 4) * 20 * lbs, 9 * lbs };
	EXPECT_EQ(0, bc_step(&self->b, BC_IOCTL, WRAP - LEN / 4, ext, 8));
	EXPECT_EQ(0, bc_win_check(&self->b));
}

TEST_HARNESS_MAIN
