// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every submission of a copy fails once (CONFIG_FAULT_INJECTION): the first,
 * the second, and so on until a copy passes without meeting the fault. Each
 * ends once, with success or a true error, a true prefix and nothing else. On
 * the drive, and on a stack of dm devices.
 */
#include <sys/syscall.h>

#include "blkcopy_test.h"
#include "stack.h"

#define BASE	(16 * BC_MIB)
#define LEN	BC_MIB
#define MOST	2000

FIXTURE(faults) {
	struct bc_dev dev;
	struct bc_win win;
	struct bc_stack stack;
};

FIXTURE_VARIANT(faults) {
	enum bc_iface iface;
	bool stacked;
};

FIXTURE_VARIANT_ADD(faults, ioctl) { .iface = BC_IOCTL };
FIXTURE_VARIANT_ADD(faults, copy_file_range) { .iface = BC_CFR };
FIXTURE_VARIANT_ADD(faults, ioctl_stacked) { .iface = BC_IOCTL, .stacked = true };
FIXTURE_VARIANT_ADD(faults, copy_file_range_stacked) { .iface = BC_CFR, .stacked = true };

/* Whether bios that are submitted to @dev may be made to fail. */
static void fail_bios(const struct bc_dev *dev, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail", dev->disk);
	bc_write_file(path, value);
}

FIXTURE_SETUP(faults)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @40000 striped 2 @25 %a @5000 %a @30000\n",
		"0 @33001 linear %0 @6001\n@33001 @6001 linear %0 0\n",
	};

	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	if (variant->stacked)
		BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->dev, NULL));
	ASSERT_EQ(0, bc_win_init(&self->win, variant->stacked ? &self->stack.top : &self->dev,
				 BASE, LEN));
	if (access("/proc/thread-self/fail-nth", W_OK))
		SKIP(return, "the kernel has no fault injection (CONFIG_FAULT_INJECTION)");
	/* Allocations that may wait fail, too. */
	if (bc_write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N"))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	bc_write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	bc_write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

FIXTURE_TEARDOWN(faults)
{
	bc_write_file("/proc/thread-self/fail-nth", "0");
	bc_write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "Y");
	bc_write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "Y");
	fail_bios(&self->dev, "0");
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->dev);
}

/* One copy whose @nth allocation fails. Returns 1 when it had fewer. */
static int copy_with_fault(struct bc_win *w, enum bc_iface iface, __u64 dst,
			   const struct blk_copy_extent *ext, __u32 nr, unsigned int nth,
			   bool device_fails)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	char buf[16] = "";
	struct bc_result r;
	int ret = 0;

	if (fd < 0)
		return -1;
	snprintf(buf, sizeof(buf), "%u", nth);
	if (write(fd, buf, strlen(buf)) < 0)
		ret = -1;
	r = bc_copy(iface, w->dev->fd, dst, w->dev->fd, ext, nr);
	/* 0 when the fault was met. */
	memset(buf, 0, sizeof(buf));
	if (pread(fd, buf, sizeof(buf) - 1, 0) <= 0)
		ret = -1;
	if (write(fd, "0", 1) != 1)
		ret = -1;
	close(fd);
	if (ret) {
		bc_log("cannot use /proc/thread-self/fail-nth: %s", strerror(errno));
		return ret;
	}
	if (r.err == EFAULT && r.copied == BC_POISON)
		r.copied = 0;
	/* An error of the device, where that was made to fail, and not for lack of memory. */
	if ((r.err && r.err != ENOMEM && r.err != EFAULT && r.err != EAGAIN &&
	     (r.err != EIO || !device_fails)) || r.copied > bc_total(ext, nr) ||
	    (!r.err && iface == BC_IOCTL && r.copied != bc_total(ext, nr)) ||
	    (!r.err && !r.copied)) {
		bc_log("fault %u: %s, %llu bytes reported", nth,
		       r.err ? strerrorname_np(r.err) : "no error", r.copied);
		return -1;
	}
	if (bc_win_partly_copied(w, dst, w, ext, nr, r.copied) || bc_win_settle(w))
		return -1;
	return atoi(buf) != 0;
}

/* What is written through @fd may be in dirty pages then. */
static int all_faults(struct bc_win *w, int fd, enum bc_iface iface,
		      const struct blk_copy_extent *ext, __u32 nr)
{
	__u64 dst = BASE + LEN / 2;
	/* Stacks have many: most of them are left out when time is short. */
	bool all = bc_full() || strncmp(w->dev->disk, "dm-", 3);
	unsigned int nth, failed = 0;
	int ret = 0;

	for (nth = 1; !ret && nth < MOST; nth += all ? 1 : 1 + nth / 10) {
		if (bc_win_write(w, fd, ext[0].offset, ext[0].length) ||
		    bc_win_write(w, fd, dst, 16 * BC_KIB))
			return -1;
		ret = copy_with_fault(w, iface, dst, ext, nr, nth, fd == w->dev->fd);
		failed += !ret;
	}
	if (ret < 0)
		bc_log("... after a fault");
	else
		bc_log("%u faults, one at a time", failed);
	if (ret == 1 && !failed)
		bc_log("nothing was made to fail");
	return ret == 1 && failed ? 0 : -1;
}

TEST_F_TIMEOUT(faults, one_extent, 120)
{
	struct blk_copy_extent ext = { BASE + 3 * self->dev.lbs, 96 * BC_KIB };

	/* Pages to write back and to throw away, so that this can fail as well. */
	EXPECT_EQ(0, all_faults(&self->win, self->win.dev->bfd, variant->iface, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* A bio of dirty pages that fails would lose them: there are none. */
TEST_F_TIMEOUT(faults, submissions, 120)
{
	struct blk_copy_extent ext = { BASE + 3 * self->dev.lbs, 200 * BC_KIB };

	fail_bios(&self->dev, "1");
	fail_bios(self->win.dev, "1");
	EXPECT_EQ(0, all_faults(&self->win, self->win.dev->fd, variant->iface, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F_TIMEOUT(faults, many_extents, 120)
{
	struct blk_copy_extent ext[127];
	unsigned int i;

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	for (i = 0; i < 127; i++)
		ext[i] = (struct blk_copy_extent){ BASE + (i * 55 % 127) * self->dev.lbs,
						   self->dev.lbs };
	EXPECT_EQ(0, all_faults(&self->win, self->win.dev->bfd, variant->iface, ext,
				127));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
