// SPDX-License-Identifier: GPL-2.0
/*
 * blkdev_copy() says what is wrong with its arguments before anything is copied,
 * and takes what was copied off the extents.
 */
#include "copy_kunit.h"

static const struct fake_disk_conf sync_conf = {
	.max_sectors = 16, .max_extent_sectors = 8, .max_extents = 3,
	.partition = true,
};

/* A call that must not do anything, nor touch the extents. */
static void sync_refuses(struct kunit *test, struct copy_ctx *ctx,
			 struct block_device *dst, sector_t sector,
			 struct block_device *src,
			 const struct bio_copy_extent *ext, unsigned int nr,
			 int error)
{
	struct copy_sync *sync;

	sync = copy_sync_start(test, dst, sector, src, ext, nr);
	copy_sync_wait(test, sync);
	KUNIT_EXPECT_EQ_MSG(test, sync->ret, error, "%u extents to %llu", nr,
			    sector);
	KUNIT_EXPECT_EQ(test, sync->copied, 0ULL);
	if (nr)
		KUNIT_EXPECT_MEMEQ(test, sync->ext, ext, nr * sizeof(*ext));
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);
}

static void sync_no_extents(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct bio_copy_extent ext[3] = { { 0, 8 }, { 16, 0 }, { 32, 8 } };
	struct block_device *bdev = ctx->fake->bdev;

	sync_refuses(test, ctx, bdev, 64, bdev, ext, 0, -EINVAL);
	sync_refuses(test, ctx, bdev, 64, bdev, ext + 1, 1, -EINVAL);
	sync_refuses(test, ctx, bdev, 64, bdev, ext, 3, -EINVAL);
	sync_refuses(test, ctx, bdev, 64, bdev, ext, 2, -EINVAL);
}

static void sync_misaligned(struct kunit *test)
{
	static const struct fake_disk_conf conf = {
		.block_sectors = 8, .max_sectors = 64,
		.max_extent_sectors = 64, .max_extents = 8,
	};
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &conf);
	struct copy_ctx *fine = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext[2] = { };
	unsigned int i;

	for (i = 1; i < 8; i++) {
		ext[0] = (struct bio_copy_extent) { 0, 8 };
		sync_refuses(test, ctx, bdev, 64 + i, bdev, ext, 1, -EINVAL);
		ext[0] = (struct bio_copy_extent) { i, 8 };
		sync_refuses(test, ctx, bdev, 64, bdev, ext, 1, -EINVAL);
		ext[0] = (struct bio_copy_extent) { 0, 8 + i };
		ext[1] = (struct bio_copy_extent) { 32, 16 - i };
		sync_refuses(test, ctx, bdev, 64, bdev, ext, 1, -EINVAL);
		sync_refuses(test, ctx, bdev, 64, bdev, ext, 2, -EINVAL);
		/* blocks of the other device are larger */
		ext[0] = (struct bio_copy_extent) { i, 8 };
		sync_refuses(test, ctx, bdev, 64, fine->fake->bdev, ext, 1,
			     -EINVAL);
		ext[0] = (struct bio_copy_extent) { 0, 8 };
		sync_refuses(test, fine, fine->fake->bdev, 64 + i, bdev, ext,
			     1, -EINVAL);
	}
}

static void sync_beyond_the_end(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct block_device *bdev = ctx->fake->bdev, *part = ctx->fake->part;
	struct bio_copy_extent ext[2] = { { 0, 8 }, { 16, 8 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(copy_beyond); i++) {
		ext[0].sector = 0;
		sync_refuses(test, ctx, bdev, copy_beyond[i], bdev, ext, 1,
			     -EINVAL);
		ext[0].sector = copy_beyond[i];
		sync_refuses(test, ctx, bdev, 64, bdev, ext, 1, -EINVAL);
		ext[0].sector = 0;
		ext[1].sector = copy_beyond[i];
		sync_refuses(test, ctx, bdev, 64, bdev, ext, 2, -EINVAL);
	}

	/* the first extent fits the destination, both don't */
	ext[1].sector = 16;
	sync_refuses(test, ctx, bdev, FAKE_SECTORS - 15, bdev, ext, 2,
		     -EINVAL);
	ext[0].sector = FAKE_PART_SECTORS - 7;
	sync_refuses(test, ctx, bdev, 64, part, ext, 1, -EINVAL);
	ext[0].sector = 0;
	sync_refuses(test, ctx, part, FAKE_PART_SECTORS - 7, bdev, ext, 1,
		     -EINVAL);
}

static void sync_too_long(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct bio_copy_extent ext[2] = { { 0, U64_MAX }, { 0, 2 } };
	struct block_device *bdev = ctx->fake->bdev;

	sync_refuses(test, ctx, bdev, 64, bdev, ext, 1, -EINVAL);
	sync_refuses(test, ctx, bdev, 64, bdev, ext, 2, -EINVAL);
	ext[0].nr_sectors = FAKE_SECTORS;
	sync_refuses(test, ctx, bdev, 0, bdev, ext, 1, -EINVAL);
	ext[0].sector = 8;
	sync_refuses(test, ctx, bdev, 0, bdev, ext, 1, -EINVAL);
}

static void sync_overlapping(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct block_device *bdev = ctx->fake->bdev, *part = ctx->fake->part;
	struct bio_copy_extent ext[2] = { { 2000, 16 }, { 100, 16 } };
	int shift;

	for (shift = -15; shift <= 15; shift++)
		sync_refuses(test, ctx, bdev, 2000 + shift, bdev, ext, 1,
			     -EINVAL);
	/* the first extent overlaps where the second goes */
	sync_refuses(test, ctx, bdev, 1980, bdev, ext, 2, -EINVAL);
	sync_refuses(test, ctx, bdev, 2015, bdev, ext, 2, -EINVAL);
	sync_refuses(test, ctx, part, 2000 - FAKE_PART_START + 15, bdev, ext,
		     2, -EINVAL);
	ext[0].sector = 2000 - FAKE_PART_START;
	sync_refuses(test, ctx, bdev, 2015, part, ext, 1, -EINVAL);
}

/* Arguments that make no sense come before all other reasons. */
static void sync_read_only(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext = { 0, 8 };
	sector_t copied;

	set_disk_ro(ctx->fake->disk, true);
	sync_refuses(test, ctx, bdev, 64, bdev, &ext, 1, -EPERM);
	sync_refuses(test, ctx, bdev, 4, bdev, &ext, 1, -EINVAL);
	set_disk_ro(ctx->fake->disk, false);
	KUNIT_EXPECT_EQ(test, 0, copy_sync_run(test, bdev, 64, bdev, &ext, 1,
					       &copied));
}

static void sync_not_offered(struct kunit *test)
{
	static const struct fake_disk_conf none = { };
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct copy_ctx *not = copy_ctx_new(test, struct copy_ctx, &none);
	struct copy_ctx *other = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct bio_copy_extent ext = { 0, 8 };

	sync_refuses(test, not, not->fake->bdev, 64, not->fake->bdev, &ext, 1,
		     -EOPNOTSUPP);
	sync_refuses(test, not, not->fake->bdev, 4, not->fake->bdev, &ext, 1,
		     -EINVAL);
	sync_refuses(test, ctx, ctx->fake->bdev, 64, not->fake->bdev, &ext, 1,
		     -EOPNOTSUPP);
	sync_refuses(test, ctx, ctx->fake->bdev, 64, other->fake->bdev, &ext,
		     1, -EOPNOTSUPP);
	/* at the same sectors too: they aren't the same */
	sync_refuses(test, ctx, ctx->fake->bdev, 0, other->fake->bdev, &ext, 1,
		     -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, other->fake->nr_cmds, 0);

	fake_disk_set_limits(test, ctx->fake, 0, 0, 0);
	sync_refuses(test, ctx, ctx->fake->bdev, 64, ctx->fake->bdev, &ext, 1,
		     -EOPNOTSUPP);
}

/* An error that names a reason is reported as it is, with what was done. */
static void sync_status_of_the_device(struct kunit *test)
{
	static const struct {
		blk_status_t status;
		int error;
	} errors[] = {
		{ BLK_STS_NOTSUPP, -EOPNOTSUPP },
		{ BLK_STS_TIMEOUT, -ETIMEDOUT },
		{ BLK_STS_NOSPC, -ENOSPC },
		{ BLK_STS_TRANSPORT, -ENOLINK },
		{ BLK_STS_TARGET, -EREMOTEIO },
		{ BLK_STS_MEDIUM, -ENODATA },
		{ BLK_STS_PROTECTION, -EILSEQ },
		{ BLK_STS_IOERR, -EIO },
	};
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext = { 0, 12 };
	sector_t copied;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, 1, errors[i].status, 3);
		ret = copy_sync_run(test, bdev, 64, bdev, &ext, 1, &copied);
		KUNIT_EXPECT_EQ(test, ret, errors[i].error);
		KUNIT_EXPECT_EQ(test, copied, 3ULL);
		copy_model_copy(ctx->model, 64, &ext, 1, 3);
		copy_model_check(ctx->model);
	}
}

/* From and to a partition, of extents that are larger than any command. */
static void sync_partitions(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &sync_conf);
	struct block_device *bdev = ctx->fake->bdev, *part = ctx->fake->part;
	struct bio_copy_extent ext[2] = { { 5, 77 }, { 200, 33 } };
	struct bio_copy_extent abs[2] = {
		{ FAKE_PART_START + 5, 77 }, { FAKE_PART_START + 200, 33 },
	};
	sector_t copied;
	int ret;

	ret = copy_sync_run(test, bdev, 100, part, ext, 2, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, copied, 110ULL);
	copy_model_copy(ctx->model, 100, abs, 2, 110);
	copy_model_check(ctx->model);

	ret = copy_sync_run(test, part, 1000, part, ext, 2, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	copy_model_copy(ctx->model, FAKE_PART_START + 1000, abs, 2, 110);
	copy_model_check(ctx->model);

	ret = copy_sync_run(test, part, 500, bdev, ext, 2, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	copy_model_copy(ctx->model, FAKE_PART_START + 500, ext, 2, 110);
	copy_model_check(ctx->model);
}

/* Commands are made for the limits that there are now. */
static void sync_limits_change(struct kunit *test)
{
	static const struct fake_disk_conf conf = {
		.max_sectors = 2, .max_extent_sectors = 2, .max_extents = 1,
	};
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext = { 10, 600 };
	sector_t copied;
	int ret;

	ret = copy_sync_run(test, bdev, 2000, bdev, &ext, 1, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 300);
	copy_model_copy(ctx->model, 2000, &ext, 1, 600);

	/* two ranges of three sectors each */
	fake_disk_forget(ctx->fake);
	fake_disk_set_limits(test, ctx->fake, 7, 3, 2);
	ext.sector = 1000;
	ret = copy_sync_run(test, bdev, 3000, bdev, &ext, 1, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 100);
	copy_model_copy(ctx->model, 3000, &ext, 1, 600);
	copy_model_check(ctx->model);
}

static struct kunit_case copy_sync_cases[] = {
	KUNIT_CASE(sync_no_extents),
	KUNIT_CASE(sync_misaligned),
	KUNIT_CASE(sync_beyond_the_end),
	KUNIT_CASE(sync_too_long),
	KUNIT_CASE(sync_overlapping),
	KUNIT_CASE(sync_read_only),
	KUNIT_CASE(sync_not_offered),
	KUNIT_CASE(sync_status_of_the_device),
	KUNIT_CASE(sync_partitions),
	KUNIT_CASE(sync_limits_change),
	{}
};

struct kunit_suite copy_sync_suite = {
	.name = "copy_sync",
	.test_cases = copy_sync_cases,
};
