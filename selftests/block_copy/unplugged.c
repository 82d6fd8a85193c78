// SPDX-License-Identifier: GPL-2.0
/*
 * The drive goes away under copies through stacks: its PCI device is removed,
 * or its namespace detached from the controller. All copies end, with a true
 * prefix; when the drive is back, what was reported as copied is there.
 */
#include <glob.h>
#include <sys/ioctl.h>
#include <linux/nvme_ioctl.h>

#include "blkcopy_test.h"
#include "stack.h"

#define TASKS	2
#define BACK_MS	15000

enum how { REMOVED, DETACHED };

FIXTURE(unplugged) {
	struct bc_dev a, top[TASKS];
	struct bc_win win[TASKS];
	struct bc_stack stack;
	char path[256];		/* of the controller in sysfs */
	char pci[256];		/* and of its PCI device */
};

FIXTURE_VARIANT(unplugged) {
	enum how how;
	const char *bottom;
};

FIXTURE_VARIANT_ADD(unplugged, removed) {
	.how = REMOVED, .bottom = "0 @8000 linear %a @5000\n",
};
FIXTURE_VARIANT_ADD(unplugged, removed_delayed) {
	.how = REMOVED, .bottom = "0 @8000 delay %a @5000 20 %a @5000 0\n",
};
FIXTURE_VARIANT_ADD(unplugged, detached) {
	.how = DETACHED, .bottom = "0 @8000 linear %a @5000\n",
};
FIXTURE_VARIANT_ADD(unplugged, detached_delayed) {
	.how = DETACHED, .bottom = "0 @8000 delay %a @5000 20 %a @5000 0\n",
};

/* Opens the drive and makes the stack. Returns as bc_stack_make(). */
static int open_all(FIXTURE_DATA(unplugged) *self, const char *bottom)
{
	const char *tables[BC_STACK_MOST] = {
		bottom, "0 @4000 linear %0 0\n", "0 @4000 linear %0 @4000\n",
	};
	int i, ret = bc_open(&self->a, "COPY_DEV") ?: bc_need_copy(&self->a) ?:
		     bc_stack_make(&self->stack, tables, &self->a, NULL);

	for (i = 0; !ret && i < TASKS; i++)
		ret = bc_open_path(&self->top[i], self->stack.dm[1 + i].path);
	return ret;
}

static int close_all(FIXTURE_DATA(unplugged) *self)
{
	int i, ret;

	for (i = 0; i < TASKS; i++)
		bc_close(&self->top[i]);
	ret = bc_stack_remove(&self->stack);
	bc_close(&self->a);
	return ret;
}

static int say(const char *dir, const char *file, const char *text)
{
	char path[300];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		bc_log("%s: %s", path, strerror(errno));
		ret = -1;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/*
 * Namespace Attachment (NVM Express Base Specification 2.0, section 5.22).
 * Returns the status of the command, or -1.
 */
static int attach(const char *controller, bool yes)
{
	char path[300], number[16] = "";
	struct nvme_admin_cmd cmd = {
		.opcode = 0x15, .nsid = 1, .data_len = 4096, .cdw10 = yes ? 0 : 1,
	};
	unsigned short *list = bc_alloc(4096);
	int fd, ret = -1;

	memset(list, 0, 4096);
	snprintf(path, sizeof(path), "%s/cntlid", controller);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, number, sizeof(number) - 1) <= 0)
		bc_log("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	list[0] = 1;
	list[1] = atoi(number);
	cmd.addr = (uintptr_t)list;
	snprintf(path, sizeof(path), "/dev/%s", strrchr(controller, '/') + 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);
	if (ret < 0)
		bc_log("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(list);
	/* The controller says so by itself, too, if it can. */
	return ret ?: say(controller, "rescan_controller", "1");
}

/* A subsystem keeps the number of its first controller while it has others. */
static bool has_siblings(const char *controller)
{
	char pattern[300];
	size_t found = 0;
	glob_t g, all;

	snprintf(pattern, sizeof(pattern), "/sys/class/nvme-subsystem/*/%s",
		 strrchr(controller, '/') + 1);
	if (!glob(pattern, 0, NULL, &g)) {
		/* The entries are links: their own ".." is somewhere else. */
		snprintf(pattern, sizeof(pattern), "%.*s/nvme*/cntlid",
			 (int)(strrchr(g.gl_pathv[0], '/') - g.gl_pathv[0]), g.gl_pathv[0]);
		if (!glob(pattern, 0, NULL, &all))
			found = all.gl_pathc;
		globfree(&all);
	}
	globfree(&g);
	return found > 1;
}

FIXTURE_SETUP(unplugged)
{
	char link[128];
	int i;

	for (i = 0; i < TASKS; i++)
		self->top[i].fd = self->top[i].bfd = -1;
	BC_REQUIRE(open_all(self, variant->bottom));
	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->top[i], 0, self->top[i].size));
	snprintf(link, sizeof(link), "/sys/block/%s/device", self->a.disk);
	ASSERT_NE(NULL, realpath(link, self->path));
	if (!strstr(self->path, "/nvme/nvme"))
		SKIP(return, "%s is not a namespace of one NVMe controller", self->a.path);
	snprintf(self->pci, sizeof(self->pci), "%.*s",
		 (int)(strstr(self->path, "/nvme/nvme") - self->path), self->path);
	if (variant->how == REMOVED && has_siblings(self->path))
		SKIP(return, "with other controllers in its subsystem, %s comes back by another name",
		     self->a.path);
	/* What is attached cannot be attached again: "already attached". */
	if (variant->how == DETACHED && (attach(self->path, true) & 0x7ff) != 0x118)
		SKIP(return, "the controller of %s cannot detach namespaces", self->a.path);
}

FIXTURE_TEARDOWN(unplugged)
{
	int i;

	for (i = 0; i < TASKS; i++)
		bc_win_free(&self->win[i]);
	EXPECT_EQ(0, close_all(self));
}

static int unplug(FIXTURE_DATA(unplugged) *self, enum how how)
{
	return how == REMOVED ? say(self->pci, "remove", "1") : attach(self->path, false);
}

static int await_drive(unsigned int ms)
{
	__u64 end = bc_now_ms() + ms;

	while (access(getenv("COPY_DEV"), F_OK)) {
		if (bc_now_ms() > end)
			return -1;
		usleep(10000);
	}
	return 0;
}

/*
 * The number in a controller's name is free only when the last reference to
 * the old one is gone: until then the drive comes back under another name.
 */
static int replug(FIXTURE_DATA(unplugged) *self, enum how how)
{
	int tries, ret = -1;

	if (how == DETACHED)
		return attach(self->path, true) ?: await_drive(BACK_MS);
	for (tries = 0; ret && tries < 5; tries++) {
		if (tries && say(self->pci, "remove", "1"))
			break;
		usleep(300000);
		ret = say("/sys/bus/pci", "rescan", "1") ?: await_drive(2000);
	}
	if (ret)
		bc_log("%s does not come back", getenv("COPY_DEV"));
	return ret;
}

struct task {
	struct bc_win *win;
	__u64 copies, ended;
	struct bc_result r;
	int bad;
	pthread_t thread;
};

/* Copies up and down until it fails; the model can be settled later only. */
static void *copy(void *arg)
{
	struct task *t = arg;
	__u64 lbs = t->win->dev->lbs, len = 1500 * lbs;
	struct blk_copy_extent ext = { 0, len };
	int fd = t->win->dev->fd;
	__u64 dst;

	do {
		ext.offset = t->copies % 2 * 2000 * lbs + t->copies % 7 * lbs;
		dst = 2000 * lbs - t->copies % 2 * 2000 * lbs + t->copies % 5 * lbs;
		t->r = bc_copy(BC_IOCTL, fd, dst, fd, &ext, 1);
		if (!t->r.err) {
			__atomic_store_n(&t->copies, t->copies + 1, __ATOMIC_RELAXED);
			bc_win_copied(t->win, dst, t->win, &ext, 1, len);
		}
	} while (!t->r.err || t->r.err == EAGAIN);
	t->bad = t->r.copied > len ||
		 bc_win_partly_copied(t->win, dst, t->win, &ext, 1, t->r.copied);
	__atomic_store_n(&t->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

TEST_F_TIMEOUT(unplugged, under_copies, 90)
{
	struct task task[TASKS] = { 0 };
	int i;

	for (i = 0; i < TASKS; i++) {
		task[i].win = &self->win[i];
		ASSERT_EQ(0, pthread_create(&task[i].thread, NULL, copy, &task[i]));
	}
	for (i = 0; i < TASKS; i++)
		bc_watch("a copy", &task[i].copies);
	for (i = 0; i < TASKS; i++)
		while (!__atomic_load_n(&task[i].copies, __ATOMIC_RELAXED))
			usleep(1000);
	usleep(100000);
	bc_unwatch();
	ASSERT_EQ(0, unplug(self, variant->how));
	for (i = 0; i < TASKS; i++)
		bc_watch("a copy", &task[i].ended);
	for (i = 0; i < TASKS; i++) {
		pthread_join(task[i].thread, NULL);
		bc_log("%llu copies, then %s after %llu bytes", task[i].copies,
		       strerrorname_np(task[i].r.err), task[i].r.copied);
		EXPECT_FALSE(task[i].bad);
		EXPECT_TRUE(task[i].r.err == EIO || task[i].r.err == ENODEV ||
			    task[i].r.err == ENXIO || task[i].r.err == EOPNOTSUPP);
		EXPECT_NE(0, task[i].copies);
	}
	bc_unwatch();

	EXPECT_EQ(0, close_all(self));
	ASSERT_EQ(0, replug(self, variant->how));
	/* The same sectors, read without a delay. */
	ASSERT_EQ(0, open_all(self, "0 @8000 linear %a @5000\n"))
		TH_LOG("%s", bc_reason());
	for (i = 0; i < TASKS; i++) {
		struct blk_copy_extent ext = { 100 * self->a.lbs, 300 * self->a.lbs };

		EXPECT_EQ(0, bc_win_settle(&self->win[i]));
		EXPECT_EQ(0, bc_stack_step(&self->win[i], BC_IOCTL, 1000 * self->a.lbs, &ext, 1));
		EXPECT_EQ(0, bc_win_check(&self->win[i]));
	}
}

TEST_HARNESS_MAIN
