// SPDX-License-Identifier: GPL-2.0
/* One extent of any length from a block to 16 MiB, and odd places. */
#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)
#define SIDE	(17 * BC_MIB)
#define GUARD	(128 * BC_KIB)

FIXTURE(lengths) {
	struct bc_dev dev;
	struct bc_win win;
	__u64 src, dst;
};

BC_IFACE_VARIANTS(lengths);

FIXTURE_SETUP(lengths)
{
	BC_SETUP(BASE, 2 * SIDE + 2 * GUARD);
	self->src = BASE + GUARD;
	self->dst = BASE + GUARD + SIDE;
}

FIXTURE_TEARDOWN(lengths)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/* Checks what a copy could have touched, cheaper than the whole window. */
static int check_near(struct bc_win *w, __u64 src, __u64 dst, __u64 len)
{
	return bc_win_check_range(w, w->dev->fd, dst - GUARD / 2, len + GUARD) ?:
	       bc_win_check_range(w, w->dev->fd, src, len);
}

TEST_F_TIMEOUT(lengths, powers_of_two_and_neighbours, 120)
{
	__u64 lbs = self->dev.lbs, blocks, step = 0;
	int d;

	for (blocks = 1; blocks * lbs <= 4 * BC_MIB; blocks *= 2) {
		for (d = -1; d <= 1; d++) {
			struct blk_copy_extent ext = {
				self->src + step++ * lbs, (blocks + d) * lbs,
			};

			if (!ext.length)
				continue;
			ASSERT_EQ(0, bc_step(&self->win, variant->iface, self->dst, &ext, 1));
			ASSERT_EQ(0, check_near(&self->win, ext.offset, self->dst, ext.length))
				TH_LOG("%llu bytes", ext.length);
		}
	}
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F_TIMEOUT(lengths, sixteen_mib, 120)
{
	struct blk_copy_extent ext = { self->src, 16 * BC_MIB };

	EXPECT_EQ(0, bc_step(&self->win, variant->iface, self->dst, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* Every alignment of destination and source within a few pages. */
TEST_F_TIMEOUT(lengths, every_alignment, 120)
{
	__u64 lbs = self->dev.lbs, i;

	for (i = 0; i < 20; i++) {
		struct blk_copy_extent ext = { self->src + 7 * i * lbs, (13 + i) * lbs };

		ASSERT_EQ(0, bc_step(&self->win, variant->iface, self->dst + i * lbs, &ext, 1));
		ASSERT_EQ(0, check_near(&self->win, ext.offset, self->dst + i * lbs, ext.length));
	}
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* The neighbours at no distance, source before and after destination. */
TEST_F(lengths, touching_source_and_destination)
{
	__u64 len = 100 * self->dev.lbs;
	struct blk_copy_extent before = { self->dst - len, len };
	struct blk_copy_extent after = { self->dst + len, len };

	EXPECT_EQ(0, bc_step(&self->win, variant->iface, self->dst, &before, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, self->dst, &after, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
