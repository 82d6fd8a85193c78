// SPDX-License-Identifier: GPL-2.0
/*
 * No memory for bios but the reserves of their pools (failslab), while more
 * source halves are in flight through one device than its reserve is good for:
 * stripes make many of few. A destination half that waited for memory would
 * wait for what they hold: it has to fail, and all copies have to end.
 */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define TASKS	2
#define LEN	BC_MIB
#define FAULTS	"/sys/kernel/debug/failslab/"

enum { SOURCES = 1, DESTINATIONS = 1 + TASKS, DEVICES = 1 + 2 * TASKS };

FIXTURE(scarce) {
	struct bc_dev a, dm[DEVICES];	/* the bottom first */
	struct bc_win win[DEVICES];
	struct bc_stack stack;
	unsigned int nr_dm;
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

/* Marks the caches of bios, and of nothing else. Returns how many. */
static int mark_caches(const char *value)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[PATH_MAX];
	struct stat st;
	int nr = 0;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "bio-", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s", entry->d_name);
		/* A link: merged with the cache of something else. */
		if (lstat(path, &st) || !S_ISDIR(st.st_mode))
			continue;
		strcat(path, "/failslab");
		nr += !bc_write_file(path, value);
	}
	if (dir)
		closedir(dir);
	return nr;
}

static int faults(bool on)
{
	return bc_write_file(FAULTS "probability", on ? "100" : "0");
}

FIXTURE_SETUP(scarce)
{
	static const char * const text[DEVICES] = {
		NULL, "0 @4000 striped 2 @8 %0 0 %0 @2000\n",
		"0 @4000 striped 2 @8 %0 @4000 %0 @6000\n", "0 @4000 linear %0 @8000\n",
		"0 @4000 linear %0 @12000\n",
	};
	const char *tables[BC_STACK_MOST] = { variant->bottom };
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		self->dm[i].fd = self->dm[i].bfd = -1;
	for (i = 1; i < DEVICES; i++)
		tables[i] = text[i];
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	if (access(FAULTS "cache-filter", W_OK))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	if (variant->module)
		BC_REQUIRE(bc_load_module(variant->module));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	for (i = 0; i < DEVICES; i++) {
		BC_REQUIRE(bc_open_path(&self->dm[i], self->stack.dm[i].path));
		self->nr_dm++;
		BC_REQUIRE(bc_need_copy(&self->dm[i]));
		if (i)
			ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dm[i], 0, LEN));
	}
	if (!mark_caches("1"))
		SKIP(return, "no cache of bios in /sys/kernel/slab can be made to fail");
	ASSERT_EQ(0, bc_write_file(FAULTS "cache-filter", "Y"));
	ASSERT_EQ(0, bc_write_file(FAULTS "task-filter", "N"));
	ASSERT_EQ(0, bc_write_file(FAULTS "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, bc_write_file(FAULTS "interval", "1"));
	ASSERT_EQ(0, bc_write_file(FAULTS "times", "-1"));
	ASSERT_EQ(0, bc_write_file(FAULTS "verbose", "0"));
}

FIXTURE_TEARDOWN(scarce)
{
	unsigned int i;

	faults(false);
	mark_caches("0");
	bc_write_file(FAULTS "cache-filter", "N");
	bc_write_file(FAULTS "ignore-gfp-wait", "Y");
	for (i = 1; i < DEVICES; i++) {
		if (self->win[i].tag)
			EXPECT_EQ(0, bc_win_check(&self->win[i]));
		bc_win_free(&self->win[i]);
	}
	for (i = 0; i < self->nr_dm; i++)
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

TEST_F_TIMEOUT(scarce, bios, 120)
{
	unsigned int i, round, rounds = bc_full() ? 20 : 2, whole = 0;
	__u64 lbs = self->a.lbs, end, freezes = 0;
	struct task task[TASKS];

	for (round = 0; round < rounds; round++) {
		memset(task, 0, sizeof(task));
		ASSERT_EQ(0, faults(true));
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
		ASSERT_EQ(0, faults(false));
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

TEST_HARNESS_MAIN
