// SPDX-License-Identifier: GPL-2.0
/* The target of modules/dm-rotate.c: copies across its seam, on both sides. */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define LEN	(4 * BC_MIB)
#define SEAM	(3 * BC_MIB)	/* rotated by 1 MiB */

FIXTURE(target) {
	struct bc_dev drive, dm;
	struct bc_win win, below;
	struct bc_stack stack;
};

BC_IFACE_VARIANTS(target);

FIXTURE_SETUP(target)
{
	const char *tables[BC_STACK_MOST] = { "0 8192 rotate %a 16384 2048\n" };

	self->drive.fd = self->drive.bfd = self->dm.fd = self->dm.bfd = -1;
	BC_REQUIRE(bc_load_module("dm-rotate"));
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	/* before and behind the target, where nothing may change */
	ASSERT_EQ(0, bc_win_init(&self->below, &self->drive, 16384 * 512 - BC_MIB, BC_MIB));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	ASSERT_EQ(0, bc_open_path(&self->dm, self->stack.dm[0].path));
	BC_REQUIRE(bc_need_copy(&self->dm));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->dm, 0, LEN));
}

FIXTURE_TEARDOWN(target)
{
	if (self->win.tag) {
		EXPECT_EQ(0, bc_win_check(&self->win));
		EXPECT_EQ(0, bc_win_check(&self->below));
	}
	bc_win_free(&self->win);
	bc_win_free(&self->below);
	bc_close(&self->dm);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

/* Where the target's table says that they are. */
TEST_F(target, is_rotated)
{
	char above[512] __attribute__((aligned(512))), below[512] __attribute__((aligned(512)));

	ASSERT_EQ(512, pread(self->dm.fd, above, 512, SEAM));
	ASSERT_EQ(512, pread(self->drive.fd, below, 512, 16384 * 512));
	EXPECT_EQ(0, memcmp(above, below, 512));
}

TEST_F(target, copies_from_and_to_both_sides_of_the_seam)
{
	struct blk_copy_extent across = { SEAM - 200 * BC_KIB, 400 * BC_KIB };
	struct blk_copy_extent low[] = { { 512, 300 * BC_KIB }, { BC_MIB, 100 * BC_KIB } };

	EXPECT_EQ(0, bc_stack_step(&self->win, variant->iface, 512 * BC_KIB, &across, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_stack_step(&self->win, variant->iface, across.offset + 512, low, 2));
}

TEST_HARNESS_MAIN
