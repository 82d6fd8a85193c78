// SPDX-License-Identifier: GPL-2.0
/*
 * No memory for bios but the reserves of their pools (failslab), while more
 * source halves are in flight through one device than its reserve is good for:
 * stripes make many of few. A destination half that waited for memory would
 * wait for what they hold: it has to fail, and all copies have to end. The
 * driver's lists of ranges have a reserve of their own.
 */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define TASKS	2
#define LEN	BC_MIB
#define CHUNK	(4 * BC_KIB)
#define LONG	(64 * CHUNK)
#define LONG_MS	40000
#define FAULTS	"/sys/kernel/debug/failslab/"

enum { SOURCES = 1, DESTINATIONS = 1 + TASKS, DEVICES = 1 + 2 * TASKS };

FIXTURE(scarce) {
	struct bc_dev a, dm[DEVICES];	/* the bottom first */
	struct bc_win win[DEVICES];
	struct bc_stack stack;
};

FIXTURE_VARIANT(scarce) {
	const char *bottom;
	const char *module;
	bool freezes;		/* of the bottom's queue meanwhile */
};

FIXTURE_VARIANT_ADD(scarce, linear) { .bottom = "0 @16000 linear %a @5000\n" };
/* Sources have used up the reserve before the first destination is born. */
FIXTURE_VARIANT_ADD(scarce, delayed) {
	.bottom = "0 @16000 delay %a @5000 20 %a @5000 0\n",
};
/* Whoever waits for memory in a queue keeps it from being frozen. */
FIXTURE_VARIANT_ADD(scarce, frozen) {
	.bottom = "0 @16000 delay %a @5000 20 %a @5000 0\n", .freezes = true,
};
FIXTURE_VARIANT_ADD(scarce, deferred) {
	.bottom = "0 @16000 copytest %a @5000 delay src always 5000 20000\n",
	.module = "dm-copytest",
};

FIXTURE_SETUP(scarce)
{
	static const char * const text[DEVICES] = {
		NULL, "0 @4000 striped 2 @8 %0 0 %0 @2000\n",
		"0 @4000 striped 2 @8 %0 @4000 %0 @6000\n", "0 @4000 linear %0 @8000\n",
		"0 @4000 linear %0 @12000\n",
	};
	const char *tables[BC_STACK_MOST] = { variant->bottom };
	unsigned int i;

	for (i = 1; i < DEVICES; i++)
		tables[i] = text[i];
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	if (access(FAULTS "cache-filter", W_OK))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	if (variant->module)
		BC_REQUIRE(bc_load_module(variant->module));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_stack_open(&self->stack, 0, self->dm, DEVICES));
	for (i = 1; i < DEVICES; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dm[i], 0, LEN));
	if (!bc_fail_mark_bios(true))
		SKIP(return, "no cache of bios in /sys/kernel/slab can be made to fail");
	ASSERT_EQ(0, bc_fail_prepare(true));
}

FIXTURE_TEARDOWN(scarce)
{
	unsigned int i;

	bc_fail_end();
	bc_fail_mark_bios(false);
	for (i = 1; i < DEVICES; i++)
		EXPECT_EQ(0, bc_win_end(&self->win[i]));
	for (i = 0; i < DEVICES; i++)
		bc_close(&self->dm[i]);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

struct task {
	struct bc_win *dw, *sw;
	struct blk_copy_extent ext;
	__u64 dst, ended;
	struct bc_result r;
	pthread_t thread;
};

static void *copy(void *arg)
{
	struct task *t = arg;

	t->r = bc_copy(BC_IOCTL, t->dw->dev->fd, t->dst, t->sw->dev->fd, &t->ext, 1);
	__atomic_store_n(&t->ended, 1, __ATOMIC_RELAXED);
	return NULL;
}

static int judge(struct task *t)
{
	if (t->r.copied > t->ext.length ||
	    (t->r.err ? t->r.err != EAGAIN && t->r.err != ENOMEM : t->r.copied != t->ext.length)) {
		bc_log("%s, %llu of %llu bytes", t->r.err ? strerrorname_np(t->r.err) : "no error",
		       t->r.copied, t->ext.length);
		return -1;
	}
	return bc_win_partly_copied(t->dw, t->dst, t->sw, &t->ext, 1, t->r.copied) ?:
	       bc_win_settle(t->dw);
}

static int swap_bottom(FIXTURE_DATA(scarce) *self, const char *text)
{
	char *table = bc_stack_table(&self->stack, text, &self->a, NULL);
	int ret = bc_dm_swap(&self->stack.dm[0], table, BC_DM_FLUSH);

	free(table);
	return ret;
}

/*
 * A long copy has to learn how much it can have in flight at a time, and not to
 * forget it whenever a part succeeds: it would have to learn it again for each.
 */
TEST_F_TIMEOUT(scarce, long_copy, 120)
{
	struct task t = {
		.dw = &self->win[DESTINATIONS], .sw = &self->win[SOURCES],
		.ext = { 0, LONG }, .dst = 50 * self->a.lbs,
	};
	__u64 again = 0, freezes = 0, start = bc_now_ms();
	bool counted, ended;

	ASSERT_EQ(0, bc_fail_slabs(true));
	bc_again_start(&self->dm[SOURCES], NULL);
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, copy, &t));
	while (!(ended = __atomic_load_n(&t.ended, __ATOMIC_RELAXED)) &&
	       bc_now_ms() < start + LONG_MS) {
		if (variant->freezes)
			bc_queue_write(&self->dm[0], "read_ahead_kb", 64 + freezes++ % 64);
		usleep(10000);
	}
	counted = !bc_again_stop(&again);
	ASSERT_EQ(0, bc_fail_slabs(false));
	pthread_join(t.thread, NULL);
	bc_log("%s, %llu of %llu bytes, after %llu ms and %llu failures",
	       t.r.err ? strerrorname_np(t.r.err) : "no error", t.r.copied, t.ext.length,
	       bc_now_ms() - start, again);
	EXPECT_TRUE(ended);
	EXPECT_EQ(0, judge(&t));
	/* Who is kept from a queue as well may give up in the end. */
	if (!variant->freezes)
		EXPECT_EQ(0, t.r.err);
	if (!variant->freezes && counted)
		EXPECT_GT(LONG / CHUNK, again);
}

TEST_F_TIMEOUT(scarce, bios, 120)
{
	unsigned int i, round, rounds = bc_full() ? 20 : 2, whole = 0;
	__u64 lbs = self->a.lbs, end, freezes = 0;
	struct task task[TASKS];

	for (round = 0; round < rounds; round++) {
		memset(task, 0, sizeof(task));
		ASSERT_EQ(0, bc_fail_slabs(true));
		for (i = 0; i < TASKS; i++) {
			task[i].dw = &self->win[DESTINATIONS + i];
			task[i].sw = &self->win[SOURCES + i];
			/* One command, of 16 or 17 chunks. */
			task[i].ext = (struct blk_copy_extent){ round * 7 * lbs, 128 * lbs };
			task[i].dst = 50 * lbs;
			ASSERT_EQ(0, pthread_create(&task[i].thread, NULL, copy, &task[i]));
			bc_watch("a copy", &task[i].ended);
		}
		end = bc_now_ms() + (variant->freezes ? 300 : 0);
		while (bc_now_ms() < end)
			bc_queue_write(&self->dm[0], "read_ahead_kb", 64 + freezes++ % 64);
		for (i = 0; i < TASKS; i++)
			pthread_join(task[i].thread, NULL);
		bc_unwatch();
		ASSERT_EQ(0, bc_fail_slabs(false));
		/* To look at single sectors, without a delay for each. */
		ASSERT_EQ(0, swap_bottom(self, "0 @16000 linear %a @5000\n"));
		for (i = 0; i < TASKS; i++) {
			EXPECT_EQ(0, judge(&task[i]));
			whole += !task[i].r.err;
		}
		ASSERT_EQ(0, swap_bottom(self, variant->bottom));
	}
	bc_log("%u of %u copies were done in spite of it, %llu freezes", whole, rounds * TASKS,
	       freezes);
}

/* Where NVMe's lists of ranges come from: 256 of 32 bytes. */
#define LISTS	"/sys/kernel/slab/kmalloc-8k/failslab"

FIXTURE(lists) {
	struct bc_dev dev;
	struct bc_win win;
};

FIXTURE_SETUP(lists)
{
	BC_SETUP(16 * BC_MIB, 4 * BC_MIB);
	if (strncmp(self->dev.disk, "nvme", 4))
		SKIP(return, "knows NVMe's lists of ranges, but %s has none", self->dev.path);
	if (access(FAULTS "cache-filter", W_OK) || bc_write_file(LISTS, "1"))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	ASSERT_EQ(0, bc_fail_prepare(false));
}

FIXTURE_TEARDOWN(lists)
{
	bc_fail_end();
	bc_write_file(LISTS, "0");
	EXPECT_EQ(0, bc_win_end(&self->win));
	bc_close(&self->dev);
}

/* There is one in reserve, with which all commands are sent, one by one. */
TEST_F_TIMEOUT(lists, of_ranges, 60)
{
	struct blk_copy_extent ext = { self->win.base, BC_MIB + 7 * self->dev.lbs };
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, &ext, 1);
	struct bc_async copy;
	bool late;

	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, bc_fail_slabs(true));
	ASSERT_EQ(0, bc_async_start(&copy, BC_IOCTL, &self->win, 2 * BC_MIB, &self->win, 0,
				    ext.length));
	EXPECT_EQ(0, bc_async_end(&copy, 0, 8000));
	late = !bc_async_done(&copy);
	bc_fail_slabs(false);
	/* It goes on now, and must have ended before its window does. */
	if (late)
		pthread_join(copy.thread, NULL);
	EXPECT_EQ(0, bc_expect_counts(&bound));
}

TEST_HARNESS_MAIN
