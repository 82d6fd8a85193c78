// SPDX-License-Identifier: GPL-2.0
/*
 * Who is charged with a copy: the columns of /sys/block/DISK/stat and of io.stat,
 * and the limits of cgroups. A copy is a write of the disk that it is sent to.
 */
#include "blkcopy_test.h"
#include "loopdev.h"
#include "stack.h"
#include "watch.h"

#define LEN	(8 * BC_MIB)
#define TABLES	{ "0 16384 linear %a 32768", "0 16384 linear %a 65536" }
#define COPY	(64 * BC_KIB)	/* at most a command, in any case */

FIXTURE(accounts) {
	struct bc_dev dev, src;
	struct bc_win win;
	struct bc_stack stack;
	bool cgroup;
};

FIXTURE_SETUP(accounts)
{
	self->src.fd = -1;
	self->src.bfd = -1;
	BC_SETUP(0, LEN);
	ASSERT_EQ(0, bc_queue_write(&self->dev, "iostats", 1));
}

FIXTURE_TEARDOWN(accounts)
{
	if (self->cgroup)
		bc_cgroup_remove();
	bc_close(&self->src);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/* dm devices for the source (self->src) and the destination (the stack's top). */
static int make_stack(FIXTURE_DATA(accounts) *self)
{
	static const char * const tables[BC_STACK_MOST] = TABLES;

	return bc_stack_make(&self->stack, tables, &self->dev, NULL) ?:
	       bc_open_path(&self->src, self->stack.dm[0].path);
}

static int enter_cgroup(FIXTURE_DATA(accounts) *self)
{
	int ret = bc_cgroup_make();

	if (ret)
		return ret;
	self->cgroup = true;
	ret = bc_cgroup_enter();
	if (ret)
		bc_set_reason("cannot enter the cgroup: %s", strerror(-ret));
	return ret ? -1 : 0;
}

static int copy(const struct bc_dev *dst, __u64 to, const struct bc_dev *src, __u64 from, __u64 len)
{
	struct blk_copy_extent ext = { from, len };
	struct bc_result r = bc_copy(BC_IOCTL, dst->fd, to, src->fd, &ext, 1);

	if (!r.err && r.copied == len)
		return 0;
	bc_log("copy: %s, %llu of %llu bytes", r.err ? strerrorname_np(r.err) : "no error",
	       r.copied, len);
	return -1;
}

TEST_F(accounts, disk)
{
	struct bc_iostat then, now;
	__u64 len = 5 * self->dev.lim.max_bytes / 2;

	ASSERT_EQ(0, bc_iostat(&self->dev, &then));
	ASSERT_EQ(0, copy(&self->dev, LEN / 2, &self->dev, 0, len));
	ASSERT_EQ(0, bc_iostat(&self->dev, &now));
	EXPECT_EQ(0, bc_iostat_grew("the disk", &then, &now, 0, 0, 3, len / BC_SECTOR));
}

TEST_F(accounts, stacked_devices)
{
	struct bc_iostat then[3], now[3];
	__u64 sectors = COPY / BC_SECTOR;

	BC_REQUIRE(make_stack(self));
	ASSERT_EQ(0, bc_iostat(&self->dev, &then[0]));
	ASSERT_EQ(0, bc_iostat(&self->src, &then[1]));
	ASSERT_EQ(0, bc_iostat(&self->stack.top, &then[2]));
	ASSERT_EQ(0, copy(&self->stack.top, 4 * BC_KIB, &self->src, BC_MIB, COPY));
	ASSERT_EQ(0, bc_iostat(&self->dev, &now[0]));
	ASSERT_EQ(0, bc_iostat(&self->src, &now[1]));
	ASSERT_EQ(0, bc_iostat(&self->stack.top, &now[2]));
	EXPECT_EQ(0, bc_iostat_grew("the disk", &then[0], &now[0], 0, 0, 1, sectors));
	EXPECT_EQ(0, bc_iostat_grew("the source", &then[1], &now[1], 1, sectors, 0, 0));
	EXPECT_EQ(0, bc_iostat_grew("the destination", &then[2], &now[2], 0, 0, 1, sectors));
}

TEST_F(accounts, cgroup)
{
	__u64 len = 5 * self->dev.lim.max_bytes / 2, bytes, ios;

	BC_REQUIRE(enter_cgroup(self));
	bytes = bc_cgroup_stat(&self->dev, "wbytes");
	ios = bc_cgroup_stat(&self->dev, "wios");
	ASSERT_EQ(0, copy(&self->dev, LEN / 2, &self->dev, 0, len));
	EXPECT_EQ(len, bc_cgroup_stat(&self->dev, "wbytes") - bytes);
	EXPECT_EQ(3, bc_cgroup_stat(&self->dev, "wios") - ios);
	EXPECT_EQ(0, bc_cgroup_stat(&self->dev, "rbytes"));
	EXPECT_EQ(0, bc_cgroup_stat(&self->dev, "rios"));
	EXPECT_EQ(0, bc_cgroup_stat(&self->dev, "dbytes"));
}

TEST_F(accounts, cgroup_stacked)
{
	BC_REQUIRE(make_stack(self));
	BC_REQUIRE(enter_cgroup(self));
	ASSERT_EQ(0, copy(&self->stack.top, 4 * BC_KIB, &self->src, BC_MIB, COPY));
	EXPECT_EQ(COPY, bc_cgroup_stat(&self->dev, "wbytes"));
	EXPECT_EQ(1, bc_cgroup_stat(&self->dev, "wios"));
	EXPECT_EQ(0, bc_cgroup_stat(&self->dev, "rbytes"));
	EXPECT_EQ(COPY, bc_cgroup_stat(&self->src, "rbytes"));
	EXPECT_EQ(0, bc_cgroup_stat(&self->src, "wbytes"));
	EXPECT_EQ(COPY, bc_cgroup_stat(&self->stack.top, "wbytes"));
	EXPECT_EQ(0, bc_cgroup_stat(&self->stack.top, "rbytes"));
}

/* The worker of a loop device copies on behalf of who asked for it. */
TEST_F(accounts, cgroup_below_loop)
{
	__u64 len = 3 * COPY / 2;
	struct bc_loop loop = { 0 };
	struct bc_iostat then, now;

	BC_REQUIRE(bc_open(&self->src, "COPY_DEV2"));
	BC_REQUIRE(bc_loop_make(&loop, self->src.path, NULL));
	BC_REQUIRE(enter_cgroup(self));
	EXPECT_EQ(0, bc_iostat(&loop.dev, &then));
	EXPECT_EQ(0, copy(&loop.dev, BC_MIB, &loop.dev, 0, len));
	EXPECT_EQ(0, bc_iostat(&loop.dev, &now));
	EXPECT_EQ(0, bc_iostat_grew("the loop device", &then, &now, 0, 0,
				    (len + loop.dev.lim.max_bytes - 1) / loop.dev.lim.max_bytes,
				    len / BC_SECTOR));
	EXPECT_EQ(len, bc_cgroup_stat(&loop.dev, "wbytes"));
	EXPECT_EQ(len, bc_cgroup_stat(&self->src, "wbytes"));
	EXPECT_EQ(0, bc_cgroup_stat(&self->src, "rbytes"));
	EXPECT_EQ(0, bc_loop_remove(&loop));
}

#define TIMED_MS(call)							\
	({								\
		__u64 __start = bc_now_ms();				\
									\
		ASSERT_EQ(0, call);					\
		bc_now_ms() - __start;					\
	})

/* Bytes per second of writes hold for copies. Those of reads don't. */
TEST_F(accounts, throttled)
{
	__u64 took;

	BC_REQUIRE(enter_cgroup(self));
	BC_REQUIRE(bc_cgroup_limit(&self->dev, "wbps=1048576 rbps=65536"));
	took = TIMED_MS(copy(&self->dev, LEN / 2, &self->dev, 0, 2 * BC_MIB));
	bc_log("2 MiB at 1 MiB/s took %llu ms", took);
	EXPECT_LE(1500, took);
	EXPECT_GE(15000, took);
	BC_REQUIRE(bc_cgroup_limit(&self->dev, "wbps=max wiops=20"));
	took = TIMED_MS(copy(&self->dev, LEN / 2, &self->dev, 0, 32 * self->dev.lim.max_bytes));
	bc_log("32 commands at 20 per second took %llu ms", took);
	EXPECT_LE(1000, took);
	EXPECT_GE(15000, took);
}

/* The disk's limit holds below stacks. That of reads holds for a stacked source. */
TEST_F(accounts, throttled_stacked)
{
	__u64 took;

	BC_REQUIRE(make_stack(self));
	BC_REQUIRE(enter_cgroup(self));
	BC_REQUIRE(bc_cgroup_limit(&self->dev, "wbps=1048576"));
	took = TIMED_MS(copy(&self->stack.top, 0, &self->src, 0, 2 * BC_MIB));
	bc_log("2 MiB to a disk at 1 MiB/s took %llu ms", took);
	EXPECT_LE(1500, took);
	EXPECT_GE(15000, took);
	/* Linux 6.12 leaks what it has allocated to throttle a disk that goes away. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		return;
	BC_REQUIRE(bc_cgroup_limit(&self->dev, "wbps=max"));
	BC_REQUIRE(bc_cgroup_limit(&self->src, "rbps=1048576"));
	took = TIMED_MS(copy(&self->stack.top, 0, &self->src, 0, 2 * BC_MIB));
	bc_log("2 MiB from a device at 1 MiB/s took %llu ms", took);
	EXPECT_LE(1500, took);
	EXPECT_GE(15000, took);
}

/* What is charged to a cgroup by its cost model: about what a write costs. */
TEST_F(accounts, cost)
{
	unsigned int maj, min, tries;
	char line[96];
	__u64 copies;

	BC_REQUIRE(enter_cgroup(self));
	bc_dev_number(&self->dev, &maj, &min);
	snprintf(line, sizeof(line), "%u:%u enable=1", maj, min);
	if (bc_cgroup_set_root("io.cost.qos", line))
		SKIP(return, "the kernel has no io.cost");
	ASSERT_EQ(0, copy(&self->dev, LEN / 2, &self->dev, 0, LEN / 2));
	/* It is summed up every now and then, while there is something to do. */
	for (tries = 0; tries < 100; tries++) {
		copies = bc_cgroup_stat(&self->dev, "cost.usage");
		if (copies)
			break;
		usleep(50000);
		ASSERT_EQ(0, copy(&self->dev, LEN / 2, &self->dev, 0, COPY));
	}
	snprintf(line, sizeof(line), "%u:%u enable=0", maj, min);
	bc_cgroup_set_root("io.cost.qos", line);
	bc_log("cost.usage of %llu bytes: %llu us", LEN / 2 + tries * COPY, copies);
	EXPECT_LT(0, copies);
}

TEST_HARNESS_MAIN
