// SPDX-License-Identifier: GPL-2.0
/*
 * A copy becomes the fewest commands that the three limits allow, each of them
 * full.  Every case runs through bio_alloc_copy(), where the block layer splits
 * the bio, and through blkdev_copy(), which makes bios that fit.
 */
#include <linux/vmalloc.h>

#include "copy_kunit.h"

#define SPLIT_DST	2048	/* sources lie before, destinations after it */

struct split_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
	struct copy_ref		*ref;
	struct bio_copy_extent	ext[2 * FAKE_MAX_RANGES + 1];
};

static const struct fake_disk_conf split_confs[] = {
	/* sectors of a block, then the limits: all, of an extent, extents */
	{ 1, 1, 1, 1 },
	{ 1, 8, 8, 8 },
	{ 1, 20, 7, 3 },
	{ 1, 7, 3, 2 },
	{ 1, 13, 5, 40 },
	{ 1, 5, 100, 3 },
	{ 1, 100, 3, 5 },
	{ 1, 31, 31, 1 },
	{ 1, 17, 1, 11 },
	{ 1, 128, 128, 40 },
	{ 1, 33, 32, 2 },
	{ 8, 8, 8, 1 },
	{ 8, 48, 16, 2 },
	{ 8, 40, 24, 40 },
	/* hardware limits that are no multiple of a block are rounded down */
	{ 8, 47, 15, 3 },
};

static void split_describe(const struct fake_disk_conf *conf, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u of %u by %u, blocks of %u",
		 conf->max_sectors, conf->max_extents, conf->max_extent_sectors,
		 conf->block_sectors);
}

KUNIT_ARRAY_PARAM(split, split_confs, split_describe);

static void split_free(void *ref)
{
	vfree(ref);
}

static struct split_ctx *split_start(struct kunit *test)
{
	const struct fake_disk_conf *conf = test->param_value;
	struct split_ctx *ctx;
	int ret;

	ctx = copy_ctx_new(test, struct split_ctx, conf);
	ctx->ref = vzalloc(sizeof(*ctx->ref));
	KUNIT_ASSERT_NOT_NULL(test, ctx->ref);
	ret = kunit_add_action_or_reset(test, split_free, ctx->ref);
	KUNIT_ASSERT_EQ(test, ret, 0);

	/* from here on as the disk must have them */
	ctx->fake->conf.max_sectors =
		round_down(conf->max_sectors, conf->block_sectors);
	ctx->fake->conf.max_extent_sectors =
		round_down(conf->max_extent_sectors, conf->block_sectors);
	return ctx;
}

/* One copy both ways: the commands and the data. */
static void split_one(struct kunit *test, struct split_ctx *ctx, sector_t dst,
		      const struct bio_copy_extent *ext, unsigned int nr)
{
	struct block_device *bdev = ctx->fake->bdev;
	sector_t sectors = copy_sectors(ext, nr), copied;
	struct copy_async *async;
	int ret;

	copy_model_reset(ctx->model);
	ctx->ref->nr_cmds = 0;
	copy_ref_add(test, ctx->ref, &ctx->fake->conf, dst, ext, nr);
	copy_model_copy(ctx->model, dst, ext, nr, sectors);

	async = copy_async_start(test, bdev, dst, bdev, ext, nr);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
	copy_ref_check(test, ctx->ref, ctx->fake);
	copy_model_check(ctx->model);

	copy_model_reset(ctx->model);
	copy_model_copy(ctx->model, dst, ext, nr, sectors);
	ret = copy_sync_run(test, bdev, dst, bdev, ext, nr, &copied);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_EQ(test, copied, sectors);
	copy_ref_check(test, ctx->ref, ctx->fake);
	copy_model_check(ctx->model);
}

/* One extent around a length, a block less and a block more. */
static void split_around(struct kunit *test, struct split_ctx *ctx,
			 unsigned int sectors)
{
	unsigned int block = ctx->fake->conf.block_sectors, len;
	struct bio_copy_extent ext = { 3 * block };

	for (len = sectors - block; len <= sectors + block; len += block) {
		ext.nr_sectors = len;
		if (len)
			split_one(test, ctx, SPLIT_DST + 5 * block, &ext, 1);
	}
}

static void split_at_the_copy_limit(struct kunit *test)
{
	struct split_ctx *ctx = split_start(test);

	split_around(test, ctx, ctx->fake->conf.max_sectors);
	split_around(test, ctx, 2 * ctx->fake->conf.max_sectors);
}

static void split_at_the_extent_limit(struct kunit *test)
{
	struct split_ctx *ctx = split_start(test);
	const struct fake_disk_conf *conf = &ctx->fake->conf;

	split_around(test, ctx, conf->max_extent_sectors);
	split_around(test, ctx, 2 * conf->max_extent_sectors);
	/* as many cut extents as there may be */
	if (conf->max_extents <= 10)
		split_around(test, ctx,
			     conf->max_extents * conf->max_extent_sectors);
}

static void split_at_the_number_of_extents(struct kunit *test)
{
	struct split_ctx *ctx = split_start(test);
	const struct fake_disk_conf *conf = &ctx->fake->conf;
	unsigned int block = conf->block_sectors, nr, i, len, rest;
	struct bio_copy_extent *ext = ctx->ext;

	for (i = 0; i < ARRAY_SIZE(ctx->ext); i++)
		ext[i].sector = (i * 7 % 100 + 1) * block;

	for (len = block; len <= 2 * block; len += block) {
		for (i = 0; i < ARRAY_SIZE(ctx->ext); i++)
			ext[i].nr_sectors = len;
		for (nr = 1; nr <= 2 * conf->max_extents + 1; nr++) {
			rest = nr % conf->max_extents;
			if (rest <= 1 || rest == conf->max_extents - 1)
				split_one(test, ctx, SPLIT_DST, ext, nr);
		}
	}
}

/* An extent that doesn't fit goes on in the next command, from its middle. */
static void split_within_later_extents(struct kunit *test)
{
	struct split_ctx *ctx = split_start(test);
	const struct fake_disk_conf *conf = &ctx->fake->conf;
	unsigned int block = conf->block_sectors, first;
	struct bio_copy_extent ext[3] = {
		{ .sector = 64 },
		{ 512, conf->max_sectors + block },
		{ 256, 2 * block },
	};

	for (first = block; first <= conf->max_sectors && first <= 40 * block;
	     first += block) {
		ext[0].nr_sectors = first;
		split_one(test, ctx, SPLIT_DST, ext, 3);
	}
}

static void split_random_extents(struct kunit *test)
{
	struct split_ctx *ctx = split_start(test);
	const struct fake_disk_conf *conf = &ctx->fake->conf;
	unsigned int block = conf->block_sectors, nr, i;
	struct bio_copy_extent *ext = ctx->ext;
	struct rnd_state rnd;
	sector_t dst;

	prandom_seed_state(&rnd, conf->max_sectors * 1000 + conf->max_extents);
	for (i = 0; i < 20; i++) {
		nr = 1 + prandom_u32_state(&rnd) % 40;
		copy_random_extents(&rnd, ext, nr,
				    min(2 * conf->max_extent_sectors, 40U),
				    block, SPLIT_DST);
		dst = SPLIT_DST + prandom_u32_state(&rnd) % 32 * block;
		split_one(test, ctx, dst, ext, nr);
	}
}

/* Who cannot wait for the second part gets nothing done. */
static void split_not_for_those_who_cannot_wait(struct kunit *test)
{
	struct split_ctx *ctx = split_start(test);
	const struct fake_disk_conf *conf = &ctx->fake->conf;
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext = {
		.sector = 64,
		.nr_sectors = conf->max_sectors + conf->block_sectors,
	};
	struct copy_async *async;

	async = copy_async_new(test, bdev, SPLIT_DST, bdev, &ext, 1);
	async->bio->bi_opf |= REQ_NOWAIT;
	copy_async_submit(async);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_AGAIN);
	KUNIT_ASSERT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);
}

static struct kunit_case copy_split_cases[] = {
	KUNIT_CASE_PARAM(split_at_the_copy_limit, split_gen_params),
	KUNIT_CASE_PARAM(split_at_the_extent_limit, split_gen_params),
	KUNIT_CASE_PARAM(split_at_the_number_of_extents, split_gen_params),
	KUNIT_CASE_PARAM(split_within_later_extents, split_gen_params),
	KUNIT_CASE_PARAM(split_random_extents, split_gen_params),
	KUNIT_CASE_PARAM(split_not_for_those_who_cannot_wait, split_gen_params),
	{}
};

struct kunit_suite copy_split_suite = {
	.name = "copy_split",
	.test_cases = copy_split_cases,
};
