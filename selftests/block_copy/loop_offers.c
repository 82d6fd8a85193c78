// SPDX-License-Identifier: GPL-2.0
/*
 * Which loop devices offer copies: those whose files can share blocks, if the
 * blocks and the offset fit, and those whose device copies. COPY_DEV gets file
 * systems, COPY_DEV2 is bound as it is.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "blkcopy_test.h"
#include "loopdev.h"
#include "stack.h"

#define IMAGE	(16 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define BLOCK	4096

FIXTURE(offers) {
	struct bc_dev drive;
	struct bc_fs fs;
	struct bc_loop loop;
};

FIXTURE_SETUP(offers)
{
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
}

FIXTURE_TEARDOWN(offers)
{
	EXPECT_EQ(0, bc_loop_remove(&self->loop));
	EXPECT_EQ(0, bc_fs_unmount(&self->fs));
	bc_close(&self->drive);
}

static int make(FIXTURE_DATA(offers) *self, const char *type, const char *const options[])
{
	return bc_mkfs(self->drive.path, type, options) ?:
	       bc_fs_mount(&self->fs, self->drive.path, type) ?:
	       bc_fs_image(&self->fs, IMAGE);
}

/* Zeroes in sysfs, and a refusal that changes nothing. */
static int not_offered(struct bc_loop *loop)
{
	struct blk_copy_extent ext = { 0, 64 * BC_KIB };
	struct bc_win win;
	int bad;

	bc_read_limits(&loop->dev);
	bad = bc_expect_no_limits(&loop->dev);
	if (loop->dev.fd < 0)
		return bad;
	if (bc_win_init(&win, &loop->dev, 0, LEN))
		return -1;
	bad |= bc_refused(bc_copy(BC_IOCTL, loop->dev.fd, LEN / 2, loop->dev.fd, &ext, 1),
			  EOPNOTSUPP, "BLKCOPY");
	bad |= bc_refused(bc_copy(BC_CFR, loop->dev.fd, LEN / 2, loop->dev.fd, &ext, 1),
			  EOPNOTSUPP, "copy_file_range");
	bad |= bc_win_check(&win);
	bc_win_free(&win);
	return bad;
}

static int offered(struct bc_loop *loop)
{
	struct blk_copy_extent ext = { 0, 64 * BC_KIB };
	struct bc_win win;
	struct bc_result r;
	int bad = 0;

	bc_read_limits(&loop->dev);
	if (!loop->dev.lim.max_bytes || !loop->dev.lim.hw_bytes) {
		bc_log("%s, blocks of %u, offset %llu: copies are not offered", loop->path,
		       loop->dev.lbs, loop->opt.offset);
		return -1;
	}
	if (bc_win_init(&win, &loop->dev, 0, LEN))
		return -1;
	r = bc_copy(BC_IOCTL, loop->dev.fd, LEN / 2, loop->dev.fd, &ext, 1);
	if (r.err || r.copied != ext.length) {
		bc_log("BLKCOPY: %s, %llu bytes", r.err ? strerrorname_np(r.err) : "no error",
		       r.copied);
		bad = -1;
	}
	bc_win_copied(&win, LEN / 2, &win, &ext, 1, r.copied);
	bad |= bc_win_check(&win);
	bc_win_free(&win);
	return bad;
}

TEST_F(offers, xfs)
{
	static const char * const options[] = { "-q", "-f", "-K", "-m", "reflink=1", NULL };
	struct bc_loop_options opt = { 0 };

	BC_REQUIRE(make(self, "xfs", options));

	/* Half blocks cannot be shared. */
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(512, self->loop.dev.lbs);
	EXPECT_EQ(0, not_offered(&self->loop));
	ASSERT_EQ(0, bc_loop_set_block_size(&self->loop, BLOCK));
	EXPECT_EQ(0, offered(&self->loop));
	ASSERT_EQ(0, bc_loop_set_block_size(&self->loop, 2048));
	EXPECT_EQ(0, not_offered(&self->loop));
	ASSERT_EQ(0, bc_loop_set_block_size(&self->loop, BLOCK));

	/* Neither can they at other offsets. */
	ASSERT_EQ(0, bc_loop_set_offset(&self->loop, 512, 0));
	EXPECT_EQ(0, not_offered(&self->loop));
	ASSERT_EQ(0, bc_loop_set_offset(&self->loop, 5 * BLOCK, 0));
	EXPECT_EQ(0, offered(&self->loop));
	ASSERT_EQ(0, bc_loop_set_offset(&self->loop, 5 * BLOCK, 4 * BC_MIB + 512));
	EXPECT_EQ(0, offered(&self->loop));
	ASSERT_EQ(0, bc_loop_remove(&self->loop));

	/* A device that is bound later does not inherit it. */
	opt.block_size = BLOCK;
	opt.offset = 1024;
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(0, not_offered(&self->loop));
	ASSERT_EQ(0, bc_loop_set_offset(&self->loop, 0, 0));
	EXPECT_EQ(0, offered(&self->loop));
	ASSERT_EQ(0, bc_loop_remove(&self->loop));

	opt.offset = 0;
	opt.read_only = true;
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(0, not_offered(&self->loop));
}

TEST_F(offers, unbound_device)
{
	static const char * const options[] = { "-q", "-f", "-K", "-m", "reflink=1", NULL };
	struct bc_loop_options opt = { .block_size = BLOCK };
	struct bc_dev bare;

	BC_REQUIRE(make(self, "xfs", options));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(0, offered(&self->loop));
	bare = self->loop.dev;
	ASSERT_EQ(0, bc_loop_remove(&self->loop));
	EXPECT_EQ(0, bc_expect_no_limits(&bare));
}

/* The method is there, and this file system does not do it. */
TEST_F(offers, xfs_without_reflink)
{
	static const char * const options[] = {
		"-q", "-f", "-K", "-m", "reflink=0,rmapbt=0", NULL
	};
	struct bc_loop_options opt = { .block_size = BLOCK };

	BC_REQUIRE(make(self, "xfs", options));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(0, not_offered(&self->loop));
}

TEST_F(offers, xfs_frozen)
{
	static const char * const options[] = { "-q", "-f", "-K", "-m", "reflink=1", NULL };
	struct bc_loop_options opt = { .block_size = BLOCK };
	int fd;

	BC_REQUIRE(make(self, "xfs", options));
	fd = open(self->fs.where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bc_fs_freeze(fd, true));
	/* It must not wait. */
	alarm(20);
	EXPECT_EQ(0, bc_loop_make(&self->loop, self->fs.image, &opt));
	alarm(0);
	EXPECT_EQ(0, bc_fs_freeze(fd, false));
	close(fd);
	if (self->loop.path[0])
		EXPECT_EQ(0, not_offered(&self->loop));
}

TEST_F(offers, ext4)
{
	static const char * const options[] = { "-q", "-F", "-b", "4096", NULL };
	struct bc_loop_options opt = { .block_size = BLOCK };

	BC_REQUIRE(make(self, "ext4", options));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(0, not_offered(&self->loop));
}

TEST_F(offers, tmpfs)
{
	struct bc_loop_options opt = { .block_size = BLOCK };

	snprintf(self->fs.image, sizeof(self->fs.image), "/tmp/block_copy_image");
	BC_REQUIRE(bc_fs_image(&self->fs, IMAGE));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	EXPECT_EQ(0, not_offered(&self->loop));
	unlink(self->fs.image);
}

/* Its limits are those of the device below, and so are its blocks. */
TEST_F(offers, block_device)
{
	struct bc_dev *dev = &self->loop.dev, below;
	struct bc_loop_options opt = { 0 };

	BC_REQUIRE(bc_open(&below, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&below));
	BC_REQUIRE(bc_loop_make(&self->loop, below.path, &opt));
	EXPECT_EQ(0, offered(&self->loop));
	EXPECT_EQ(below.lim.max_bytes, dev->lim.hw_bytes);
	EXPECT_EQ(below.lim.max_extent_bytes, dev->lim.hw_extent_bytes);
	EXPECT_EQ(below.lim.max_extents, dev->lim.hw_extents);
	ASSERT_EQ(0, bc_loop_remove(&self->loop));

	opt.offset = 512;
	BC_REQUIRE(bc_loop_make(&self->loop, below.path, &opt));
	EXPECT_EQ(0, offered(&self->loop));

	/* Switched off below: the device above is told when it asks. */
	ASSERT_EQ(0, bc_queue_write(&below, "copy_max_bytes", 0));
	{
		struct blk_copy_extent ext = { 0, 64 * BC_KIB };

		EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, dev->fd, LEN / 2, dev->fd, &ext, 1),
					EOPNOTSUPP, "BLKCOPY"));
	}
	ASSERT_EQ(0, bc_loop_remove(&self->loop));
	BC_REQUIRE(bc_loop_make(&self->loop, below.path, &opt));
	EXPECT_EQ(0, not_offered(&self->loop));
	EXPECT_EQ(0, bc_reset_limits(&below));
	bc_close(&below);
}

/* Copies to zones are bound to write pointers, of which a loop device knows nothing. */
TEST_F(offers, zoned_device)
{
	static const char dir[] = "/sys/kernel/config/nullb/block_copy_zoned";
	static const char * const values[][2] = {
		{ "size", "64" }, { "zoned", "1" }, { "zone_size", "16" }, { "blocksize", "4096" },
		{ "memory_backed", "1" }, { "copy_max_bytes", "65536" }, { "power", "1" },
	};
	struct bc_loop_options opt = { .block_size = BLOCK };
	const char *node = "/dev/block_copy_zoned";
	char path[128];
	unsigned int i;
	int ret = 0;

	mount("none", "/sys/kernel/config", "configfs", 0, NULL);
	if (mkdir(dir, 0700))
		SKIP(return, "the kernel makes no null_blk devices: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(values) && !ret; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, values[i][0]);
		ret = bc_write_file(path, values[i][1]);
	}
	EXPECT_EQ(0, ret)
		TH_LOG("%s: %s", path, strerror(-ret));
	EXPECT_EQ(0, bc_loop_make(&self->loop, node, &opt))
		TH_LOG("%s", bc_reason());
	if (self->loop.path[0])
		EXPECT_EQ(0, bc_expect_no_limits(&self->loop.dev));
	EXPECT_EQ(0, bc_loop_remove(&self->loop));
	usleep(100000);
	snprintf(path, sizeof(path), "%s/power", dir);
	bc_write_file(path, "0");
	EXPECT_EQ(0, rmdir(dir));
}

TEST_F(offers, loop_over_loop)
{
	static const char * const options[] = { "-q", "-f", "-K", "-m", "reflink=1", NULL };
	struct bc_loop_options opt = { .block_size = BLOCK };
	struct bc_loop upper;

	BC_REQUIRE(make(self, "xfs", options));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &opt));
	BC_REQUIRE(bc_loop_make(&upper, self->loop.path, &opt));
	EXPECT_EQ(0, offered(&upper));
	EXPECT_EQ(0, bc_loop_remove(&upper));
}

TEST_HARNESS_MAIN
