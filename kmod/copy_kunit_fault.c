// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations fail: copies that can't wait for memory end with an error, and
 * never wait for it, and everything else goes on.
 */
#include "copy_kunit.h"

#define FAULT_DST	2000
#define FAULT_FRAGS	100	/* more than are kept in reserve */

struct fault_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
	struct fake_stack	*src;
	struct fake_stack	*dst;
	struct work_struct	work;
	struct completion	done;
	unsigned int		missed;	/* allocations that didn't fail */
};

static const struct fake_disk_conf fault_conf = {
	.max_sectors = 4, .max_extent_sectors = 4, .max_extents = 2,
};

/* The allocation @nth that this task makes fails, none with 0. */
static void fault_set(unsigned int nth)
{
#ifdef CONFIG_FAULT_INJECTION
	WRITE_ONCE(current->fail_nth, nth);
#endif
}

/* Has it been made? */
static bool fault_was_met(void)
{
#ifdef CONFIG_FAULT_INJECTION
	return !READ_ONCE(current->fail_nth);
#else
	return false;
#endif
}

static struct fault_ctx *fault_start(struct kunit *test)
{
	struct fault_ctx *ctx;
	struct fake_seg seg;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test,
			   "the kernel has no failing slabs (CONFIG_FAILSLAB)");

	ctx = copy_ctx_new(test, struct fault_ctx, &fault_conf);
	seg = (struct fake_seg) { 1000, ctx->fake->bdev, 500 };
	ctx->src = fake_stack_new(test, FAKE_SPLIT, &seg, 1);
	seg = (struct fake_seg) { 1000, ctx->fake->bdev, FAULT_DST };
	ctx->dst = fake_stack_new(test, FAKE_SPLIT, &seg, 1);
	return ctx;
}

/*
 * What is not known to be copied may or may not have been: take over what the
 * disk holds, if it is either.
 */
static void fault_settle(struct kunit *test, struct fault_ctx *ctx,
			 sector_t dst, sector_t src, sector_t sectors)
{
	u32 tag;

	for (; sectors--; src++, dst++) {
		tag = fake_disk_tag(ctx->fake, dst);
		if (tag == src)
			ctx->model->tag[dst] = src;
		else
			KUNIT_EXPECT_EQ(test, tag, dst);
	}
}

/* No memory, no bio, no warning. */
static void fault_no_bio(struct kunit *test)
{
	struct fault_ctx *ctx = fault_start(test);
	struct bio_copy_extent ext = { 0, 8 };
	struct bio_copy copy = {
		.src = ctx->fake->bdev, .dst = ctx->fake->bdev,
		.dst_sector = FAULT_DST, .extents = &ext, .nr_extents = 1,
	};
	struct bio *bios[16] = { };
	unsigned int i, half;

	for (half = 0; half < 2; half++) {
		/* some are in reserve */
		for (i = 0; i < ARRAY_SIZE(bios); i++) {
			fault_set(1);
			bios[i] = bio_alloc_copy(&copy, 8, GFP_NOWAIT);
			fault_set(0);
			if (!bios[i])
				break;
		}
		KUNIT_EXPECT_LT(test, i, ARRAY_SIZE(bios));
		while (i--)
			bio_put(bios[i]);
		copy.src = ctx->src->bdev;
	}
}

/* blkdev_copy() that may not wait: each of its allocations fails once. */
static void fault_sync(struct kunit *test)
{
	struct fault_ctx *ctx = fault_start(test);
	struct block_device *bdev = ctx->fake->bdev, *src;
	struct bio_copy_extent ext;
	sector_t copied, start;
	unsigned int nth, half;
	bool met = true;
	int ret;

	for (half = 0; half < 2; half++) {
		src = half ? ctx->src->bdev : bdev;
		start = half ? 500 + 10 : 10;
		for (nth = 1; met || nth == 1; nth++) {
			KUNIT_ASSERT_LT(test, nth, 1000);
			copy_model_reset(ctx->model);
			ext = (struct bio_copy_extent) { 10, 50 };
			copied = 0;
			fault_set(nth);
			ret = blkdev_copy(bdev, FAULT_DST, src, &ext, 1,
					  GFP_NOWAIT, &copied);
			met = fault_was_met();
			fault_set(0);

			if (ret)
				KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			else
				KUNIT_EXPECT_EQ(test, copied, 50ULL);
			KUNIT_EXPECT_EQ(test, ext.nr_sectors, 50 - copied);
			ext = (struct bio_copy_extent) { start, 50 };
			copy_model_copy(ctx->model, FAULT_DST, &ext, 1,
					copied);
			fault_settle(test, ctx, FAULT_DST + copied,
				     start + copied, 50 - copied);
			copy_model_check(ctx->model);
		}
		KUNIT_EXPECT_GT_MSG(test, nth, 2, "nothing was allocated");
		met = true;
	}
}

/* Both halves, cut into fragments: each allocation that can fails once. */
static void fault_stacks(struct kunit *test)
{
	struct fault_ctx *ctx = fault_start(test);
	struct bio_copy_extent ext = { 10, 12 };
	struct copy_async *async;
	unsigned int nth, how;
	bool met;

	ctx->src->chunk = 5;
	ctx->dst->chunk = 3;
	for (how = FAKE_SPLIT; how <= FAKE_CLONE; how++) {
		ctx->src->how = how;
		ctx->dst->how = how;
		met = true;
		for (nth = 1; met; nth++) {
			KUNIT_ASSERT_LT(test, nth, 1000);
			copy_model_reset(ctx->model);
			async = copy_async_new(test, ctx->dst->bdev, 0,
					       ctx->src->bdev, &ext, 1);
			fault_set(nth);
			copy_async_submit(async);
			met = fault_was_met();
			fault_set(0);
			copy_async_wait(test, async);
			if (async->status == BLK_STS_OK)
				copy_model_copy(ctx->model, FAULT_DST,
						&(struct bio_copy_extent) {
						500 + 10, 12 }, 1, 12);
			else
				COPY_EXPECT_STS(test, async->status,
						BLK_STS_AGAIN);
			fault_settle(test, ctx, FAULT_DST, 500 + 10, 12);
			copy_model_check(ctx->model);
		}
		KUNIT_EXPECT_GT_MSG(test, nth, 2, "nothing was allocated");
	}
}

/* Send all fragments, each without memory for its other half. */
static void fault_submit_work(struct work_struct *work)
{
	struct fault_ctx *ctx = container_of(work, struct fault_ctx, work);
	unsigned int i;

	for (i = 0; i < FAULT_FRAGS; i++) {
		fault_set(1);
		fake_stack_submit(ctx->src, i);
		if (!fault_was_met())
			ctx->missed++;
		fault_set(0);
	}
	complete(&ctx->done);
}

static void fault_flush(void *context)
{
	struct fault_ctx *ctx = context;

	fake_disks_release();
	flush_work(&ctx->work);
}

/*
 * More destination halves than are in reserve, none of which ends before all
 * have been submitted: who waits for memory waits for ever.
 */
static void fault_reserve_is_used_up(struct kunit *test)
{
	struct fault_ctx *ctx = fault_start(test);
	struct bio_copy_extent ext = { 0, FAULT_FRAGS };
	struct copy_async *async;
	unsigned long ret;
	unsigned int nr;
	int err;

	ctx->src->chunk = 1;
	ctx->src->defer = true;
	ctx->dst->defer = true;
	INIT_WORK(&ctx->work, fault_submit_work);
	init_completion(&ctx->done);

	async = copy_async_start(test, ctx->dst->bdev, 0, ctx->src->bdev, &ext,
				 1);
	KUNIT_ASSERT_EQ(test, ctx->src->nr_deferred, FAULT_FRAGS);
	err = kunit_add_action_or_reset(test, fault_flush, ctx);
	KUNIT_ASSERT_EQ(test, err, 0);
	queue_work(system_unbound_wq, &ctx->work);
	ret = wait_for_completion_timeout(&ctx->done, FAKE_TIMEOUT);
	KUNIT_ASSERT_NE_MSG(test, ret, 0UL, "it waits for memory");

	KUNIT_EXPECT_EQ(test, ctx->missed, 0);
	nr = ctx->dst->nr_deferred;
	kunit_info(test, "%u of %u found memory", nr, FAULT_FRAGS);
	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_LT(test, nr, FAULT_FRAGS);
	KUNIT_EXPECT_EQ(test, atomic_read(&async->ends), 0);
	fake_stack_release(ctx->dst);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_AGAIN);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, nr);
	ext.sector = 500;
	copy_model_copy(ctx->model, FAULT_DST, &ext, 1, nr);
	copy_model_check(ctx->model);

	/* it comes back */
	copy_model_reset(ctx->model);
	fake_stack_release(ctx->src);
	ext.sector = 0;
	async = copy_async_start(test, ctx->dst->bdev, 0, ctx->src->bdev, &ext,
				 1);
	copy_async_wait(test, async);
	COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
	ext.sector = 500;
	copy_model_copy(ctx->model, FAULT_DST, &ext, 1, FAULT_FRAGS);
	copy_model_check(ctx->model);
}

static struct kunit_case copy_fault_cases[] = {
	KUNIT_CASE(fault_no_bio),
	KUNIT_CASE(fault_sync),
	KUNIT_CASE(fault_stacks),
	KUNIT_CASE(fault_reserve_is_used_up),
	{}
};

struct kunit_suite copy_fault_suite = {
	.name = "copy_fault",
	.test_cases = copy_fault_cases,
};
