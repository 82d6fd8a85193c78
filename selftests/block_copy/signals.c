// SPDX-License-Identifier: GPL-2.0
/*
 * Signals during a copy that takes long (machine slow): it stops soon, says
 * how much was copied, and that much was. A kill leaves nothing behind.
 */
#include <signal.h>

#include "blkcopy_test.h"

#define SRC	(16 * BC_MIB)
#define DST	(512 * BC_MIB)
#define LEN	(256 * BC_MIB)
#define ISLAND	(16 * BC_KIB)
#define ISLANDS	64
#define GUARD	(64 * BC_KIB)
#define PATIENCE_MS	15000

/* Few data: the drive is slow. Islands say how far the copy came. */
FIXTURE(signals) {
	struct bc_dev dev;
	struct bc_win src[ISLANDS], dst[ISLANDS], before, after;
};

FIXTURE_VARIANT(signals) { enum bc_iface iface; };
FIXTURE_VARIANT_ADD(signals, ioctl) { .iface = BC_IOCTL };
FIXTURE_VARIANT_ADD(signals, copy_file_range) { .iface = BC_CFR };

FIXTURE_SETUP(signals)
{
	unsigned int i;

	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	if (!bc_machine("slow"))
		SKIP(return, "only on a drive known to be slow (machine slow)");
	for (i = 0; i < ISLANDS; i++) {
		ASSERT_EQ(0, bc_win_init(&self->src[i], &self->dev, SRC + i * (LEN / ISLANDS),
					 ISLAND));
		ASSERT_EQ(0, bc_win_init(&self->dst[i], &self->dev, DST + i * (LEN / ISLANDS),
					 ISLAND));
	}
	ASSERT_EQ(0, bc_win_init(&self->before, &self->dev, DST - GUARD, GUARD));
	ASSERT_EQ(0, bc_win_init(&self->after, &self->dev, DST + LEN, GUARD));
}

FIXTURE_TEARDOWN(signals)
{
	unsigned int i;

	for (i = 0; i < ISLANDS; i++) {
		bc_win_free(&self->src[i]);
		bc_win_free(&self->dst[i]);
	}
	bc_win_free(&self->before);
	bc_win_free(&self->after);
	bc_close(&self->dev);
}

/* @sure bytes are copied, the rest may be, nothing else has changed. */
static int check(struct bc_win *src, struct bc_win *dst, __u64 sure)
{
	unsigned int i;
	int bad = 0;

	for (i = 0; i < ISLANDS; i++) {
		struct blk_copy_extent ext = { src[i].base, ISLAND };
		__u64 at = src[i].base - SRC;
		__u64 prefix = sure <= at ? 0 : sure - at < ISLAND ? sure - at : ISLAND;

		bad |= bc_win_partly_copied(&dst[i], dst[i].base, &src[i], &ext, 1, prefix);
		bad |= bc_win_check(&src[i]);
		bad |= bc_win_check(&dst[i]);
	}
	return bad;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *interrupt(void *arg)
{
	usleep(300000);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

/* A copy that would take longer than a minute, interrupted after 0.3 s. */
static struct bc_result interrupted_copy(struct bc_dev *dev, enum bc_iface iface, __u64 *ms)
{
	struct blk_copy_extent ext = { SRC, LEN };
	struct sigaction action = { .sa_handler = on_signal };
	struct bc_result r = { .err = ECHILD };
	pthread_t self = pthread_self(), thread;
	__u64 start = bc_now_ms();

	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, interrupt, &self))
		return r;
	r = bc_copy(iface, dev->fd, DST, dev->fd, &ext, 1);
	*ms = bc_now_ms() - start;
	pthread_join(thread, NULL);
	bc_log("after %llu ms: %s, %llu bytes reported", *ms,
	       r.err ? strerrorname_np(r.err) : "no error", r.copied);
	return r;
}

TEST_F_TIMEOUT(signals, copy_is_interrupted_with_its_prefix, 120)
{
	struct bc_result r;
	__u64 ms;

	r = interrupted_copy(&self->dev, variant->iface, &ms);
	/* A short copy_file_range is no error. */
	EXPECT_EQ(variant->iface == BC_CFR && r.copied ? 0 : EINTR, r.err);
	EXPECT_GT(LEN, r.copied);
	EXPECT_GT(PATIENCE_MS, ms);
	EXPECT_EQ(0, check(self->src, self->dst, r.copied));
	EXPECT_EQ(0, bc_win_check(&self->before));
	EXPECT_EQ(0, bc_win_check(&self->after));
}

TEST_F_TIMEOUT(signals, copier_is_killed, 120)
{
	struct blk_copy_extent ext = { SRC, LEN };
	pid_t pid, gone = 0;
	int status = 0;
	__u64 start;

	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		bc_copy(variant->iface, self->dev.fd, DST, self->dev.fd, &ext, 1);
		_exit(0);
	}
	usleep(300000);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	start = bc_now_ms();
	while (!gone && bc_now_ms() - start < PATIENCE_MS) {
		gone = waitpid(pid, &status, WNOHANG);
		usleep(10000);
	}
	EXPECT_EQ(pid, gone);
	EXPECT_TRUE(WIFSIGNALED(status));
	bc_log("gone %llu ms after the kill", bc_now_ms() - start);
	EXPECT_EQ(0, check(self->src, self->dst, 0));
	EXPECT_EQ(0, bc_win_check(&self->before));
	EXPECT_EQ(0, bc_win_check(&self->after));
}

/* A signal that was there before the call, which looks for signals on its way. */
TEST_F_TIMEOUT(signals, blocked_signal_does_not_disturb, 120)
{
	struct blk_copy_extent ext = { SRC, 20 * BC_MIB };
	struct bc_result r;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, raise(SIGUSR1));
	r = bc_copy(variant->iface, self->dev.fd, DST, self->dev.fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(ext.length, r.copied);
	EXPECT_EQ(0, check(self->src, self->dst, ext.length));
}

struct copier {
	struct bc_dev *dev;
	enum bc_iface iface;
	bool done;
};

static void *copy_all(void *arg)
{
	struct copier *c = arg;
	struct blk_copy_extent ext = { SRC, 48 * BC_MIB };
	struct bc_result r = bc_copy(c->iface, c->dev->fd, DST, c->dev->fd, &ext, 1);

	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return (void *)(uintptr_t)r.err;
}

static __u64 longer(__u64 longest, __u64 start)
{
	__u64 ms = bc_now_ms() - start;

	return ms > longest ? ms : longest;
}

/* A long copy takes the page cache's locks: others must get them in between. */
TEST_F_TIMEOUT(signals, others_read_and_write_meanwhile, 120)
{
	struct copier c = { .dev = &self->dev, .iface = variant->iface };
	__u64 longest = 0, begin = bc_now_ms(), start, total, rounds = 0;
	struct bc_win other;
	pthread_t thread;
	void *err;

	ASSERT_EQ(0, bc_win_init(&other, &self->dev, DST + LEN + BC_MIB, 64 * BC_KIB));
	ASSERT_EQ(0, pthread_create(&thread, NULL, copy_all, &c));
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE)) {
		start = bc_now_ms();
		ASSERT_EQ(0, bc_win_write(&other, self->dev.bfd, other.base + 4096, 4096));
		longest = longer(longest, start);
		start = bc_now_ms();
		ASSERT_EQ(0, bc_win_check_fd(&other, self->dev.bfd));
		longest = longer(longest, start);
		rounds++;
		usleep(10000);
	}
	pthread_join(thread, &err);
	EXPECT_EQ(0, (uintptr_t)err);
	total = bc_now_ms() - begin;
	bc_log("%llu rounds of others, the longest read or write took %llu of %llu ms", rounds,
	       longest, total);
	EXPECT_LT(1, rounds);
	EXPECT_GT(PATIENCE_MS, longest);
	EXPECT_GT(total * 2 / 3, longest);
	bc_win_free(&other);
}

TEST_HARNESS_MAIN
