// SPDX-License-Identifier: GPL-2.0
/*
 * The limits that a user writes to sysfs: odd values, 0, values beyond the
 * hardware's, while nothing is copied and while copies run.
 */
#include "blkcopy_test.h"

#define BASE	(16 * BC_MIB)
#define LEN	(8 * BC_MIB)

FIXTURE(user_limits) {
	struct bc_dev dev;
	struct bc_win win;
	struct bc_limits hw;
};

FIXTURE_SETUP(user_limits)
{
	BC_SETUP(BASE, LEN);
	/* A test that crashed has not tidied up. */
	ASSERT_EQ(0, bc_reset_limits(&self->dev));
	self->hw = self->dev.lim;
}

FIXTURE_TEARDOWN(user_limits)
{
	EXPECT_EQ(0, bc_reset_limits(&self->dev));
	EXPECT_EQ(self->hw.max_bytes, self->dev.lim.max_bytes);
	EXPECT_EQ(self->hw.max_extent_bytes, self->dev.lim.max_extent_bytes);
	EXPECT_EQ(self->hw.max_extents, self->dev.lim.max_extents);
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

static const char * const attrs[] = {
	"copy_max_bytes", "copy_max_extent_bytes", "copy_max_extents",
};

static int set_limits(struct bc_dev *dev, __u64 bytes, __u64 extent_bytes, __u64 extents)
{
	return bc_queue_write(dev, "copy_max_bytes", bytes) ?:
	       bc_queue_write(dev, "copy_max_extent_bytes", extent_bytes) ?:
	       bc_queue_write(dev, "copy_max_extents", extents) ?:
	       bc_read_limits(dev);
}

/* A long extent and many short ones, within the current limits. */
static int copies_within_limits(struct bc_win *w, __u64 shift)
{
	__u64 lbs = w->dev->lbs, src = BASE + shift * lbs;
	struct blk_copy_extent one = { src, 301 * lbs }, many[50];
	unsigned int i, iface;
	int bad = 0;

	for (i = 0; i < 50; i++)
		many[i] = (struct blk_copy_extent){ src + i * 7 * lbs, (1 + i % 6) * lbs };
	for (iface = BC_IOCTL; iface <= BC_CFR; iface++)
		bad |= bc_step(w, iface, BASE + LEN / 2 + iface * 304 * lbs, &one, 1);
	bad |= bc_step(w, BC_IOCTL, BASE + LEN / 4, many, 50);
	return bad | bc_win_check(w);
}

TEST_F_TIMEOUT(user_limits, odd_values, 120)
{
	__u64 lbs = self->dev.lbs, hw_bytes = self->hw.max_bytes;
	const __u64 odd[][3] = {
		{ lbs, lbs, 1 },
		{ 3 * lbs, 2 * lbs, 2 },
		{ 7 * lbs, 3 * lbs, 5 },
		{ 19 * lbs, 7 * lbs, 1 },
		{ 13 * lbs, hw_bytes, 127 },
		{ hw_bytes, lbs, 3 },
		{ hw_bytes, self->hw.hw_extent_bytes, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		ASSERT_EQ(0, set_limits(&self->dev, odd[i][0], odd[i][1], odd[i][2]));
		EXPECT_EQ(0, copies_within_limits(&self->win, i))
			TH_LOG("limits of row %u", i);
	}
}

TEST_F(user_limits, values_are_rounded_and_clamped)
{
	__u64 lbs = self->dev.lbs;

	if (self->hw.hw_bytes < 4 * lbs || self->hw.hw_extent_bytes < 3 * lbs)
		SKIP(return, "the hardware limits leave no room below them");
	ASSERT_EQ(0, set_limits(&self->dev, 4 * lbs - 1, 2 * lbs + 1, 1));
	EXPECT_EQ(3 * lbs, self->dev.lim.max_bytes);
	EXPECT_EQ(2 * lbs, self->dev.lim.max_extent_bytes);
	EXPECT_EQ(1, self->dev.lim.max_extents);
	EXPECT_EQ(0, copies_within_limits(&self->win, 1));
	/* More than the hardware can: as much as it can. */
	ASSERT_EQ(0, set_limits(&self->dev, self->hw.hw_bytes + lbs, 1ULL << 50, 65536));
	EXPECT_EQ(bc_usable_bytes(&self->dev, self->hw.hw_bytes), self->dev.lim.max_bytes);
	EXPECT_EQ(self->hw.max_extent_bytes, self->dev.lim.max_extent_bytes);
	EXPECT_EQ(self->hw.max_extents, self->dev.lim.max_extents);
	/* The hardware's values never move. */
	EXPECT_EQ(self->hw.hw_bytes, self->dev.lim.hw_bytes);
	EXPECT_EQ(self->hw.hw_extent_bytes, self->dev.lim.hw_extent_bytes);
	EXPECT_EQ(self->hw.hw_extents, self->dev.lim.hw_extents);
	EXPECT_EQ(0, copies_within_limits(&self->win, 2));
}

TEST_F(user_limits, what_is_no_number_is_refused)
{
	static const char * const junk[] = { "many", "-1", "12x", "99999999999999999999999" };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		for (j = 0; j < ARRAY_SIZE(junk); j++)
			EXPECT_NE(0, bc_queue_write_str(&self->dev, attrs[i], junk[j]));
	ASSERT_EQ(0, bc_read_limits(&self->dev));
	EXPECT_EQ(0, memcmp(&self->hw, &self->dev.lim, sizeof(self->hw)));
}

static int refused_now(struct bc_win *w)
{
	struct blk_copy_extent ext = { BASE, 64 * w->dev->lbs };
	unsigned int iface;
	int bad = bc_mark();

	for (iface = BC_IOCTL; iface <= BC_CFR; iface++)
		bad |= bc_refused(bc_copy(iface, w->dev->fd, BASE + LEN / 2, w->dev->fd, &ext, 1),
				  EOPNOTSUPP, bc_iface_name(iface));
	return bad | bc_expect_no_copies() | bc_win_check(w);
}

/* 0 in any of the three switches offload off, and only until it is undone. */
TEST_F(user_limits, zero_switches_off)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		ASSERT_EQ(0, bc_queue_write(&self->dev, attrs[i], 0));
		ASSERT_EQ(0, bc_read_limits(&self->dev));
		EXPECT_EQ(0, self->dev.lim.max_bytes);
		EXPECT_EQ(0, self->dev.lim.max_extent_bytes);
		EXPECT_EQ(0, self->dev.lim.max_extents);
		EXPECT_EQ(self->hw.hw_bytes, self->dev.lim.hw_bytes);
		EXPECT_EQ(0, refused_now(&self->win));
		ASSERT_EQ(0, bc_reset_limits(&self->dev));
		EXPECT_EQ(self->hw.max_bytes, self->dev.lim.max_bytes);
		EXPECT_EQ(0, copies_within_limits(&self->win, i));
	}
}

static int change_while_copying(struct bc_dev *dev, struct bc_win *win, bool zero)
{
	struct bc_load copies = {
		.win = win, .ops = BC_OP_COPIES, .rng = bc_seed, .may_refuse = zero,
	};
	__u64 lbs = dev->lbs, end = bc_now_ms() + 2000;
	unsigned int changes = 0;
	int bad = 0;

	if (bc_load_start(&copies))
		return -1;
	while (bc_now_ms() < end && !bad) {
		__u64 blocks = bc_rand_below(200) + !zero;

		/* Every fourth a 0, when that is asked for. */
		if (zero && changes % 4 == 3)
			blocks = 0;
		bad = bc_queue_write(dev, attrs[changes % 3],
				     changes % 3 == 2 ? blocks : blocks * lbs);
		changes++;
		usleep(1000 + bc_rand_below(5000));
		if (zero && bc_rand_below(2))
			bad |= bc_reset_limits(dev);
	}
	if (bad)
		bc_log("a limit could not be written");
	bad |= bc_load_stop(&copies);
	bc_log("%u changes, %llu copies, %llu refused", changes, copies.copies, copies.refused);
	bad |= bc_reset_limits(dev);
	return bad || !copies.copies || (zero && !copies.refused) ? -1 : bc_win_check(win);
}

TEST_F_TIMEOUT(user_limits, changed_while_copies_run, 120)
{
	EXPECT_EQ(0, change_while_copying(&self->dev, &self->win, false));
}

TEST_F_TIMEOUT(user_limits, switched_off_while_copies_run, 120)
{
	EXPECT_EQ(0, change_while_copying(&self->dev, &self->win, true));
}

TEST_HARNESS_MAIN
