// SPDX-License-Identifier: GPL-2.0
/*
 * A copy through stacks has two halves, of which the destination is nested in the
 * source: either may fail, in any fragment, and the whole ends once, with that
 * error.  A destination that can't wait is tried again by blkdev_copy().
 */
#include <linux/delay.h>

#include "copy_kunit_nested.h"

const struct fake_disk_conf nested_conf = {
	.max_sectors = 64, .max_extent_sectors = 64, .max_extents = 4,
};

const struct bio_copy_extent nested_ext = { 0, NESTED_LEN };

struct nested_ctx *nested_start(struct kunit *test,
				const struct fake_disk_conf *conf)
{
	struct fake_seg segs[NESTED_SEGS];
	struct nested_ctx *ctx;
	unsigned int i;

	ctx = copy_ctx_new(test, struct nested_ctx, conf);

	for (i = 0; i < NESTED_SEGS; i++) {
		segs[i].nr_sectors = NESTED_SEG;
		segs[i].bdev = ctx->fake->bdev;
		segs[i].sector = 100 + 200 * i;
	}
	ctx->src = fake_stack_new(test, FAKE_SPLIT, segs, NESTED_SEGS);
	for (i = 0; i < NESTED_SEGS; i++) {
		segs[i].nr_sectors = NESTED_DST_SEG;
		segs[i].sector = NESTED_DST + 200 * i;
	}
	ctx->dst = fake_stack_new(test, FAKE_CLONE, segs, NESTED_SEGS);

	segs[0].nr_sectors = NESTED_SEG * NESTED_SEGS;
	segs[0].bdev = ctx->src->bdev;
	segs[0].sector = 0;
	ctx->top = fake_stack_new(test, FAKE_CLONE, segs, 1);
	/* so that the lower stack sees the fragments */
	ctx->top->chunk = NESTED_SEG;
	return ctx;
}

/* The sectors @from to @to of nested_ext have been copied. */
void nested_model(struct nested_ctx *ctx, unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		ctx->model->tag[NESTED_DST + from / NESTED_DST_SEG * 200 +
				from % NESTED_DST_SEG] =
			100 + from / NESTED_SEG * 200 + from % NESTED_SEG;
}

static blk_status_t nested_async(struct kunit *test, struct nested_ctx *ctx)
{
	return copy_async_run(test, ctx->dst->bdev, 0, ctx->top->bdev,
			      &nested_ext, 1);
}

/* Each fragment of the source fails in turn: the others are copied. */
static void nested_source_fails(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	blk_status_t status;
	unsigned int i;

	for (i = 0; i <= NESTED_FRAGS; i++) {
		copy_model_reset(ctx->model);
		fake_stack_fail(ctx->src, REQ_OP_COPY_SRC, i + 1, 1,
				BLK_STS_MEDIUM);
		status = nested_async(test, ctx);
		COPY_EXPECT_STS(test, status, i < NESTED_FRAGS ?
				BLK_STS_MEDIUM : BLK_STS_OK);
		KUNIT_EXPECT_EQ(test, ctx->src->nr_src, NESTED_FRAGS);
		nested_model(ctx, 0, i * NESTED_SEG);
		if (i < NESTED_FRAGS)
			nested_model(ctx, (i + 1) * NESTED_SEG, NESTED_LEN);
		else
			nested_model(ctx, 0, NESTED_LEN);
		copy_model_check(ctx->model);
	}

	/* all of it, at the top */
	copy_model_reset(ctx->model);
	fake_stack_fail(ctx->top, REQ_OP_COPY_SRC, 1, 1, BLK_STS_TARGET);
	status = nested_async(test, ctx);
	COPY_EXPECT_STS(test, status, BLK_STS_TARGET);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	copy_model_check(ctx->model);
}

/* Each destination half fails in turn. */
static void nested_destination_fails(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	blk_status_t status;
	unsigned int i;

	for (i = 0; i < NESTED_FRAGS; i++) {
		copy_model_reset(ctx->model);
		fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, i + 1, 1,
				BLK_STS_NOSPC);
		status = nested_async(test, ctx);
		COPY_EXPECT_STS(test, status, BLK_STS_NOSPC);
		KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, NESTED_FRAGS);
		nested_model(ctx, 0, i * NESTED_SEG);
		nested_model(ctx, (i + 1) * NESTED_SEG, NESTED_LEN);
		copy_model_check(ctx->model);
	}
}

/* Each command fails in turn, after some of its sectors. */
static void nested_device_fails(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	blk_status_t status;
	unsigned int i, j;

	for (i = 0; i < NESTED_CMDS; i++) {
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, i + 1, BLK_STS_PROTECTION, 2);
		status = nested_async(test, ctx);
		COPY_EXPECT_STS(test, status, BLK_STS_PROTECTION);
		KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, NESTED_CMDS);
		for (j = 0; j < ctx->fake->nr_cmds; j++)
			copy_model_cmd(ctx->model, &ctx->fake->cmds[j],
				       i == j ? 2 : NESTED_LEN);
		copy_model_check(ctx->model);
	}
}

/* Both halves see the copy, and only those that are nested say so. */
static void nested_halves(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	blk_status_t status;

	status = nested_async(test, ctx);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, ctx->top->nr_src, 1);
	KUNIT_EXPECT_EQ(test, ctx->src->nr_src, NESTED_FRAGS);
	KUNIT_EXPECT_EQ(test, ctx->src->nr_dst, 0);
	KUNIT_EXPECT_EQ(test, ctx->dst->nr_src, 0);
	KUNIT_EXPECT_EQ(test, ctx->dst->nr_dst, NESTED_FRAGS);
	KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, NESTED_FRAGS);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, NESTED_CMDS);
	nested_model(ctx, 0, NESTED_LEN);
	copy_model_check(ctx->model);

	/* a disk for the source: its half isn't needed */
	copy_model_reset(ctx->model);
	fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, 0, 0, BLK_STS_OK);
	status = copy_async_run(test, ctx->dst->bdev, 0, ctx->fake->bdev,
				&nested_ext, 1);
	COPY_EXPECT_STS(test, status, BLK_STS_OK);
	KUNIT_EXPECT_EQ(test, ctx->dst->nr_dst, 1);
	KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, 0);
}

/*
 * The source stays in flight for as long as its data are being copied, and the
 * copy until the last fragment has ended, in whatever order they do.
 */
static void nested_source_is_held(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	unsigned int perm[NESTED_CMDS], i, fail, runs = 0;
	struct copy_async *async;

	for (i = 0; i < NESTED_CMDS; i++)
		perm[i] = i;
	do {
		/* each of them fails in turn, and once none does */
		fail = runs++ % (NESTED_CMDS + 1);
		copy_model_reset(ctx->model);
		fake_disk_hold(ctx->fake);
		async = copy_async_start(test, ctx->dst->bdev, 0,
					 ctx->top->bdev, &nested_ext, 1);
		KUNIT_ASSERT_TRUE(test, fake_disk_wait_held(ctx->fake,
							    NESTED_CMDS));
		for (i = 0; i < NESTED_CMDS; i++) {
			KUNIT_ASSERT_EQ(test, atomic_read(&async->ends), 0);
			copy_model_cmd(ctx->model, &ctx->fake->cmds[perm[i]],
				       perm[i] == fail ? 0 : NESTED_LEN);
			fake_disk_end(ctx->fake, perm[i], perm[i] == fail ?
				      BLK_STS_MEDIUM : BLK_STS_OK, 0);
		}
		copy_async_wait(test, async);
		COPY_EXPECT_STS(test, async->status, fail < NESTED_CMDS ?
				BLK_STS_MEDIUM : BLK_STS_OK);
		copy_model_check(ctx->model);
	} while (copy_next_permutation(perm, NESTED_CMDS));
}

/* Whoever submits the bio himself gets to know that he has to try again. */
static void nested_again_is_reported(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	blk_status_t status;

	fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, 2, 1, BLK_STS_AGAIN);
	status = nested_async(test, ctx);
	COPY_EXPECT_STS(test, status, BLK_STS_AGAIN);
	KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, NESTED_FRAGS);
	nested_model(ctx, 0, NESTED_SEG);
	nested_model(ctx, 2 * NESTED_SEG, NESTED_LEN);
	copy_model_check(ctx->model);
}

/* The destination can't go on for a while: nobody notices. */
static void nested_again_is_retried(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	unsigned int first, count;
	sector_t copied;
	int ret;

	for (first = 1; first <= NESTED_FRAGS; first++) {
		for (count = 1; count <= 2 * NESTED_FRAGS; count++) {
			copy_model_reset(ctx->model);
			fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, first,
					count, BLK_STS_AGAIN);
			ret = copy_sync_run(test, ctx->dst->bdev, 0,
					    ctx->top->bdev, &nested_ext, 1,
					    &copied);
			KUNIT_EXPECT_EQ(test, ret, 0);
			KUNIT_EXPECT_EQ(test, copied, (sector_t)NESTED_LEN);
			nested_model(ctx, 0, NESTED_LEN);
			copy_model_check(ctx->model);
		}
	}
}

/* It can't go on for ever: told after about ten times, with what was done. */
static void nested_again_ends(struct kunit *test)
{
	/* bios of one fragment each */
	static const struct fake_disk_conf conf = {
		.max_sectors = NESTED_SEG, .max_extent_sectors = NESTED_SEG,
		.max_extents = 1,
	};
	struct nested_ctx *ctx = nested_start(test, &conf);
	struct copy_sync *sync;
	unsigned int first;

	for (first = 1; first <= NESTED_FRAGS; first += 2) {
		copy_model_reset(ctx->model);
		fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, first, UINT_MAX,
				BLK_STS_AGAIN);
		sync = copy_sync_start(test, ctx->dst->bdev, 0,
				       ctx->top->bdev, &nested_ext, 1);
		copy_sync_wait(test, sync);
		KUNIT_EXPECT_EQ(test, sync->ret, -EAGAIN);
		KUNIT_EXPECT_EQ(test, sync->copied,
				(sector_t)(first - 1) * NESTED_SEG);
		KUNIT_EXPECT_EQ(test, sync->ext[0].sector, sync->copied);
		KUNIT_EXPECT_EQ(test, sync->ext[0].nr_sectors,
				NESTED_LEN - sync->copied);
		KUNIT_EXPECT_GE(test, ctx->dst->nr_nested, 5);
		KUNIT_EXPECT_LE(test, ctx->dst->nr_nested, 20 * NESTED_FRAGS);
		nested_model(ctx, 0, (first - 1) * NESTED_SEG);
		copy_model_check(ctx->model);
	}
}

/* Only "try again" is: other errors come back at once, with the prefix. */
static void nested_error_ends_it(struct kunit *test)
{
	static const struct fake_disk_conf conf = {
		.max_sectors = NESTED_SEG, .max_extent_sectors = NESTED_SEG,
		.max_extents = 1,
	};
	struct nested_ctx *ctx = nested_start(test, &conf);
	unsigned int first, i;
	sector_t copied;
	int ret;

	for (first = 1; first <= NESTED_FRAGS; first++) {
		copy_model_reset(ctx->model);
		fake_stack_fail(ctx->dst, REQ_OP_COPY_DST, first, 1,
				BLK_STS_MEDIUM);
		ret = copy_sync_run(test, ctx->dst->bdev, 0, ctx->top->bdev,
				    &nested_ext, 1, &copied);
		KUNIT_EXPECT_EQ(test, ret, -ENODATA);
		KUNIT_EXPECT_EQ(test, copied,
				(sector_t)(first - 1) * NESTED_SEG);
		KUNIT_EXPECT_EQ(test, ctx->dst->nr_nested, NESTED_FRAGS);
		for (i = 0; i < NESTED_FRAGS; i++)
			if (i != first - 1)
				nested_model(ctx, i * NESTED_SEG,
					     (i + 1) * NESTED_SEG);
		copy_model_check(ctx->model);
	}
}

/*
 * The queue of a stacked destination is frozen: waiting for it could mean to wait
 * for the source, so the copy is tried again, and goes on when it can.
 */
static void nested_frozen_destination(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct request_queue *q = ctx->dst->disk->queue;
	struct copy_sync *sync;
	unsigned long left;
	bool late;

	blk_mq_freeze_queue(q);
	sync = copy_sync_start(test, ctx->dst->bdev, 0, ctx->top->bdev,
			       &nested_ext, 1);
	left = wait_for_completion_timeout(&sync->done, FAKE_TIMEOUT);
	blk_mq_unfreeze_queue(q);
	KUNIT_ASSERT_NE_MSG(test, left, 0UL, "it waits for the queue");
	KUNIT_EXPECT_EQ(test, sync->ret, -EAGAIN);
	KUNIT_EXPECT_EQ(test, sync->copied, 0ULL);
	copy_model_check(ctx->model);

	blk_mq_freeze_queue(q);
	sync = copy_sync_start(test, ctx->dst->bdev, 0, ctx->top->bdev,
			       &nested_ext, 1);
	msleep(20);
	late = completion_done(&sync->done);
	blk_mq_unfreeze_queue(q);
	copy_sync_wait(test, sync);
	if (late)
		kunit_skip(test, "the machine is too busy to sleep for 20 ms");
	KUNIT_EXPECT_EQ(test, sync->ret, 0);
	nested_model(ctx, 0, NESTED_LEN);
	copy_model_check(ctx->model);
}

/*
 * A source half that is in flight doesn't keep the queues from being frozen that
 * it has passed, or the destination half would wait for that for ever.
 */
static void nested_source_holds_no_queue(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct request_queue *q = ctx->fake->disk->queue;
	struct copy_async *async;
	int left;

	ctx->dst->defer = true;
	async = copy_async_start(test, ctx->dst->bdev, 0, ctx->top->bdev,
				 &nested_ext, 1);
	KUNIT_ASSERT_TRUE(test, fake_stack_wait_deferred(ctx->dst,
							 NESTED_CMDS));
	blk_freeze_queue_start(q);
	left = blk_mq_freeze_queue_wait_timeout(q, FAKE_TIMEOUT);
	blk_mq_unfreeze_queue(q);
	KUNIT_EXPECT_GT_MSG(test, left, 0, "something holds the queue");
	KUNIT_EXPECT_EQ(test, atomic_read(&async->ends), 0);

	fake_stack_release(ctx->dst);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
	nested_model(ctx, 0, NESTED_LEN);
	copy_model_check(ctx->model);
}

/*
 * The destination cuts the bio of blkdev_copy() into parts, and an early one
 * fails: how far the bio has come says nothing then.
 */
static void nested_prefix_of_a_split_bio(struct kunit *test)
{
	struct nested_ctx *ctx = nested_start(test, &nested_conf);
	struct bio_copy_extent ext = { 100, 60 };
	unsigned int how, nr, i, sector, dst;
	sector_t copied;
	int ret;

	for (how = FAKE_SPLIT; how <= FAKE_CLONE; how++) {
		ctx->dst->how = how;
		for (nr = 1; nr <= 4; nr++) {
			copy_model_reset(ctx->model);
			fake_disk_fail(ctx->fake, nr, BLK_STS_MEDIUM, 4);
			ret = copy_sync_run(test, ctx->dst->bdev, 0,
					    ctx->fake->bdev, &ext, 1,
					    &copied);
			KUNIT_EXPECT_EQ(test, ret, -ENODATA);
			KUNIT_EXPECT_LE(test, copied, (sector_t)(nr - 1) *
					NESTED_DST_SEG + 4);
			for (sector = 0; sector < copied; sector++) {
				dst = NESTED_DST + sector / NESTED_DST_SEG * 200;
				dst += sector % NESTED_DST_SEG;
				KUNIT_EXPECT_EQ(test, 100 + sector,
						fake_disk_tag(ctx->fake, dst));
			}
			for (i = 0; i < ctx->fake->nr_cmds; i++)
				copy_model_cmd(ctx->model,
					       &ctx->fake->cmds[i],
					       i == nr - 1 ? 4 :
					       NESTED_DST_SEG);
			copy_model_check(ctx->model);
		}
	}
}

static struct kunit_case copy_nested_cases[] = {
	KUNIT_CASE(nested_source_fails),
	KUNIT_CASE(nested_destination_fails),
	KUNIT_CASE(nested_device_fails),
	KUNIT_CASE(nested_halves),
	KUNIT_CASE(nested_source_is_held),
	KUNIT_CASE(nested_again_is_reported),
	KUNIT_CASE(nested_again_is_retried),
	KUNIT_CASE_SLOW(nested_again_ends),
	KUNIT_CASE(nested_error_ends_it),
	KUNIT_CASE_SLOW(nested_frozen_destination),
	KUNIT_CASE(nested_source_holds_no_queue),
	KUNIT_CASE(nested_prefix_of_a_split_bio),
	{}
};

struct kunit_suite copy_nested_suite = {
	.name = "copy_nested",
	.test_cases = copy_nested_cases,
};
