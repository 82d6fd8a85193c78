// SPDX-License-Identifier: GPL-2.0
/*
 * copy_file_range(2) between block devices: what it refuses, where it stops,
 * and that it never returns 0 for an error.
 */
#include <limits.h>

#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)
#define LEN	(2 * BC_MIB)

FIXTURE(range) {
	struct bc_dev dev;
	struct bc_win win;
	struct bc_win end;		/* the end of the device */
	__u64 lbs, src, dst, len;
};

FIXTURE_SETUP(range)
{
	BC_SETUP(BASE, LEN);
	ASSERT_EQ(0, bc_win_init(&self->end, &self->dev, self->dev.size - BC_MIB, BC_MIB));
	self->lbs = self->dev.lbs;
	self->src = BASE + 64 * BC_KIB;
	self->dst = BASE + LEN / 2;
	self->len = 16 * self->lbs;
	ASSERT_EQ(0, bc_mark());
}

/* The model knows what was right to happen. */
FIXTURE_TEARDOWN(range)
{
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_win_check(&self->end));
	bc_win_free(&self->win);
	bc_win_free(&self->end);
	bc_close(&self->dev);
}

/* Expects @want: a number of bytes, or a negative errno. */
static int range(int dst_fd, __u64 dst, int src_fd, __u64 src, size_t len, unsigned int flags,
		 ssize_t want, const char *what)
{
	off64_t in = src, out = dst;
	ssize_t n = copy_file_range(src_fd, &in, dst_fd, &out, len, flags);
	ssize_t have = n < 0 ? -errno : n;
	ssize_t moved = n < 0 ? 0 : n;

	if (have != want) {
		bc_log("%s: must return %zd, returned %zd%s%s", what, want, have,
		       have < 0 ? " " : "", have < 0 ? strerrorname_np(-have) : "");
		return -1;
	}
	if (in != (off64_t)(src + moved) || out != (off64_t)(dst + moved)) {
		bc_log("%s: the offsets did not move by what was returned", what);
		return -1;
	}
	return 0;
}

#define RANGE(dst, src, len, want, what) \
	EXPECT_EQ(0, range(self->dev.fd, dst, self->dev.fd, src, len, 0, want, what))

TEST_F(range, nothing_to_copy)
{
	__u64 size = self->dev.size;

	RANGE(self->dst, self->src, 0, 0, "length 0");
	RANGE(self->dst, size, self->len, 0, "source at its end");
	RANGE(self->dst, size + self->len, self->len, 0, "source past its end");
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_F(range, destination_at_or_past_its_end)
{
	__u64 size = self->dev.size;

	RANGE(size, self->src, self->len, -ENOSPC, "destination at its end");
	RANGE(size + self->len, self->src, self->len, -ENOSPC, "destination past its end");
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_F(range, shortened_at_the_end_of_the_source)
{
	struct blk_copy_extent ext = { self->dev.size - self->len, self->len };

	RANGE(self->dst, ext.offset, 3 * self->len, self->len, "source ends before the length");
	bc_win_copied(&self->win, self->dst, &self->end, &ext, 1, ~0ULL);
}

TEST_F(range, shortened_at_the_end_of_the_destination)
{
	struct blk_copy_extent ext = { self->src, self->len };

	RANGE(self->dev.size - self->len, self->src, 3 * self->len, self->len,
	      "destination ends before the length");
	bc_win_copied(&self->end, self->dev.size - self->len, &self->win, &ext, 1, ~0ULL);
}

TEST_F(range, unaligned)
{
	const __u64 odd[] = { 1, self->lbs / 2, self->lbs - 1, self->lbs + 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		RANGE(self->dst + odd[i], self->src, self->len, -EINVAL, "unaligned destination");
		RANGE(self->dst, self->src + odd[i], self->len, -EINVAL, "unaligned source");
		RANGE(self->dst, self->src, odd[i], -EINVAL, "unaligned short length");
		RANGE(self->dst, self->src, self->len + odd[i], -EINVAL, "unaligned length");
	}
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_F(range, overlap)
{
	__u64 dst = self->dst, len = self->len, lbs = self->lbs;

	RANGE(dst, dst, len, -EINVAL, "the same place");
	RANGE(dst, dst - lbs, len, -EINVAL, "overlap at the beginning");
	RANGE(dst, dst - len + lbs, len, -EINVAL, "overlap of the first block");
	RANGE(dst, dst + lbs, len, -EINVAL, "overlap at the end");
	RANGE(dst, dst + len - lbs, len, -EINVAL, "overlap of the last block");
	EXPECT_EQ(0, bc_expect_no_copies());
}

/* Overlap is judged by what would be copied, not by what was asked for. */
TEST_F(range, overlap_after_shortening)
{
	__u64 len = self->len, src = self->dev.size - len, dst = src - 2 * len;
	struct blk_copy_extent ext = { src, len };

	RANGE(dst, src, 8 * len, len, "source ends before the overlap");
	bc_win_copied(&self->end, dst, &self->end, &ext, 1, ~0ULL);
	ext.offset = src - 2 * len;
	RANGE(src, ext.offset, 2 * len, len, "destination ends before the overlap");
	bc_win_copied(&self->end, src, &self->end, &ext, 1, ~0ULL);
}

TEST_F(range, flags_and_offsets)
{
	int fd = self->dev.fd;

	EXPECT_EQ(0, range(fd, self->dst, fd, self->src, self->len, 1, -EINVAL, "a flag"));
	RANGE(1ULL << 63, self->src, self->len, -EINVAL, "negative destination");
	RANGE(self->dst, 1ULL << 63, self->len, -EINVAL, "negative source");
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_F(range, wrong_mode)
{
	int rd = open(self->dev.path, O_RDONLY | O_CLOEXEC);
	int wr = open(self->dev.path, O_WRONLY | O_CLOEXEC);
	int append = open(self->dev.path, O_RDWR | O_APPEND | O_CLOEXEC);

	ASSERT_LE(0, rd);
	ASSERT_LE(0, wr);
	ASSERT_LE(0, append);
	EXPECT_EQ(0, range(rd, self->dst, self->dev.fd, self->src, self->len, 0, -EBADF,
			   "destination open for reading only"));
	EXPECT_EQ(0, range(self->dev.fd, self->dst, wr, self->src, self->len, 0, -EBADF,
			   "source open for writing only"));
	EXPECT_EQ(0, range(append, self->dst, self->dev.fd, self->src, self->len, 0, -EBADF,
			   "destination open for appending"));
	EXPECT_EQ(0, bc_expect_no_copies());
	close(append);
	close(wr);
	close(rd);
}

/* Between a block device and something else: as on kernels without copies. */
TEST_F(range, regular_file_and_block_device)
{
	int file = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	char *buf = bc_alloc(65536);

	ASSERT_LE(0, file);
	memset(buf, 'x', 65536);
	ASSERT_EQ(65536, pwrite(file, buf, 65536, 0));
	EXPECT_EQ(0, range(self->dev.fd, self->dst, file, 0, self->len, 0, -EINVAL,
			   "file to device"));
	EXPECT_EQ(0, range(file, 0, self->dev.fd, self->src, self->len, 0, -EINVAL,
			   "device to file"));
	EXPECT_EQ(0, bc_expect_no_copies());
	free(buf);
	close(file);
}

/* Without offsets the files' positions are used, and move. */
TEST_F(range, file_positions)
{
	int src_fd = open(self->dev.path, O_RDONLY | O_CLOEXEC);
	struct blk_copy_extent ext = { self->src, self->len };
	int fd = self->dev.fd;

	ASSERT_LE(0, src_fd);
	ASSERT_EQ((off_t)self->src, lseek(src_fd, self->src, SEEK_SET));
	ASSERT_EQ((off_t)self->dst, lseek(fd, self->dst, SEEK_SET));
	EXPECT_EQ((ssize_t)self->len, copy_file_range(src_fd, NULL, fd, NULL, self->len, 0));
	bc_win_copied(&self->win, self->dst, &self->win, &ext, 1, ~0ULL);
	EXPECT_EQ((off_t)(self->src + self->len), lseek(src_fd, 0, SEEK_CUR));
	EXPECT_EQ((off_t)(self->dst + self->len), lseek(fd, 0, SEEK_CUR));
	/* Refused: they stay. */
	EXPECT_EQ(-1, copy_file_range(src_fd, NULL, fd, NULL, self->len + 1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ((off_t)(self->src + self->len), lseek(src_fd, 0, SEEK_CUR));
	EXPECT_EQ((off_t)(self->dst + self->len), lseek(fd, 0, SEEK_CUR));
	close(src_fd);
}

TEST_HARNESS_MAIN
