// SPDX-License-Identifier: GPL-2.0
/* Each knob of dm-copytest does what it says; other tests rely on that. */
#include <linux/aio_abi.h>
#include <sys/syscall.h>

#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define BLOCKS	1024ULL		/* of the target; it lies at block 4096 of the drive */
#define FIRST	4096ULL
#define DEEP	8		/* reads and writes at a time */
#define SOON_MS	8000

/* Two targets, one on the other: the lower one sees what the upper one did. */
enum { LOWER, UPPER };

FIXTURE(knobs) {
	struct bc_dev drive;
	struct bc_stack stack;
	struct bc_dm *upper, *lower;
	struct bc_win win;
	__u64 lbs;
	aio_context_t aio;
	void *buf;			/* DEEP blocks */
	struct iocb iocb[DEEP];
};

FIXTURE_SETUP(knobs)
{
	static const char *const tables[BC_STACK_MOST] = {
		"0 @1024 copytest %a @4096\n",
		"0 @1024 copytest %0 0\n",
	};

	self->drive.fd = -1;
	self->drive.bfd = -1;
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	self->lower = &self->stack.dm[LOWER];
	self->upper = &self->stack.dm[UPPER];
	self->lbs = self->drive.lbs;
	ASSERT_EQ(0, bc_win_init(&self->win, &self->stack.top, 0, BLOCKS * self->lbs));
	self->buf = bc_alloc(DEEP * self->lbs);
	ASSERT_EQ(0, syscall(SYS_io_setup, DEEP, &self->aio));
}

FIXTURE_TEARDOWN(knobs)
{
	unsigned int i;

	for (i = 0; i < self->stack.nr; i++) {
		EXPECT_EQ(0, bc_dm_message(&self->stack.dm[i], "clear"));
		EXPECT_EQ(0, bc_dm_message(&self->stack.dm[i], "release"));
	}
	if (self->win.tag)
		EXPECT_EQ(0, bc_win_check(&self->win));
	if (self->aio)
		syscall(SYS_io_destroy, self->aio);
	free(self->buf);
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

#define SAY(text)		ASSERT_EQ(0, bc_dm_message(self->upper, text))
#define SAY_BELOW(text)		ASSERT_EQ(0, bc_dm_message(self->lower, text))
#define AWAIT(word, n)		ASSERT_EQ(0, bc_dm_await(self->upper, word, n))

#define EXPECT_COUNT(n, dm, word)						\
	do {									\
		__u64 __value = ~0ULL;						\
										\
		EXPECT_EQ(0, bc_dm_status(dm, word, &__value));			\
		EXPECT_EQ((__u64)(n), __value)					\
			TH_LOG("%s of the %s target", #word,			\
			       (dm) == self->upper ? "upper" : "lower");	\
	} while (0)

/* One operation on block @block, as request @i. */
static int aio_start(FIXTURE_DATA(knobs) *self, unsigned int i, bool write, __u64 block)
{
	struct iocb *iocb = &self->iocb[i];

	memset(iocb, 0, sizeof(*iocb));
	iocb->aio_data = i;
	iocb->aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
	iocb->aio_fildes = self->stack.top.fd;
	iocb->aio_buf = (uintptr_t)self->buf + i * self->lbs;
	iocb->aio_nbytes = self->lbs;
	iocb->aio_offset = block * self->lbs;
	return syscall(SYS_io_submit, self->aio, 1, &iocb) == 1 ? 0 : -errno;
}

/* Which request has ended, or -1 when none does within @ms; 0 or -errno in @res. */
static int aio_end(FIXTURE_DATA(knobs) *self, unsigned int ms, int *res)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
	struct io_event event;

	if (syscall(SYS_io_getevents, self->aio, 1, 1, &event, &ts) != 1)
		return -1;
	*res = event.res == (__s64)self->lbs ? 0 : event.res < 0 ? (int)event.res : -EBADMSG;
	return event.data;
}

/* The errno of one read of one block. */
static int read_block(FIXTURE_DATA(knobs) *self, __u64 block)
{
	ssize_t n = pread(self->stack.top.fd, self->buf, self->lbs, block * self->lbs);

	return n == (ssize_t)self->lbs ? 0 : n < 0 ? errno : EBADMSG;
}

TEST_F(knobs, nothing)
{
	SAY("zero");
	EXPECT_EQ(0, read_block(self, 7));
	ASSERT_EQ(0, bc_win_write(&self->win, self->stack.top.fd, 5 * self->lbs, self->lbs));
	EXPECT_COUNT(1, self->upper, "read");
	EXPECT_COUNT(1, self->upper, "write");
	EXPECT_COUNT(0, self->upper, "src");
	EXPECT_COUNT(0, self->upper, "nested");
	EXPECT_COUNT(0, self->upper, "deferred");
	EXPECT_COUNT(0, self->upper, "failed");
	EXPECT_EQ(0, fsync(self->stack.top.fd));
}

TEST_F(knobs, times)
{
	static const struct {
		const char *rule;
		const char *fails;	/* which of ten reads */
	} times[] = {
		{ "fail read always ioerr", "xxxxxxxxxx" },
		{ "fail read nth:3 ioerr", "..x......." },
		{ "fail read from:8 ioerr", ".......xxx" },
		{ "fail read every:4 ioerr", "...x...x.." },
		{ "fail read chance:1000 ioerr", "xxxxxxxxxx" },
		{ "fail all nth:1 ioerr", "x........." },
		{ "fail io nth:2 ioerr", ".x........" },
		{ "fail write,copy always ioerr", ".........." },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		SAY("clear");
		SAY("zero");
		SAY(times[i].rule);
		for (j = 0; times[i].fails[j]; j++)
			EXPECT_EQ(times[i].fails[j] == 'x' ? EIO : 0, read_block(self, j))
				TH_LOG("read %u with '%s'", j + 1, times[i].rule);
	}
}

TEST_F(knobs, chance)
{
	unsigned int i, failed = 0;

	SAY("fail read chance:300 ioerr");
	for (i = 0; i < 200; i++)
		failed += read_block(self, i) == EIO;
	/* 60, and by six sigmas no other */
	EXPECT_LT(20, failed);
	EXPECT_GT(100, failed);
	EXPECT_COUNT(failed, self->upper, "failed");
}

TEST_F(knobs, statuses)
{
	static const struct {
		const char *name;
		int err;
	} statuses[] = {
		{ "ioerr", EIO }, { "again", EAGAIN }, { "notsupp", EOPNOTSUPP },
		{ "nospc", ENOSPC }, { "timeout", ETIMEDOUT }, { "target", EREMOTEIO },
		{ "medium", ENODATA }, { "transport", ENOLINK }, { "protection", EILSEQ },
		{ "resource", ENOMEM },
	};
	unsigned int i;
	char rule[64];

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		SAY("clear");
		snprintf(rule, sizeof(rule), "fail read always %s", statuses[i].name);
		SAY(rule);
		EXPECT_EQ(statuses[i].err, read_block(self, i))
			TH_LOG("%s", rule);
		SAY("clear");
		snprintf(rule, sizeof(rule), "fail_end read always %s", statuses[i].name);
		SAY(rule);
		EXPECT_EQ(statuses[i].err, read_block(self, i))
			TH_LOG("%s", rule);
	}
}

TEST_F(knobs, failure_before_and_after)
{
	__u64 off = 11 * self->lbs;
	void *new = bc_alloc(self->lbs), *now = bc_alloc(self->lbs);
	struct bc_win saved = self->win;

	memset(new, 0x5a, self->lbs);
	SAY("fail write nth:1 ioerr");
	EXPECT_EQ(-1, pwrite(self->stack.top.fd, new, self->lbs, off));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, bc_win_check(&saved));
	SAY("fail_end write nth:1 ioerr");
	EXPECT_EQ(-1, pwrite(self->stack.top.fd, new, self->lbs, off));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(self->lbs, pread(self->stack.top.fd, now, self->lbs, off));
	EXPECT_EQ(0, memcmp(now, new, self->lbs));
	free(new);
	free(now);
	EXPECT_EQ(0, bc_win_write(&self->win, self->stack.top.fd, off, self->lbs));
}

TEST_F(knobs, splits)
{
	__u64 len = 60 * self->lbs, sectors = self->lbs / BC_SECTOR, reads;
	char rule[64];

	SAY("zero");
	SAY_BELOW("zero");
	snprintf(rule, sizeof(rule), "split io always %llu %llu", 7 * sectors, 7 * sectors);
	SAY(rule);
	EXPECT_EQ(0, bc_win_check_range(&self->win, self->stack.top.fd, 3 * self->lbs, len));
	EXPECT_COUNT(9, self->lower, "read");
	EXPECT_COUNT(8, self->upper, "splits");
	EXPECT_EQ(0, bc_win_write(&self->win, self->stack.top.fd, 3 * self->lbs, len));
	EXPECT_COUNT(9, self->lower, "write");

	/* Random sizes: at least as many as of the largest, not all of one size. */
	SAY("clear");
	SAY_BELOW("zero");
	snprintf(rule, sizeof(rule), "split read always 1 %llu", 5 * sectors);
	SAY(rule);
	EXPECT_EQ(0, bc_win_check_range(&self->win, self->stack.top.fd, 0, len));
	ASSERT_EQ(0, bc_dm_status(self->lower, "read", &reads));
	EXPECT_LT(12, reads);
	EXPECT_GE(60, reads);
}

TEST_F(knobs, max_io_len)
{
	char *table = bc_stack_table(&self->stack, "0 @1024 copytest %0 0 max_io_len @10\n",
				     &self->drive, NULL);

	ASSERT_EQ(0, bc_dm_swap(self->upper, table, BC_DM_FLUSH));
	free(table);
	SAY_BELOW("zero");
	EXPECT_EQ(0, bc_win_check_range(&self->win, self->stack.top.fd, 8 * self->lbs,
					14 * self->lbs));
	EXPECT_COUNT(3, self->lower, "read");
	EXPECT_COUNT(0, self->upper, "splits");
}

/* Where on the drive the first sector of each chunk of the target has gone to. */
static int places(FIXTURE_DATA(knobs) *self, __u64 chunk, int *place)
{
	__u64 nr = BLOCKS / chunk, i, j;
	char *all = bc_alloc(BLOCKS * self->lbs);
	int ret = 0;

	if (pread(self->drive.fd, all, BLOCKS * self->lbs, FIRST * self->lbs) !=
	    (ssize_t)(BLOCKS * self->lbs))
		ret = -1;
	for (i = 0; i < nr && !ret; i++) {
		__u64 tag = self->win.tag[i * chunk * self->lbs / BC_SECTOR];

		place[i] = -1;
		for (j = 0; j < nr; j++)
			if (bc_sector_is(all + j * chunk * self->lbs, tag))
				place[i] = j;
		if (place[i] < 0)
			ret = -1;
	}
	free(all);
	return ret;
}

static int load_chunks(FIXTURE_DATA(knobs) *self, unsigned int seed)
{
	char line[128], *table;
	int ret;

	snprintf(line, sizeof(line), "0 @1024 copytest %%0 0 seed %u chunk @16\n", seed);
	table = bc_stack_table(&self->stack, line, &self->drive, NULL);
	ret = bc_dm_swap(self->upper, table, BC_DM_FLUSH);
	free(table);
	return ret;
}

TEST_F(knobs, chunks)
{
	int place[2][64], used[64] = { 0 };
	unsigned int i, seed, same = 0, moved = 0;

	for (seed = 1; seed <= 2; seed++) {
		ASSERT_EQ(0, load_chunks(self, seed));
		bc_win_free(&self->win);
		ASSERT_EQ(0, bc_win_init(&self->win, &self->stack.top, 0, BLOCKS * self->lbs));
		SAY_BELOW("zero");
		EXPECT_EQ(0, bc_win_check_range(&self->win, self->stack.top.fd, 8 * self->lbs,
						32 * self->lbs));
		EXPECT_COUNT(3, self->lower, "read");
		EXPECT_COUNT(0, self->upper, "splits");
		ASSERT_EQ(0, places(self, 16, place[seed - 1]));
	}
	for (i = 0; i < 64; i++) {
		used[place[0][i]]++;
		moved += place[0][i] != (int)i;
		same += place[0][i] == place[1][i];
	}
	for (i = 0; i < 64; i++)
		EXPECT_EQ(1, used[i]);
	EXPECT_LT(48, moved);
	EXPECT_GT(16, same);
	/* The same seed finds the data again, another one does not. */
	ASSERT_EQ(0, load_chunks(self, 1));
	ASSERT_EQ(0, load_chunks(self, 2));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(knobs, defer_and_delay)
{
	__u64 start;

	SAY("zero");
	SAY("defer read always");
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_COUNT(0, self->upper, "held");
	SAY("clear");
	SAY("zero");
	SAY("delay read always 300000 400000");
	start = bc_now_ms();
	EXPECT_EQ(0, read_block(self, 1));
	EXPECT_LE(300, bc_now_ms() - start);
	EXPECT_GT(3000, bc_now_ms() - start);
	EXPECT_COUNT(1, self->upper, "deferred");
}

/* The read that comes first to the lower target fails: which one was it? */
static int first_of_deep(FIXTURE_DATA(knobs) *self)
{
	int i, n, res, first = -1;

	if (bc_dm_message(self->lower, "clear") ||
	    bc_dm_message(self->lower, "fail read nth:1 ioerr"))
		return -1;
	for (i = 0; i < DEEP; i++)
		if (aio_start(self, i, false, i * 20))
			return -1;
	for (i = 0; i < DEEP; i++) {
		n = aio_end(self, SOON_MS, &res);
		if (n < 0)
			return -1;
		if (res)
			first = n;
	}
	return first;
}

TEST_F(knobs, reorder)
{
	unsigned int i, came_first[DEEP] = { 0 }, different = 0;
	int first;

	EXPECT_EQ(0, first_of_deep(self));
	SAY("reorder read always 8");
	for (i = 0; i < 40; i++) {
		first = first_of_deep(self);
		ASSERT_LE(0, first);
		came_first[first]++;
	}
	for (i = 0; i < DEEP; i++)
		different += came_first[i] > 0;
	EXPECT_LE(4, different);
	EXPECT_COUNT(40 * DEEP, self->upper, "deferred");
	/* Alone, it does not wait for ever. */
	EXPECT_EQ(0, read_block(self, 1));
}

TEST_F(knobs, delays_change_the_order)
{
	unsigned int i, changed = 0;

	SAY("delay read always 0 4000");
	for (i = 0; i < 20; i++)
		changed += first_of_deep(self) > 0;
	EXPECT_LT(5, changed);
}

TEST_F(knobs, hold)
{
	int res = 1;

	SAY("zero");
	SAY_BELOW("zero");
	SAY("hold read nth:2");
	ASSERT_EQ(0, aio_start(self, 0, false, 0));
	ASSERT_EQ(0, aio_start(self, 1, false, 1));
	ASSERT_EQ(0, aio_start(self, 2, false, 2));
	AWAIT("held_io", 1);
	EXPECT_NE(1, aio_end(self, SOON_MS, &res));
	EXPECT_NE(1, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(-1, aio_end(self, 100, &res));
	EXPECT_COUNT(2, self->lower, "read");
	EXPECT_COUNT(1, self->upper, "held");
	SAY("release copy,write");
	EXPECT_EQ(-1, aio_end(self, 100, &res));
	SAY("release read");
	EXPECT_EQ(1, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(0, res);
	EXPECT_COUNT(0, self->upper, "held");
	EXPECT_COUNT(1, self->upper, "released");
	EXPECT_COUNT(3, self->lower, "read");

	SAY("hold read nth:1");
	ASSERT_EQ(0, aio_start(self, 0, false, 0));
	AWAIT("held", 1);
	SAY("release all medium");
	EXPECT_EQ(0, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(-ENODATA, res);
	EXPECT_COUNT(3, self->lower, "read");
}

TEST_F(knobs, hold_end)
{
	__u64 block = 9, off = block * self->lbs;
	int res = 1;

	bc_win_generate(&self->win, self->buf, off, self->lbs);
	SAY("hold_end write nth:1");
	ASSERT_EQ(0, aio_start(self, 0, true, block));
	AWAIT("held", 1);
	/* It is written, and nobody knows. */
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(-1, aio_end(self, 100, &res));
	SAY("release");
	EXPECT_EQ(0, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(0, res);

	SAY("hold_end write nth:1");
	SAY("fail_end write nth:1 nospc");
	ASSERT_EQ(0, aio_start(self, 0, true, block));
	AWAIT("held", 1);
	SAY("release");
	EXPECT_EQ(0, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(-ENOSPC, res);
}

/* Without a suspend there is nothing that it could wait for. */
TEST_F(knobs, requeue)
{
	SAY("zero");
	SAY("requeue read nth:2");
	EXPECT_EQ(0, read_block(self, 0));
	EXPECT_EQ(EIO, read_block(self, 1));
	EXPECT_EQ(0, read_block(self, 2));
	EXPECT_COUNT(1, self->upper, "requeued");
}

static void *suspend_noflush(void *arg)
{
	const struct bc_dm *dm = arg;

	return (void *)(intptr_t)bc_dm_suspend(dm, BC_DM_NOFLUSH);
}

TEST_F(knobs, requeue_in_a_suspend)
{
	pthread_t thread;
	void *ret;
	int res;

	SAY("hold read nth:1");
	ASSERT_EQ(0, aio_start(self, 0, false, 4));
	AWAIT("held", 1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, suspend_noflush, self->upper));
	EXPECT_EQ(-1, aio_end(self, 200, &res));
	SAY("release read requeue");
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(-1, aio_end(self, 100, &res));
	ASSERT_EQ(0, bc_dm_resume(self->upper));
	EXPECT_EQ(0, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(0, res);
}

/* A suspend makes delays short; after the resume they are what they were. */
TEST_F(knobs, suspend_ends_delays)
{
	__u64 start = bc_now_ms();
	int res;

	SAY("delay read always 10000000 10000000");
	ASSERT_EQ(0, aio_start(self, 0, false, 4));
	AWAIT("deferred", 1);
	ASSERT_EQ(0, bc_dm_suspend(self->upper, BC_DM_FLUSH));
	EXPECT_EQ(0, aio_end(self, SOON_MS, &res));
	EXPECT_EQ(0, res);
	EXPECT_GT(5000, bc_now_ms() - start);
	ASSERT_EQ(0, bc_dm_resume(self->upper));
	SAY("clear");
	SAY("delay read always 300000 300000");
	start = bc_now_ms();
	EXPECT_EQ(0, read_block(self, 1));
	EXPECT_LE(300, bc_now_ms() - start);
}

TEST_HARNESS_MAIN
