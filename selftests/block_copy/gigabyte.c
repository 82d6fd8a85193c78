// SPDX-License-Identifier: GPL-2.0
/* 1 GiB in one call, through each interface, every byte looked at. */
#include "blkcopy_test.h"

#define LEN	BC_GIB
#define GUARD	(64 * BC_KIB)
#define MARKS	32

FIXTURE(gigabyte) {
	struct bc_dev dev;
	struct bc_win win;
};

FIXTURE_SETUP(gigabyte)
{
	__u64 len;

	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	if (self->dev.size < 2 * LEN)
		SKIP(return, "%s is smaller than 2 GiB", self->dev.path);
	len = self->dev.size < 2 * LEN + GUARD ? 2 * LEN : 2 * LEN + GUARD;
	ASSERT_EQ(0, bc_win_init_zero(&self->win, &self->dev, 0, len));
	ASSERT_EQ(0, bc_win_write(&self->win, self->dev.fd, 0, LEN));
	ASSERT_EQ(0, bc_win_write(&self->win, self->dev.fd, 2 * LEN, len - 2 * LEN));
}

FIXTURE_TEARDOWN(gigabyte)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/*
 * There with BLKCOPY and, after some marks, back with copy_file_range. Each
 * half is read once after it was written and once after it was a source.
 */
TEST_F_TIMEOUT(gigabyte, there_and_back, 240)
{
	struct blk_copy_extent there = { 0, LEN }, back = { LEN, LEN };
	struct bc_win *w = &self->win;
	int i;

	ASSERT_EQ(0, bc_step(w, BC_IOCTL, LEN, &there, 1));
	ASSERT_EQ(0, bc_win_check_range(w, self->dev.fd, LEN, w->len - LEN));
	for (i = 0; i < MARKS; i++) {
		__u64 at = LEN + i * (LEN / MARKS) + bc_rand_below(1000) * self->dev.lbs;

		ASSERT_EQ(0, bc_win_check_range(w, self->dev.fd, at - LEN, GUARD));
		ASSERT_EQ(0, bc_win_write(w, self->dev.fd, at, GUARD));
	}
	ASSERT_EQ(0, bc_step(w, BC_CFR, 0, &back, 1));
	ASSERT_EQ(0, bc_win_check_range(w, self->dev.fd, 0, LEN));
	ASSERT_EQ(0, bc_win_check_range(w, self->dev.fd, 2 * LEN - GUARD,
					w->len - 2 * LEN + GUARD));
}

TEST_HARNESS_MAIN
