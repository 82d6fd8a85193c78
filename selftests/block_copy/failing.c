// SPDX-License-Identifier: GPL-2.0
/*
 * A drive that cannot write one sector (COPY_FAIL_OFFSET), in the middle of a
 * destination: the error is reported, with the bytes before it that surely
 * were copied, and nothing outside of the destination changes.
 */
#include "blkcopy_test.h"

#define SRC	(64 * BC_MIB)
#define SIDE	(2 * BC_MIB)

FIXTURE(failing) {
	struct bc_dev dev;
	struct bc_win src, dst;
	__u64 fail, fail_len;
};

BC_IFACE_VARIANTS(failing);

/* The window of the destination, but for the sectors that cannot be written. */
FIXTURE_SETUP(failing)
{
	const char *offset = getenv("COPY_FAIL_OFFSET"), *bytes = getenv("COPY_FAIL_BYTES");
	__u64 behind;

	BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev));
	if (!offset || !bytes)
		SKIP(return, "COPY_FAIL_OFFSET and COPY_FAIL_BYTES name no sector that fails");
	self->fail = strtoull(offset, NULL, 0);
	self->fail_len = strtoull(bytes, NULL, 0);
	behind = self->fail + self->fail_len;
	ASSERT_EQ(0, bc_win_init(&self->src, &self->dev, SRC, 2 * SIDE));
	ASSERT_EQ(0, bc_win_init_zero(&self->dst, &self->dev, self->fail - SIDE, 2 * SIDE));
	ASSERT_EQ(0, bc_win_write(&self->dst, self->dev.fd, self->fail - SIDE, SIDE));
	ASSERT_EQ(0, bc_win_write(&self->dst, self->dev.fd, behind,
				  self->dst.base + self->dst.len - behind));
	bc_log("the write of sector %llu fails", self->fail / BC_SECTOR);
}

FIXTURE_TEARDOWN(failing)
{
	bc_win_free(&self->src);
	bc_win_free(&self->dst);
	bc_close(&self->dev);
}

static int check(struct bc_win *src, struct bc_win *dst, __u64 fail, __u64 fail_len)
{
	int fd = dst->dev->fd;

	return bc_win_check(src) ?:
	       bc_win_check_range(dst, fd, dst->base, fail - dst->base) ?:
	       bc_win_check_range(dst, fd, fail + fail_len,
				  dst->base + dst->len - fail - fail_len);
}

/* The bytes in full commands before the one that holds byte @fail. */
static __u64 sure_bytes(struct bc_dev *dev, const struct blk_copy_extent *ext, __u32 nr,
			__u64 fail)
{
	__u64 bytes = 0, ranges = 0, done = 0, sure = 0;
	__u32 i;

	for (i = 0; i < nr; i++) {
		__u64 left = ext[i].length, piece;

		for (; left; left -= piece) {
			if (bytes == dev->lim.max_bytes || ranges == dev->lim.max_extents) {
				sure = done;
				bytes = 0;
				ranges = 0;
			}
			piece = left;
			if (piece > dev->lim.max_extent_bytes)
				piece = dev->lim.max_extent_bytes;
			if (piece > dev->lim.max_bytes - bytes)
				piece = dev->lim.max_bytes - bytes;
			bytes += piece;
			ranges++;
			done += piece;
			if (done > fail)
				return sure;
		}
	}
	return done;
}

/* Copies so that the sector that fails is @before bytes into the destination. */
static int fail_after(struct bc_dev *dev, struct bc_win *src, struct bc_win *dst, __u64 fail,
		      __u64 fail_len, enum bc_iface iface, __u64 before,
		      const struct blk_copy_extent *ext, __u32 nr)
{
	__u64 sure = sure_bytes(dev, ext, nr, before);
	struct bc_result r = bc_copy(iface, dev->fd, fail - before, dev->fd, ext, nr);
	bool want = iface != BC_CFR || !sure;

	bc_log("failing byte %llu of %llu: %llu bytes reported, %s", before, bc_total(ext, nr),
	       r.copied, r.err ? strerrorname_np(r.err) : "no error");
	/* As for a write: drives that tell a medium error apart get ENODATA. */
	if (want ? r.err != EIO && r.err != ENODATA : r.err) {
		bc_log("must be %s", want ? "an I/O error" : "a short count without an error");
		return -1;
	}
	if (r.copied < sure || r.copied > before) {
		bc_log("must report %llu bytes; at most %llu if ranges of that command count",
		       sure, before);
		return -1;
	}
	return bc_win_partly_copied(dst, fail - before, src, ext, nr, r.copied) ?:
	       check(src, dst, fail, fail_len);
}

#define FAIL_AFTER(before, ext, nr)						\
	EXPECT_EQ(0, fail_after(&self->dev, &self->src, &self->dst, self->fail,	\
				self->fail_len, variant->iface, before, ext, nr))

/* Nothing was copied: an error, and never 0 bytes without one. */
TEST_F(failing, first_command)
{
	struct blk_copy_extent ext = { SRC, 4 * BC_KIB };

	FAIL_AFTER(0, &ext, 1);
}

TEST_F(failing, middle_of_the_first_command)
{
	struct blk_copy_extent ext = { SRC + 512, 16 * BC_KIB };

	FAIL_AFTER(8 * BC_KIB, &ext, 1);
}

TEST_F(failing, first_of_many_commands)
{
	struct blk_copy_extent ext = { SRC + 1024, 1 * BC_MIB };

	FAIL_AFTER(BC_KIB, &ext, 1);
}

TEST_F(failing, middle_of_many_commands)
{
	struct blk_copy_extent ext = { SRC + 1536, SIDE };

	FAIL_AFTER(BC_MIB + 512, &ext, 1);
}

TEST_F(failing, start_of_a_later_command)
{
	struct blk_copy_extent ext = { SRC, 1 * BC_MIB };

	FAIL_AFTER(3 * self->dev.lim.max_bytes, &ext, 1);
}

TEST_F(failing, last_block_of_a_command)
{
	struct blk_copy_extent ext = { SRC, 1 * BC_MIB };

	FAIL_AFTER(3 * self->dev.lim.max_bytes - 512, &ext, 1);
}

TEST_F(failing, last_block_of_the_copy)
{
	struct blk_copy_extent ext = { SRC, 1 * BC_MIB };

	FAIL_AFTER(BC_MIB - 512, &ext, 1);
}

/* Commands of many ranges: the prefix must not count ranges that failed. */
static void many_ranges(struct blk_copy_extent *ext, __u32 nr)
{
	__u32 i;

	for (i = 0; i < nr; i++)
		ext[i] = (struct blk_copy_extent){ SRC + (nr - i) * 6 * 512, (1 + i % 5) * 512 };
}

TEST_F(failing, first_command_of_many_ranges)
{
	struct blk_copy_extent ext[100];

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	many_ranges(ext, 100);
	FAIL_AFTER(20 * BC_KIB, ext, 100);
}

TEST_F(failing, later_command_of_many_ranges)
{
	struct blk_copy_extent ext[100];

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	many_ranges(ext, 100);
	FAIL_AFTER(100 * BC_KIB, ext, 100);
}

TEST_F(failing, next_copy_elsewhere_works)
{
	struct blk_copy_extent ext = { SRC, 1 * BC_MIB };

	FAIL_AFTER(512 * BC_KIB, &ext, 1);
	EXPECT_EQ(0, bc_step(&self->src, variant->iface, SRC + SIDE, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->src));
}

TEST_HARNESS_MAIN
