// SPDX-License-Identifier: GPL-2.0
/*
 * Random copies, writes and reads against a model in memory, until the first
 * that goes wrong. COPY_SEED replays a run, COPY_RANDOM_OPS sets its length,
 * COPY_VERBOSE prints each operation.
 */
#include "blkcopy_test.h"

#define BASE	(16 * BC_MIB)
#define LEN	(24 * BC_MIB)
#define OPS	600

FIXTURE(random) {
	struct bc_dev dev;
	struct bc_win win;
};

FIXTURE_SETUP(random)
{
	BC_SETUP(BASE, LEN);
}

FIXTURE_TEARDOWN(random)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F_TIMEOUT(random, copies_writes_and_reads, 240)
{
	const char *env = getenv("COPY_RANDOM_OPS");
	__u64 ops = env ? strtoull(env, NULL, 0) : OPS;
	struct bc_load load = {
		.win = &self->win,
		.ops = BC_OP_ALL,
		.rng = bc_seed,
		.verbose = getenv("COPY_VERBOSE"),
	};

	while (load.done < ops)
		ASSERT_EQ(0, bc_load_op(&load));
	EXPECT_EQ(0, bc_win_check_fd(&self->win, self->dev.bfd));
	EXPECT_EQ(0, bc_win_check(&self->win));
	bc_log("%llu operations, %llu copies of %llu bytes", load.done, load.copies,
	       load.copied_bytes);
}

TEST_HARNESS_MAIN
