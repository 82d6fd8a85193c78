// SPDX-License-Identifier: GPL-2.0
/* A device that becomes read-only after it was opened for writing. */
#include <sys/ioctl.h>
#include <linux/fs.h>

#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)
#define LEN	BC_MIB

FIXTURE(readonly) {
	struct bc_dev dev;
	struct bc_win win;
};

BC_IFACE_VARIANTS(readonly);

FIXTURE_SETUP(readonly)
{
	BC_SETUP(BASE, LEN);
}

static int set_ro(struct bc_dev *dev, int ro)
{
	return ioctl(dev->fd, BLKROSET, &ro);
}

FIXTURE_TEARDOWN(readonly)
{
	set_ro(&self->dev, 0);
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(readonly, set_after_open)
{
	struct blk_copy_extent ext = { BASE + 64 * BC_KIB, 128 * BC_KIB };
	__u64 dst = BASE + LEN / 2;
	struct bc_result r;

	ASSERT_EQ(0, set_ro(&self->dev, 1));
	ASSERT_EQ(0, bc_mark());
	r = bc_copy(variant->iface, self->dev.fd, dst, self->dev.fd, &ext, 1);
	EXPECT_EQ(0, bc_refused(r, EPERM, "destination is read-only"));
	r = bc_copy(variant->iface, self->dev.bfd, dst, self->dev.bfd, &ext, 1);
	EXPECT_EQ(0, bc_refused(r, EPERM, "destination is read-only, buffered file"));
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&self->win));

	ASSERT_EQ(0, set_ro(&self->dev, 0));
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, dst, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
