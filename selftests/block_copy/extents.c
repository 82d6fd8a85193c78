// SPDX-License-Identifier: GPL-2.0
/* Shapes and numbers of source extents, all gathered at one destination. */
#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)
#define LEN	(8 * BC_MIB)
#define GUARD	(64 * BC_KIB)

FIXTURE(extents) {
	struct bc_dev dev;
	struct bc_win win;
	struct blk_copy_extent ext[BLKCOPY_MAX_EXTENTS];
	__u64 src, dst;
};

BC_IFACE_VARIANTS(extents);

FIXTURE_SETUP(extents)
{
	BC_SETUP(BASE, LEN);
	self->src = BASE + GUARD;
	self->dst = BASE + LEN / 2;
}

FIXTURE_TEARDOWN(extents)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

static int copy_and_check(struct bc_win *win, enum bc_iface iface, __u64 dst,
			  const struct blk_copy_extent *ext, __u32 nr)
{
	return bc_step(win, iface, dst, ext, nr) ?: bc_win_check(win);
}

/* The counts around which commands are filled, on common limits. */
TEST_F_TIMEOUT(extents, one_to_1024_scattered, 120)
{
	static const __u32 nrs[] = {
		1, 2, 3, 4, 7, 63, 64, 65, 126, 127, 128, 129, 130, 255, 256, 257, 300, 1023, 1024,
	};
	__u32 lbs = self->dev.lbs, i, j;

	for (i = 0; i < ARRAY_SIZE(nrs); i++) {
		if (variant->iface == BC_CFR && nrs[i] > 130)
			break;	/* one call each: nothing new */
		for (j = 0; j < nrs[i]; j++) {
			/* A permutation: 771 and 1024 have no common divisor. */
			__u64 place = (j * 771 + i) % 1024;

			/* On 4096-byte blocks the sources repeat, to stay in the window. */
			self->ext[j].offset = self->src + place * 2 * lbs % (LEN / 4 / lbs * lbs);
			self->ext[j].length = lbs;
		}
		ASSERT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext,
					    nrs[i]))
			TH_LOG("%u extents", nrs[i]);
	}
}

TEST_F(extents, every_count_up_to_40)
{
	__u32 lbs = self->dev.lbs, nr, j;

	for (nr = 1; nr <= 40; nr++) {
		for (j = 0; j < nr; j++) {
			self->ext[j].offset = self->src + (3 * (40 - j) + nr) * lbs;
			self->ext[j].length = lbs;
		}
		ASSERT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext, nr))
			TH_LOG("%u extents", nr);
	}
}

/* Adjacent sources of the same and of different lengths. */
TEST_F(extents, adjacent)
{
	static const __u32 lengths[][8] = {
		{ 1, 1, 1, 1, 1, 1, 1, 1 },
		{ 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 8, 1, 7, 2, 6, 3, 5, 4 },
		{ 128, 1, 128, 1, 127, 2, 129, 1 },
	};
	__u32 i, j, lbs = self->dev.lbs;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		__u64 at = self->src + i * lbs;

		for (j = 0; j < 8; j++) {
			self->ext[j].offset = at;
			self->ext[j].length = lengths[i][j] * lbs;
			at += self->ext[j].length;
		}
		ASSERT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext, 8))
			TH_LOG("lengths of row %u", i);
	}
}

TEST_F(extents, repeated_source)
{
	__u32 j, lbs = self->dev.lbs;

	for (j = 0; j < 50; j++) {
		self->ext[j].offset = self->src + 5 * lbs;
		self->ext[j].length = 3 * lbs;
	}
	EXPECT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext, 50));
}

/* Sources that overlap one another: only the destination must not. */
TEST_F(extents, overlapping_sources)
{
	__u32 j, lbs = self->dev.lbs;

	for (j = 0; j < 50; j++) {
		self->ext[j].offset = self->src + j * lbs;
		self->ext[j].length = 9 * lbs;
	}
	EXPECT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext, 50));
}

TEST_F(extents, reversed)
{
	__u32 j, lbs = self->dev.lbs;

	for (j = 0; j < 100; j++) {
		self->ext[j].offset = self->src + (100 - j) * 2 * lbs;
		self->ext[j].length = 2 * lbs;
	}
	EXPECT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext, 100));
}

/* Sources on both sides of the destination, and touching it. */
TEST_F(extents, around_the_destination)
{
	__u32 lbs = self->dev.lbs;
	__u64 len = 6ULL * 11 * lbs;
	__u32 j;

	for (j = 0; j < 6; j++) {
		self->ext[j].length = 11 * lbs;
		self->ext[j].offset = j % 2 ? self->dst + len + j / 2 * 11 * lbs :
					      self->dst - (j / 2 + 1) * 11 * lbs;
	}
	EXPECT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, self->ext, 6));
}

TEST_F(extents, random_shapes)
{
	__u32 i, j, nr, lbs = self->dev.lbs;

	for (i = 0; i < 12; i++) {
		nr = 1 + bc_rand_below(variant->iface == BC_CFR ? 20 : 300);
		for (j = 0; j < nr; j++) {
			self->ext[j].length = (1 + bc_rand_below(nr < 20 ? 200 : 9)) * lbs;
			if (bc_total(self->ext, j + 1) > LEN / 4) {
				nr = j ?: 1;
				break;
			}
			self->ext[j].offset = self->src + bc_rand_below(LEN / 4 / lbs) * lbs;
		}
		ASSERT_EQ(0, copy_and_check(&self->win, variant->iface,
					    self->dst + bc_rand_below(100) * lbs, self->ext, nr))
			TH_LOG("shape %u, %u extents", i, nr);
	}
}

/* Different data twice to one place: the second must win. */
TEST_F(extents, same_destination_again)
{
	struct blk_copy_extent ext = { self->src, 40 * self->dev.lbs };
	int i;

	for (i = 0; i < 10; i++) {
		ext.offset += 3 * self->dev.lbs;
		ASSERT_EQ(0, copy_and_check(&self->win, variant->iface, self->dst, &ext, 1));
	}
}

TEST_HARNESS_MAIN
