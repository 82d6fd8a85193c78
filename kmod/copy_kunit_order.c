// SPDX-License-Identifier: GPL-2.0
/*
 * In whatever order the commands of a copy end, and whichever of them fail: the
 * copy ends once, after the last of them, with an error of theirs, and what
 * blkdev_copy() reports as copied has been copied.
 */
#include "copy_kunit.h"

#define ORDER_DST	2000
#define ORDER_CMDS	4
#define ORDER_LEN	8	/* sectors of a command, the last one has less */

static const struct fake_disk_conf order_conf = {
	.max_sectors = ORDER_LEN, .max_extent_sectors = 5, .max_extents = 4,
};

/* Four commands, with borders of extents anywhere in them. */
static const struct bio_copy_extent order_ext[] = {
	{ 100, 13 }, { 300, 11 }, { 50, 6 },
};

/* How each of them fails, if it does, and after how many sectors. */
static const struct {
	blk_status_t		status;
	int			error;
	unsigned int		good;
} order_fail[ORDER_CMDS] = {
	{ BLK_STS_MEDIUM, -ENODATA, 1 },
	{ BLK_STS_IOERR, -EIO, 6 },
	{ BLK_STS_NOSPC, -ENOSPC, 0 },
	{ BLK_STS_TARGET, -EREMOTEIO, 5 },
};

struct order_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
	unsigned int		held[ORDER_CMDS];	/* place in the log */
};

/* Wait for all commands and learn which is which. */
static void order_all_held(struct kunit *test, struct order_ctx *ctx)
{
	unsigned int i, k;

	KUNIT_ASSERT_TRUE_MSG(test, fake_disk_wait_held(ctx->fake, ORDER_CMDS),
			      "%u commands", ctx->fake->nr_cmds);
	KUNIT_ASSERT_EQ(test, ctx->fake->nr_cmds, ORDER_CMDS);
	for (i = 0; i < ORDER_CMDS; i++) {
		k = (ctx->fake->cmds[i].dst - ORDER_DST) / ORDER_LEN;
		KUNIT_ASSERT_LT(test, k, ORDER_CMDS);
		ctx->held[k] = i;
	}
}

/* End command @k, well or not. */
static void order_end(struct order_ctx *ctx, unsigned int k, bool fail)
{
	const struct fake_cmd *cmd = &ctx->fake->cmds[ctx->held[k]];

	copy_model_cmd(ctx->model, cmd,
		       fail ? order_fail[k].good : cmd->nr_sectors);
	fake_disk_end(ctx->fake, ctx->held[k],
		      fail ? order_fail[k].status : BLK_STS_OK,
		      fail ? order_fail[k].good : 0);
}

static void order_async_one(struct kunit *test, struct order_ctx *ctx,
			    const unsigned int *perm, unsigned int fail)
{
	struct block_device *bdev = ctx->fake->bdev;
	struct copy_async *async;
	bool found = !fail;
	unsigned int i;

	copy_model_reset(ctx->model);
	fake_disk_hold(ctx->fake);
	async = copy_async_start(test, bdev, ORDER_DST, bdev, order_ext,
				 ARRAY_SIZE(order_ext));
	order_all_held(test, ctx);
	for (i = 0; i < ORDER_CMDS; i++) {
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&async->ends), 0,
				    "%u commands are in flight",
				    ORDER_CMDS - i);
		order_end(ctx, perm[i], fail & (1 << perm[i]));
	}
	copy_async_wait(test, async);

	if (!fail)
		COPY_EXPECT_STS(test, async->status, BLK_STS_OK);
	for (i = 0; i < ORDER_CMDS; i++)
		if ((fail & (1 << i)) && async->status == order_fail[i].status)
			found = true;
	KUNIT_ASSERT_TRUE_MSG(test, found, "failed %x, status %u", fail,
			      async->status);
	copy_model_check(ctx->model);
}

static void order_async(struct kunit *test)
{
	struct order_ctx *ctx = copy_ctx_new(test, struct order_ctx, &order_conf);
	unsigned int perm[ORDER_CMDS] = { 0, 1, 2, 3 }, fail;

	do {
		for (fail = 0; fail < 1 << ORDER_CMDS; fail++)
			order_async_one(test, ctx, perm, fail);
	} while (copy_next_permutation(perm, ORDER_CMDS));
}

/* What is left of the extents after @copied sectors. */
static void order_check_left(struct kunit *test, const struct copy_sync *sync,
			     sector_t copied)
{
	sector_t done;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order_ext); i++) {
		done = min(copied, order_ext[i].nr_sectors);
		copied -= done;
		KUNIT_ASSERT_EQ(test, sync->ext[i].nr_sectors,
				order_ext[i].nr_sectors - done);
		if (sync->ext[i].nr_sectors)
			KUNIT_ASSERT_EQ(test, sync->ext[i].sector,
					order_ext[i].sector + done);
	}
}

static void order_sync_one(struct kunit *test, struct order_ctx *ctx,
			   const unsigned int *perm, unsigned int fail)
{
	struct block_device *bdev = ctx->fake->bdev;
	sector_t copied = copy_sectors(order_ext, ARRAY_SIZE(order_ext));
	struct copy_sync *sync;
	unsigned int i;
	int error = 0;

	copy_model_reset(ctx->model);
	fake_disk_hold(ctx->fake);
	sync = copy_sync_start(test, bdev, ORDER_DST, bdev, order_ext,
			       ARRAY_SIZE(order_ext));
	order_all_held(test, ctx);
	for (i = 0; i < ORDER_CMDS; i++) {
		KUNIT_ASSERT_FALSE_MSG(test, completion_done(&sync->done),
				       "%u commands are in flight",
				       ORDER_CMDS - i);
		order_end(ctx, perm[i], fail & (1 << perm[i]));
	}
	copy_sync_wait(test, sync);

	for (i = ORDER_CMDS; i--;) {
		if (!(fail & (1 << i)))
			continue;
		copied = i * ORDER_LEN + order_fail[i].good;
		error = order_fail[i].error;
	}
	KUNIT_ASSERT_EQ_MSG(test, sync->ret, error, "failed %x", fail);
	KUNIT_ASSERT_EQ_MSG(test, sync->copied, copied, "failed %x", fail);
	order_check_left(test, sync, copied);
	copy_model_check(ctx->model);
}

static void order_sync(struct kunit *test)
{
	struct order_ctx *ctx = copy_ctx_new(test, struct order_ctx, &order_conf);
	unsigned int perm[ORDER_CMDS] = { 0, 1, 2, 3 }, fail;

	do {
		for (fail = 0; fail < 1 << ORDER_CMDS; fail++)
			order_sync_one(test, ctx, perm, fail);
	} while (copy_next_permutation(perm, ORDER_CMDS));
}

/* Every sector at which a command can fail. */
static void order_partial(struct kunit *test)
{
	struct order_ctx *ctx = copy_ctx_new(test, struct order_ctx, &order_conf);
	sector_t copied, total = copy_sectors(order_ext, ARRAY_SIZE(order_ext));
	struct block_device *bdev = ctx->fake->bdev;
	struct copy_sync *sync;
	unsigned int pos, i;

	for (pos = 0; pos < total; pos++) {
		copied = pos;
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, pos / ORDER_LEN + 1, BLK_STS_IOERR,
			       pos % ORDER_LEN);
		sync = copy_sync_start(test, bdev, ORDER_DST, bdev, order_ext,
				       ARRAY_SIZE(order_ext));
		copy_sync_wait(test, sync);
		KUNIT_ASSERT_EQ(test, sync->ret, -EIO);
		KUNIT_ASSERT_EQ(test, sync->copied, copied);
		order_check_left(test, sync, copied);
		KUNIT_ASSERT_EQ(test, ctx->fake->nr_cmds, ORDER_CMDS);
		for (i = 0; i < ORDER_CMDS; i++)
			copy_model_cmd(ctx->model, &ctx->fake->cmds[i],
				       i == pos / ORDER_LEN ?
				       pos % ORDER_LEN : ORDER_LEN);
		copy_model_check(ctx->model);
	}
}

/* A request of several bios that fails: those before that point are done. */
static void order_partial_of_merged(struct kunit *test)
{
	static const struct fake_disk_conf conf = {
		.max_sectors = 32, .max_extent_sectors = 32, .max_extents = 8,
	};
	struct order_ctx *ctx = copy_ctx_new(test, struct order_ctx, &conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct copy_async *async[3];
	struct bio_copy_extent ext;
	struct blk_plug plug;
	unsigned int good, i;

	for (good = 0; good < 15; good++) {
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, 1, BLK_STS_MEDIUM, good);
		blk_start_plug(&plug);
		for (i = 0; i < 3; i++) {
			ext.sector = 100 * i;
			ext.nr_sectors = 5;
			async[i] = copy_async_start(test, bdev,
						    ORDER_DST + 5 * i, bdev,
						    &ext, 1);
		}
		blk_finish_plug(&plug);
		for (i = 0; i < 3; i++) {
			copy_async_wait(test, async[i]);
			COPY_EXPECT_STS_MSG(test, async[i]->status,
					    good >= 5 * (i + 1) ?
					    BLK_STS_OK : BLK_STS_MEDIUM,
					    "bio %u, %u sectors are good", i,
					    good);
		}
		KUNIT_ASSERT_EQ(test, ctx->fake->nr_cmds, 1);
		copy_model_cmd(ctx->model, &ctx->fake->cmds[0], good);
		copy_model_check(ctx->model);
	}
}

/*
 * More commands than a batch has: what comes behind the batch that fails isn't
 * tried any more.
 */
static void order_batches(struct kunit *test)
{
	static const struct fake_disk_conf conf = {
		.max_sectors = 1, .max_extent_sectors = 1, .max_extents = 1,
	};
	static const unsigned int nrs[] = { 1, 2, 255, 256, 257, 300, 511, 600 };
	struct order_ctx *ctx = copy_ctx_new(test, struct order_ctx, &conf);
	struct block_device *bdev = ctx->fake->bdev;
	struct bio_copy_extent ext = { 10, 600 };
	sector_t copied, failed;
	unsigned int i, j;
	int ret;

	ret = copy_sync_run(test, bdev, ORDER_DST, bdev, &ext, 1, &copied);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_EQ(test, copied, 600ULL);
	KUNIT_ASSERT_EQ(test, ctx->fake->nr_cmds, 600);
	copy_model_copy(ctx->model, ORDER_DST, &ext, 1, 600);
	copy_model_check(ctx->model);

	for (i = 0; i < ARRAY_SIZE(nrs); i++) {
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, nrs[i], BLK_STS_IOERR, 0);
		ret = copy_sync_run(test, bdev, ORDER_DST, bdev, &ext, 1,
				    &copied);
		KUNIT_ASSERT_EQ(test, ret, -EIO);
		/* others of its batch may have been copied, and no more */
		KUNIT_ASSERT_GE(test, ctx->fake->nr_cmds, nrs[i]);
		KUNIT_ASSERT_LE(test, ctx->fake->nr_cmds, nrs[i] + 255);
		/* a preempted task may send them from another CPU, in another order */
		failed = ctx->fake->cmds[nrs[i] - 1].dst - ORDER_DST;
		KUNIT_ASSERT_EQ(test, copied, failed);
		for (j = 0; j < ctx->fake->nr_cmds; j++)
			if (j != nrs[i] - 1)
				copy_model_cmd(ctx->model,
					       &ctx->fake->cmds[j], 1);
		copy_model_check(ctx->model);
	}
}

static struct kunit_case copy_order_cases[] = {
	KUNIT_CASE(order_async),
	KUNIT_CASE(order_sync),
	KUNIT_CASE(order_partial),
	KUNIT_CASE(order_partial_of_merged),
	KUNIT_CASE(order_batches),
	{}
};

struct kunit_suite copy_order_suite = {
	.name = "copy_order",
	.test_cases = copy_order_cases,
};
