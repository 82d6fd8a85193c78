// SPDX-License-Identifier: GPL-2.0
/*
 * Where the stacks of both halves end is known at their bottom only: whether that
 * is the same device, and whether the copy makes sense there.
 */
#include "copy_kunit_nested.h"

/* Arguments that only the stacks can tell are wrong. */
static void bottom_misplaced(struct kunit *test)
{
	static const struct fake_disk_conf blocks = {
		.block_sectors = 8, .max_sectors = 64,
		.max_extent_sectors = 64, .max_extents = 4,
	};
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct fake_disk *large = fake_disk_new(test, &blocks);
	struct fake_seg seg = { FAKE_SECTORS, large->bdev, 0 };
	struct fake_stack *stack = fake_stack_new(test, FAKE_SPLIT, &seg, 1);
	struct bio_copy_extent ext = { NESTED_SEG * NESTED_SEGS - 9, 10 };
	blk_status_t status;

	/* beyond the end of either stack */
	status = copy_async_run(test, ctx->dst->bdev, 0, ctx->top->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_IOERR);
	status = copy_async_run(test, ctx->dst->bdev,
				NESTED_DST_SEG * NESTED_SEGS - 9,
				ctx->top->bdev, &nested_ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_IOERR);

	/* onto its own sectors, by another name */
	ext = (struct bio_copy_extent) { 0, 8 };
	status = copy_async_run(test, ctx->fake->bdev, 107, ctx->top->bdev,
				&ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_INVAL);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);

	/* no whole blocks, of the source or for the stack of the destination */
	ext = (struct bio_copy_extent) { 4, 8 };
	status = copy_async_run(test, large->bdev, 64, stack->bdev, &ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_INVAL);
	ext = (struct bio_copy_extent) { 0, 8 };
	status = copy_async_run(test, stack->bdev, 68, stack->bdev, &ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_NOTSUPP);
	KUNIT_EXPECT_EQ(test, large->nr_cmds, 0);
}

/* What a source half asks for is checked where it is submitted. */
static void bottom_checked_at_the_top(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct bio_copy_extent ext = { 20, 10 };
	struct copy_async *async;
	blk_status_t status;
	int shift;

	/* more than the extent has */
	async = copy_async_new(test, ctx->dst->bdev, 0, ctx->top->bdev, &ext,
			       1);
	async->ext[0].nr_sectors = 9;
	copy_async_submit(async);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_INVAL);

	/* onto itself */
	for (shift = -9; shift <= 9; shift++) {
		status = copy_async_run(test, ctx->top->bdev, 20 + shift,
					ctx->top->bdev, &ext, 1);
		COPY_EXPECT_STS(test, status, BLK_STS_INVAL);
	}
	KUNIT_EXPECT_EQ(test, ctx->top->nr_src, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);

	status = copy_async_run(test, ctx->top->bdev, 30, ctx->top->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	ext = (struct bio_copy_extent) { 500, 10 };
	copy_model_copy(ctx->model, 700, &ext, 1, 10);
	copy_model_check(ctx->model);
}

/* A stack over two disks copies where it can, and never onto the wrong one. */
static void bottom_two_disks(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct nested_ctx *other = nested_start(test, &nested_conf);
	struct fake_seg segs[] = {
		{ 20, ctx->fake->bdev, 100 }, { 20, other->fake->bdev, 100 },
	};
	struct fake_stack *both = fake_stack_new(test, FAKE_SPLIT, segs, 2);
	struct bio_copy_extent ext = { 5, 15 };
	blk_status_t status;

	status = copy_async_run(test, ctx->fake->bdev, 2000, both->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	ext.sector = 105;
	copy_model_copy(ctx->model, 2000, &ext, 1, 15);

	/* from the wrong one, to it, and some of both */
	ext.sector = 20;
	status = copy_async_run(test, ctx->fake->bdev, 3000, both->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_NOTSUPP);
	status = copy_async_run(test, both->bdev, 22, ctx->src->bdev,
				&(struct bio_copy_extent) { 0, 10 }, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_NOTSUPP);
	copy_model_check(ctx->model);
	ext.sector = 10;
	status = copy_async_run(test, ctx->fake->bdev, 3000, both->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_NOTSUPP);
	ext.sector = 110;
	copy_model_copy(ctx->model, 3000, &ext, 1, 10);
	copy_model_check(ctx->model);

	KUNIT_EXPECT_EQ(test, other->fake->nr_cmds, 0);
	copy_model_check(other->model);
}

/* Two disks that are ways to the same sectors say so, and copy as one does. */
static void bottom_two_paths(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct fake_disk_conf conf = nested_conf;
	struct bio_copy_extent ext = { 5, 10 };
	struct fake_disk *path;
	blk_status_t status;
	sector_t copied;
	int ret;

	conf.path_of = ctx->fake;
	path = fake_disk_new(test, &conf);
	status = copy_async_run(test, path->bdev, 3000, ctx->fake->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	copy_model_copy(ctx->model, 3000, &ext, 1, 10);
	ret = copy_sync_run(test, ctx->fake->bdev, 3010, path->bdev, &ext, 1,
			    &copied);
	KUNIT_EXPECT_EQ(test, ret, 0);
	copy_model_copy(ctx->model, 3010, &ext, 1, 10);
	copy_model_check(ctx->model);
	KUNIT_EXPECT_EQ(test, path->nr_cmds, 1);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 1);

	/* the source comes out at the one, the destination at the other */
	status = copy_async_run(test, path->bdev, 3020, ctx->src->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, path->nr_cmds, 3);
	ext = (struct bio_copy_extent) { 105, 5 };
	copy_model_copy(ctx->model, 3020, &ext, 1, 5);
	ext = (struct bio_copy_extent) { 300, 5 };
	copy_model_copy(ctx->model, 3025, &ext, 1, 5);
	copy_model_check(ctx->model);
	KUNIT_EXPECT_NULL(test, path->wrong);

	/* and overlap is overlap */
	ext = (struct bio_copy_extent) { 5, 10 };
	status = copy_async_run(test, path->bdev, 14, ctx->fake->bdev, &ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_INVAL);
	ret = copy_sync_run(test, path->bdev, 14, ctx->fake->bdev, &ext, 1,
			    &copied);
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	copy_model_check(ctx->model);
}

/* A stack over a disk that doesn't copy doesn't, either. */
static void bottom_not_offered(struct kunit *test)
{
	static const struct fake_disk_conf none = { };
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct fake_disk *not = fake_disk_new(test, &none);
	struct fake_seg segs[] = {
		{ 20, ctx->fake->bdev, 100 }, { 20, not->bdev, 100 },
	};
	struct fake_stack *both = fake_stack_new(test, FAKE_SPLIT, segs, 2);
	struct bio_copy_extent ext = { 0, 10 };
	blk_status_t status;
	sector_t copied;
	int ret;

	KUNIT_EXPECT_EQ(test, bdev_max_copy_sectors(both->bdev), 0);
	status = copy_async_run(test, ctx->fake->bdev, 2000, both->bdev, &ext,
				1);
	COPY_EXPECT_STS(test, status, BLK_STS_NOTSUPP);
	status = copy_async_run(test, both->bdev, 0, ctx->src->bdev, &ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_NOTSUPP);
	ret = copy_sync_run(test, ctx->fake->bdev, 2000, both->bdev, &ext, 1,
			    &copied);
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	ret = copy_sync_run(test, both->bdev, 0, ctx->src->bdev, &ext, 1,
			    &copied);
	KUNIT_EXPECT_EQ(test, ret, -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);
}

static struct kunit_case copy_bottom_cases[] = {
	KUNIT_CASE(bottom_misplaced),
	KUNIT_CASE(bottom_checked_at_the_top),
	KUNIT_CASE(bottom_two_disks),
	KUNIT_CASE(bottom_two_paths),
	KUNIT_CASE(bottom_not_offered),
	{}
};

struct kunit_suite copy_bottom_suite = {
	.name = "copy_bottom",
	.test_cases = copy_bottom_cases,
};
