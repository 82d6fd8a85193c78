// SPDX-License-Identifier: GPL-2.0
/* The blocks of a range in reverse, by a single copy of many extents. */
#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)	/* where the window is on the device */
#define LEN	(1 * BC_MIB)
#define BLOCKS	100

FIXTURE(reverse) {
	struct bc_dev dev;
	struct bc_win win;
};

BC_IFACE_VARIANTS(reverse);

FIXTURE_SETUP(reverse)
{
	BC_SETUP(BASE, LEN);
}

FIXTURE_TEARDOWN(reverse)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(reverse, blocks)
{
	struct blk_copy_extent extents[BLOCKS];
	__u64 lbs = self->dev.lbs;
	int i;

	for (i = 0; i < BLOCKS; i++)
		extents[i] = (struct blk_copy_extent){ BASE + (BLOCKS - 1 - i) * lbs, lbs };
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, BASE + LEN / 2, extents, BLOCKS));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
