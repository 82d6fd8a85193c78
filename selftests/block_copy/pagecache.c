// SPDX-License-Identifier: GPL-2.0
/*
 * The page cache of the block device: what was written to it and not yet to
 * the device counts as source data, and what it holds of the destination must
 * neither be read after the copy nor be written over it later.
 */
#include <sys/ioctl.h>
#include <linux/fs.h>

#include "blkcopy_test.h"

#define BASE	(32 * BC_MIB)
#define LEN	(4 * BC_MIB)
#define PAGE	4096ULL

FIXTURE(pagecache) {
	struct bc_dev dev;
	struct bc_win win;
	__u64 src, dst, len;
};

BC_IFACE_VARIANTS(pagecache);

FIXTURE_SETUP(pagecache)
{
	BC_SETUP(BASE, LEN);
	self->src = BASE + 256 * BC_KIB;
	self->dst = BASE + LEN / 2;
	self->len = 200 * BC_KIB;
}

FIXTURE_TEARDOWN(pagecache)
{
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/* Copies through the given files; the counts differ with what is dirty. */
static int copy(struct bc_win *w, enum bc_iface iface, int dst_fd, __u64 dst, int src_fd,
		__u64 src, __u64 len)
{
	struct blk_copy_extent ext = { src, len };
	struct bc_result r = bc_copy(iface, dst_fd, dst, src_fd, &ext, 1);

	if (r.err || r.copied != len) {
		bc_log("%llu bytes from %llu to %llu: %s, %llu bytes reported",
		       len, src, dst, r.err ? strerror(r.err) : "no error", r.copied);
		return -1;
	}
	bc_win_copied(w, dst, w, &ext, 1, len);
	return 0;
}

/*
 * What a process reads, then what the device holds once everything dirty has
 * been written and the cache thrown away.
 */
static int check_all(struct bc_win *w)
{
	int ret = bc_win_check_fd(w, w->dev->bfd);

	if (ret) {
		bc_log("... as read through the page cache");
		return ret;
	}
	if (fsync(w->dev->bfd) || ioctl(w->dev->bfd, BLKFLSBUF)) {
		bc_log("cannot write back %s: %s", w->dev->path, strerror(errno));
		return -1;
	}
	ret = bc_win_check(w);
	if (ret)
		bc_log("... as the device holds it after writeback");
	return ret;
}

TEST_F(pagecache, dirty_source)
{
	struct bc_win *w = &self->win;

	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->src, self->len));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.fd, self->dst, self->dev.fd, self->src,
			  self->len));
	EXPECT_EQ(0, bc_win_check_range(w, self->dev.fd, self->dst, self->len));
	EXPECT_EQ(0, check_all(w));
}

/* Only part of the source is dirty, in odd blocks. */
TEST_F(pagecache, partly_dirty_source)
{
	__u64 lbs = self->dev.lbs, i;
	struct bc_win *w = &self->win;

	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->src + 9 * i * lbs, lbs));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.fd, self->dst, self->dev.fd,
			  self->src + 4 * lbs, 360 * lbs));
	EXPECT_EQ(0, check_all(w));
}

TEST_F(pagecache, cached_destination)
{
	struct bc_win *w = &self->win;

	ASSERT_EQ(0, bc_win_check_fd(w, self->dev.bfd));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.fd, self->dst, self->dev.fd, self->src,
			  self->len));
	EXPECT_EQ(0, check_all(w));
}

TEST_F(pagecache, dirty_destination)
{
	struct bc_win *w = &self->win;

	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst, self->len));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.fd, self->dst, self->dev.fd, self->src,
			  self->len));
	EXPECT_EQ(0, check_all(w));
}

TEST_F(pagecache, dirty_source_and_destination)
{
	struct bc_win *w = &self->win;

	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, BASE, LEN));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.bfd, self->dst, self->dev.bfd, self->src,
			  self->len));
	EXPECT_EQ(0, check_all(w));
}

/*
 * A destination that begins and ends inside a page: what is dirty beside it
 * in that page belongs to somebody else and must reach the device.
 */
TEST_F(pagecache, dirty_neighbours_of_the_destination)
{
	__u64 lbs = self->dev.lbs, first, blocks;
	struct bc_win *w = &self->win;

	if (lbs >= PAGE)
		SKIP(return, "a block of %llu bytes leaves no neighbours in a page", lbs);
	for (first = 1; first < PAGE / lbs; first += 2) {
		for (blocks = 1; blocks <= 17; blocks += 4) {
			__u64 dst = self->dst + first * lbs, len = blocks * lbs;

			ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst, 16 * PAGE));
			ASSERT_EQ(0, copy(w, variant->iface, self->dev.fd, dst, self->dev.fd,
					  self->src + (first + blocks) * lbs, len));
			ASSERT_EQ(0, check_all(w))
				TH_LOG("%llu blocks at block %llu of a page", blocks, first);
		}
	}
}

/* The same for the source: its page's other blocks stay dirty or are written. */
TEST_F(pagecache, dirty_neighbours_of_the_source)
{
	__u64 lbs = self->dev.lbs, first;
	struct bc_win *w = &self->win;

	if (lbs >= PAGE)
		SKIP(return, "a block of %llu bytes leaves no neighbours in a page", lbs);
	for (first = 0; first < PAGE / lbs; first++) {
		ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->src, 2 * PAGE));
		ASSERT_EQ(0, copy(w, variant->iface, self->dev.fd, self->dst, self->dev.fd,
				  self->src + first * lbs, 3 * lbs));
		ASSERT_EQ(0, check_all(w));
	}
}

/* Source and destination blocks in one and the same dirty page. */
TEST_F(pagecache, source_and_destination_in_one_page)
{
	__u64 lbs = self->dev.lbs;
	struct bc_win *w = &self->win;

	if (lbs >= PAGE)
		SKIP(return, "a block of %llu bytes is a page of its own", lbs);
	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst, PAGE));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.bfd, self->dst + lbs, self->dev.bfd,
			  self->dst + 4 * lbs, 2 * lbs));
	EXPECT_EQ(0, check_all(w));
	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst, PAGE));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.bfd, self->dst + 5 * lbs, self->dev.bfd,
			  self->dst, 3 * lbs));
	EXPECT_EQ(0, check_all(w));
}

TEST_F(pagecache, every_mix_of_direct_and_buffered_files)
{
	int fds[2] = { self->dev.fd, self->dev.bfd };
	struct bc_win *w = &self->win;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		int src_fd = fds[i & 1], dst_fd = fds[i >> 1 & 1];

		ASSERT_EQ(0, bc_win_write(w, fds[i >> 2 & 1], self->src, self->len));
		ASSERT_EQ(0, bc_win_write(w, fds[i >> 3 & 1], self->dst, self->len));
		ASSERT_EQ(0, copy(w, variant->iface, dst_fd, self->dst, src_fd,
				  self->src + i * self->dev.lbs, self->len / 2));
		ASSERT_EQ(0, check_all(w))
			TH_LOG("mix %u", i);
	}
}

/* A chain of copies with nothing written back in between. */
TEST_F(pagecache, copy_of_a_copy)
{
	struct bc_win *w = &self->win;

	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->src, self->len));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.bfd, self->dst, self->dev.bfd, self->src,
			  self->len));
	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst + 3 * PAGE, PAGE));
	ASSERT_EQ(0, copy(w, variant->iface, self->dev.bfd, self->dst + self->len, self->dev.bfd,
			  self->dst, self->len));
	EXPECT_EQ(0, check_all(w));
}

/* A write after the copy wins over the copy. */
TEST_F(pagecache, buffered_write_after_the_copy)
{
	struct bc_win *w = &self->win;

	ASSERT_EQ(0, copy(w, variant->iface, self->dev.bfd, self->dst, self->dev.bfd, self->src,
			  self->len));
	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst + 3 * self->dev.lbs,
				  5 * self->dev.lbs));
	EXPECT_EQ(0, check_all(w));
}

/* Dirty pages of several extents, all over the source. */
TEST_F(pagecache, dirty_scattered_sources)
{
	struct blk_copy_extent ext[30];
	struct bc_win *w = &self->win;
	struct bc_result r;
	int i;

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	for (i = 0; i < 30; i++) {
		ext[i] = (struct blk_copy_extent){ self->src + i * 7 * self->dev.lbs,
						   5 * self->dev.lbs };
		ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, ext[i].offset, ext[i].length));
	}
	ASSERT_EQ(0, bc_win_write(w, self->dev.bfd, self->dst, self->len));
	r = bc_copy(BC_IOCTL, self->dev.bfd, self->dst, self->dev.bfd, ext, 30);
	ASSERT_EQ(0, r.err);
	bc_win_copied(w, self->dst, w, ext, 30, ~0ULL);
	EXPECT_EQ(0, check_all(w));
}

TEST_HARNESS_MAIN
