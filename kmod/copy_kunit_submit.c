// SPDX-License-Identifier: GPL-2.0
/*
 * Copies that make no sense end at submission, with the status that says why,
 * before the driver has seen anything.
 */
#include <linux/moduleparam.h>

#include "copy_kunit.h"

static bool misuse;
module_param(misuse, bool, 0444);
MODULE_PARM_DESC(misuse, "Ask for copies that cannot be, which the kernel warns of");

static const struct fake_disk_conf submit_conf = {
	.max_sectors = 64, .max_extent_sectors = 64, .max_extents = 8,
	.partition = true,
};

static const struct fake_disk_conf submit_4k_conf = {
	.block_sectors = 8,
	.max_sectors = 64, .max_extent_sectors = 64, .max_extents = 8,
};

/* A copy that the driver must not see. */
static void submit_fails(struct kunit *test, struct copy_ctx *ctx,
			 struct block_device *dst, sector_t sector,
			 struct block_device *src,
			 const struct bio_copy_extent *ext, unsigned int nr,
			 blk_status_t want)
{
	blk_status_t status;

	status = copy_async_run(test, dst, sector, src, ext, nr);
	COPY_EXPECT_STS_MSG(test, status, want,
			    "from %llu + %llu to %llu", ext->sector,
			    ext->nr_sectors, sector);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);
}

/* One that it must see. */
static void submit_works(struct kunit *test, struct copy_ctx *ctx,
			 struct block_device *dst, sector_t sector,
			 struct block_device *src,
			 const struct bio_copy_extent *ext)
{
	struct bio_copy_extent abs = {
		src->bd_start_sect + ext->sector, ext->nr_sectors,
	};
	blk_status_t status;

	status = copy_async_run(test, dst, sector, src, ext, 1);
	COPY_EXPECT_STS_MSG(test, status, BLK_STS_OK,
			    "from %llu + %llu to %llu", ext->sector,
			    ext->nr_sectors, sector);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 1);
	copy_model_copy(ctx->model, dst->bd_start_sect + sector, &abs, 1,
			ext->nr_sectors);
	copy_model_check(ctx->model);
	copy_model_reset(ctx->model);
}

static void submit_to_a_disk_that_cannot(struct kunit *test)
{
	static const struct fake_disk_conf confs[] = {
		{ },
		{ .max_extent_sectors = 8, .max_extents = 8 },
		{ .max_sectors = 8, .max_extents = 8 },
		{ .max_sectors = 8, .max_extent_sectors = 8 },
		/* less than a block is nothing */
		{ .block_sectors = 8, .max_sectors = 7,
		  .max_extent_sectors = 8, .max_extents = 8 },
		{ .block_sectors = 8, .max_sectors = 8,
		  .max_extent_sectors = 7, .max_extents = 8 },
	};
	struct bio_copy_extent ext = { 0, 8 };
	struct copy_ctx *ctx;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(confs); i++) {
		ctx = copy_ctx_new(test, struct copy_ctx, &confs[i]);
		KUNIT_EXPECT_EQ(test, bdev_max_copy_sectors(ctx->fake->bdev),
				0);
		submit_fails(test, ctx, ctx->fake->bdev, 64, ctx->fake->bdev,
			     &ext, 1, BLK_STS_NOTSUPP);
	}
}

static void submit_after_switching_off(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext = { 0, 8 };

	submit_works(test, ctx, bdev, 64, bdev, &ext);
	fake_disk_set_limits(test, ctx->fake, 0, 0, 0);
	submit_fails(test, ctx, bdev, 64, bdev, &ext, 1, BLK_STS_NOTSUPP);
	fake_disk_set_limits(test, ctx->fake, 64, 64, 8);
	submit_works(test, ctx, bdev, 64, bdev, &ext);
}

static void submit_misaligned(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_4k_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext[2] = { { 0, 8 } };
	unsigned int i;

	for (i = 1; i < 8; i++) {
		ext[0] = (struct bio_copy_extent) { 0, 8 };
		submit_fails(test, ctx, bdev, 64 + i, bdev, ext, 1,
			     BLK_STS_INVAL);
		ext[0] = (struct bio_copy_extent) { i, 8 };
		submit_fails(test, ctx, bdev, 64, bdev, ext, 1, BLK_STS_INVAL);
		ext[0] = (struct bio_copy_extent) { 0, 8 + i };
		submit_fails(test, ctx, bdev, 64, bdev, ext, 1, BLK_STS_INVAL);
		/* the sum is a multiple of the block, the extents are not */
		ext[0] = (struct bio_copy_extent) { 0, 8 + i };
		ext[1] = (struct bio_copy_extent) { 32, 16 - i };
		submit_fails(test, ctx, bdev, 64, bdev, ext, 2, BLK_STS_INVAL);
	}
	ext[0] = (struct bio_copy_extent) { 8, 16 };
	submit_works(test, ctx, bdev, 64, bdev, ext);
}

static void submit_beyond_the_end(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext[2] = { { 0, 8 }, { 16, 8 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(copy_beyond); i++) {
		ext[0].sector = 0;
		submit_fails(test, ctx, bdev, copy_beyond[i], bdev, ext, 1,
			     BLK_STS_IOERR);
		ext[0].sector = copy_beyond[i];
		submit_fails(test, ctx, bdev, 64, bdev, ext, 1, BLK_STS_IOERR);
		/* a later extent */
		ext[0].sector = 0;
		ext[1].sector = copy_beyond[i];
		submit_fails(test, ctx, bdev, 64, bdev, ext, 2, BLK_STS_IOERR);
	}

	ext[0].sector = FAKE_SECTORS - 8;
	submit_works(test, ctx, bdev, 64, bdev, ext);
	ext[0].sector = 0;
	submit_works(test, ctx, bdev, FAKE_SECTORS - 8, bdev, ext);
}

/* The end of a partition is an end, although the disk goes on. */
static void submit_beyond_the_partition(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct block_device *bdev = ctx->fake->bdev, *part = ctx->fake->part;
	struct bio_copy_extent ext = { FAKE_PART_SECTORS - 7, 8 };

	submit_fails(test, ctx, bdev, 64, part, &ext, 1, BLK_STS_IOERR);
	submit_fails(test, ctx, part, 64, part, &ext, 1, BLK_STS_IOERR);
	ext.sector = 0;
	submit_fails(test, ctx, part, FAKE_PART_SECTORS - 7, part, &ext, 1,
		     BLK_STS_IOERR);

	submit_works(test, ctx, part, FAKE_PART_SECTORS - 8, part, &ext);
	submit_works(test, ctx, bdev, 64, part, &ext);
	submit_works(test, ctx, part, 64, bdev, &ext);
	ext.sector = FAKE_PART_SECTORS - 8;
	submit_works(test, ctx, part, 0, part, &ext);
}

static void submit_overlapping(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct block_device *bdev = ctx->fake->bdev, *part = ctx->fake->part;
	struct bio_copy_extent ext[2] = { { 2000, 16 } }, last;
	int shift;

	for (shift = -15; shift <= 15; shift++)
		submit_fails(test, ctx, bdev, 2000 + shift, bdev, ext, 1,
			     BLK_STS_INVAL);
	submit_works(test, ctx, bdev, 2000 - 16, bdev, ext);
	submit_works(test, ctx, bdev, 2000 + 16, bdev, ext);

	/* the second extent into the destination of the first, and the reverse */
	ext[0] = (struct bio_copy_extent) { 100, 16 };
	ext[1] = (struct bio_copy_extent) { 215, 16 };
	submit_fails(test, ctx, bdev, 200, bdev, ext, 2, BLK_STS_INVAL);
	ext[0] = (struct bio_copy_extent) { 231, 16 };
	ext[1] = (struct bio_copy_extent) { 100, 16 };
	submit_fails(test, ctx, bdev, 200, bdev, ext, 2, BLK_STS_INVAL);

	/* the same sectors, named in two ways */
	last = (struct bio_copy_extent) { 100, 16 };
	submit_fails(test, ctx, bdev, FAKE_PART_START + 115, part, &last, 1,
		     BLK_STS_INVAL);
	submit_works(test, ctx, bdev, FAKE_PART_START + 116, part, &last);
	last.sector = FAKE_PART_START + 100;
	submit_fails(test, ctx, part, 85, bdev, &last, 1, BLK_STS_INVAL);
	submit_works(test, ctx, part, 84, bdev, &last);
	/* the same numbers, but not the same sectors */
	last.sector = 100;
	submit_works(test, ctx, part, 100, bdev, &last);
}

/* The bio is longer than what it names to copy. */
static void submit_too_few_extents(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext[3] = { { 0, 8 }, { 16, 8 }, { 32, 8 } };
	struct copy_async *async;
	unsigned int nr;

	for (nr = 0; nr < 3; nr++) {
		async = copy_async_new(test, bdev, 64, bdev, ext, 3);
		async->copy.nr_extents = nr;
		copy_async_submit(async);
		copy_async_wait(test, async);
		COPY_EXPECT_STS(test, async->status, BLK_STS_INVAL);
	}

	async = copy_async_new(test, bdev, 64, bdev, ext, 3);
	async->ext[1].nr_sectors = 7;
	copy_async_submit(async);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_INVAL);

	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);
}

static void submit_empty(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct bio_copy_extent ext[3] = { { 0, 0 }, { 8, 0 }, { 16, 8 } };
	struct block_device *bdev = ctx->fake->bdev;

	submit_fails(test, ctx, bdev, 64, bdev, ext, 1, BLK_STS_INVAL);
	/* one of no sectors among others is no extent */
	submit_fails(test, ctx, bdev, 64, bdev, ext, 3, BLK_STS_INVAL);
}

/* Nobody copies between two disks. */
static void submit_across_disks(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct copy_ctx *other = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct bio_copy_extent ext = { 0, 8 };

	submit_fails(test, ctx, ctx->fake->bdev, 64, other->fake->bdev, &ext,
		     1, BLK_STS_NOTSUPP);
	submit_fails(test, ctx, other->fake->bdev, 64, ctx->fake->bdev, &ext,
		     1, BLK_STS_NOTSUPP);
	submit_fails(test, ctx, ctx->fake->part, 64, other->fake->part, &ext,
		     1, BLK_STS_NOTSUPP);
	KUNIT_EXPECT_EQ(test, other->fake->nr_cmds, 0);
	copy_model_check(other->model);
}

/* Part of what the extents hold: the bio, not the descriptor, has the length. */
static void submit_less_than_the_extents(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct bio_copy_extent ext[2] = { { 0, 8 }, { 16, 8 } };
	struct block_device *bdev = ctx->fake->bdev;
	struct copy_async *async;
	unsigned int pos, nr;

	for (pos = 0; pos < 16; pos++) {
		for (nr = 1; nr <= 16 - pos; nr++) {
			copy_model_reset(ctx->model);
			async = copy_async_new(test, bdev, 64, bdev, ext, 2);
			bio_trim(async->bio, pos, nr);
			copy_async_submit(async);
			copy_async_wait(test, async);
			COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
			copy_model_copy(ctx->model, 64, ext, 2, pos + nr);
			/* which has copied too much: the front was cut off */
			for (unsigned int i = 0; i < pos; i++)
				ctx->model->tag[64 + i] = 64 + i;
			copy_model_check(ctx->model);
		}
	}
}

/* What the WARNs are for: a caller that is wrong gets no bio. */
static void submit_misuse(struct kunit *test)
{
	struct copy_ctx *ctx = copy_ctx_new(test, struct copy_ctx, &submit_conf);
	struct fake_seg seg = { FAKE_SECTORS, ctx->fake->bdev, 0 };
	struct bio_copy_extent ext[2] = { { 0, 8 }, { 16, 8 } };
	struct fake_stack *stack = fake_stack_new(test, FAKE_SPLIT, &seg, 1);
	struct bio_copy copy = {
		.src = ctx->fake->bdev, .dst = ctx->fake->bdev,
		.dst_sector = 64, .extents = ext, .nr_extents = 2,
	};
	struct bio *bio;

	if (!misuse)
		kunit_skip(test,
			   "a kernel that has warned is tainted: misuse=1 as a parameter of the module runs this");
	bio = bio_alloc_copy(&copy, BIO_MAX_SECTORS + 1, GFP_KERNEL);
	KUNIT_EXPECT_NULL(test, bio);
	if (bio)
		bio_put(bio);

	/* sectors of two extents can't be remapped as one */
	copy.src = stack->bdev;
	bio = bio_alloc_copy(&copy, 16, GFP_KERNEL);
	KUNIT_EXPECT_NULL(test, bio);
	if (bio)
		bio_put(bio);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
}

static struct kunit_case copy_submit_cases[] = {
	KUNIT_CASE(submit_to_a_disk_that_cannot),
	KUNIT_CASE(submit_after_switching_off),
	KUNIT_CASE(submit_misaligned),
	KUNIT_CASE(submit_beyond_the_end),
	KUNIT_CASE(submit_beyond_the_partition),
	KUNIT_CASE(submit_overlapping),
	KUNIT_CASE(submit_too_few_extents),
	KUNIT_CASE(submit_empty),
	KUNIT_CASE(submit_across_disks),
	KUNIT_CASE(submit_less_than_the_extents),
	KUNIT_CASE(submit_misuse),
	{}
};

struct kunit_suite copy_submit_suite = {
	.name = "copy_submit",
	.test_cases = copy_submit_cases,
};
