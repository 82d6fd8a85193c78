// SPDX-License-Identifier: GPL-2.0
/*
 * The three limits of a copy command: what sysfs says about them, and the
 * number of commands at, below and above the boundary of each.
 */
#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)
#define GUARD	(128 * BC_KIB)
#define MOST	(64 * BC_MIB)	/* a boundary beyond this is not tried */

FIXTURE(limits) {
	struct bc_dev dev;
	struct bc_win win;
};

FIXTURE_SETUP(limits)
{
	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
}

FIXTURE_TEARDOWN(limits)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(limits, sysfs_values_are_consistent)
{
	struct bc_limits *lim = &self->dev.lim;

	EXPECT_NE(0, lim->max_bytes);
	EXPECT_NE(0, lim->max_extent_bytes);
	EXPECT_NE(0, lim->max_extents);
	/* Nobody has written them: users get what the hardware can, within reason. */
	EXPECT_EQ(bc_default_bytes(&self->dev), lim->max_bytes);
	EXPECT_EQ(bc_usable_bytes(&self->dev, lim->hw_extent_bytes), lim->max_extent_bytes);
	EXPECT_EQ(lim->hw_extents, lim->max_extents);
	EXPECT_EQ(0, lim->max_bytes % self->dev.lbs);
	EXPECT_EQ(0, lim->max_extent_bytes % self->dev.lbs);
}

TEST_F(limits, hardware_values_are_the_drives)
{
	static const struct {
		const char *machine;
		__u64 blocks, extent_blocks, extents;
	} known[] = {
		{ "default", 128, 128, 128 },
		{ "small-limits", 20, 7, 3 },
		{ "lba4096", 128, 128, 128 },
		{ "wide", 0xffffffff, 65535, 256 },
		{ "null", 100, 30, 5 },
	};
	__u32 lbs = self->dev.lbs;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!bc_machine(known[i].machine))
			continue;
		EXPECT_EQ(known[i].blocks * lbs, self->dev.lim.hw_bytes);
		EXPECT_EQ(known[i].extent_blocks * lbs, self->dev.lim.hw_extent_bytes);
		EXPECT_EQ(known[i].extents, self->dev.lim.hw_extents);
		return;
	}
	SKIP(return, "the drive's own limits are not known on this machine");
}

TEST_F(limits, hardware_values_cannot_be_written)
{
	static const char * const attrs[] = {
		"copy_max_hw_bytes", "copy_max_hw_extent_bytes", "copy_max_hw_extents",
	};
	struct bc_limits before = self->dev.lim;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		EXPECT_NE(0, bc_queue_write(&self->dev, attrs[i], 1));
	EXPECT_EQ(0, bc_read_limits(&self->dev));
	EXPECT_EQ(0, memcmp(&before, &self->dev.lim, sizeof(before)));
}

/*
 * One extent of each of @nr lengths, through all interfaces. The source
 * moves by a block each time: a copy that does nothing is noticed.
 * Returns 1 to skip, if the device is too small.
 */
static int single_extents(struct bc_dev *dev, struct bc_win *win, const __u64 *lengths,
			  unsigned int nr)
{
	__u64 longest = 0, src = BASE + GUARD, dst;
	unsigned int i, iface, step = 0;
	int bad = 0;

	for (i = 0; i < nr; i++)
		if (lengths[i] > longest)
			longest = lengths[i];
	dst = src + longest + GUARD;
	if (bc_need_bytes(dev, dst + longest + GUARD))
		return 1;
	if (bc_win_init(win, dev, BASE, dst + longest + GUARD - BASE))
		return -1;
	for (i = 0; i < nr; i++) {
		for (iface = BC_IOCTL; iface <= BC_CFR; iface++, step++) {
			if (iface == BC_CFR && lengths[i] > 4 * BC_MIB)
				break;
			struct blk_copy_extent ext = { src + step * dev->lbs, lengths[i] };

			if (!lengths[i])
				continue;
			bad |= bc_step(win, iface, dst, &ext, 1);
			bad |= bc_win_check(win);
		}
	}
	return bad ? -1 : 0;
}

/* Large ones are tried once only, for time. */
static unsigned int around(__u64 *lengths, __u64 limit, __u64 unit)
{
	const __u64 all[] = {
		limit - unit, limit, limit + unit, 2 * limit - unit, 2 * limit, 2 * limit + unit,
	};

	memcpy(lengths, all, sizeof(all));
	return limit > 4 * BC_MIB ? 3 : ARRAY_SIZE(all);
}

TEST_F_TIMEOUT(limits, one_extent_around_the_extent_limit, 120)
{
	__u64 lengths[8];
	unsigned int nr = around(lengths, self->dev.lim.max_extent_bytes, self->dev.lbs);

	if (self->dev.lim.max_extent_bytes > MOST)
		SKIP(return, "copy_max_extent_bytes is too large to try its boundary");
	BC_REQUIRE(single_extents(&self->dev, &self->win, lengths, nr));
}

TEST_F_TIMEOUT(limits, one_extent_around_the_byte_limit, 120)
{
	__u64 lengths[8];
	unsigned int nr = around(lengths, self->dev.lim.max_bytes, self->dev.lbs);

	if (self->dev.lim.max_bytes > MOST)
		SKIP(return, "copy_max_bytes is too large to try its boundary");
	BC_REQUIRE(single_extents(&self->dev, &self->win, lengths, nr));
}

/* @nr extents of @len bytes, @gap bytes apart. Returns 1 to skip. */
static int many_extents(struct bc_dev *dev, struct bc_win *win, const unsigned int *nrs,
			unsigned int nr_nrs, __u64 len, __u64 gap)
{
	unsigned int i, j, most = 0;
	__u64 src, dst;
	int bad = 0;

	for (i = 0; i < nr_nrs; i++)
		if (nrs[i] > most)
			most = nrs[i];
	src = BASE + GUARD;
	dst = src + (most + 1) * (len + gap) + GUARD;
	if (bc_need_bytes(dev, dst + most * len + GUARD))
		return 1;
	if (bc_win_init(win, dev, BASE, dst + most * len + GUARD - BASE))
		return -1;
	for (i = 0; i < nr_nrs; i++) {
		struct blk_copy_extent ext[BLKCOPY_MAX_EXTENTS];

		if (!nrs[i])
			continue;
		for (j = 0; j < nrs[i]; j++) {
			/* Another start each time, see single_extents(). */
			ext[j].offset = src + j * (len + gap) + i * dev->lbs;
			ext[j].length = len;
		}
		bad |= bc_step(win, BC_IOCTL, dst, ext, nrs[i]);
		bad |= bc_win_check(win);
	}
	return bad ? -1 : 0;
}

TEST_F_TIMEOUT(limits, many_extents_around_the_extent_count, 120)
{
	unsigned int limit = self->dev.lim.max_extents;
	unsigned int nrs[] = {
		limit - 1, limit, limit + 1, 2 * limit - 1, 2 * limit, 2 * limit + 1,
	};
	unsigned int nr = ARRAY_SIZE(nrs);

	while (nr && nrs[nr - 1] > BLKCOPY_MAX_EXTENTS)
		nr--;
	if (!nr)
		SKIP(return, "copy_max_extents is beyond what one call can ask for");
	BC_REQUIRE(many_extents(&self->dev, &self->win, nrs, nr, self->dev.lbs, self->dev.lbs));
}

/* Extents that do not divide the byte limit: it cuts one of them. */
TEST_F_TIMEOUT(limits, byte_limit_falls_inside_an_extent, 120)
{
	__u64 blocks = self->dev.lim.max_extent_bytes / self->dev.lbs;
	__u64 len = (blocks > 5 ? 5 : 1) * self->dev.lbs;
	unsigned int fit = self->dev.lim.max_bytes / len;
	unsigned int nrs[] = { fit, fit + 1, 2 * fit + 1, 3 * fit + 2 };
	unsigned int nr = ARRAY_SIZE(nrs);

	while (nr && nrs[nr - 1] > BLKCOPY_MAX_EXTENTS)
		nr--;
	if (!nr)
		SKIP(return, "copy_max_bytes is too large to be reached with small extents");
	BC_REQUIRE(many_extents(&self->dev, &self->win, nrs, nr, len, self->dev.lbs));
}

/* Longer than the extent limit, several, one block more than a command. */
TEST_F_TIMEOUT(limits, long_extents_reach_all_three_limits, 120)
{
	__u64 len = self->dev.lim.max_extent_bytes + self->dev.lbs;
	static const unsigned int nrs[] = { 1, 2, 3, 7, 16 };

	if (16 * len > MOST)
		SKIP(return, "copy_max_extent_bytes is too large to try many long extents");
	BC_REQUIRE(many_extents(&self->dev, &self->win, nrs, ARRAY_SIZE(nrs), len,
				self->dev.lbs));
}

/* @nr commands of @command bytes, islands at both ends of the copy. */
static int long_copy(struct bc_dev *dev, __u64 command, unsigned int nr)
{
	__u64 len = nr * command, src = BASE, dst = src + len + BC_MIB;
	struct blk_copy_extent ext = { src, len }, ends[2] = { { src, BC_MIB } };
	struct bc_bound bound;
	struct bc_result r;
	unsigned int i;
	int bad;

	ends[1] = (struct blk_copy_extent){ src + len - BC_MIB, BC_MIB };
	bad = bc_queue_write(dev, "copy_max_bytes", command) ?: bc_read_limits(dev);
	for (i = 0; i < 2 && !bad; i++) {
		struct bc_win from = { 0 }, to = { 0 };

		bad |= bc_win_init(&from, dev, ends[i].offset, BC_MIB);
		bad |= bc_win_init(&to, dev, dst + ends[i].offset - src, BC_MIB);
		if (bad)
			return bad;
		bc_win_copied(&to, to.base, &from, &ends[i], 1, ~0ULL);
		bound = bc_bound_for(BC_IOCTL, dev, &ext, 1);
		bad |= bc_mark();
		r = bc_copy(BC_IOCTL, dev->fd, dst, dev->fd, &ext, 1);
		bad |= r.err || r.copied != len;
		bad |= bc_expect_counts(&bound);
		bad |= bc_win_check(&from);
		bad |= bc_win_check(&to);
		bc_win_free(&from);
		bc_win_free(&to);
	}
	return bad;
}

/*
 * Copies that are no multiple of what the kernel may portion them into: no
 * command but the last may be short.
 */
TEST_F_TIMEOUT(limits, long_copy_in_portions, 120)
{
	int bad;

	if (self->dev.lim.hw_bytes < 192 * BC_MIB || self->dev.lim.max_extents < 16 ||
	    self->dev.size < 2 * BC_GIB)
		SKIP(return, "needs a drive of 2 GiB that copies 192 MiB in one command");
	bad = long_copy(&self->dev, 192 * BC_MIB, 4);
	bad |= long_copy(&self->dev, 3 * BC_MIB, 16);
	EXPECT_EQ(0, bc_reset_limits(&self->dev));
	EXPECT_EQ(0, bad);
}

TEST_HARNESS_MAIN
