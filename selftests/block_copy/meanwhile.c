// SPDX-License-Identifier: GPL-2.0
/*
 * What others do while a copy that nobody waits for is under way, for long because the
 * drive is slow (machine slow): they write beside it, or they are not there any more.
 */
#include <sys/wait.h>

#include "blkcopy_test.h"
#include "ring.h"

#define BASE	(64 * BC_MIB)
#define PAGE	4096ULL
#define BATCH	(16 * BC_MIB)	/* what the kernel has in flight at a time */

FIXTURE(meanwhile) {
	struct bc_dev dev;
	struct bc_win win;
	struct io_uring ring;
	struct blk_copy_extent ext;
	struct blk_copy_arg arg;
};

FIXTURE_SETUP(meanwhile)
{
	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	if (!bc_machine("slow"))
		SKIP(return, "only on a drive known to be slow (machine slow)");
	ASSERT_EQ(0, io_uring_queue_init(4, &self->ring, 0));
	self->arg = (struct blk_copy_arg){
		.src_fd = self->dev.fd,
		.extents = (uintptr_t)&self->ext,
		.nr_extents = 1,
	};
}

FIXTURE_TEARDOWN(meanwhile)
{
	io_uring_queue_exit(&self->ring);
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/*
 * The destination is all but the last block of a page at its end, and somebody writes that
 * block, through the page cache.  The page is read after the copy has begun, its last block
 * is copied to after that, and it is written back as it was read: unless locks keep it out.
 */
TEST_F_TIMEOUT(meanwhile, block_behind_the_destination, 120)
{
	__u64 lbs = self->dev.lbs, dst = BASE + 2 * BC_MIB, len = BC_MIB - lbs;
	struct bc_win *w = &self->win;
	unsigned int round;

	if (lbs >= PAGE)
		SKIP(return, "a block of %llu bytes leaves no neighbours in a page", lbs);
	ASSERT_EQ(0, bc_win_init_zero(w, &self->dev, BASE, 4 * BC_MIB));
	for (round = 0; round < 4; round++) {
		struct io_uring_cqe *cqe;

		ASSERT_EQ(0, bc_win_write(w, self->dev.fd, BASE, w->len));
		self->ext = (struct blk_copy_extent){ BASE, len };
		self->arg.dst_offset = dst;
		bc_uring_prep(io_uring_get_sqe(&self->ring), self->dev.fd, &self->arg, round);
		ASSERT_EQ(1, io_uring_submit(&self->ring));
		bc_win_copied(w, dst, w, &self->ext, 1, len);
		ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, dst + len, lbs));
		ASSERT_EQ(0, fsync(self->dev.bfd));
		ASSERT_EQ(0, io_uring_wait_cqe(&self->ring, &cqe));
		ASSERT_EQ((int)len, cqe->res);
		io_uring_cqe_seen(&self->ring, cqe);
		EXPECT_EQ(0, bc_win_check(w));
		EXPECT_EQ(0, bc_win_check_range(w, self->dev.bfd, dst + BC_MIB - PAGE, PAGE));
	}
}

/* A task exits during the first of two batches: nobody is there for the second one. */
TEST_F_TIMEOUT(meanwhile, task_exits_between_batches, 240)
{
	__u64 len = BATCH + 4 * BC_MIB, dst = BASE + len;
	struct blk_copy_extent first = { BASE, BATCH };
	struct bc_win *w = &self->win;
	int status;
	pid_t pid;

	ASSERT_EQ(0, bc_win_init(w, &self->dev, BASE, 2 * len));
	self->ext = (struct blk_copy_extent){ BASE, len };
	self->arg.dst_offset = dst;
	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct io_uring ring;

		if (io_uring_queue_init(4, &ring, 0))
			_exit(1);
		bc_uring_prep(io_uring_get_sqe(&ring), self->dev.fd, &self->arg, 0);
		_exit(io_uring_submit(&ring) != 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, bc_wait_for_idle(&self->dev));
	ASSERT_EQ(0, bc_win_partly_copied(w, dst, w, &first, 1, 0));
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_HARNESS_MAIN
