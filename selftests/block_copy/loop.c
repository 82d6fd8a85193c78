// SPDX-License-Identifier: GPL-2.0
/*
 * Loop devices: files that share blocks, and block devices that copy. COPY_DEV
 * gets a file system, COPY_DEV2 is bound as it is.
 */
#include "blkcopy_test.h"
#include "loopdev.h"
#include "stack.h"

#define LEN	(8 * BC_MIB)
#define IMAGE	(128 * BC_MIB)	/* nearly all of it a hole */
#define BLOCK	4096		/* of the file system */
#define NOISE	(512 * BC_KIB)	/* of its log, that a copy may cause */

FIXTURE(loop) {
	struct bc_dev drive;
	struct bc_fs fs;
	struct bc_loop loop;
	struct bc_win win;
};

FIXTURE_VARIANT(loop) {
	bool block;		/* bound to COPY_DEV2, not to a file */
	struct bc_loop_options opt;
};

FIXTURE_VARIANT_ADD(loop, xfs) { .opt = { .block_size = BLOCK } };
FIXTURE_VARIANT_ADD(loop, xfs_direct) { .opt = { .block_size = BLOCK, .direct = true } };
FIXTURE_VARIANT_ADD(loop, xfs_offset) {
	.opt = { .block_size = BLOCK, .offset = 3 * BLOCK, .sizelimit = LEN + 5 * BLOCK }
};
FIXTURE_VARIANT_ADD(loop, block) { .block = true };
FIXTURE_VARIANT_ADD(loop, block_offset) {
	.block = true, .opt = { .offset = 77 * BC_SECTOR, .sizelimit = LEN + 5 * BLOCK }
};

FIXTURE_SETUP(loop)
{
	BC_REQUIRE(bc_loop_over(&self->loop, &self->fs, &self->drive, variant->block, IMAGE,
				&variant->opt));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->loop.dev, 0, LEN));
}

FIXTURE_TEARDOWN(loop)
{
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_loop_remove(&self->loop));
	EXPECT_EQ(0, bc_fs_unmount(&self->fs));
	bc_close(&self->drive);
}

/* The drive's word about a copy of @total bytes: it copied, or had nothing to do. */
static int expect_drive(bool block, const struct bc_dev *drive, __u64 total)
{
	struct bc_counts c;

	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	if (block && c.copies && c.blocks == total / drive->lbs && !c.reads && !c.writes)
		return 0;
	if (!block && !c.copies && c.read_bytes + c.write_bytes <= NOISE)
		return 0;
	bc_log("the drive saw %llu copies of %llu blocks, %llu bytes read, %llu written", c.copies,
	       c.blocks, c.read_bytes, c.write_bytes);
	return -1;
}

static int flush_all(const struct bc_loop *loop, const struct bc_fs *fs)
{
	int fd, ret = fsync(loop->dev.bfd);

	if (!fs->where[0])
		return ret;
	fd = open(fs->where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret |= fd < 0 ? -1 : syncfs(fd);
	if (fd >= 0)
		close(fd);
	if (ret)
		bc_log("cannot sync: %s", strerror(errno));
	return ret;
}

static int step(struct bc_win *win, const struct bc_loop *loop, const struct bc_fs *fs,
		const struct bc_dev *drive, bool block, enum bc_iface iface, __u64 dst,
		const struct blk_copy_extent *ext, __u32 nr)
{
	__u64 total = bc_total(ext, nr);
	struct bc_result r;
	long long shared;

	if (flush_all(loop, fs) || bc_mark())
		return -1;
	r = bc_copy(iface, loop->dev.fd, dst, loop->dev.fd, ext, nr);
	bc_win_copied(win, dst, win, ext, nr, r.copied == BC_POISON ? 0 : r.copied);
	if (r.err || r.copied != total) {
		bc_log("copy of %u extents, %llu bytes, to %llu: %s, %llu bytes reported", nr,
		       total, dst, r.err ? strerrorname_np(r.err) : "no error", r.copied);
		return -1;
	}
	if (expect_drive(block, drive, total))
		return -1;
	if (block)
		return 0;
	shared = bc_fs_shared(fs, loop->opt.offset + dst, total);
	if (shared >= 0 && (__u64)shared != total) {
		bc_log("%lld of %llu bytes at %llu share their blocks", shared, total, dst);
		return -1;
	}
	return 0;
}

#define STEP(iface, dst, ext, nr)						\
	ASSERT_EQ(0, step(&self->win, &self->loop, &self->fs, &self->drive,	\
			  variant->block, iface, dst, ext, nr))

TEST_F(loop, copies_without_moving_data)
{
	__u64 b = self->loop.dev.lbs, i;
	struct blk_copy_extent one = { 0, LEN / 4 }, some[9], last = { 11 * b, 4 * b };

	for (i = 0; i < ARRAY_SIZE(some); i++)
		some[i] = (struct blk_copy_extent){ (i * 37 % 9) * 40 * b, (1 + i * i) * b };
	STEP(BC_IOCTL, LEN / 2, &one, 1);
	STEP(BC_CFR, LEN / 4, &one, 1);
	STEP(BC_IOCTL, LEN / 2 + b, some, ARRAY_SIZE(some));
	/* Up to the very end of what the window has. */
	STEP(BC_IOCTL, LEN - 4 * b, &last, 1);
	/* What was copied is a source as any other. */
	one.offset = LEN / 2;
	STEP(BC_CFR, 0, &one, 1);
	EXPECT_EQ(0, bc_win_check(&self->win));
	/* A copy is one: the other side does not see what is written to this one. */
	ASSERT_EQ(0, bc_win_write(&self->win, self->loop.dev.fd, 3 * b, 7 * b));
	ASSERT_EQ(0, bc_win_write(&self->win, self->loop.dev.bfd, LEN / 2 + 5 * b, b));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* The file holds what the device shows, at the offset that the device has. */
TEST_F(loop, file_and_device_agree)
{
	struct blk_copy_extent ext = { LEN / 8, LEN / 4 };
	__u64 start = variant->opt.offset;
	struct bc_win file;
	struct bc_dev dev = { .fd = -1 };

	STEP(BC_IOCTL, LEN / 2, &ext, 1);
	ASSERT_EQ(0, flush_all(&self->loop, &self->fs));
	snprintf(dev.path, sizeof(dev.path), "%s",
		 variant->block ? self->drive.path : self->fs.image);
	dev.fd = open(dev.path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, dev.fd);
	/* Read the file at the offset, compare as if it were the device. */
	file = self->win;
	file.dev = &dev;
	{
		char *buf = bc_alloc(LEN);

		EXPECT_EQ((ssize_t)LEN, pread(dev.fd, buf, LEN, start));
		EXPECT_EQ(0, bc_check_buf(&file, buf, 0, LEN));
		free(buf);
	}
	close(dev.fd);
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(loop, page_cache_of_the_device)
{
	__u64 b = self->loop.dev.lbs;
	struct blk_copy_extent ext = { b, 64 * b };
	struct bc_result r;

	/* Dirty source, cached and dirty destination: none of it was synced. */
	ASSERT_EQ(0, bc_win_write(&self->win, self->loop.dev.bfd, 0, 100 * b));
	ASSERT_EQ(0, bc_win_write(&self->win, self->loop.dev.bfd, LEN / 2 - b, 100 * b));
	r = bc_copy(BC_IOCTL, self->loop.dev.fd, LEN / 2, self->loop.dev.fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	bc_win_copied(&self->win, LEN / 2, &self->win, &ext, 1, r.copied);
	EXPECT_EQ(0, bc_win_check_fd(&self->win, self->loop.dev.bfd));
	ASSERT_EQ(0, fsync(self->loop.dev.bfd));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* The end of the device is that of the limit, whatever the file has after it. */
TEST_F(loop, ends_where_the_device_ends)
{
	struct blk_copy_extent ext = { self->loop.dev.size - self->loop.dev.lbs,
				       2 * self->loop.dev.lbs };
	int fd = self->loop.dev.fd;

	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, 0, fd, &ext, 1), EINVAL,
				"source past the end"));
	ext.offset = 0;
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, self->loop.dev.size - self->loop.dev.lbs, fd,
					&ext, 1), EINVAL, "destination past the end"));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(loop, holes_are_copied)
{
	struct blk_copy_extent ext = { 64 * BC_MIB, BC_MIB };
	struct bc_result r;
	__u64 i;

	if (variant->block || variant->opt.sizelimit)
		SKIP(return, "there is no hole on this device");
	r = bc_copy(BC_IOCTL, self->loop.dev.fd, BC_MIB, self->loop.dev.fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	ASSERT_EQ(BC_MIB, r.copied);
	for (i = 0; i < BC_MIB / BC_SECTOR; i++)
		self->win.tag[(BC_MIB / BC_SECTOR) + i] = 0;
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* An fsync makes copies last. Without the flush the file system forgets them. */
TEST_F(loop, survives_a_crash_once_synced)
{
	struct blk_copy_extent ext = { LEN / 8, LEN / 4 };

	if (variant->block)
		SKIP(return, "there is no file system that could be shut down");
	STEP(BC_IOCTL, LEN / 2, &ext, 1);
	ASSERT_EQ(0, fsync(self->loop.dev.fd));
	ASSERT_EQ(0, bc_fs_shutdown(&self->fs));
	ASSERT_EQ(0, bc_loop_remove(&self->loop));
	ASSERT_EQ(0, bc_fs_unmount(&self->fs));
	BC_REQUIRE(bc_fs_mount(&self->fs, self->drive.path, "xfs"));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &variant->opt));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

/* Halves that are nested wait in loop's worker, while others work. */
TEST_F(loop, below_stacked_devices)
{
	static const enum bc_shape shapes[] = { BC_SHAPE_swapped, BC_SHAPE_delayed,
						BC_SHAPE_deferred };
	struct bc_stack stack = { 0 };
	struct bc_load load = { .rng = bc_rand() };
	struct bc_win win = { 0 };
	unsigned int i, n;
	__u64 len;
	int ret;

	if (variant->opt.sizelimit)
		SKIP(return, "too small for a stack");
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		ret = bc_shape_make(&stack, shapes[i], &self->loop.dev);
		if (ret > 0) {
			bc_log("%s: %s", bc_shape_name(shapes[i]), bc_reason());
			continue;
		}
		ASSERT_EQ(0, ret)
			TH_LOG("%s", bc_reason());
		ASSERT_EQ(0, bc_need_copy(&stack.top));
		len = stack.top.size < 4 * BC_MIB ? stack.top.size : 4 * BC_MIB;
		ASSERT_EQ(0, bc_win_init(&win, &stack.top, 0, len));
		load.win = &win;
		load.ops = BC_OP_ALL;
		for (n = 0; n < (bc_full() ? 1000 : 40) && !load.bad; n++)
			bc_load_op(&load);
		EXPECT_EQ(0, load.bad)
			TH_LOG("%s", bc_shape_name(shapes[i]));
		EXPECT_EQ(0, bc_win_check(&win));
		bc_win_free(&win);
		EXPECT_EQ(0, bc_stack_remove(&stack));
	}
}

/* Copies, reads and writes of the same file, of which each locks all of it. */
TEST_F_TIMEOUT(loop, many_tasks, 180)
{
	struct bc_load load[4] = { 0 };
	struct bc_win win[4] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(load); i++) {
		ASSERT_EQ(0, bc_win_init(&win[i], &self->loop.dev, i * BC_MIB, BC_MIB));
		load[i].win = &win[i];
		load[i].ops = BC_OP_ALL;
		load[i].rng = bc_rand();
		bc_watch("a task", &load[i].done);
	}
	for (i = 0; i < ARRAY_SIZE(load); i++)
		ASSERT_EQ(0, bc_load_start(&load[i]));
	sleep(bc_seconds(1, 20));
	bc_unwatch();
	for (i = 0; i < ARRAY_SIZE(load); i++) {
		EXPECT_EQ(0, bc_load_stop(&load[i]));
		EXPECT_EQ(0, bc_win_check(&win[i]));
		EXPECT_LT(0, load[i].done);
		bc_win_free(&win[i]);
	}
}

/*
 * A command of several extents that fails in one of them reports those before
 * it: below is a device whose end cannot be written.
 */
FIXTURE(broken) {
	struct bc_dev drive;
	struct bc_stack stack;
	struct bc_loop loop;
	struct bc_win win;
};

#define GOOD	(4 * BC_MIB)

FIXTURE_SETUP(broken)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 8192 linear %a 0\n8192 8192 error"
	};

	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	BC_REQUIRE(bc_loop_make(&self->loop, self->stack.dm[0].path, NULL));
	BC_REQUIRE(bc_need_copy(&self->loop.dev));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->loop.dev, 0, GOOD));
}

FIXTURE_TEARDOWN(broken)
{
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_loop_remove(&self->loop));
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

TEST_F(broken, reports_the_extents_before_the_failure)
{
	__u64 b = self->loop.dev.lbs;
	struct blk_copy_extent ext[3] = { { 0, 3 * b }, { 64 * b, 5 * b }, { 32 * b, 2 * b } };
	struct bc_result r;

	/* The third one does not fit any more. */
	r = bc_copy(BC_IOCTL, self->loop.dev.fd, GOOD - 8 * b, self->loop.dev.fd, ext, 3);
	EXPECT_EQ(EIO, r.err);
	EXPECT_EQ(8 * b, r.copied);
	bc_win_copied(&self->win, GOOD - 8 * b, &self->win, ext, 2, ~0ULL);
	EXPECT_EQ(0, bc_win_check(&self->win));
	/* None of them does. */
	r = bc_copy(BC_CFR, self->loop.dev.fd, GOOD, self->loop.dev.fd, ext, 1);
	EXPECT_EQ(0, bc_refused(r, EIO, "all of it beyond"));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

int main(int argc, char **argv)
{
	bc_loop_mkfs_first();
	return test_harness_run(argc, argv);
}
