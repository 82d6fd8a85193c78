// SPDX-License-Identifier: GPL-2.0
/*
 * Destinations that somebody else uses in a way that a copy must not disturb:
 * swap space, and pages that a file system holds in the device's page cache.
 */
#include <endian.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "blkcopy_test.h"

#define LEN	(2 * BC_MIB)	/* from the start of the device on */
#define PAGE	4096
#define SRC	BC_MIB
#define COPY	(64 * BC_KIB)
#define MOUNT	"/tmp/blkcopy-busy"

FIXTURE(busy) {
	struct bc_dev dev;
	struct bc_win win;
	bool swaps, mounted;
};

BC_IFACE_VARIANTS(busy);

FIXTURE_SETUP(busy)
{
	BC_SETUP(0, LEN);
	mkdir(MOUNT, 0700);
}

FIXTURE_TEARDOWN(busy)
{
	if (self->mounted)
		umount(MOUNT);
	if (self->swaps)
		swapoff(self->dev.path);
	rmdir(MOUNT);
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

static int refused(struct bc_dev *dev, enum bc_iface iface, __u64 dst, int err, const char *what)
{
	struct blk_copy_extent ext = { SRC, COPY };

	return bc_refused(bc_copy(iface, dev->fd, dst, dev->fd, &ext, 1), err, what);
}

/* Puts @data at the start of the device; returns what was there to @before. */
static int exchange(struct bc_dev *dev, const char *data, char *before, size_t len)
{
	if (before && pread(dev->fd, before, len, 0) != (ssize_t)len)
		return -1;
	return pwrite(dev->fd, data, len, 0) == (ssize_t)len ? 0 : -1;
}

/* What mkswap(8) writes, for a megabyte: include/linux/swap.h, union swap_header. */
static void make_swap(char *page)
{
	__u32 *info = (__u32 *)(page + 1024);

	memset(page, 0, PAGE);
	info[0] = 1;				/* version */
	info[1] = SRC / PAGE - 1;		/* last page */
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
}

TEST_F(busy, swapped_to)
{
	struct blk_copy_extent ext = { SRC, COPY };
	char *page = bc_alloc(PAGE), *before = bc_alloc(PAGE);

	make_swap(page);
	ASSERT_EQ(0, exchange(&self->dev, page, before, PAGE));
	if (swapon(self->dev.path, 0)) {
		ASSERT_EQ(ENOSYS, errno);
		ASSERT_EQ(0, exchange(&self->dev, before, NULL, PAGE));
		SKIP(return, "the kernel cannot swap (CONFIG_SWAP)");
	}
	self->swaps = true;
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(0, refused(&self->dev, variant->iface, 0, ETXTBSY, "over the swap space"));
	EXPECT_EQ(0, refused(&self->dev, variant->iface, SRC + COPY, ETXTBSY,
			     "behind the swap space, on its device"));
	EXPECT_EQ(0, bc_expect_no_copies());
	ASSERT_EQ(0, swapoff(self->dev.path));
	self->swaps = false;
	ASSERT_EQ(0, exchange(&self->dev, before, NULL, PAGE));
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, 0, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
	free(before);
	free(page);
}

static void put16(char *at, __u16 value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static void put32(char *at, __u32 value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

/*
 * The smallest ext2 file system that mounts: the offsets are those of
 * struct ext4_super_block, ext4_group_desc and ext4_inode. Blocks of one page:
 * superblock, group descriptor, two bitmaps, inodes, root directory.
 */
#define FS_BLOCKS	6
static void make_ext2(char *fs)
{
	char *super = fs + 1024, *group = fs + PAGE, *root = fs + 4 * PAGE + 128;
	char *entries = fs + 5 * PAGE;

	memset(fs, 0, FS_BLOCKS * PAGE);
	put32(super + 0x00, 32);		/* inodes */
	put32(super + 0x04, 64);		/* blocks */
	put32(super + 0x0c, 64 - FS_BLOCKS);	/* free blocks */
	put32(super + 0x10, 32 - 10);		/* free inodes */
	put32(super + 0x18, 2);			/* blocks of 1024 << 2 bytes */
	put32(super + 0x1c, 2);
	put32(super + 0x20, 32768);		/* blocks per group */
	put32(super + 0x24, 32768);
	put32(super + 0x28, 32);		/* inodes per group */
	put16(super + 0x38, 0xef53);		/* magic */
	put16(super + 0x3a, 1);			/* clean */
	put16(super + 0x3c, 1);			/* errors: continue */
	put32(super + 0x4c, 1);			/* dynamic revision */
	put32(super + 0x54, 11);		/* first inode of a file */
	put16(super + 0x58, 128);		/* size of an inode */
	put32(super + 0x60, 2);			/* directory entries have types */
	put32(group + 0x00, 2);			/* block bitmap */
	put32(group + 0x04, 3);			/* inode bitmap */
	put32(group + 0x08, 4);			/* inodes */
	put16(group + 0x0c, 64 - FS_BLOCKS);
	put16(group + 0x0e, 32 - 10);
	put16(group + 0x10, 1);			/* directories */
	fs[2 * PAGE] = 0x3f;
	put16(fs + 3 * PAGE, 0x3ff);
	put16(root + 0x00, 040755);
	put32(root + 0x04, PAGE);		/* size */
	put16(root + 0x1a, 2);			/* links */
	put32(root + 0x1c, PAGE / 512);
	put32(root + 0x28, 5);			/* its block */
	put32(entries, 2);
	put16(entries + 4, 12);
	memcpy(entries + 6, "\x01\x02.", 3);
	put32(entries + 12, 2);
	put16(entries + 16, PAGE - 12);
	memcpy(entries + 18, "\x02\x02..", 4);
}

/*
 * The superblock's buffer is in use as long as the file system is mounted, so
 * its page cannot be thrown away. Nothing may be copied below it.
 */
TEST_F(busy, pinned_pages)
{
	struct blk_copy_extent ext = { SRC, COPY };
	size_t len = FS_BLOCKS * PAGE;
	char *fs = bc_alloc(len), *before = bc_alloc(len);

	make_ext2(fs);
	ASSERT_EQ(0, exchange(&self->dev, fs, before, len));
	if (mount(self->dev.path, MOUNT, "ext4", MS_RDONLY, NULL)) {
		ASSERT_EQ(ENODEV, errno)
			TH_LOG("%s cannot be mounted: %s", self->dev.path, strerror(errno));
		ASSERT_EQ(0, exchange(&self->dev, before, NULL, len));
		SKIP(return, "the kernel has no ext4 (CONFIG_EXT4_FS)");
	}
	self->mounted = true;
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(0, refused(&self->dev, variant->iface, 0, EBUSY, "over the superblock"));
	EXPECT_EQ(0, bc_expect_no_copies());
	/* The file system has not looked at what is behind it. */
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, SRC + COPY, &ext, 1));
	ASSERT_EQ(0, umount(MOUNT));
	self->mounted = false;
	ASSERT_EQ(0, exchange(&self->dev, before, NULL, len));
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, 0, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
	free(before);
	free(fs);
}

TEST_HARNESS_MAIN
