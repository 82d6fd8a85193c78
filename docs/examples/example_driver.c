// SPDX-License-Identifier: GPL-2.0
/* The driver of modules/ramcopy.c: its limits, what it copies, in how many commands. */
#include "blkcopy_test.h"
#include "module.h"

#define LEN	(8 * BC_MIB)

FIXTURE(driver) {
	struct bc_dev dev;
	struct bc_win win;
};

BC_IFACE_VARIANTS(driver);

FIXTURE_SETUP(driver)
{
	self->dev.fd = self->dev.bfd = -1;
	BC_REQUIRE(bc_load_module("ramcopy"));
	ASSERT_EQ(0, bc_open_path(&self->dev, "/dev/ramcopy"));
	/* No host sees the commands of a disk in memory: the block layer counts them. */
	bc_witness_by_stat(&self->dev);
	BC_REQUIRE(bc_need_copy(&self->dev));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->dev, 0, LEN));
}

FIXTURE_TEARDOWN(driver)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(driver, limits)
{
	EXPECT_EQ(BC_MIB, self->dev.lim.hw_bytes);
	EXPECT_EQ(128 * BC_KIB, self->dev.lim.hw_extent_bytes);
	EXPECT_EQ(16, self->dev.lim.hw_extents);
}

TEST_F(driver, copies)
{
	struct blk_copy_extent long_one = { 512, 3 * BC_MIB }, many[50];
	__u64 dst = LEN / 2 + 1024;
	int i;

	for (i = 0; i < 50; i++)
		many[i] = (struct blk_copy_extent){ i * 3584, (1 + i % 5) * 512 };
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, dst, &long_one, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, dst + 512, many, 50));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
