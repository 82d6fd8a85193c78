// SPDX-License-Identifier: GPL-2.0
/*
 * Destinations that somebody else uses in a way that a copy must not disturb:
 * swap space, and pages that a file system holds in the device's page cache,
 * or changes there during the copy.
 */
#include <endian.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include <linux/fs.h>

#include "blkcopy_test.h"
#include "ring.h"
#include "stack.h"
#include "watch.h"

#define LEN	(2 * BC_MIB)	/* from the start of the device on */
#define PAGE	4096
#define SRC	BC_MIB
#define COPY	(64 * BC_KIB)
#define MOUNT	"/tmp/blkcopy-busy"

FIXTURE(busy) {
	struct bc_dev dev;
	struct bc_win win;
	bool swaps, mounted, cgroup;
	char *before;		/* what is to be restored after a file system */
	struct bc_async copy;
};

BC_IFACE_VARIANTS(busy);

FIXTURE_SETUP(busy)
{
	BC_SETUP(0, LEN);
	mkdir(MOUNT, 0700);
}

FIXTURE_TEARDOWN(busy)
{
	if (self->cgroup) {
		bc_cgroup_limit(&self->dev, "wbps=max");
		bc_cgroup_remove();
	}
	if (self->mounted)
		umount(MOUNT);
	if (self->swaps)
		swapoff(self->dev.path);
	rmdir(MOUNT);
	free(self->before);
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
#define ROOT		128	/* the root's inode in its block */
static void make_ext2(char *fs)
{
	char *super = fs + 1024, *group = fs + PAGE, *root = fs + 4 * PAGE + ROOT;
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

#define FS_LEN	(FS_BLOCKS * PAGE)

/* Returns 0, 1 to skip, or -1 to fail. */
static int mount_ext2(FIXTURE_DATA(busy) *self, unsigned long flags)
{
	char *fs = bc_alloc(FS_LEN);
	int ret;

	self->before = self->before ?: bc_alloc(FS_LEN);
	make_ext2(fs);
	ret = exchange(&self->dev, fs, self->before, FS_LEN);
	free(fs);
	if (ret) {
		bc_set_reason("%s: no file system can be written", self->dev.path);
		return -1;
	}
	if (!mount(self->dev.path, MOUNT, "ext4", flags, NULL)) {
		self->mounted = true;
		return 0;
	}
	bc_set_reason("%s cannot be mounted: %s", self->dev.path, strerror(errno));
	if (errno != ENODEV)
		return -1;
	bc_set_reason("the kernel has no ext4 (CONFIG_EXT4_FS)");
	return exchange(&self->dev, self->before, NULL, FS_LEN) ?: 1;
}

/*
 * The superblock's buffer is in use as long as the file system is mounted, so
 * its page cannot be thrown away. Nothing may be copied below it.
 */
TEST_F(busy, pinned_pages)
{
	struct blk_copy_extent ext = { SRC, COPY };

	BC_REQUIRE(mount_ext2(self, MS_RDONLY));
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(0, refused(&self->dev, variant->iface, 0, EBUSY, "over the superblock"));
	EXPECT_EQ(0, bc_expect_no_copies());
	/* The file system has not looked at what is behind it. */
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, SRC + COPY, &ext, 1));
	ASSERT_EQ(0, umount(MOUNT));
	self->mounted = false;
	ASSERT_EQ(0, exchange(&self->dev, self->before, NULL, FS_LEN));
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_step(&self->win, variant->iface, 0, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

#define INODES	(4ULL * PAGE)	/* the block with the root's inode */
#define SOON_MS	20000

/* Waits until the page at @off, which has been read, leaves the page cache. */
static int await_not_cached(const struct bc_dev *dev, __u64 off)
{
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, dev->bfd, off);
	__u64 end = bc_now_ms() + SOON_MS;
	unsigned char in = 1;

	while (page != MAP_FAILED && !mincore(page, PAGE, &in) && in && bc_now_ms() < end)
		usleep(1000);
	if (in)
		bc_log("the page at %llu stays in the page cache", off);
	if (page != MAP_FAILED)
		munmap(page, PAGE);
	return in ? -1 : 0;
}

/* A copy in a thread; its first act is to throw away what the page cache has. */
static void start_thread(struct __test_metadata *_metadata, FIXTURE_DATA(busy) *self,
			 enum bc_iface iface)
{
	__u64 last = INODES + COPY - PAGE;
	char *page = bc_alloc(PAGE);

	ASSERT_EQ(PAGE, pread(self->dev.bfd, page, PAGE, last));
	free(page);
	ASSERT_EQ(0, bc_async_start(&self->copy, iface, &self->win, INODES, &self->win, SRC,
				    COPY));
	ASSERT_EQ(0, await_not_cached(&self->dev, last));
}

/*
 * A file system changes its blocks through buffer heads, and takes none of the locks of the
 * page cache for that. It does so here while the device copies to that block, after all pages
 * of the destination have left the page cache: the limit of a cgroup holds the copy, for a
 * minute if need be. What the file system has will be written over what was copied, so that
 * nothing was.
 *
 * With @ring, nobody waits for the copy. Then there must be no pages in the way when it begins,
 * or a worker copies, as any task does.
 */
static void dirty_meanwhile(struct __test_metadata *_metadata, FIXTURE_DATA(busy) *self,
			    enum bc_iface iface, struct io_uring *ring)
{
	struct blk_copy_extent ext = { SRC, COPY };
	struct bc_dev *dev = &self->dev;
	struct blk_copy_arg arg = bc_copy_arg(INODES, dev->fd, &ext, 1);
	char *page = bc_alloc(PAGE);
	struct io_uring_cqe *cqe;
	struct bc_counts seen;
	__u16 mode;

	BC_REQUIRE(mount_ext2(self, MS_NOATIME));
	/* Drop what the mount has read. */
	ASSERT_EQ(0, ioctl(dev->bfd, BLKFLSBUF));
	ASSERT_EQ(0, bc_cgroup_limit(dev, "wbps=1024"));
	ASSERT_EQ(0, bc_mark());
	if (ring) {
		bc_uring_prep(io_uring_get_sqe(ring), dev->fd, &arg, 0);
		ASSERT_EQ(1, io_uring_submit(ring));
	} else {
		start_thread(_metadata, self, iface);
	}
	ASSERT_EQ(0, chmod(MOUNT, 0711));

	/* EBUSY before the copy has been sent would be another matter. */
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&seen));
		ASSERT_EQ(0, seen.copies);
	}
	ASSERT_EQ(0, bc_cgroup_limit(dev, "wbps=max"));
	if (ring) {
		ASSERT_EQ(0, io_uring_wait_cqe(ring, &cqe));
		EXPECT_EQ(-EBUSY, cqe->res);
		io_uring_cqe_seen(ring, cqe);
	} else {
		EXPECT_EQ(0, bc_async_end(&self->copy, EBUSY, SOON_MS));
		ASSERT_TRUE(bc_async_done(&self->copy));
	}
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&seen));
		EXPECT_EQ(1, seen.copies);
	}

	ASSERT_EQ(0, umount(MOUNT));
	self->mounted = false;
	ASSERT_EQ(PAGE, pread(dev->fd, page, PAGE, INODES));
	memcpy(&mode, page + ROOT, sizeof(mode));
	EXPECT_EQ(040711, le16toh(mode))
		TH_LOG("the file system's block was lost");
	free(page);

	/* Elsewhere, the destination holds the copy or what it held before. */
	ASSERT_EQ(0, exchange(dev, self->before, NULL, FS_LEN));
	ASSERT_EQ(0, bc_win_partly_copied(&self->win, INODES, &self->win, &ext, 1, 0));
	EXPECT_EQ(0, bc_win_settle(&self->win));
	EXPECT_EQ(0, bc_step(&self->win, iface, INODES, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_F(busy, dirtied_meanwhile)
{
	struct io_uring ring;

	BC_REQUIRE(bc_cgroup_make());
	self->cgroup = true;
	ASSERT_EQ(0, bc_cgroup_enter());
	BC_REQUIRE(bc_cgroup_limit(&self->dev, "wbps=max"));
	dirty_meanwhile(_metadata, self, variant->iface, NULL);
	if (variant->iface != BC_URING)
		return;
	/* That was a worker, because of the page that it threw away. */
	ASSERT_EQ(0, io_uring_queue_init(4, &ring, 0));
	ASSERT_EQ(0, bc_win_write(&self->win, self->dev.fd, 0, LEN));
	dirty_meanwhile(_metadata, self, variant->iface, &ring);
	io_uring_queue_exit(&ring);
}

TEST_HARNESS_MAIN
