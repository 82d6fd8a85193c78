// SPDX-License-Identifier: GPL-2.0
/*
 * No memory for bios but the reserves of their pools (failslab), while more
 * copies are in flight through one device than its reserve is good for. A
 * destination half that waited for memory would wait for what the source
 * halves hold: it has to fail, and all copies have to end.
 */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define TASKS	4
#define FAULTS	"/sys/kernel/debug/failslab/"

FIXTURE(scarce) {
	struct bc_dev a, dm[TASKS], bottom;
	struct bc_win win[TASKS];
	struct bc_stack stack;
	unsigned int nr_dm;
};

FIXTURE_VARIANT(scarce) {
	const char *bottom;
	const char *middle;	/* above it, or NULL */
	const char *module;
	bool freezes;		/* of the stack's queues meanwhile */
};

FIXTURE_VARIANT_ADD(scarce, linear) { .bottom = "0 @16000 linear %a @5000\n" };
/* Each piece is a bio of its own, and takes from the reserve. */
FIXTURE_VARIANT_ADD(scarce, striped) {
	.bottom = "0 @16000 striped 2 @32 %a @5000 %a @15000\n",
};
/* Sources fill the reserve before the first destination is born. */
FIXTURE_VARIANT_ADD(scarce, delayed) {
	.bottom = "0 @16000 delay %a @5000 20 %a @5000 0\n",
};
/* Its worker waits for the memory of the device below. */
FIXTURE_VARIANT_ADD(scarce, delayed_above) {
	.bottom = "0 @16000 linear %a @5000\n", .middle = "0 @16000 delay %0 0 20 %0 0 0\n",
};
FIXTURE_VARIANT_ADD(scarce, delayed_and_frozen) {
	.bottom = "0 @16000 delay %a @5000 20 %a @5000 0\n", .freezes = true,
};
FIXTURE_VARIANT_ADD(scarce, deferred) {
	.bottom = "0 @16000 copytest %a @5000 delay src always 5000 20000\n",
	.module = "dm-copytest",
};

static int set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -1;
	close(fd);
	return ret;
}

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
		nr += !set(path, value);
	}
	if (dir)
		closedir(dir);
	return nr;
}

static int faults(bool on)
{
	return set(FAULTS "probability", on ? "100" : "0");
}

FIXTURE_SETUP(scarce)
{
	const char *tables[BC_STACK_MOST] = { variant->bottom, variant->middle };
	unsigned int i, below = variant->middle ? 2 : 1;
	char top[TASKS][64];

	for (i = 0; i < TASKS; i++) {
		snprintf(top[i], sizeof(top[i]), "0 @4000 linear %%%u @%u\n", below - 1, i * 4000);
		tables[below + i] = top[i];
	}
	for (i = 0; i < TASKS; i++)
		self->dm[i].fd = self->dm[i].bfd = -1;
	self->bottom.fd = self->bottom.bfd = -1;
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	if (access(FAULTS "cache-filter", W_OK))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	if (variant->module)
		BC_REQUIRE(bc_load_module(variant->module));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_open_path(&self->bottom, self->stack.dm[0].path));
	for (i = 0; i < TASKS; i++) {
		BC_REQUIRE(bc_open_path(&self->dm[i], self->stack.dm[below + i].path));
		self->nr_dm++;
		BC_REQUIRE(bc_need_copy(&self->dm[i]));
	}
	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dm[i], 0,
					 self->dm[i].size));
	if (!mark_caches("1"))
		SKIP(return, "no cache of bios in /sys/kernel/slab can be made to fail");
	ASSERT_EQ(0, set(FAULTS "cache-filter", "Y"));
	ASSERT_EQ(0, set(FAULTS "task-filter", "N"));
	ASSERT_EQ(0, set(FAULTS "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, set(FAULTS "interval", "1"));
	ASSERT_EQ(0, set(FAULTS "times", "-1"));
	ASSERT_EQ(0, set(FAULTS "verbose", "0"));
}

FIXTURE_TEARDOWN(scarce)
{
	unsigned int i;

	faults(false);
	mark_caches("0");
	set(FAULTS "cache-filter", "N");
	set(FAULTS "ignore-gfp-wait", "Y");
	for (i = 0; i < TASKS; i++) {
		if (self->win[i].tag)
			EXPECT_EQ(0, bc_win_check(&self->win[i]));
		bc_win_free(&self->win[i]);
	}
	for (i = 0; i < self->nr_dm; i++)
		bc_close(&self->dm[i]);
	bc_close(&self->bottom);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

struct task {
	struct bc_win *win;
	struct blk_copy_extent ext;
	__u64 dst, ended;
	struct bc_result r;
	pthread_t thread;
};

static void *copy(void *arg)
{
	struct task *t = arg;

	t->r = bc_copy(BC_IOCTL, t->win->dev->fd, t->dst, t->win->dev->fd, &t->ext, 1);
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
	return bc_win_partly_copied(t->win, t->dst, t->win, &t->ext, 1, t->r.copied) ?:
	       bc_win_settle(t->win);
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
			task[i].win = &self->win[i];
			task[i].ext = (struct blk_copy_extent){ round * 7 * lbs, 1900 * lbs };
			task[i].dst = 2050 * lbs;
			ASSERT_EQ(0, pthread_create(&task[i].thread, NULL, copy, &task[i]));
			bc_watch("a copy", &task[i].ended);
		}
		end = bc_now_ms() + (variant->freezes ? 300 : 0);
		while (bc_now_ms() < end) {
			/* A write there freezes the queue, which waits for who waits in it. */
			bc_queue_write(freezes % 4 ? &self->bottom : &self->dm[0],
				       "read_ahead_kb", 64 + freezes % 64);
			freezes++;
		}
		for (i = 0; i < TASKS; i++)
			pthread_join(task[i].thread, NULL);
		bc_unwatch();
		ASSERT_EQ(0, faults(false));
		for (i = 0; i < TASKS; i++) {
			EXPECT_EQ(0, judge(&task[i]));
			whole += !task[i].r.err;
		}
	}
	bc_log("%u of %u copies were done in spite of it, %llu freezes", whole, rounds * TASKS,
	       freezes);
}

TEST_HARNESS_MAIN
