// SPDX-License-Identifier: GPL-2.0
/*
 * The drive has done what it was told, but nobody hears of it
 * (CONFIG_FAIL_IO_TIMEOUT): the command times out, the controller is reset, and
 * the command is sent again, or ends with an error. The copy ends once, and
 * with the truth.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define TASKS		2
#define COMMANDS	6
#define FAULTS		"/sys/kernel/debug/fail_io_timeout/"
#define RETRIES		"/sys/module/nvme_core/parameters/max_retries"
#define SLOW_MS		1000	/* who waited for a timeout */
#define TIMEOUT_MS	300	/* the block layer looks once a second */

FIXTURE(timeouts) {
	struct bc_dev drive, dev[TASKS];
	struct bc_win win[TASKS];
	struct bc_stack stack;
	__u64 timeout;		/* ms */
	char retries[16];
};

FIXTURE_VARIANT(timeouts) {
	enum bc_iface iface;
	bool stacked;
};

FIXTURE_VARIANT_ADD(timeouts, ioctl) { .iface = BC_IOCTL };
FIXTURE_VARIANT_ADD(timeouts, copy_file_range_stacked) { .iface = BC_CFR, .stacked = true };

/* Whether completions of requests of the drive may get lost. */
static void may_lose(const struct bc_dev *drive, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/block/%s/io-timeout-fail", drive->disk);
	bc_write_file(path, value);
}

/* One completion in @interval, but not more than @times. */
static int lose(const char *times, const char *interval)
{
	return bc_write_file(FAULTS "interval", interval) ?:
	       bc_write_file(FAULTS "times", times) ?:
	       bc_write_file(FAULTS "probability", "100");
}

FIXTURE_SETUP(timeouts)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @40000 linear %a @5000\n", "0 @17000 linear %0 @1000\n",
		"0 @17000 linear %0 @20000\n",
	};
	__u64 len = 2 * BC_MIB;
	int i, fd;

	for (i = 0; i < TASKS; i++)
		self->dev[i].fd = self->dev[i].bfd = -1;
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	if (access(FAULTS "probability", W_OK))
		SKIP(return, "no lost completions (CONFIG_FAIL_IO_TIMEOUT), or no debugfs");
	if (strncmp(self->drive.disk, "nvme", 4))
		SKIP(return, "knows how NVMe drives time out, but %s is none", self->drive.path);
	if (variant->stacked)
		BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	for (i = 0; i < TASKS; i++) {
		BC_REQUIRE(bc_open_path(&self->dev[i], variant->stacked ?
					self->stack.dm[1 + i].path : self->drive.path));
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dev[i],
					 (variant->stacked ? 1 : 1 + 4 * i) * BC_MIB, len));
	}
	fd = open(RETRIES, O_RDONLY | O_CLOEXEC);
	ASSERT_LT(0, read(fd, self->retries, sizeof(self->retries) - 1));
	close(fd);
	ASSERT_EQ(0, bc_queue_read(&self->drive, "io_timeout", &self->timeout));
	ASSERT_EQ(0, bc_queue_write(&self->drive, "io_timeout", TIMEOUT_MS));
	ASSERT_EQ(0, bc_write_file(FAULTS "task-filter", "N"));
	ASSERT_EQ(0, bc_write_file(FAULTS "verbose", "0"));
	may_lose(&self->drive, "1");
}

FIXTURE_TEARDOWN(timeouts)
{
	int i;

	bc_write_file(FAULTS "probability", "0");
	may_lose(&self->drive, "0");
	if (self->timeout)
		bc_queue_write(&self->drive, "io_timeout", self->timeout);
	if (*self->retries)
		bc_write_file(RETRIES, self->retries);
	for (i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, bc_win_end(&self->win[i]));
		bc_close(&self->dev[i]);
	}
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

/* A copy of @COMMANDS commands in the first window. */
static struct bc_result copy(struct bc_win *w, enum bc_iface iface, struct bc_bound *bound)
{
	struct blk_copy_extent ext = { w->base, COMMANDS * w->dev->lim.max_bytes };
	__u64 dst = w->base + w->len - ext.length, start = bc_now_ms();
	struct bc_result r;

	*bound = bc_bound_for(iface, w->dev, &ext, 1);
	r = bc_copy(iface, w->dev->fd, dst, w->dev->fd, &ext, 1);
	bc_log("%s, %llu of %llu bytes, after %llu ms",
	       r.err ? strerrorname_np(r.err) : "no error", r.copied, ext.length,
	       bc_now_ms() - start);
	if (r.copied > ext.length || (!r.err && iface == BC_IOCTL && r.copied != ext.length) ||
	    bc_win_partly_copied(w, dst, w, &ext, 1, r.copied) || bc_win_settle(w))
		r.err = EBADMSG;
	return r;
}

/* It is sent again: once more than what all take, or more often on a host that is too slow. */
TEST_F_TIMEOUT(timeouts, of_a_command_that_is_sent_again, 60)
{
	struct bc_counts saw;
	struct bc_bound bound;
	struct bc_result r;

	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, lose("1", "1"));
	r = copy(&self->win[0], variant->iface, &bound);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(COMMANDS * self->dev[0].lim.max_bytes, r.copied);
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&saw));
		EXPECT_LE(bound.copies + 1, saw.copies);
		EXPECT_EQ(0, saw.writes);
	}
}

/* One of the first four; which of them is the kernel's secret. */
TEST_F_TIMEOUT(timeouts, of_a_command_that_is_given_up, 60)
{
	struct bc_bound bound;
	struct bc_result r;

	ASSERT_EQ(0, bc_write_file(RETRIES, "0"));
	ASSERT_EQ(0, lose("1", "4"));
	r = copy(&self->win[0], variant->iface, &bound);
	EXPECT_GT(COMMANDS * self->dev[0].lim.max_bytes, r.copied);
	EXPECT_EQ(variant->iface == BC_CFR && r.copied ? 0 : EIO, r.err);
	/* Nothing is wrong with the drive. */
	EXPECT_EQ(0, bc_write_file(FAULTS "probability", "0"));
	EXPECT_EQ(0, bc_queue_write(&self->drive, "io_timeout", self->timeout));
	EXPECT_EQ(0, copy(&self->win[0], variant->iface, &bound).err);
}

static __u64 slowest(const struct bc_copier *c)
{
	__u64 a = __atomic_load_n(&c[0].slowest_ms, __ATOMIC_RELAXED);
	__u64 b = __atomic_load_n(&c[1].slowest_ms, __ATOMIC_RELAXED);

	return a > b ? a : b;
}

/* Any of the commands of two tasks, which may be in flight at the same time. */
TEST_F_TIMEOUT(timeouts, under_copies, 180)
{
	static const int may[] = { EIO, 0 };
	__u64 copies = 0, end = bc_now_ms() + (bc_full() ? 30000 : 1000);
	struct bc_copier c[TASKS] = { 0 };
	int i;

	ASSERT_EQ(0, lose("-1", "50"));
	for (i = 0; i < TASKS; i++) {
		c[i].win = &self->win[i];
		c[i].rng = bc_seed + i;
		c[i].may = may;
		ASSERT_EQ(0, bc_copier_start(&c[i]));
	}
	bc_watch("one task", &c[0].done);
	bc_watch("the other task", &c[1].done);
	/* Until it hit a copy, not just a read that looks at its result. */
	while (!c[0].bad && !c[1].bad &&
	       (!bc_copiers_had_enough(c, TASKS, end) || slowest(c) < SLOW_MS))
		usleep(20000);
	for (i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, bc_copier_stop(&c[i]));
		copies += c[i].done;
	}
	bc_unwatch();
	EXPECT_LE(SLOW_MS, slowest(c));
	bc_log("%llu copies: %llu failed; the slowest took %llu and %llu ms", copies,
	       c[0].failed + c[1].failed, c[0].slowest_ms, c[1].slowest_ms);
}

TEST_HARNESS_MAIN
