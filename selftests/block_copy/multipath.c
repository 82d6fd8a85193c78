// SPDX-License-Identifier: GPL-2.0
/*
 * The head of a namespace with two controllers: both halves of a copy pick a
 * path, and with round-robin the two are different ones. Paths that are reset
 * or go away under copies must not lose or change anything.
 */
#include <dirent.h>
#include <limits.h>

#include "blkcopy_test.h"
#include "stack.h"

#define LEN	(2 * BC_MIB)
#define TASKS	2

FIXTURE(multipath) {
	struct bc_dev dev;
	struct bc_win win;
};

BC_IFACE_VARIANTS(multipath);

/* The paths of the head: nvmeXcYnZ. */
static unsigned int count_paths(void)
{
	DIR *dir = opendir("/sys/block");
	unsigned int n = 0;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, "nvme", 4) && strchr(e->d_name, 'c'))
			n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Opens the head. Its number is that of the controller that was first. */
static int open_head(struct bc_dev *dev)
{
	char path[64];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/dev/nvme%dn1", i);
		if (!access(path, F_OK))
			return bc_open_path(dev, path);
	}
	bc_log("there is neither /dev/nvme0n1 nor /dev/nvme1n1");
	return -1;
}

static int policy(const char *name)
{
	char path[128];
	int i, ret = -ENOENT;

	for (i = 0; i < 2 && ret == -ENOENT; i++) {
		snprintf(path, sizeof(path), "/sys/class/nvme-subsystem/nvme-subsys%d/iopolicy", i);
		ret = bc_write_file(path, name);
	}
	return ret;
}

FIXTURE_SETUP(multipath)
{
	if (count_paths() != 2)
		SKIP(return, "needs a multipath namespace with two paths");
	ASSERT_EQ(0, open_head(&self->dev));
	BC_REQUIRE(bc_need_copy(&self->dev));
	ASSERT_EQ(0, policy("round-robin"));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->dev, 8 * BC_MIB, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(multipath)
{
	EXPECT_EQ(0, bc_win_end(&self->win));
	bc_close(&self->dev);
}

TEST_F(multipath, halves_on_different_paths)
{
	struct blk_copy_extent ext = { self->win.base, 300 * BC_KIB };

	EXPECT_EQ(0, bc_stack_step(&self->win, variant->iface, self->win.base + BC_MIB, &ext, 1));
}

TEST_F(multipath, many_extents)
{
	struct blk_copy_extent ext[40];
	unsigned int i;

	for (i = 0; i < 40; i++) {
		ext[i].offset = self->win.base + (39 - i) * 20 * self->dev.lbs;
		ext[i].length = (1 + i % 19) * self->dev.lbs;
	}
	EXPECT_EQ(0, bc_stack_step(&self->win, variant->iface, self->win.base + BC_MIB, ext, 40));
}

TEST_F(multipath, one_path_only)
{
	struct blk_copy_extent ext = { self->win.base, 100 * BC_KIB };

	ASSERT_EQ(0, policy("numa"));
	EXPECT_EQ(0, bc_stack_step(&self->win, variant->iface, self->win.base + BC_MIB, &ext, 1));
}

TEST_F(multipath, overlap)
{
	struct blk_copy_extent ext = { self->win.base, 100 * BC_KIB };

	EXPECT_EQ(0, bc_refused(bc_copy(variant->iface, self->dev.fd,
					self->win.base + 99 * BC_KIB, self->dev.fd, &ext, 1),
				EINVAL, "overlap"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

enum gale { RESETS, REMOVALS };

FIXTURE(failover) {
	struct bc_dev dev;
	struct bc_win win[TASKS];
	char pci[2][PATH_MAX];	/* of the controllers */
};

FIXTURE_VARIANT(failover) {
	enum gale gale;
};

FIXTURE_VARIANT_ADD(failover, path_reset) { RESETS };
FIXTURE_VARIANT_ADD(failover, path_removed) { REMOVALS };

FIXTURE_SETUP(failover)
{
	unsigned int i;
	char link[64];

	if (count_paths() != 2)
		SKIP(return, "needs a multipath namespace with two paths");
	ASSERT_EQ(0, open_head(&self->dev));
	BC_REQUIRE(bc_need_copy(&self->dev));
	ASSERT_EQ(0, policy("round-robin"));
	for (i = 0; i < 2; i++) {
		snprintf(link, sizeof(link), "/sys/class/nvme/nvme%u/device", i);
		ASSERT_NE(NULL, realpath(link, self->pci[i]));
	}
	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dev, (8 + 8 * i) * BC_MIB, LEN));
}

FIXTURE_TEARDOWN(failover)
{
	unsigned int i;

	for (i = 0; i < TASKS; i++)
		EXPECT_EQ(0, bc_win_end(&self->win[i]));
	bc_close(&self->dev);
}

static int await_paths(unsigned int n)
{
	__u64 end = bc_now_ms() + 20000;

	while (count_paths() != n) {
		if (bc_now_ms() > end) {
			bc_log("%u paths after 20 s, not %u", count_paths(), n);
			return -1;
		}
		usleep(10000);
	}
	return 0;
}

static int blow(FIXTURE_DATA(failover) *self, enum gale gale, unsigned int i)
{
	char path[PATH_MAX + 32];
	int ret;

	if (gale == RESETS) {
		snprintf(path, sizeof(path), "%s/nvme/nvme%u/reset_controller", self->pci[i % 2],
			 i % 2);
		ret = bc_write_file(path, "1");
		usleep(100000);
		return ret;
	}

	/* the other one stays, so that there is always a path */
	snprintf(path, sizeof(path), "%s/remove", self->pci[1]);
	ret = bc_write_file(path, "1");
	if (ret || await_paths(1))
		return ret ?: -1;
	usleep(100000);
	ret = bc_write_file("/sys/bus/pci/rescan", "1");
	if (ret || await_paths(2))
		return ret ?: -1;
	usleep(100000);
	return 0;
}

TEST_F_TIMEOUT(failover, under_copies, 180)
{
	/* A command that was aborted more often than it is tried again. */
	static const int may[] = { EAGAIN, EIO, 0 };
	__u64 end = bc_now_ms() + bc_seconds(2, 30) * 1000;
	struct bc_copier c[TASKS] = { 0 };
	unsigned int gusts = 0;
	int i, bad = 0;

	for (i = 0; i < TASKS; i++) {
		c[i] = (struct bc_copier) { .win = &self->win[i], .rng = 77 + i, .may = may };
		ASSERT_EQ(0, bc_copier_start(&c[i]));
		bc_watch("copies over two paths", &c[i].done);
	}
	while (bc_now_ms() < end || gusts < 4) {
		int ret = blow(self, variant->gale, gusts++);

		if (ret) {
			bc_log("path %u: %s", gusts, strerror(-ret));
			bad++;
			break;
		}
	}
	bc_unwatch();
	for (i = 0; i < TASKS; i++) {
		bad += bc_copier_stop(&c[i]);
		bc_log("task %d: %llu copies, %llu failed, %llu times EAGAIN", i,
		       (unsigned long long)c[i].done, (unsigned long long)c[i].failed,
		       (unsigned long long)c[i].again);
		EXPECT_LT(0, c[i].done);
	}
	bc_log("%u gusts", gusts);
	EXPECT_EQ(0, bad);
}

TEST_HARNESS_MAIN
