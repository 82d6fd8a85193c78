// SPDX-License-Identifier: GPL-2.0
/*
 * Reads, writes, zeroes and discards of every kind of device that can copy, and
 * files above them: what has to be the same with and without copy offload in
 * the kernel. Asks for no copy of a block device, and so runs on any kernel.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "blkcopy_test.h"
#include "loopdev.h"
#include "nullb.h"
#include "stack.h"
#include "target.h"

#define BASE	(1 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define TASKS	3
/* Of each task; with COPY_FULL=1 ten times as many. */
#define OPS	150

enum what { DRIVE, DM, MD, LOOP, NULLB, TARGET };

FIXTURE(ordinary) {
	struct bc_dev drive, drive2, other;
	struct bc_stack stack;
	struct bc_md md;
	struct bc_mount mount;
	struct bc_loop loop;
	struct bc_nullb nullb;
	struct bc_target target;
	struct bc_dev *dev;
	struct bc_win win;
};

FIXTURE_VARIANT(ordinary) {
	enum what what;
	const char *argument;	/* a transport, a level, attributes */
	const char *tables[BC_STACK_MOST];
};

FIXTURE_VARIANT_ADD(ordinary, drive) { DRIVE };
FIXTURE_VARIANT_ADD(ordinary, linear) { DM, NULL, {
	"0 @10001 linear %a @60000\n@10001 @20000 linear %b @50000\n" } };
FIXTURE_VARIANT_ADD(ordinary, striped) { DM, NULL, {
	"0 @32768 striped 2 @32 %a @4096 %b @4096\n" } };
FIXTURE_VARIANT_ADD(ordinary, mirror) { DM, NULL, {
	"0 @32768 mirror core 1 1024 2 %a @4096 %b @4096\n" } };
FIXTURE_VARIANT_ADD(ordinary, snapshot) { DM, NULL, {
	"0 @32768 linear %a @4096\n", "0 @65536 linear %a @40960\n",
	"0 @32768 snapshot-origin %0\n", "0 @32768 snapshot %0 %1 N 128\n" } };
FIXTURE_VARIANT_ADD(ordinary, delay) { DM, NULL, {
	"0 @32768 delay %a @4096 1\n" } };
FIXTURE_VARIANT_ADD(ordinary, raid0) { MD, "0" };
FIXTURE_VARIANT_ADD(ordinary, raid1) { MD, "1" };
FIXTURE_VARIANT_ADD(ordinary, loop) { LOOP, "tmpfs" };
FIXTURE_VARIANT_ADD(ordinary, loop_ext4) { LOOP, "ext4" };
FIXTURE_VARIANT_ADD(ordinary, loop_xfs) { LOOP, "xfs" };
FIXTURE_VARIANT_ADD(ordinary, null) { NULLB, "memory_backed=1 size=64 blocksize=512 discard=1" };
FIXTURE_VARIANT_ADD(ordinary, target_loop) { TARGET, "loop" };
FIXTURE_VARIANT_ADD(ordinary, target_tcp) { TARGET, "tcp" };

static int make(FIXTURE_DATA(ordinary) *self, const FIXTURE_VARIANT(ordinary) *variant)
{
	const struct bc_loop_options plain = { 0 };
	int ret = 0;

	self->dev = &self->drive;
	switch (variant->what) {
	case DRIVE:
		break;
	case DM:
		self->dev = &self->stack.top;
		ret = bc_stack_make(&self->stack, variant->tables, &self->drive, &self->drive2);
		break;
	case MD:
		self->dev = &self->other;
		ret = bc_md_make(&self->md, atoi(variant->argument), &self->drive, &self->drive2) ?:
		      bc_open_path(&self->other, self->md.path);
		break;
	case LOOP:
		self->dev = &self->loop.dev;
		ret = bc_mount_make(&self->mount, variant->argument, getenv("COPY_OTHER"),
				    16 * BC_MIB) ?:
		      bc_loop_make(&self->loop, self->mount.file, &plain);
		break;
	case NULLB:
		self->dev = &self->nullb.dev;
		ret = bc_nullb_make(&self->nullb, "plain0", variant->argument);
		break;
	case TARGET:
		self->dev = &self->target.dev;
		ret = bc_target_clean() ?:
		      bc_target_make(&self->target, variant->argument, self->drive.path, 0);
		break;
	}
	return ret;
}

FIXTURE_SETUP(ordinary)
{
	self->other.fd = -1;
	self->other.bfd = -1;
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->drive2, "COPY_DEV2"));
	BC_REQUIRE(make(self, variant));
	ASSERT_EQ(0, bc_win_init(&self->win, self->dev, BASE, LEN));
}

FIXTURE_TEARDOWN(ordinary)
{
	EXPECT_EQ(0, bc_win_check(&self->win));
	bc_win_free(&self->win);
	bc_close(&self->other);
	if (self->md.path[0])
		EXPECT_EQ(0, bc_md_remove(&self->md));
	if (self->loop.path[0])
		EXPECT_EQ(0, bc_loop_remove(&self->loop));
	bc_nullb_remove(&self->nullb);
	EXPECT_EQ(0, bc_target_leave(&self->win, &self->target, &self->stack, &self->mount));
	bc_close(&self->drive);
	bc_close(&self->drive2);
}

/* Direct and through the page cache, by several tasks that know what must be there. */
TEST_F(ordinary, reads_and_writes)
{
	struct bc_load load[TASKS] = { 0 };
	struct bc_win win[TASKS] = { 0 };
	unsigned int i, ops = bc_full() ? 10 * OPS : OPS;

	for (i = 0; i < TASKS; i++) {
		ASSERT_EQ(0, bc_win_init(&win[i], self->dev, BASE + LEN + i * BC_MIB, BC_MIB));
		load[i] = (struct bc_load) { .win = &win[i], .rng = bc_rand(),
					     .ops = BC_OP_WRITES | BC_OP_READS };
		ASSERT_EQ(0, bc_load_start(&load[i]));
		bc_watch("reads and writes", &load[i].done);
	}
	for (i = 0; i < TASKS; i++)
		while (__atomic_load_n(&load[i].done, __ATOMIC_RELAXED) < ops && !load[i].bad)
			usleep(1000);
	bc_unwatch();
	for (i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, bc_load_stop(&load[i]));
		EXPECT_EQ(0, bc_win_check(&win[i]));
		bc_win_free(&win[i]);
	}
}

static bool is_zero(const unsigned char *buf, size_t len)
{
	return !buf[0] && !memcmp(buf, buf + 1, len - 1);
}

/* What is beside them stays; what was there can be written anew. */
TEST_F(ordinary, zeroes_and_discards)
{
	const __u64 where[] = { BASE + 8 * BC_KIB, BASE + 512 * BC_KIB };
	const __u64 len[] = { 4 * BC_KIB, 260 * BC_KIB };
	unsigned char *buf = bc_alloc(len[1]);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		__u64 range[2] = { where[i], len[i] };

		ASSERT_EQ(0, ioctl(self->dev->fd, BLKZEROOUT, range));
		ASSERT_EQ((ssize_t)len[i], pread(self->dev->fd, buf, len[i], where[i]));
		EXPECT_TRUE(is_zero(buf, len[i])) TH_LOG("zeroes at %llu", where[i]);
		ASSERT_EQ(0, bc_win_write(&self->win, self->dev->fd, where[i], len[i]));
		ASSERT_EQ(0, bc_win_check(&self->win));
		if (ioctl(self->dev->fd, BLKDISCARD, range))
			EXPECT_EQ(EOPNOTSUPP, errno);
		ASSERT_EQ(0, bc_win_write(&self->win, self->dev->fd, where[i], len[i]));
		ASSERT_EQ(0, bc_win_check(&self->win));
	}
	ASSERT_EQ(0, fsync(self->dev->bfd));
	free(buf);
}

/* One past the end, and what is no multiple of a block. */
TEST_F(ordinary, refused)
{
	char *buf = bc_alloc(4096);

	EXPECT_GE(0, pread(self->dev->fd, buf, 4096, self->dev->size));
	EXPECT_EQ(-1, pwrite(self->dev->fd, buf, 4096, self->dev->size));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, pwrite(self->dev->fd, buf, 4096, BASE + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pwrite(self->dev->fd, buf, 100, BASE));
	EXPECT_EQ(EINVAL, errno);
	free(buf);
}

FIXTURE(files) {
	struct bc_mount mount;
	int from, to;
};

FIXTURE_VARIANT(files) { const char *type; };

FIXTURE_VARIANT_ADD(files, tmpfs) { "tmpfs" };
FIXTURE_VARIANT_ADD(files, ext4) { "ext4" };
FIXTURE_VARIANT_ADD(files, xfs) { "xfs" };

#define FILE_LEN	(1 * BC_MIB)

FIXTURE_SETUP(files)
{
	char *buf = malloc(FILE_LEN), path[128];
	size_t i;

	for (i = 0; i < FILE_LEN; i += sizeof(__u64))
		*(__u64 *)(buf + i) = bc_mix(i + 1);
	BC_REQUIRE(bc_mount_make(&self->mount, variant->type, getenv("COPY_OTHER"), FILE_LEN));
	self->from = open(self->mount.file, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/to", self->mount.dir);
	self->to = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->from);
	ASSERT_LE(0, self->to);
	ASSERT_EQ((ssize_t)FILE_LEN, pwrite(self->from, buf, FILE_LEN, 0));
	free(buf);
}

FIXTURE_TEARDOWN(files)
{
	close(self->from);
	close(self->to);
	EXPECT_EQ(0, bc_mount_remove(&self->mount));
}

/* Offsets and lengths of all kinds, where it is the file system that copies. */
TEST_F(files, copy_file_range)
{
	static const size_t len[] = { 1, 4096, 5000, 300000 };
	char *a = malloc(FILE_LEN), *b = malloc(FILE_LEN);
	unsigned int i;

	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		loff_t in = 4096 * i + 7 * (i & 1), out = 512 * i;
		const loff_t in0 = in, out0 = out;
		size_t left = len[i];

		while (left) {
			ssize_t n = copy_file_range(self->from, &in, self->to, &out, left, 0);

			ASSERT_LT(0, n);
			left -= n;
		}
		EXPECT_EQ(in0 + (loff_t)len[i], in);
		ASSERT_EQ((ssize_t)len[i], pread(self->from, a, len[i], in0));
		ASSERT_EQ((ssize_t)len[i], pread(self->to, b, len[i], out0));
		EXPECT_EQ(0, memcmp(a, b, len[i])) TH_LOG("%zu bytes at %lld", len[i], in0);
	}
	EXPECT_EQ(0, copy_file_range(self->from, &(loff_t){ FILE_LEN }, self->to, NULL, 1, 0));
	EXPECT_EQ(-1, copy_file_range(self->from, NULL, self->to, NULL, 1, 1));
	EXPECT_EQ(EINVAL, errno);
	free(a);
	free(b);
}

TEST_HARNESS_MAIN
