// SPDX-License-Identifier: GPL-2.0
/*
 * Copies through stacks of devices: however the source and the destination are
 * cut, remapped, cloned and deferred, each fragment arrives where it belongs.
 */
#include "copy_kunit.h"

#define STACK_SECTORS	500	/* of each stack */

struct stack_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
	struct fake_stack	*src;
	struct fake_stack	*dst;
};

/* What the stacks are made of: they lie apart from each other on the disk. */
static const struct {
	unsigned int		nr_sectors;
	unsigned int		src;
	unsigned int		dst;
} stack_src_segs[] = {
	{ 100, 700 }, { 37, 100 }, { 263, 1200 }, { 1, 50 }, { 99, 400 },
}, stack_dst_segs[] = {
	{ 64, .dst = 3000 }, { 33, .dst = 2500 }, { 200, .dst = 3500 },
	{ 203, .dst = 2100 },
};

static const struct fake_disk_conf stack_conf = {
	.max_sectors = 64, .max_extent_sectors = 32, .max_extents = 4,
	.partition = true,
};

struct stack_param {
	enum fake_stack_how	how;
	unsigned int		chunk;
	bool			dst_stacked;
};

static const struct stack_param stack_params[] = {
	{ FAKE_SPLIT, 0, false },
	{ FAKE_SPLIT, 0, true },
	{ FAKE_SPLIT, 7, true },
	{ FAKE_SPLIT, 1, false },
	{ FAKE_CLONE, 0, false },
	{ FAKE_CLONE, 0, true },
	{ FAKE_CLONE, 7, false },
	{ FAKE_CLONE, 1, true },
};

static void stack_describe(const struct stack_param *param, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s%s, chunks of %u",
		 param->how == FAKE_SPLIT ? "split" : "clones",
		 param->dst_stacked ? ", to a stack" : "", param->chunk);
}

KUNIT_ARRAY_PARAM(stack, stack_params, stack_describe);

static struct stack_ctx *stack_start(struct kunit *test,
				     const struct fake_disk_conf *conf,
				     const struct stack_param *param)
{
	struct fake_seg segs[ARRAY_SIZE(stack_src_segs)];
	struct stack_ctx *ctx;
	unsigned int i;

	ctx = copy_ctx_new(test, struct stack_ctx, conf);

	for (i = 0; i < ARRAY_SIZE(stack_src_segs); i++) {
		segs[i].nr_sectors = stack_src_segs[i].nr_sectors;
		segs[i].bdev = ctx->fake->bdev;
		segs[i].sector = stack_src_segs[i].src;
	}
	ctx->src = fake_stack_new(test, param->how, segs,
				  ARRAY_SIZE(stack_src_segs));
	ctx->src->chunk = param->chunk;

	for (i = 0; i < ARRAY_SIZE(stack_dst_segs); i++) {
		segs[i].nr_sectors = stack_dst_segs[i].nr_sectors;
		segs[i].bdev = ctx->fake->bdev;
		segs[i].sector = stack_dst_segs[i].dst;
	}
	ctx->dst = fake_stack_new(test, param->how, segs,
				  ARRAY_SIZE(stack_dst_segs));
	/* not where the source is cut */
	ctx->dst->chunk = param->chunk > 1 ? param->chunk + 4 : param->chunk;
	return ctx;
}

static sector_t stack_src_sector(sector_t sector)
{
	unsigned int i = 0;

	while (sector >= stack_src_segs[i].nr_sectors)
		sector -= stack_src_segs[i++].nr_sectors;
	return stack_src_segs[i].src + sector;
}

static sector_t stack_dst_sector(sector_t sector)
{
	unsigned int i = 0;

	while (sector >= stack_dst_segs[i].nr_sectors)
		sector -= stack_dst_segs[i++].nr_sectors;
	return stack_dst_segs[i].dst + sector;
}

/* Into how many fragments the source falls. */
static unsigned int stack_fragments(const struct stack_ctx *ctx,
				    sector_t sector, unsigned int sectors)
{
	unsigned int i, nr = 1;

	for (i = 1; i < sectors; i++)
		if (stack_src_sector(sector + i) !=
		    stack_src_sector(sector + i - 1) + 1 ||
		    (ctx->src->chunk &&
		     (unsigned int)(sector + i) % ctx->src->chunk == 0))
			nr++;
	return nr;
}

/* Where a test copies to. */
static struct block_device *stack_dst(const struct stack_ctx *ctx,
				      const struct stack_param *param)
{
	return param->dst_stacked ? ctx->dst->bdev : ctx->fake->bdev;
}

static sector_t stack_dst_start(const struct stack_param *param)
{
	return param->dst_stacked ? 3 : 2100;
}

static void stack_model(struct stack_ctx *ctx, const struct stack_param *param,
			sector_t dst, sector_t src, unsigned int sectors)
{
	sector_t to;

	for (; sectors--; src++, dst++) {
		to = param->dst_stacked ? stack_dst_sector(dst) : dst;
		ctx->model->tag[to] = stack_src_sector(src);
	}
}

/* Parts of the source with the borders of its segments in and beside them. */
static const struct bio_copy_extent stack_ext[] = {
	{ 0, 1 }, { 99, 2 }, { 98, 2 }, { 100, 37 }, { 90, 60 }, { 136, 3 },
	{ 399, 3 }, { 400, 1 }, { 130, 40 }, { 449, 51 }, { 0, 60 },
};

static void stack_async(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	sector_t dst = stack_dst_start(param);
	blk_status_t status;
	unsigned int i, fragments;

	for (i = 0; i < ARRAY_SIZE(stack_ext); i++) {
		copy_model_reset(ctx->model);
		fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, 0, 0, BLK_STS_OK);
		status = copy_async_run(test, stack_dst(ctx, param), dst,
					ctx->src->bdev, &stack_ext[i], 1);
		COPY_EXPECT_STS(test, status, BLK_STS_OK);
		fragments = stack_fragments(ctx, stack_ext[i].sector,
					    stack_ext[i].nr_sectors);
		if (param->dst_stacked)
			KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, fragments);
		KUNIT_EXPECT_GE(test, ctx->fake->nr_cmds, fragments);
		stack_model(ctx, param, dst, stack_ext[i].sector,
			    stack_ext[i].nr_sectors);
		copy_model_check(ctx->model);
	}
}

/* All of it, with blkdev_copy(), and then several extents. */
static void stack_sync(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	struct bio_copy_extent all = { 0, STACK_SECTORS - 3 };
	sector_t dst = stack_dst_start(param), copied;
	unsigned int i;
	int ret;

	ret = copy_sync_run(test, stack_dst(ctx, param), dst, ctx->src->bdev,
			    &all, 1, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, copied, all.nr_sectors);
	stack_model(ctx, param, dst, all.sector, all.nr_sectors);
	copy_model_check(ctx->model);

	copy_model_reset(ctx->model);
	ret = copy_sync_run(test, stack_dst(ctx, param), dst, ctx->src->bdev,
			    stack_ext, ARRAY_SIZE(stack_ext), &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, copied,
			copy_sectors(stack_ext, ARRAY_SIZE(stack_ext)));
	for (i = 0; i < ARRAY_SIZE(stack_ext); i++) {
		stack_model(ctx, param, dst, stack_ext[i].sector,
			    stack_ext[i].nr_sectors);
		dst += stack_ext[i].nr_sectors;
	}
	copy_model_check(ctx->model);
}

/* Send what @stack has deferred, from the last one to the first. */
static void stack_submit_backwards(struct kunit *test,
				   struct fake_stack *stack, unsigned int nr)
{
	KUNIT_ASSERT_TRUE_MSG(test, fake_stack_wait_deferred(stack, nr),
			      "%u of %u", stack->nr_deferred, nr);
	KUNIT_EXPECT_EQ(test, stack->nr_deferred, nr);
	while (nr--)
		fake_stack_submit(stack, nr);
	stack->nr_deferred = 0;
}

/* Fragments that a driver sends later, in another order, from another task. */
static void stack_deferred(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	sector_t dst = stack_dst_start(param);
	struct copy_async *async;
	unsigned int i, fragments;

	for (i = 0; i < ARRAY_SIZE(stack_ext); i++) {
		copy_model_reset(ctx->model);
		ctx->src->defer = true;
		async = copy_async_start(test, stack_dst(ctx, param), dst,
					 ctx->src->bdev, &stack_ext[i], 1);
		fragments = stack_fragments(ctx, stack_ext[i].sector,
					    stack_ext[i].nr_sectors);
		KUNIT_EXPECT_EQ(test, atomic_read(&async->ends), 0);
		KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
		stack_submit_backwards(test, ctx->src, fragments);
		copy_async_wait(test, async);
		COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
		stack_model(ctx, param, dst, stack_ext[i].sector,
			    stack_ext[i].nr_sectors);
		copy_model_check(ctx->model);
	}
}

/* The destination is deferred, too: the source waits for it. */
static void stack_deferred_twice(struct kunit *test)
{
	static const struct stack_param param = { FAKE_SPLIT, 0, true };
	struct stack_ctx *ctx = stack_start(test, &stack_conf, &param);
	/* three fragments, the last of which is cut twice where it goes to */
	struct bio_copy_extent ext = { 80, 110 };
	struct copy_async *async;

	ctx->src->defer = true;
	ctx->dst->defer = true;
	async = copy_async_start(test, ctx->dst->bdev, 3, ctx->src->bdev, &ext,
				 1);
	stack_submit_backwards(test, ctx->src, 3);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&async->ends), 0);
	stack_submit_backwards(test, ctx->dst, 5);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
	stack_model(ctx, &param, 3, ext.sector, ext.nr_sectors);
	copy_model_check(ctx->model);
}

/* What has been cut off before submission doesn't move the rest. */
static void stack_trimmed(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	struct bio_copy_extent ext = { 90, 60 };
	sector_t dst = stack_dst_start(param);
	struct copy_async *async;
	unsigned int pos, nr;

	for (pos = 0; pos < 60; pos += 3) {
		for (nr = 1; nr <= 60 - pos; nr += 7) {
			copy_model_reset(ctx->model);
			async = copy_async_new(test, stack_dst(ctx, param),
					       dst, ctx->src->bdev, &ext, 1);
			bio_trim(async->bio, pos, nr);
			copy_async_submit(async);
			copy_async_wait(test, async);
			COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
			stack_model(ctx, param, dst + pos, ext.sector + pos,
				    nr);
			copy_model_check(ctx->model);
		}
	}
}

/* The lower of two stacks cuts what the upper has cut. */
static void stack_on_stack(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	struct fake_seg segs[] = {
		{ 150, ctx->src->bdev, 350 }, { 350, ctx->src->bdev, 0 },
	};
	struct fake_stack *upper = fake_stack_new(test, param->how, segs, 2);
	struct bio_copy_extent ext = { 25, 470 };
	sector_t dst = stack_dst_start(param), copied;
	int ret;

	upper->chunk = param->chunk ? param->chunk + 1 : 0;
	ret = copy_sync_run(test, stack_dst(ctx, param), dst, upper->bdev,
			    &ext, 1, &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, copied, ext.nr_sectors);
	stack_model(ctx, param, dst, 375, 125);
	stack_model(ctx, param, dst + 125, 0, 345);
	copy_model_check(ctx->model);
}

/* The bottom is a partition: one more remap. */
static void stack_on_partition(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	struct fake_seg segs[] = {
		{ 40, ctx->fake->part, 60 }, { 40, ctx->fake->part, 7 },
	};
	struct fake_stack *stack = fake_stack_new(test, param->how, segs, 2);
	struct bio_copy_extent ext = { 10, 60 };
	blk_status_t status;
	unsigned int i;

	/* source and destination on the same stack of partitions */
	stack->chunk = param->chunk;
	status = copy_async_run(test, ctx->fake->part, 1500, stack->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	for (i = 0; i < 60; i++)
		ctx->model->tag[FAKE_PART_START + 1500 + i] = FAKE_PART_START +
			(i < 30 ? 70 + i : i - 30 + 7);
	copy_model_check(ctx->model);

	ext = (struct bio_copy_extent) { 0, 20 };
	status = copy_async_run(test, stack->bdev, 30, stack->bdev, &ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	for (i = 0; i < 20; i++)
		ctx->model->tag[FAKE_PART_START +
				(i < 10 ? 90 + i : i - 10 + 7)] =
			FAKE_PART_START + 60 + i;
	copy_model_check(ctx->model);
}

/*
 * A source that isn't stacked needs no half of its own: one bio has all of the
 * extents, and is cut where the destination is.
 */
static void stack_destination_only(struct kunit *test)
{
	const struct stack_param *param = test->param_value;
	struct stack_ctx *ctx = stack_start(test, &stack_conf, param);
	static const struct bio_copy_extent ext[] = {
		{ 5, 50 }, { 1200, 1 }, { 300, 31 }, { 60, 40 },
	};
	struct block_device *bdev = ctx->fake->bdev;
	unsigned int sectors = copy_sectors(ext, ARRAY_SIZE(ext)), i, j, pos;
	blk_status_t status;
	sector_t copied;
	int ret;

	for (i = 0; i < 2; i++) {
		copy_model_reset(ctx->model);
		if (i) {
			ret = copy_sync_run(test, ctx->dst->bdev, 3, bdev, ext,
					    ARRAY_SIZE(ext), &copied);
			KUNIT_EXPECT_EQ(test, ret, 0);
			KUNIT_EXPECT_EQ(test, copied, (sector_t)sectors);
		} else {
			status = copy_async_run(test, ctx->dst->bdev, 3, bdev,
						ext, ARRAY_SIZE(ext));
			COPY_EXPECT_STS(test, status, BLK_STS_OK);
		}
		KUNIT_EXPECT_GT(test, ctx->dst->nr_dst, 0);
		KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, 0);
		for (pos = 3, j = 0; j < ARRAY_SIZE(ext); j++)
			for (copied = 0; copied < ext[j].nr_sectors; copied++)
				ctx->model->tag[stack_dst_sector(pos++)] =
					ext[j].sector + copied;
		copy_model_check(ctx->model);
	}
}

static struct kunit_case copy_stack_cases[] = {
	KUNIT_CASE_PARAM(stack_async, stack_gen_params),
	KUNIT_CASE_PARAM(stack_sync, stack_gen_params),
	KUNIT_CASE_PARAM(stack_deferred, stack_gen_params),
	KUNIT_CASE(stack_deferred_twice),
	KUNIT_CASE_PARAM(stack_trimmed, stack_gen_params),
	KUNIT_CASE_PARAM(stack_on_stack, stack_gen_params),
	KUNIT_CASE_PARAM(stack_on_partition, stack_gen_params),
	KUNIT_CASE_PARAM(stack_destination_only, stack_gen_params),
	{}
};

struct kunit_suite copy_stack_suite = {
	.name = "copy_stack",
	.test_cases = copy_stack_cases,
};
