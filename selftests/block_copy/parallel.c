// SPDX-License-Identifier: GPL-2.0
/*
 * All CPUs copy at once for 30 s (COPY_PARALLEL_SECONDS), each in a place of
 * its own; one more thread writes and reads.
 */
#include <sys/sysinfo.h>

#include "blkcopy_test.h"

#define BASE	(16 * BC_MIB)
#define LEN	(8 * BC_MIB)
#define MOST	16
#define SECONDS	30

FIXTURE(parallel) {
	struct bc_dev dev;
	struct bc_win win[MOST + 1];
	struct bc_load load[MOST + 1];
	unsigned int nr;
};

FIXTURE_SETUP(parallel)
{
	unsigned int i;

	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	self->nr = get_nprocs();
	if (self->nr < 2)
		self->nr = 2;
	if (self->nr > MOST)
		self->nr = MOST;
	for (i = 0; i <= self->nr; i++) {
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dev, BASE + i * LEN, LEN));
		self->load[i].win = &self->win[i];
		self->load[i].rng = bc_seed + i;
		self->load[i].ops = BC_OP_COPIES | BC_OP_READ_DIRECT;
	}
	self->load[self->nr].ops = BC_OP_WRITES | BC_OP_READS;
}

FIXTURE_TEARDOWN(parallel)
{
	unsigned int i;

	for (i = 0; i <= self->nr; i++)
		bc_win_free(&self->win[i]);
	bc_close(&self->dev);
}

TEST_F_TIMEOUT(parallel, all_cpus_copy, 180)
{
	const char *env = getenv("COPY_PARALLEL_SECONDS");
	unsigned int i, seconds = env ? atoi(env) : SECONDS;

	for (i = 0; i <= self->nr; i++)
		ASSERT_EQ(0, bc_load_start(&self->load[i]));
	for (i = 0; i < seconds * 10; i++)
		usleep(100000);
	for (i = 0; i <= self->nr; i++)
		EXPECT_EQ(0, bc_load_stop(&self->load[i]));
	for (i = 0; i <= self->nr; i++) {
		EXPECT_EQ(0, bc_win_check(&self->win[i]));
		EXPECT_NE(0, self->load[i].done);
		bc_log("thread %u: %llu operations, %llu copies of %llu bytes", i,
		       self->load[i].done, self->load[i].copies, self->load[i].copied_bytes);
	}
}

/* One source for all, and destinations that touch: what merging likes. */
TEST_F_TIMEOUT(parallel, one_source_touching_destinations, 120)
{
	struct bc_win *w = &self->win[0];
	__u64 len = 48 * self->dev.lbs, src = w->base, round;
	struct blk_copy_extent ext[2];
	unsigned int i, status;
	pid_t pid[8];

	for (round = 0; round < 10; round++) {
		__u64 dst = w->base + w->len / 2 + round * (8 * len + 36 * self->dev.lbs);

		if (dst + 9 * len > w->base + w->len)
			break;
		for (i = 0; i < 8; i++) {
			/* Lengths that differ from process to process. */
			ext[0] = (struct blk_copy_extent){ src + i * self->dev.lbs, len };
			ext[1] = (struct blk_copy_extent){ src + 4 * len, (i + 1) * self->dev.lbs };
			bc_win_copied(w, dst, w, ext, 2, ~0ULL);
			fflush(stdout);
			pid[i] = fork();
			ASSERT_LE(0, pid[i]);
			if (!pid[i]) {
				struct bc_result r = bc_copy(BC_IOCTL, self->dev.fd, dst,
							     self->dev.fd, ext, 2);

				_exit(r.err || r.copied != bc_total(ext, 2));
			}
			dst += bc_total(ext, 2);
		}
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(pid[i], waitpid(pid[i], (int *)&status, 0));
			EXPECT_EQ(0, status);
		}
	}
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_HARNESS_MAIN
