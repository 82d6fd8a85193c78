// SPDX-License-Identifier: GPL-2.0
/*
 * Copies on partitions that start at odd sectors: sources and destination
 * are places on the partitions, the model and all checks are on the disk.
 */
#include "blkcopy_test.h"
#include "watch.h"

#define LEN	(2 * BC_MIB)
#define GUARD	(32 * BC_KIB)
#define COPY	(100 * BC_KIB)

FIXTURE(partitions) {
	struct bc_dev disk, p1, p2;
	struct bc_win w1, w2;	/* from before the start of p1 and of p2, on the disk */
	__u64 gap;		/* between them */
};

BC_IFACE_VARIANTS(partitions);

FIXTURE_SETUP(partitions)
{
	BC_REQUIRE(bc_open(&self->disk, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->p1, "COPY_PART1"));
	BC_REQUIRE(bc_open(&self->p2, "COPY_PART2"));
	BC_REQUIRE(bc_need_copy(&self->disk));
	ASSERT_EQ(0, bc_win_init(&self->w1, &self->disk, self->p1.start - GUARD, LEN));
	/* What lies between the two is the guard of both. */
	self->gap = self->p2.start - self->p1.start - self->p1.size;
	if (self->p2.start < self->p1.start + self->p1.size || !self->gap)
		SKIP(return, "COPY_PART2 must begin behind COPY_PART1, with a gap");
	if (self->gap > GUARD)
		self->gap = GUARD;
	ASSERT_EQ(0, bc_win_init(&self->w2, &self->disk, self->p2.start - self->gap, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(partitions)
{
	EXPECT_EQ(0, bc_win_check(&self->w1));
	EXPECT_EQ(0, bc_win_check(&self->w2));
	bc_win_free(&self->w1);
	bc_win_free(&self->w2);
	bc_close(&self->p1);
	bc_close(&self->p2);
	bc_close(&self->disk);
}

/* Offsets are on @dst and @src; the windows are on the disk. */
static int copy(enum bc_iface iface, struct bc_win *dw, struct bc_dev *dst, __u64 dst_off,
		struct bc_win *sw, struct bc_dev *src, __u64 src_off, __u64 len)
{
	struct blk_copy_extent ext = { src_off, len }, on_disk = { src->start + src_off, len };
	struct bc_bound bound = bc_bound_for(iface, dw->dev, &ext, 1);
	struct bc_result r;

	if (bc_mark())
		return -1;
	r = bc_copy(iface, dst->fd, dst_off, src->fd, &ext, 1);
	if (r.err || r.copied != len) {
		bc_log("%s+%llu to %s+%llu, %llu bytes: %s, %llu bytes reported", src->path,
		       src_off, dst->path, dst_off, len, r.err ? strerror(r.err) : "no error",
		       r.copied);
		return -1;
	}
	bc_win_copied(dw, dst->start + dst_off, sw, &on_disk, 1, len);
	return bc_expect_counts(&bound) ?: bc_win_check(dw) ?: bc_win_check(sw);
}

static int refused(enum bc_iface iface, struct bc_dev *dst, __u64 dst_off, struct bc_dev *src,
		   __u64 src_off, __u64 len, int err, const char *what)
{
	struct blk_copy_extent ext = { src_off, len };

	return bc_refused(bc_copy(iface, dst->fd, dst_off, src->fd, &ext, 1), err, what);
}

TEST_F(partitions, from_one_to_the_other)
{
	EXPECT_EQ(0, copy(variant->iface, &self->w2, &self->p2, 600 * BC_KIB,
			  &self->w1, &self->p1, 300 * BC_KIB, COPY));
	EXPECT_EQ(0, copy(variant->iface, &self->w1, &self->p1, 0,
			  &self->w2, &self->p2, 512, COPY));
	EXPECT_EQ(0, copy(variant->iface, &self->w2, &self->p2, 0,
			  &self->w1, &self->p1, 0, COPY));
}

TEST_F(partitions, within_one)
{
	EXPECT_EQ(0, copy(variant->iface, &self->w1, &self->p1, 700 * BC_KIB,
			  &self->w1, &self->p1, 0, COPY));
	EXPECT_EQ(0, copy(variant->iface, &self->w2, &self->p2, 700 * BC_KIB,
			  &self->w2, &self->p2, 1024, 512));
}

TEST_F(partitions, between_partition_and_disk)
{
	EXPECT_EQ(0, copy(variant->iface, &self->w1, &self->p1, 600 * BC_KIB,
			  &self->w2, &self->disk, self->p2.start + 512, COPY));
	EXPECT_EQ(0, copy(variant->iface, &self->w2, &self->disk, self->p2.start + BC_MIB,
			  &self->w1, &self->p1, 1024, COPY));
	/* To touching places of one partition, named in two ways. */
	EXPECT_EQ(0, copy(variant->iface, &self->w1, &self->disk, self->p1.start + COPY,
			  &self->w1, &self->p1, 0, COPY));
}

/* Several extents, each of which has to be remapped. */
TEST_F(partitions, several_extents)
{
	struct blk_copy_extent ext[20], on_disk[20];
	struct bc_bound bound;
	struct bc_result r;
	int i;

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	for (i = 0; i < 20; i++) {
		ext[i] = (struct blk_copy_extent){ (20 - i) * 9 * 512, (1 + i % 8) * 512 };
		on_disk[i] = ext[i];
		on_disk[i].offset += self->p1.start;
	}
	bound = bc_bound_for(BC_IOCTL, &self->disk, ext, 20);
	r = bc_copy(BC_IOCTL, self->p2.fd, 5 * 512, self->p1.fd, ext, 20);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(bc_total(ext, 20), r.copied);
	EXPECT_EQ(0, bc_expect_counts(&bound));
	bc_win_copied(&self->w2, self->p2.start + 5 * 512, &self->w1, on_disk, 20, ~0ULL);
}

TEST_F(partitions, up_to_the_last_block)
{
	__u64 end = self->p1.size, disk_end = self->p1.start + end;
	struct bc_win w;

	ASSERT_EQ(0, bc_win_init(&w, &self->disk, disk_end - BC_MIB, BC_MIB));
	EXPECT_EQ(0, copy(variant->iface, &w, &self->p1, end - COPY,
			  &self->w1, &self->p1, 0, COPY));
	EXPECT_EQ(0, copy(variant->iface, &self->w1, &self->p1, COPY,
			  &w, &self->p1, end - COPY / 2, COPY / 2));
	bc_win_free(&w);
}

/* Inside of the disk, but past the end of the partition. */
TEST_F(partitions, past_the_end_of_the_partition)
{
	__u64 end = self->p1.size;
	struct bc_win w;
	int err = variant->iface == BC_CFR ? ENOSPC : EINVAL;

	ASSERT_EQ(0, bc_win_init(&w, &self->disk, self->p1.start + end - BC_MIB, BC_MIB));
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(0, refused(variant->iface, &self->p1, end, &self->p1, 0, 512, err,
			     "destination right behind the partition"));
	if (variant->iface != BC_CFR) {
		EXPECT_EQ(0, refused(variant->iface, &self->p1, end - 512, &self->p1, 0, 1024, EINVAL,
				     "destination across the end"));
		EXPECT_EQ(0, refused(variant->iface, &self->p1, COPY, &self->p1, end, 512, EINVAL,
				     "source right behind the partition"));
		EXPECT_EQ(0, refused(variant->iface, &self->p1, COPY, &self->p1, end - 512, 1024, EINVAL,
				     "source across the end"));
	}
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&w));
	bc_win_free(&w);
}

/* One place, named through the partition and through the disk. */
TEST_F(partitions, overlap_through_the_disk)
{
	__u64 at = 64 * BC_KIB, on_disk = self->p1.start + at;

	EXPECT_EQ(0, refused(variant->iface, &self->disk, on_disk, &self->p1, at, COPY, EINVAL,
			     "partition to disk, the same place"));
	EXPECT_EQ(0, refused(variant->iface, &self->p1, at, &self->disk, on_disk, COPY, EINVAL,
			     "disk to partition, the same place"));
	EXPECT_EQ(0, refused(variant->iface, &self->disk, on_disk + COPY - 512, &self->p1, at, COPY,
			     EINVAL, "partition to disk, last block"));
	EXPECT_EQ(0, refused(variant->iface, &self->p1, at + 512 - COPY % 512, &self->disk,
			     on_disk - COPY + 1024, COPY, EINVAL,
			     "disk to partition, first block"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

/* The page caches of partition and disk are two: a file's own must be right. */
TEST_F(partitions, dirty_pages_of_the_partitions)
{
	__u64 off = 128 * BC_KIB, dst = 900 * BC_KIB + 512;
	struct blk_copy_extent ext = { off, COPY }, on_disk = { self->p1.start + off, COPY };
	char *buf = bc_alloc(COPY);
	struct bc_result r;

	bc_win_generate(&self->w1, buf, on_disk.offset, COPY);
	ASSERT_EQ((ssize_t)COPY, pwrite(self->p1.bfd, buf, COPY, off));
	bc_win_generate(&self->w2, buf, self->p2.start + dst, COPY);
	ASSERT_EQ((ssize_t)COPY, pwrite(self->p2.bfd, buf, COPY, dst));
	r = bc_copy(variant->iface, self->p2.bfd, dst, self->p1.bfd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(COPY, r.copied);
	bc_win_copied(&self->w2, self->p2.start + dst, &self->w1, &on_disk, 1, COPY);
	ASSERT_EQ((ssize_t)COPY, pread(self->p2.bfd, buf, COPY, dst));
	EXPECT_EQ(0, bc_check_buf(&self->w2, buf, self->p2.start + dst, COPY));
	EXPECT_EQ(0, fsync(self->p1.bfd));
	EXPECT_EQ(0, fsync(self->p2.bfd));
	free(buf);
}

/* The trace names the partitions, and counts sectors from the start of the disk. */
TEST_F(partitions, traced)
{
	__u64 b = self->disk.lbs, from = 10 * b, to = 3 * b, len = 7 * b;
	unsigned int smaj, smin, dmaj, dmin;
	char want[256], line[1024];

	if (!bc_tracefs() || bc_trace_set("events/block/block_copy/enable", "1"))
		SKIP(return, "there is no tracepoint block_copy, or no tracefs");
	bc_trace_set("trace", "");
	EXPECT_EQ(0, copy(variant->iface, &self->w2, &self->p2, to, &self->w1, &self->p1, from,
			  len));
	bc_trace_set("events/block/block_copy/enable", "0");
	bc_dev_number(&self->p1, &smaj, &smin);
	bc_dev_number(&self->p2, &dmaj, &dmin);
	snprintf(want, sizeof(want), "block_copy: %u,%u WCS %llu + %llu <- (%u,%u) %llu 1 [", dmaj,
		 dmin, (self->p2.start + to) / BC_SECTOR, len / BC_SECTOR, smaj, smin,
		 (self->p1.start + from) / BC_SECTOR);
	EXPECT_EQ(1, bc_traced(want, "", line, sizeof(line)))
		TH_LOG("not in the trace: %s", want);
}

TEST_HARNESS_MAIN
