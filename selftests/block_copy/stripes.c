// SPDX-License-Identifier: GPL-2.0
/*
 * How many commands a copy between stripes takes. Each leg is contiguous on the
 * drive, on both sides, but arrives chunk by chunk with those of the other legs
 * in between: all requests in the plug have to be looked at to join them.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define LEGS	4
#define COPY	(4 * BC_MIB)
#define LEN	(12 * BC_MIB)

FIXTURE(stripes) {
	struct bc_dev drive, dm;
	struct bc_win win;
	struct bc_stack stack;
};

FIXTURE_VARIANT(stripes) {
	unsigned int chunk;	/* KiB */
};

FIXTURE_VARIANT_ADD(stripes, of_4k) { 4 };
FIXTURE_VARIANT_ADD(stripes, of_16k) { 16 };
FIXTURE_VARIANT_ADD(stripes, of_64k) { 64 };
FIXTURE_VARIANT_ADD(stripes, of_256k) { 256 };

FIXTURE_SETUP(stripes)
{
	const char *tables[BC_STACK_MOST] = { NULL };
	char table[256];

	self->dm.fd = self->dm.bfd = -1;
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	/* in sectors; the legs in no particular order */
	snprintf(table, sizeof(table),
		 "0 %llu striped %d %u %%a 81920 %%a 16384 %%a 49152 %%a 114688\n",
		 LEN / 512, LEGS, variant->chunk * 2);
	tables[0] = table;
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	ASSERT_EQ(0, bc_open_path(&self->dm, self->stack.dm[0].path));
	BC_REQUIRE(bc_need_copy(&self->dm));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->dm, 0, LEN));
}

FIXTURE_TEARDOWN(stripes)
{
	EXPECT_EQ(0, bc_win_end(&self->win));
	bc_close(&self->dm);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

/* What the drive would take if it were asked leg by leg. */
static __u64 least_commands(const struct bc_dev *drive)
{
	struct bc_bound bound = { 0 };
	int i;

	for (i = 0; i < LEGS; i++) {
		struct blk_copy_extent leg = { 0, COPY / LEGS };

		bc_bound_add(&bound, &drive->lim, drive->lbs, &leg, 1);
	}
	return bound.copies;
}

TEST_F(stripes, commands)
{
	struct blk_copy_extent ext = { 0, COPY };
	struct bc_counts c;
	__u64 least;

	if (!bc_have_witness())
		SKIP(return, "needs the witness, to count commands");
	ASSERT_EQ(0, bc_stack_step(&self->win, BC_IOCTL, LEN - COPY, &ext, 1));
	ASSERT_EQ(0, bc_count(&c));
	least = least_commands(&self->drive);
	bc_log("%u KiB chunks: %llu commands for 4 MiB, the least is %llu", variant->chunk,
	       (unsigned long long)c.copies, (unsigned long long)least);
	EXPECT_LE(c.copies * 100, least * 125);
}

TEST_HARNESS_MAIN
