// SPDX-License-Identifier: GPL-2.0
/*
 * The drive goes away under copies, through stacks or not: the host pulls it
 * out, its PCI device is removed, or its namespace detached from the
 * controller. All copies end, with a true prefix, and another drive works;
 * when the drive is back, what was reported as copied is there.
 */
#include <glob.h>
#include <sys/ioctl.h>
#include <linux/nvme_ioctl.h>

#include "blkcopy_test.h"
#include "stack.h"

#define TASKS	2
#define BACK_MS	15000

/* The windows on the drive, in blocks. */
#define FIRST	5000
#define BLOCKS	4000

enum how { PULLED, REMOVED, DETACHED };

FIXTURE(unplugged) {
	struct bc_dev a, top[TASKS];
	struct bc_win win[TASKS];
	struct bc_stack stack;
	char path[256];		/* of the controller in sysfs */
	char pci[256];		/* and of its PCI device */
};

FIXTURE_VARIANT(unplugged) {
	enum how how;
	const char *bottom;	/* NULL: no stack */
};

FIXTURE_VARIANT_ADD(unplugged, pulled) {
	.how = PULLED,
};
FIXTURE_VARIANT_ADD(unplugged, pulled_linear) {
	.how = PULLED, .bottom = "0 @8000 linear %a @5000\n",
};
FIXTURE_VARIANT_ADD(unplugged, pulled_delayed) {
	.how = PULLED, .bottom = "0 @8000 delay %a @5000 20 %a @5000 0\n",
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

/* Opens the drive and makes the stack, if any. Returns as bc_stack_make(). */
static int open_all(FIXTURE_DATA(unplugged) *self, const char *bottom)
{
	const char *tables[BC_STACK_MOST] = {
		bottom, "0 @4000 linear %0 0\n", "0 @4000 linear %0 @4000\n",
	};
	int i, ret = bc_open(&self->a, "COPY_DEV") ?: bc_need_copy(&self->a);

	if (!ret && bottom)
		ret = bc_stack_make(&self->stack, tables, &self->a, NULL);
	for (i = 0; !ret && i < TASKS; i++)
		ret = bc_open_path(&self->top[i],
				   bottom ? self->stack.dm[1 + i].path : self->a.path);
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
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	ret = bc_write_file(path, text);
	if (ret)
		bc_log("%s: %s", path, strerror(-ret));
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
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->top[i],
					 variant->bottom ? 0 : (FIRST + i * BLOCKS) * self->a.lbs,
					 BLOCKS * self->a.lbs));
	if (variant->how == PULLED && !getenv("COPY_PLUG"))
		SKIP(return, "the host cannot unplug the drive: COPY_PLUG is not set");
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
	switch (how) {
	case PULLED:
		return bc_plug("device_del", getenv("COPY_PLUG"), 0);
	case REMOVED:
		return say(self->pci, "remove", "1");
	default:
		return attach(self->path, false);
	}
}

/* The drive appears where it was, or at least somewhere. */
static int plug(enum how how)
{
	if (how == PULLED)
		return bc_plug("device_add", getenv("COPY_PLUG"), BACK_MS);
	usleep(300000);
	return say("/sys/bus/pci", "rescan", "1");
}

static int await_drive(unsigned int ms)
{
	__u64 end = bc_now_ms() + ms;
	int fd;

	/* The node of the drive that is gone may still be there. */
	while ((fd = open(getenv("COPY_DEV"), O_RDWR | O_CLOEXEC)) < 0) {
		if (bc_now_ms() > end)
			return -1;
		usleep(10000);
	}
	close(fd);
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
		if (tries && unplug(self, how))
			break;
		ret = plug(how) ?: await_drive(how == PULLED ? BACK_MS : 2000);
	}
	if (ret)
		bc_log("%s does not come back", getenv("COPY_DEV"));
	return ret;
}

struct task {
	struct bc_win *win;
	enum bc_iface iface;
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
		ext.offset = t->win->base + t->copies % 2 * 2000 * lbs + t->copies % 7 * lbs;
		dst = t->win->base + 2000 * lbs - t->copies % 2 * 2000 * lbs + t->copies % 5 * lbs;
		t->r = bc_copy(t->iface, fd, dst, fd, &ext, 1);
		if (!t->r.err && t->r.copied == len) {
			__atomic_store_n(&t->copies, t->copies + 1, __ATOMIC_RELAXED);
			bc_win_copied(t->win, dst, t->win, &ext, 1, len);
		}
	} while (t->r.err ? t->r.err == EAGAIN : t->r.copied == len);
	t->bad = t->r.copied > len ||
		 bc_win_partly_copied(t->win, dst, t->win, &ext, 1, t->r.copied);
	__atomic_store_n(&t->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

static bool may_end(const struct task *t)
{
	switch (t->r.err) {
	case EIO:
	case ENODEV:
	case ENXIO:
	case EOPNOTSUPP:
		return true;
	case 0:
		/* Short, but never nothing: that would be the end of the source. */
		return t->iface == BC_CFR && t->r.copied;
	default:
		return false;
	}
}

/* The other drive, or the other way to the drive, while this one is away. */
static int other_drive_copies(const struct bc_dev *gone)
{
	__u64 base = (FIRST + TASKS * BLOCKS) * gone->lbs;
	struct blk_copy_extent ext = { base, 300 * gone->lbs };
	struct bc_dev b = { .fd = -1, .bfd = -1 };
	struct bc_win win = { 0 };
	int ret = bc_open(&b, "COPY_DEV2");

	if (ret > 0)
		return 0;
	ret = ret ?: bc_need_copy(&b) ?: bc_win_init(&win, &b, base, 1000 * gone->lbs) ?:
	      bc_step(&win, BC_IOCTL, base + 500 * gone->lbs, &ext, 1) ?: bc_win_check(&win);
	bc_win_free(&win);
	bc_close(&b);
	return ret;
}

TEST_F_TIMEOUT(unplugged, under_copies, 90)
{
	struct task task[TASKS] = { 0 };
	struct bc_counts saw = { 0 };
	__u64 copies = 0;
	int i;

	ASSERT_EQ(0, bc_mark());
	for (i = 0; i < TASKS; i++) {
		task[i].win = &self->win[i];
		task[i].iface = i % 2 ? BC_CFR : BC_IOCTL;
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
		EXPECT_TRUE(may_end(&task[i]));
		EXPECT_NE(0, task[i].copies);
		copies += task[i].copies;
	}
	bc_unwatch();
	if (!variant->bottom) {
		struct blk_copy_extent ext = { self->win[0].base, self->a.lbs };

		/* All that is left is a descriptor, but that is not the end of the source. */
		for (i = BC_IOCTL; i <= BC_CFR; i++)
			EXPECT_EQ(0, bc_refused(bc_copy(i, self->a.fd, ext.offset + BC_MIB / 2,
							self->a.fd, &ext, 1),
						ENODEV, bc_iface_name(i)));
	}
	if (bc_have_witness()) {
		EXPECT_EQ(0, bc_count(&saw));
		EXPECT_LE(copies * 1500, saw.blocks);
		EXPECT_EQ(0, saw.writes);
	}

	EXPECT_EQ(0, close_all(self));
	EXPECT_EQ(0, other_drive_copies(&self->a));
	ASSERT_EQ(0, replug(self, variant->how));
	/* The same sectors, read without a delay. */
	ASSERT_EQ(0, open_all(self, variant->bottom ? "0 @8000 linear %a @5000\n" : NULL))
		TH_LOG("%s", bc_reason());
	for (i = 0; i < TASKS; i++) {
		__u64 base = self->win[i].base;
		struct blk_copy_extent ext = { base + 100 * self->a.lbs, 300 * self->a.lbs };

		EXPECT_EQ(0, bc_win_settle(&self->win[i]));
		EXPECT_EQ(0, bc_stack_step(&self->win[i], BC_IOCTL, base + 1000 * self->a.lbs,
					   &ext, 1));
		EXPECT_EQ(0, bc_win_check(&self->win[i]));
	}
}

TEST_HARNESS_MAIN
