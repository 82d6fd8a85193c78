// SPDX-License-Identifier: GPL-2.0
/* Every argument that BLKCOPY must refuse: the errno, and nothing changed. */
#include <sys/ioctl.h>

#include "blkcopy_test.h"

#define BASE	(8 * BC_MIB)
#define LEN	(2 * BC_MIB)

FIXTURE(invalid) {
	struct bc_dev dev;
	struct bc_win win;
	struct bc_win end;		/* the end of the device */
	struct blk_copy_extent ext[2];	/* right, until a test spoils it */
	struct blk_copy_arg arg;
	__u64 lbs, src, dst, len;
	int bad;
};

FIXTURE_SETUP(invalid)
{
	BC_SETUP(BASE, LEN);
	ASSERT_EQ(0, bc_win_init(&self->end, &self->dev, self->dev.size - BC_MIB, BC_MIB));
	self->lbs = self->dev.lbs;
	self->src = BASE + 64 * BC_KIB;
	self->dst = BASE + LEN / 2;
	self->len = 16 * self->lbs;
	self->ext[0] = (struct blk_copy_extent){ self->src, self->len };
	self->ext[1] = (struct blk_copy_extent){ self->src + 2 * self->len, self->len };
	self->arg = (struct blk_copy_arg){
		.src_fd = self->dev.fd,
		.dst_offset = self->dst,
		.extents = (uintptr_t)self->ext,
		.nr_extents = 1,
	};
	ASSERT_EQ(0, bc_mark());
}

/* Nothing at all may have happened, whatever was asked for. */
FIXTURE_TEARDOWN(invalid)
{
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&self->win));
	EXPECT_EQ(0, bc_win_check(&self->end));
	bc_win_free(&self->win);
	bc_win_free(&self->end);
	bc_close(&self->dev);
}

static int refuse(int fd, struct blk_copy_arg arg, int err, const char *what)
{
	struct bc_result r = { 0 };

	arg.copied = BC_POISON;
	if (ioctl(fd, BLKCOPY, &arg))
		r.err = errno;
	/* A file that is no block device knows nothing of the argument. */
	r.copied = err == ENOTTY && arg.copied == BC_POISON ? 0 : arg.copied;
	return bc_refused(r, err, what);
}

#define REFUSE(err, what) EXPECT_EQ(0, refuse(self->dev.fd, self->arg, err, what))

TEST_F(invalid, the_right_argument_is_refused_by_no_test_below)
{
	struct blk_copy_arg arg = self->arg;

	arg.nr_extents = 2;
	EXPECT_EQ(0, ioctl(self->dev.fd, BLKCOPY, &arg));
	EXPECT_EQ(2 * self->len, arg.copied);
	bc_win_copied(&self->win, self->dst, &self->win, self->ext, 2, ~0ULL);
	EXPECT_EQ(0, bc_mark());
}

TEST_F(invalid, wrong_mode_or_descriptor)
{
	int rd = open(self->dev.path, O_RDONLY | O_CLOEXEC);
	int wr = open(self->dev.path, O_WRONLY | O_CLOEXEC);
	int path = open(self->dev.path, O_PATH | O_CLOEXEC);

	ASSERT_LE(0, rd);
	ASSERT_LE(0, wr);
	ASSERT_LE(0, path);
	EXPECT_EQ(0, refuse(rd, self->arg, EBADF, "destination open for reading only"));
	self->arg.src_fd = wr;
	REFUSE(EBADF, "source open for writing only");
	self->arg.src_fd = -1;
	REFUSE(EBADF, "source descriptor -1");
	self->arg.src_fd = 12345;
	REFUSE(EBADF, "source descriptor that is not open");
	self->arg.src_fd = path;
	REFUSE(EBADF, "source opened with O_PATH");
	close(path);
	close(wr);
	close(rd);
}

TEST_F(invalid, not_a_block_device)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int file = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	int pipes[2];

	ASSERT_LE(0, null);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, BASE + LEN));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(0, refuse(null, self->arg, ENOTTY, "destination is /dev/null"));
	EXPECT_EQ(0, refuse(file, self->arg, ENOTTY, "destination is a regular file"));
	EXPECT_EQ(0, refuse(pipes[1], self->arg, ENOTTY, "destination is a pipe"));
	self->arg.src_fd = null;
	REFUSE(ENOTBLK, "source is /dev/null");
	self->arg.src_fd = file;
	REFUSE(ENOTBLK, "source is a regular file");
	self->arg.src_fd = pipes[0];
	REFUSE(ENOTBLK, "source is a pipe");
	close(pipes[0]);
	close(pipes[1]);
	close(file);
	close(null);
}

TEST_F(invalid, bad_pointers)
{
	struct blk_copy_extent *edge;
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + 4096, 4096));
	EXPECT_EQ(-1, ioctl(self->dev.fd, BLKCOPY, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->dev.fd, BLKCOPY, map + 4096));
	EXPECT_EQ(EFAULT, errno);
	/* Only the first half of the argument is there. */
	memcpy(map + 4096 - 32, &self->arg, 32);
	EXPECT_EQ(-1, ioctl(self->dev.fd, BLKCOPY, map + 4096 - 32));
	EXPECT_EQ(EFAULT, errno);

	/* Where the result cannot be written nothing may be copied. */
	memcpy(map, &self->arg, sizeof(self->arg));
	ASSERT_EQ(0, mprotect(map, 4096, PROT_READ));
	EXPECT_EQ(-1, ioctl(self->dev.fd, BLKCOPY, map));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, mprotect(map, 4096, PROT_READ | PROT_WRITE));

	self->arg.extents = 0;
	REFUSE(EFAULT, "extents at NULL");
	self->arg.extents = (uintptr_t)(map + 4096);
	REFUSE(EFAULT, "extents not mapped");
	self->arg.extents = ~0ULL - 15;
	REFUSE(EFAULT, "extents at the end of the address space");
	self->arg.extents = 1ULL << 63;
	REFUSE(EFAULT, "extents in kernel space");
	/* The first extent is there and right, the second is not. */
	edge = (struct blk_copy_extent *)(map + 4096) - 1;
	*edge = self->ext[0];
	self->arg.extents = (uintptr_t)edge;
	self->arg.nr_extents = 2;
	REFUSE(EFAULT, "second extent not mapped");
	munmap(map, 4096);
}

TEST_F(invalid, nonzero_flags_and_reserved_fields)
{
	struct blk_copy_arg right = self->arg;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		self->arg.flags = 1U << i;
		REFUSE(EINVAL, "a flag");
	}
	self->arg = right;
	self->arg.reserved0 = 1;
	REFUSE(EINVAL, "reserved0");
	for (i = 0; i < 3; i++) {
		self->arg = right;
		self->arg.reserved[i] = 1ULL << 63;
		REFUSE(EINVAL, "a reserved field");
	}
}

TEST_F(invalid, number_of_extents)
{
	static struct blk_copy_extent many[BLKCOPY_MAX_EXTENTS + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct blk_copy_extent){ self->src, self->lbs };
	self->arg.extents = (uintptr_t)many;
	self->arg.nr_extents = 0;
	REFUSE(EINVAL, "no extents");
	self->arg.nr_extents = BLKCOPY_MAX_EXTENTS + 1;
	REFUSE(E2BIG, "one extent too many");
	self->arg.nr_extents = 1U << 28;
	REFUSE(E2BIG, "extents of 4 GiB");
	self->arg.nr_extents = ~0U;
	REFUSE(E2BIG, "as many extents as there are");
}

TEST_F(invalid, zero_length)
{
	self->ext[0].length = 0;
	REFUSE(EINVAL, "an extent without length");
	self->ext[0].length = self->len;
	self->ext[1].length = 0;
	self->arg.nr_extents = 2;
	REFUSE(EINVAL, "a second extent without length");
}

TEST_F(invalid, unaligned)
{
	const __u64 odd[] = { 1, self->lbs / 2, self->lbs - 1, self->lbs + 1, 511 };
	unsigned int i, second;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		self->arg.dst_offset = self->dst + odd[i];
		REFUSE(EINVAL, "unaligned destination");
		self->arg.dst_offset = self->dst;
		for (second = 0; second < 2; second++) {
			self->arg.nr_extents = 1 + second;
			self->ext[second].offset += odd[i];
			REFUSE(EINVAL, "unaligned source");
			self->ext[second].offset -= odd[i];
			self->ext[second].length = odd[i];
			REFUSE(EINVAL, "unaligned short length");
			self->ext[second].length = self->len + odd[i];
			REFUSE(EINVAL, "unaligned length");
			self->ext[second].length = self->len;
		}
	}
	/* Two wrongs that add up to whole blocks. */
	self->ext[0].length = self->len - 1;
	self->ext[1].length = self->len + 1;
	self->arg.nr_extents = 2;
	REFUSE(EINVAL, "unaligned lengths with an aligned sum");
}

TEST_F(invalid, beyond_the_end)
{
	__u64 size = self->dev.size, second;

	self->arg.dst_offset = size - self->len + self->lbs;
	REFUSE(EINVAL, "destination ends a block past the end");
	self->arg.dst_offset = size;
	REFUSE(EINVAL, "destination at the end");
	self->arg.dst_offset = size + BC_GIB;
	REFUSE(EINVAL, "destination past the end");
	self->arg.dst_offset = 1ULL << 62;
	REFUSE(EINVAL, "destination at 4 EiB");
	self->arg.dst_offset = self->dst;
	for (second = 0; second < 2; second++) {
		self->arg.nr_extents = 1 + second;
		self->ext[second].offset = size - self->len + self->lbs;
		REFUSE(EINVAL, "source ends a block past the end");
		self->ext[second].offset = size;
		REFUSE(EINVAL, "source at the end");
		self->ext[second].offset = 1ULL << 62;
		REFUSE(EINVAL, "source at 4 EiB");
		self->ext[second].offset = self->src;
		self->ext[second].length = size - self->src + self->lbs;
		REFUSE(EINVAL, "source longer than the device");
		self->ext[second].length = self->len;
	}
	/* The sum of the lengths passes the end, no extent does. */
	self->arg.dst_offset = size - self->len;
	self->arg.nr_extents = 2;
	REFUSE(EINVAL, "second extent would be written past the end");
}

TEST_F(invalid, overflow)
{
	__u64 top = 0 - self->lbs;	/* the last block of 64 bits */
	unsigned int second;

	for (second = 0; second < 2; second++) {
		struct blk_copy_extent right = self->ext[second];

		self->arg.nr_extents = 1 + second;
		self->ext[second] = (struct blk_copy_extent){ top, 2 * self->lbs };
		REFUSE(EINVAL, "source offset + length overflows");
		self->ext[second] = (struct blk_copy_extent){ self->src, top };
		REFUSE(EINVAL, "source length overflows");
		self->ext[second] = (struct blk_copy_extent){ self->src, 1ULL << 63 };
		REFUSE(EINVAL, "negative length");
		self->ext[second] = (struct blk_copy_extent){ 1ULL << 63, self->lbs };
		REFUSE(EINVAL, "negative offset");
		self->ext[second] = right;
	}
	self->arg.dst_offset = top;
	REFUSE(EINVAL, "destination + length overflows");
	self->arg.dst_offset = 1ULL << 63;
	REFUSE(EINVAL, "negative destination");
	self->arg.dst_offset = self->dst;
	/* Lengths whose sum, cut to 64 bits, is small. */
	self->arg.nr_extents = 2;
	self->ext[0].length = 1ULL << 63;
	self->ext[1].length = (1ULL << 63) + self->len;
	REFUSE(EINVAL, "sum of the lengths overflows");
}

TEST_F(invalid, overlap)
{
	__u64 block = self->lbs, len = self->len, dst = self->dst;
	const struct {
		__u64 src, len;
		const char *what;
	} shapes[] = {
		{ dst, len, "the same place" },
		{ dst - block, len, "overlap at the beginning" },
		{ dst - len + block, len, "overlap of the first block" },
		{ dst + block, len, "overlap at the end" },
		{ dst + len - block, len, "overlap of the last block" },
	};
	unsigned int i, second;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		self->arg.nr_extents = 1;
		self->ext[0] = (struct blk_copy_extent){ shapes[i].src, shapes[i].len };
		REFUSE(EINVAL, shapes[i].what);
	}
	/* One inside the other takes a second extent, elsewhere. */
	for (second = 0; second < 2; second++) {
		self->arg.nr_extents = 2;
		self->ext[!second] = (struct blk_copy_extent){ self->src, len };
		self->ext[second] = (struct blk_copy_extent){ dst + 3 * block, block };
		REFUSE(EINVAL, "source inside the destination");
		self->ext[second] = (struct blk_copy_extent){ dst - block, 4 * len };
		REFUSE(EINVAL, "source around the beginning of the destination");
		/* Beside the place of its own data, in that of the other extent. */
		self->ext[second] = (struct blk_copy_extent){ dst + (second ? 0 : len), len };
		REFUSE(EINVAL, "source where another extent goes");
	}
}

/* All is checked before anything is copied: the last of many is wrong. */
TEST_F(invalid, last_of_many_extents)
{
	static struct blk_copy_extent many[BLKCOPY_MAX_EXTENTS];
	struct blk_copy_extent *last = &many[BLKCOPY_MAX_EXTENTS - 1], right;
	unsigned int i;

	for (i = 0; i < BLKCOPY_MAX_EXTENTS; i++)
		many[i] = (struct blk_copy_extent){ self->src + i % 16 * self->lbs, self->lbs };
	self->arg.dst_offset = BASE + LEN / 2;
	self->arg.extents = (uintptr_t)many;
	self->arg.nr_extents = BLKCOPY_MAX_EXTENTS;
	right = *last;
	last->offset += self->lbs / 2;
	REFUSE(EINVAL, "unaligned offset");
	*last = right;
	last->length = self->lbs / 2;
	REFUSE(EINVAL, "unaligned length");
	last->length = 0;
	REFUSE(EINVAL, "no length");
	*last = right;
	last->offset = self->dev.size;
	REFUSE(EINVAL, "source at the end");
	last->offset = self->arg.dst_offset;
	REFUSE(EINVAL, "overlap");
}

TEST_HARNESS_MAIN
