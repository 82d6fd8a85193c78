// SPDX-License-Identifier: GPL-2.0
/*
 * More than 32 bits of bytes: 4 GiB + 64 KiB. The disk is sparse, data are
 * islands at the places where a truncated length or offset would show.
 */
#include <sys/ioctl.h>
#include <linux/fs.h>

#include "blkcopy_test.h"

#define SRC	(8 * BC_GIB)
#define DST	(64 * BC_GIB)
#define LEN	(4 * BC_GIB + 64 * BC_KIB)
#define ISLAND	(256 * BC_KIB)
#define GUARD	(64 * BC_KIB)

/* Distances from the start; each island reaches half to either side. */
static const __u64 places[] = {
	0, BC_MIB, BC_GIB, 2 * BC_GIB - 4096, 2 * BC_GIB, 3 * BC_GIB, 4 * BC_GIB - ISLAND,
	4 * BC_GIB, LEN,
};

#define NR	ARRAY_SIZE(places)

FIXTURE(huge) {
	struct bc_dev dev;
	struct bc_win src[NR], dst[NR];
};

FIXTURE_SETUP(huge)
{
	__u64 zero[2] = { DST - BC_MIB, LEN + 2 * BC_MIB };
	unsigned int i;

	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	if (self->dev.size < DST + 2 * LEN)
		SKIP(return, "%s is smaller than 72 GiB", self->dev.path);
	ASSERT_EQ(0, ioctl(self->dev.fd, BLKZEROOUT, zero));
	for (i = 0; i < NR; i++) {
		__u64 half = i + 1 < NR && places[i + 1] - places[i] < ISLAND ?
			     (places[i + 1] - places[i]) / 2 : ISLAND / 2;
		__u64 before = i && places[i] - places[i - 1] < ISLAND ?
			       (places[i] - places[i - 1]) / 2 : ISLAND / 2;

		ASSERT_EQ(0, bc_win_init(&self->src[i], &self->dev, SRC + places[i] - before,
					 before + half));
		ASSERT_EQ(0, bc_win_init(&self->dst[i], &self->dev, DST + places[i] - before,
					 before + half));
	}
}

FIXTURE_TEARDOWN(huge)
{
	unsigned int i;

	for (i = 0; i < NR; i++) {
		bc_win_free(&self->src[i]);
		bc_win_free(&self->dst[i]);
	}
	bc_close(&self->dev);
}

/* The model of a copy of @copied bytes, island by island. */
static int check(struct bc_win *src, struct bc_win *dst, __u64 copied)
{
	unsigned int i;
	int bad = 0;

	for (i = 0; i < NR; i++) {
		__u64 from = src[i].base < SRC ? SRC : src[i].base;
		__u64 to = src[i].base + src[i].len;
		struct blk_copy_extent ext;

		if (to > SRC + copied)
			to = SRC + copied;
		if (from < to) {
			ext = (struct blk_copy_extent){ from, to - from };
			bc_win_copied(&dst[i], from - SRC + DST, &src[i], &ext, 1, ~0ULL);
		}
		bad |= bc_win_check(&src[i]);
		bad |= bc_win_check(&dst[i]);
	}
	return bad;
}

TEST_F_TIMEOUT(huge, blkcopy_of_4_gib_and_64_kib, 200)
{
	struct blk_copy_extent ext = { SRC, LEN };
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, &ext, 1);
	struct bc_result r;

	ASSERT_EQ(0, bc_mark());
	r = bc_copy(BC_IOCTL, self->dev.fd, DST, self->dev.fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(LEN, r.copied);
	EXPECT_EQ(0, bc_expect_counts(&bound));
	EXPECT_EQ(0, check(self->src, self->dst, LEN));
}

/* Short by the system call's limit, neither 0 nor 64 KiB. */
TEST_F_TIMEOUT(huge, copy_file_range_of_4_gib_and_64_kib, 200)
{
	struct blk_copy_extent ext = { SRC, LEN }, done = { SRC, BC_MAX_RW_COUNT };
	struct bc_bound bound = bc_bound_for(BC_CFR, &self->dev, &done, 1);
	struct bc_result r;

	ASSERT_EQ(0, bc_mark());
	r = bc_copy(BC_CFR, self->dev.fd, DST, self->dev.fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(BC_MAX_RW_COUNT, r.copied);
	EXPECT_EQ(0, bc_expect_counts(&bound));
	EXPECT_EQ(0, check(self->src, self->dst, r.copied));
}

/* Extents whose sum does not fit in 32 bits. */
TEST_F_TIMEOUT(huge, two_extents_of_2_gib_and_32_kib, 200)
{
	struct blk_copy_extent ext[2] = { { SRC, LEN / 2 }, { SRC + LEN / 2, LEN / 2 } };
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, ext, 2);
	struct bc_result r;

	if (bound.copies > 10000)
		SKIP(return, "%llu commands take too long: needs larger ones", bound.copies);
	r = bc_copy(BC_IOCTL, self->dev.fd, DST, self->dev.fd, ext, 2);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(LEN, r.copied);
	EXPECT_EQ(0, check(self->src, self->dst, LEN));
}

TEST_HARNESS_MAIN
