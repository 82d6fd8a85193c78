// SPDX-License-Identifier: GPL-2.0
/* Copies must not depend on merging: queue flag "nomerges", all values. */
#include "blkcopy_test.h"

#define BASE	(16 * BC_MIB)
#define LEN	(8 * BC_MIB)

FIXTURE(nomerges) {
	struct bc_dev dev;
	struct bc_win win;
};

BC_IFACE_VARIANTS(nomerges);

FIXTURE_SETUP(nomerges)
{
	BC_SETUP(BASE, LEN);
}

FIXTURE_TEARDOWN(nomerges)
{
	EXPECT_EQ(0, bc_queue_write(&self->dev, "nomerges", 0));
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(nomerges, copies_are_right_and_as_few)
{
	__u64 lbs = self->dev.lbs, value, flag;
	struct blk_copy_extent many[40];
	unsigned int i;

	for (flag = 1; flag <= 2; flag++) {
		struct blk_copy_extent one = { BASE + flag * lbs, BC_MIB + 3 * lbs };

		ASSERT_EQ(0, bc_queue_write(&self->dev, "nomerges", flag));
		ASSERT_EQ(0, bc_queue_read(&self->dev, "nomerges", &value));
		ASSERT_EQ(flag, value);
		EXPECT_EQ(0, bc_step(&self->win, variant->iface, BASE + LEN / 2, &one, 1));
		for (i = 0; i < 40; i++)
			many[i] = (struct blk_copy_extent){ BASE + (flag + i * 11) * lbs,
							    (1 + i % 5) * lbs };
		EXPECT_EQ(0, bc_step(&self->win, variant->iface, BASE + LEN / 4, many, 40));
		EXPECT_EQ(0, bc_win_check(&self->win));
	}
}

TEST_HARNESS_MAIN
