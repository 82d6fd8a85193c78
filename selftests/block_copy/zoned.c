// SPDX-License-Identifier: GPL-2.0
/*
 * Copies to zones, of the machine's drive and of drives that null_blk makes: they
 * land at the write pointer, or fail as a write does and leave the zone usable.
 */
#include <linux/blkzoned.h>

#include "blkcopy_test.h"
#include "nullb.h"

#define SIZE	(2 * BC_MIB)	/* of what is written to the source's zone */

FIXTURE(zoned) {
	struct bc_nullb n;
	struct bc_dev *dev, drive;
	struct bc_win src, dst;
	__u64 zone, capacity;
	__u64 to;		/* the first of two empty zones */
};

FIXTURE_VARIANT(zoned) {
	const char *attrs;	/* of null_blk, NULL: COPY_DEV */
};

#define NULL_ZONED	"memory_backed=1 zoned=1 size=64 zone_size=4 "

FIXTURE_VARIANT_ADD(zoned, drive) { .attrs = NULL };
FIXTURE_VARIANT_ADD(zoned, null) {
	.attrs = NULL_ZONED "copy_max_bytes=35840 copy_max_extent_bytes=10240 copy_max_extents=5",
};
FIXTURE_VARIANT_ADD(zoned, null_without_append) {
	.attrs = NULL_ZONED "blocksize=4096 zone_append_max_sectors=0 copy_max_bytes=1048576 "
			    "copy_max_extent_bytes=0 copy_max_extents=0",
};

FIXTURE_SETUP(zoned)
{
	struct bc_zone zone;

	if (variant->attrs) {
		BC_REQUIRE(bc_nullb_make(&self->n, "nullb_zoned", variant->attrs));
		self->dev = &self->n.dev;
	} else {
		BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
		self->dev = &self->drive;
	}
	BC_REQUIRE(bc_need_copy(self->dev));
	ASSERT_EQ(0, bc_zone_reset_all(self->dev));
	ASSERT_EQ(0, bc_zone_get(self->dev, 0, &zone));
	self->zone = zone.len;
	self->capacity = zone.capacity;
	self->to = 4 * zone.len;
	ASSERT_EQ(0, bc_win_init(&self->src, self->dev, 0, SIZE));
	ASSERT_EQ(0, bc_win_init_zero(&self->dst, self->dev, self->to, self->zone + SIZE));
}

FIXTURE_TEARDOWN(zoned)
{
	EXPECT_EQ(0, bc_win_check(&self->src));
	EXPECT_EQ(0, bc_zone_expect(self->dev, 0, SIZE));
	bc_win_free(&self->src);
	bc_win_free(&self->dst);
	if (self->n.name[0])
		bc_nullb_remove(&self->n);
	else
		bc_close(&self->drive);
}

/* One copy that must succeed; @written is the zone's write pointer, moved. */
static int append(struct bc_win *dst, struct bc_win *src, __u64 *written,
		  const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_dev *dev = dst->dev;
	int bad;

	bad = bc_step2(dst, dev->fd, src, dev->fd, BC_IOCTL, dst->base + *written, ext, nr);
	*written += bc_total(ext, nr);
	bad |= bc_zone_expect(dev, dst->base, *written);
	return bad | bc_win_check_range(dst, dev->fd, dst->base, *written);
}

static struct bc_result try(struct bc_dev *dev, __u64 to, __u64 from, __u64 len)
{
	struct blk_copy_extent ext = { from, len };

	return bc_copy(BC_IOCTL, dev->fd, to, dev->fd, &ext, 1);
}

/* Writes, not copies, the first @len bytes of the zone of the destination. */
static int fill(struct bc_win *dst, __u64 len)
{
	return bc_win_write(dst, dst->dev->fd, dst->base, len);
}

TEST_F(zoned, lands_at_the_write_pointer)
{
	__u32 lbs = self->dev->lbs, i;
	struct blk_copy_extent ext[9];
	__u64 written = 0;

	ext[0] = (struct blk_copy_extent){ 3 * lbs, lbs };
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, ext, 1));
	ext[0].length = 37 * lbs;
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, ext, 1));
	for (i = 0; i < 9; i++)
		ext[i] = (struct blk_copy_extent){ (40 * (8 - i) + i) * lbs, (i + 1) * lbs };
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, ext, 9));
	ext[0] = (struct blk_copy_extent){ lbs, SIZE - lbs };
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, ext, 1));
	/* a write, and a copy of what was copied, go on from there */
	EXPECT_EQ(0, bc_win_write(&self->dst, self->dev->fd, self->to + written, 5 * lbs));
	written += 5 * lbs;
	ext[0] = (struct blk_copy_extent){ self->to + lbs, 300 * lbs };
	EXPECT_EQ(0, append(&self->dst, &self->dst, &written, ext, 1));
}

TEST_F(zoned, copy_file_range_lands_there_too)
{
	struct blk_copy_extent ext = { 0, SIZE };

	EXPECT_EQ(0, bc_step2(&self->dst, self->dev->fd, &self->src, self->dev->fd, BC_CFR,
			      self->to, &ext, 1));
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, SIZE));
	EXPECT_EQ(0, bc_win_check_range(&self->dst, self->dev->fd, self->to, SIZE));
}

/* Anywhere else is an error, after which a report makes the zone usable again. */
TEST_F(zoned, nowhere_else)
{
	__u32 lbs = self->dev->lbs, i;
	const __u64 wrong[] = { 0, 7 * lbs, 9 * lbs, 64 * lbs, self->capacity - 8 * lbs };
	struct blk_copy_extent ext = { 0, 8 * lbs };
	__u64 written = 8 * lbs;

	ASSERT_EQ(0, fill(&self->dst, written));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct bc_result r = try(self->dev, self->to + wrong[i], 0, 8 * lbs);

		EXPECT_EQ(0, bc_refused(r, EIO, "a copy that is not at the write pointer"));
		EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, written));
		EXPECT_EQ(0, append(&self->dst, &self->src, &written, &ext, 1));
		/* the last one is right next to what is written now */
		if (i == 1)
			break;
	}
	for (i = 2; i < ARRAY_SIZE(wrong); i++) {
		struct bc_result r = try(self->dev, self->to + written + wrong[i] % self->capacity,
					 0, 8 * lbs);

		if (written + wrong[i] + 8 * lbs <= self->capacity)
			EXPECT_EQ(0, bc_refused(r, EIO, "a copy beyond the write pointer"));
		EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, written));
	}
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, &ext, 1));
	/* nothing ever got to the zone behind */
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to + self->zone, 0));
}

/* Many commands wait for each other in the plug, and are merged there. */
TEST_F(zoned, many_commands_to_a_zone)
{
	__u32 lbs = self->dev->lbs, i;
	struct blk_copy_extent ext[120];
	__u64 written = 0;

	ASSERT_EQ(0, bc_queue_write(self->dev, "copy_max_bytes", 5 * lbs));
	ASSERT_EQ(0, bc_queue_write(self->dev, "copy_max_extents", 2));
	ASSERT_EQ(0, bc_read_limits(self->dev));
	for (i = 0; i < 120; i++)
		ext[i] = (struct blk_copy_extent){ (i * 37 % 120 * 4) * lbs, (1 + i % 3) * lbs };
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, ext, 120));
	ext[0] = (struct blk_copy_extent){ 0, 203 * lbs };
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, ext, 1));
	EXPECT_EQ(0, bc_reset_limits(self->dev));
}

/* Both sides cross the end of a zone, at different places. */
TEST_F(zoned, across_zones)
{
	__u64 half = SIZE / 2, first = self->zone - half, edge = 2 * self->zone;
	struct blk_copy_extent ext = { edge - SIZE / 4 - 3 * self->dev->lbs, SIZE };
	struct bc_win from;
	struct bc_result r;

	if (self->capacity != self->zone)
		SKIP(return, "zones are not written to their ends");
	/* zones 1 and 2 as the source, zone 4 up to a megabyte before its end */
	ASSERT_EQ(0, bc_win_init(&from, self->dev, self->zone, 2 * self->zone));
	ASSERT_EQ(0, fill(&self->dst, first));
	ASSERT_EQ(0, bc_mark());
	r = bc_copy(BC_IOCTL, self->dev->fd, self->to + first, self->dev->fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(SIZE, r.copied);
	bc_win_copied(&self->dst, self->to + first, &from, &ext, 1, SIZE);
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, self->zone));
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to + self->zone, half));
	EXPECT_EQ(0, bc_win_check_range(&self->dst, self->dev->fd, self->to, first + SIZE));
	EXPECT_EQ(0, bc_win_check(&from));
	bc_win_free(&from);
}

TEST_F(zoned, a_full_zone)
{
	__u32 lbs = self->dev->lbs;
	__u64 next = self->to + self->zone;

	ASSERT_EQ(0, fill(&self->dst, lbs));
	ASSERT_EQ(0, bc_zone_finish(self->dev, self->to));
	EXPECT_EQ(0, bc_refused(try(self->dev, self->to, 0, lbs), EIO, "a full zone"));
	EXPECT_EQ(0, bc_refused(try(self->dev, self->to + lbs, 0, lbs), EIO, "a full zone"));
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, self->capacity));
	EXPECT_EQ(0, bc_zone_expect(self->dev, next, 0));
	ASSERT_EQ(0, bc_zone_reset(self->dev, self->to));
	EXPECT_EQ(0, try(self->dev, self->to, 0, lbs).err);
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, lbs));
}

/* What fits the zone is copied and reported; the next zone is not at its start. */
TEST_F(zoned, as_much_as_fits)
{
	__u64 room = 256 * BC_KIB, next = self->to + self->zone;
	struct blk_copy_extent ext = { 0, 2 * room };
	struct bc_result r;

	ASSERT_EQ(0, fill(&self->dst, self->capacity - room));
	ASSERT_EQ(0, bc_win_write(&self->dst, self->dev->fd, next, self->dev->lbs));
	r = bc_copy(BC_IOCTL, self->dev->fd, self->to + self->capacity - room, self->dev->fd,
		    &ext, 1);
	EXPECT_EQ(EIO, r.err);
	EXPECT_EQ(room / self->dev->lim.max_bytes * self->dev->lim.max_bytes,
		  r.copied / self->dev->lim.max_bytes * self->dev->lim.max_bytes);
	if (self->capacity == self->zone)
		EXPECT_EQ(room, r.copied);
	bc_win_copied(&self->dst, self->to + self->capacity - room, &self->src, &ext, 1, r.copied);
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, self->capacity - room + r.copied));
	EXPECT_EQ(0, bc_zone_expect(self->dev, next, self->dev->lbs));
	EXPECT_EQ(0, bc_win_check_range(&self->dst, self->dev->fd, self->to,
					self->capacity - room + r.copied));
	EXPECT_EQ(0, bc_win_check_range(&self->dst, self->dev->fd, next, self->dev->lbs));
}

/* A copy gets what a read gets, be it written or not. */
TEST_F(zoned, sources_above_the_write_pointer)
{
	__u64 len = 64 * BC_KIB;
	char *read = bc_alloc(len), *copied = bc_alloc(len);

	ASSERT_EQ(len, pread(self->dev->fd, read, len, SIZE - len / 2));
	EXPECT_EQ(0, try(self->dev, self->to, SIZE - len / 2, len).err);
	ASSERT_EQ(len, pread(self->dev->fd, copied, len, self->to));
	EXPECT_EQ(0, memcmp(read, copied, len));
	EXPECT_EQ(0, bc_zone_expect(self->dev, self->to, len));
	free(read);
	free(copied);
}

struct resetter {
	struct bc_dev *dev;
	__u64 zone, resets;
	volatile bool stop;
};

static void *reset_all_the_time(void *arg)
{
	struct resetter *r = arg;

	while (!r->stop) {
		if (bc_zone_reset(r->dev, r->zone))
			break;
		r->resets++;
		usleep(500);
	}
	return NULL;
}

/* Nobody may do that and expect data. But all of it ends, and nobody else suffers. */
TEST_F(zoned, reset_under_copies)
{
	struct resetter r = { .dev = self->dev, .zone = self->to };
	__u64 end = bc_now_ms() + 1500, good = 0, bad = 0, written = 0;
	struct blk_copy_extent ext = { 0, SIZE };
	struct bc_win next;
	pthread_t thread;

	ASSERT_EQ(0, bc_win_init(&next, self->dev, self->to + self->zone, 64 * BC_KIB));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reset_all_the_time, &r));
	while (bc_now_ms() < end) {
		struct bc_result res = try(self->dev, self->to, 0, SIZE);

		EXPECT_TRUE(!res.err || res.err == EIO);
		EXPECT_GE(SIZE, res.copied);
		if (res.err)
			bad++;
		else
			good++;
	}
	r.stop = true;
	pthread_join(thread, NULL);
	bc_log("%llu copies succeeded and %llu failed under %llu resets", good, bad, r.resets);
	EXPECT_LT(1, r.resets);
	EXPECT_LT(0, good + bad);
	ASSERT_EQ(0, bc_zone_reset(self->dev, self->to));
	EXPECT_EQ(0, append(&self->dst, &self->src, &written, &ext, 1));
	EXPECT_EQ(0, bc_zone_expect(self->dev, next.base, next.len));
	EXPECT_EQ(0, bc_win_check(&next));
	bc_win_free(&next);
}

TEST_HARNESS_MAIN
