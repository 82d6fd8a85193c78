// SPDX-License-Identifier: GPL-2.0
/*
 * Copies that nobody waits for: many in flight, in rings of every kind, that end
 * late, in a worker, with an error, or after their ring and their task.
 * That all other tests hold for io_uring as well is seen by their own variants.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "blkcopy_test.h"
#include "ring.h"

#define BASE	(32 * BC_MIB)
#define PIECE	(256 * BC_KIB)
#define MOST	256
#define HALF	(MOST * PIECE)
#define LEN	(2 * HALF)

FIXTURE(uring) {
	struct bc_dev dev;
	struct bc_win win;
	struct io_uring ring;
	bool has_ring;
	struct blk_copy_extent ext[MOST];
	struct blk_copy_arg arg[MOST];
};

FIXTURE_SETUP(uring)
{
	__u64 i;

	BC_SETUP(BASE, LEN);
	/* pieces of the first half go to the second one in reverse order */
	for (i = 0; i < MOST; i++) {
		self->ext[i] = (struct blk_copy_extent){ BASE + i * PIECE, PIECE };
		self->arg[i] = (struct blk_copy_arg){
			.src_fd = self->dev.fd,
			.dst_offset = BASE + LEN - (i + 1) * PIECE,
			.extents = (uintptr_t)&self->ext[i],
			.nr_extents = 1,
		};
	}
}

FIXTURE_TEARDOWN(uring)
{
	if (self->has_ring)
		io_uring_queue_exit(&self->ring);
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/* Returns 0, 1 to skip, or -1 to fail. */
static int make_ring(struct io_uring *ring, unsigned int entries, struct io_uring_params *params,
		     const char *what)
{
	int ret = io_uring_queue_init_params(entries, ring, params);

	if (ret)
		bc_set_reason("%s: %s", what, strerror(-ret));
	return !ret ? 0 : ret == -EINVAL ? 1 : -1;
}

#define RING(entries, flags_)							\
	do {									\
		struct io_uring_params params = { .flags = (flags_) };		\
										\
		BC_REQUIRE(make_ring(&self->ring, entries, &params,		\
				     "the kernel has no such ring: " #flags_));	\
		self->has_ring = true;						\
	} while (0)

/* Reaps @nr completions, of which each must have copied a piece. */
static int reap(struct io_uring *ring, unsigned int nr, bool *seen)
{
	struct io_uring_cqe *cqe;

	while (nr--) {
		int ret = io_uring_wait_cqe(ring, &cqe);

		if (ret) {
			bc_log("io_uring_wait_cqe: %s", strerror(-ret));
			return -1;
		}
		if (cqe->res != (int)PIECE || seen[cqe->user_data]) {
			bc_log("copy %llu: result %d%s", (unsigned long long)cqe->user_data,
			       cqe->res, seen[cqe->user_data] ? ", again" : "");
			return -1;
		}
		seen[cqe->user_data] = true;
		io_uring_cqe_seen(ring, cqe);
	}
	return 0;
}

/* Has all pieces copied, @depth at a time; the model knows. */
static int copy_all(struct io_uring *ring, struct bc_win *w, int fd, unsigned int flags,
		    struct blk_copy_arg *arg, unsigned int nr, unsigned int depth)
{
	bool seen[MOST] = { false };
	unsigned int i, sent = 0;

	for (i = 0; i < nr; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

		bc_uring_prep(sqe, fd, &arg[i], i);
		sqe->flags |= flags;
		bc_win_copied(w, arg[i].dst_offset, w, (void *)(uintptr_t)arg[i].extents, 1, PIECE);
		if (++sent < depth && i + 1 < nr)
			continue;
		if (io_uring_submit_and_wait(ring, sent) < 0 || reap(ring, sent, seen))
			return -1;
		sent = 0;
	}
	return 0;
}

TEST_F_TIMEOUT(uring, depths, 120)
{
	unsigned int depth;

	RING(MOST, 0);
	for (depth = 1; depth <= MOST; depth *= 4) {
		unsigned int nr = depth < 16 ? 16 : depth;

		/* something new to copy each time */
		ASSERT_EQ(0, bc_win_write(&self->win, self->dev.fd, BASE, PIECE));
		ASSERT_EQ(0, bc_mark());
		ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, 0, self->arg, nr, depth))
			TH_LOG("depth %u", depth);
	}
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* What the drive saw is copies, and as few as can be. */
TEST_F(uring, only_copy_commands)
{
	struct bc_bound bound = { 0 };
	unsigned int i;

	RING(64, 0);
	for (i = 0; i < 64; i++)
		bc_bound_add(&bound, &self->dev.lim, self->dev.lbs, &self->ext[i], 1);
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, 0, self->arg, 64, 64));
	EXPECT_EQ(0, bc_expect_counts(&bound));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(uring, registered_file)
{
	RING(64, 0);
	ASSERT_EQ(0, io_uring_register_files(&self->ring, &self->dev.fd, 1));
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, 0, IOSQE_FIXED_FILE, self->arg, 64, 64));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(uring, in_workers)
{
	RING(64, 0);
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, IOSQE_ASYNC, self->arg, 64, 64));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(uring, kernel_thread_submits)
{
	RING(64, IORING_SETUP_SQPOLL);
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, 0, self->arg, 64, 64));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(uring, deferred_task_work)
{
	RING(64, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, 0, self->arg, 64, 64));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* What stands behind a copy in a chain finds it done. */
TEST_F(uring, linked_read)
{
	char *buf = bc_alloc(PIECE);
	struct io_uring_sqe *sqe;
	bool seen[MOST] = { false };

	RING(8, 0);
	sqe = io_uring_get_sqe(&self->ring);
	bc_uring_prep(sqe, self->dev.fd, &self->arg[0], 0);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_read(sqe, self->dev.fd, buf, PIECE, self->arg[0].dst_offset);
	sqe->user_data = 1;
	ASSERT_EQ(2, io_uring_submit_and_wait(&self->ring, 2));
	ASSERT_EQ(0, reap(&self->ring, 2, seen));
	bc_win_copied(&self->win, self->arg[0].dst_offset, &self->win, &self->ext[0], 1, PIECE);
	EXPECT_EQ(0, bc_check_buf(&self->win, buf, self->arg[0].dst_offset, PIECE));
	EXPECT_EQ(0, bc_win_check(&self->win));
	free(buf);
}

/*
 * A short queue, each of whose entries is used many times before the first result
 * is looked at: results that nobody has room for are kept, and commands that wait
 * for a worker remember what they are.
 */
static void many_through_few(struct __test_metadata *_metadata, FIXTURE_DATA(uring) *self,
			     bool overflow)
{
	bool seen[MOST] = { false };
	unsigned int i;

	RING(4, 0);
	for (i = 0; i < 64; i++) {
		bc_uring_prep(io_uring_get_sqe(&self->ring), self->dev.fd, &self->arg[i], i);
		ASSERT_EQ(1, io_uring_submit(&self->ring));
		bc_win_copied(&self->win, self->arg[i].dst_offset, &self->win, &self->ext[i], 1,
			      PIECE);
	}
	if (overflow) {
		__u64 end = bc_now_ms() + 20000;

		/* the queue has room for eight; looking doesn't make any */
		while (!io_uring_cq_has_overflow(&self->ring) && bc_now_ms() < end)
			usleep(10000);
		ASSERT_TRUE(io_uring_cq_has_overflow(&self->ring));
	}
	ASSERT_EQ(0, reap(&self->ring, 64, seen));
	EXPECT_FALSE(io_uring_cq_has_overflow(&self->ring));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(uring, completions_overflow)
{
	many_through_few(_metadata, self, true);
}

TEST_F(uring, entries_are_used_again)
{
	char *buf = bc_alloc(HALF);

	/* what is cached of the destinations makes all copies wait for a worker */
	ASSERT_EQ((ssize_t)HALF, pread(self->dev.bfd, buf, HALF, BASE + HALF));
	many_through_few(_metadata, self, false);
	free(buf);
}

/* Page cache on both sides, which only a worker can wait for. */
TEST_F(uring, dirty_pages_on_both_sides)
{
	RING(64, 0);
	ASSERT_EQ(0, bc_win_write(&self->win, self->dev.bfd, BASE, 16 * PIECE));
	ASSERT_EQ(0, bc_win_write(&self->win, self->dev.bfd, BASE + LEN - 16 * PIECE, 16 * PIECE));
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, 0, self->arg, 16, 16));
	EXPECT_EQ(0, bc_win_check_fd(&self->win, self->dev.bfd));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* The source's file is closed while the copies are in flight. */
TEST_F(uring, source_is_closed)
{
	bool seen[MOST] = { false };
	unsigned int i;
	int fd = open(self->dev.path, O_RDONLY | O_DIRECT);

	ASSERT_LE(0, fd);
	RING(MOST, 0);
	for (i = 0; i < 64; i++) {
		self->arg[i].src_fd = fd;
		bc_uring_prep(io_uring_get_sqe(&self->ring), self->dev.fd, &self->arg[i], i);
		bc_win_copied(&self->win, self->arg[i].dst_offset, &self->win, &self->ext[i], 1,
			      PIECE);
	}
	ASSERT_EQ(64, io_uring_submit(&self->ring));
	close(fd);
	ASSERT_EQ(0, reap(&self->ring, 64, seen));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* Both ring and task go away with copies in flight: each is done or not. */
static void leave(struct io_uring *ring, int fd, struct blk_copy_arg *arg, bool close_ring)
{
	unsigned int i;

	for (i = 0; i < MOST; i++)
		bc_uring_prep(io_uring_get_sqe(ring), fd, &arg[i], i);
	io_uring_submit(ring);
	if (close_ring)
		io_uring_queue_exit(ring);
	_exit(0);
}

TEST_F_TIMEOUT(uring, exit_with_copies_in_flight, 300)
{
	unsigned int round, i;

	for (round = 0; round < 10; round++) {
		int status;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct io_uring ring;

			if (io_uring_queue_init(MOST, &ring, 0))
				_exit(1);
			leave(&ring, self->dev.fd, self->arg, round % 2);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	ASSERT_EQ(0, bc_wait_for_idle(&self->dev));
	for (i = 0; i < MOST; i++)
		ASSERT_EQ(0, bc_win_partly_copied(&self->win, self->arg[i].dst_offset, &self->win,
						  &self->ext[i], 1, 0));
	EXPECT_EQ(0, bc_win_check(&self->win));
	ASSERT_EQ(0, bc_win_settle(&self->win));
	RING(MOST, 0);
	ASSERT_EQ(0, copy_all(&self->ring, &self->win, self->dev.fd, 0, self->arg, MOST, MOST));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

static int result_of(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int ret;

	if (io_uring_submit_and_wait(ring, 1) != 1 || io_uring_wait_cqe(ring, &cqe))
		return -EBADMSG;
	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

#define REFUSED(err, fd, change)						\
	do {									\
		struct blk_copy_extent ext = self->ext[0];			\
		struct blk_copy_arg arg = self->arg[0];				\
		struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);	\
										\
		arg.extents = (uintptr_t)&ext;					\
		bc_uring_prep(sqe, fd, &arg, 0);				\
		change;								\
		EXPECT_EQ(-(err), result_of(&self->ring))			\
			TH_LOG("%s", #change);					\
	} while (0)

TEST_F(uring, refusals)
{
	int fd = self->dev.fd, ro = open(self->dev.path, O_RDONLY);
	int wo = open(self->dev.path, O_WRONLY), null = open("/dev/null", O_RDWR);

	RING(8, 0);
	ASSERT_EQ(0, bc_mark());
	REFUSED(EINVAL, fd, sqe->len = 1);
	REFUSED(EINVAL, fd, sqe->rw_flags = 1 << 30);
	REFUSED(EINVAL, fd, sqe->addr3 = 1);
	REFUSED(EINVAL, fd, arg.flags = 1);
	REFUSED(EINVAL, fd, arg.reserved0 = 1);
	REFUSED(EINVAL, fd, arg.reserved[2] = 1);
	REFUSED(EINVAL, fd, arg.nr_extents = 0);
	REFUSED(E2BIG, fd, arg.nr_extents = BLKCOPY_MAX_EXTENTS + 1);
	REFUSED(EINVAL, fd, arg.dst_offset += 1);
	REFUSED(EINVAL, fd, ext.offset += 1);
	REFUSED(EINVAL, fd, ext.length = 0);
	REFUSED(EINVAL, fd, ext.offset = arg.dst_offset);
	REFUSED(EINVAL, fd, arg.dst_offset = self->dev.size);
	REFUSED(EFAULT, fd, arg.extents = 0);
	REFUSED(EFAULT, fd, sqe->addr = 0);
	REFUSED(EBADF, fd, arg.src_fd = -1);
	REFUSED(EBADF, fd, arg.src_fd = wo);
	REFUSED(EBADF, ro, arg.src_fd = fd);
	REFUSED(ENOTBLK, fd, arg.src_fd = null);
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&self->win));
	close(ro);
	close(wo);
	close(null);
}

TEST_HARNESS_MAIN
