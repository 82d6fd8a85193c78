// SPDX-License-Identifier: GPL-2.0
/*
 * Copies merge when their destinations touch and the limits allow it, and only
 * then, whatever their sources are.
 */
#include "copy_kunit.h"

#define MERGE_DST	2048
#define MERGE_MAX	32	/* copies in a test */

struct merge_copy {
	struct block_device	*src;
	sector_t		dst;
	unsigned int		nr;
	struct bio_copy_extent	ext[4];
};

struct merge_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
	struct merge_copy	copies[MERGE_MAX];
	unsigned int		nr;
	struct copy_async	*async[MERGE_MAX];
};

/* A new lot of copies. */
static void merge_begin(struct merge_ctx *ctx)
{
	copy_model_reset(ctx->model);
	ctx->nr = 0;
}

static void merge_add(struct merge_ctx *ctx, sector_t dst, sector_t src,
		      unsigned int sectors)
{
	struct merge_copy *copy = &ctx->copies[ctx->nr++];

	copy->src = ctx->fake->bdev;
	copy->dst = dst;
	copy->nr = 1;
	copy->ext[0].sector = src;
	copy->ext[0].nr_sectors = sectors;
}

static void merge_submit(struct kunit *test, struct merge_ctx *ctx)
{
	struct merge_copy *copy;
	unsigned int i;

	for (i = 0; i < ctx->nr; i++) {
		copy = &ctx->copies[i];
		ctx->async[i] = copy_async_start(test, ctx->fake->bdev,
						 copy->dst, copy->src,
						 copy->ext, copy->nr);
	}
}

static void merge_wait(struct kunit *test, struct merge_ctx *ctx)
{
	unsigned int i;

	for (i = 0; i < ctx->nr; i++) {
		copy_async_wait(test, ctx->async[i]);
		COPY_EXPECT_STS(test, ctx->async[i]->status, BLK_STS_OK);
	}
}

static void merge_finish(struct kunit *test, struct merge_ctx *ctx)
{
	struct merge_copy *copy;
	unsigned int i, j;

	merge_wait(test, ctx);
	for (i = 0; i < ctx->nr; i++) {
		copy = &ctx->copies[i];
		for (j = 0; j < copy->nr; j++)
			copy->ext[j].sector += copy->src->bd_start_sect;
		copy_model_copy(ctx->model, copy->dst, copy->ext, copy->nr,
				FAKE_SECTORS);
	}
	copy_model_check(ctx->model);
}

/* All copies under one plug. */
static void merge_plugged(struct kunit *test, struct merge_ctx *ctx)
{
	struct blk_plug plug;

	blk_start_plug(&plug);
	merge_submit(test, ctx);
	blk_finish_plug(&plug);
	merge_finish(test, ctx);
}

static const struct fake_disk_conf merge_conf = {
	.max_sectors = 20, .max_extent_sectors = 7, .max_extents = 3,
};

static const struct fake_disk_conf merge_wide_conf = {
	.max_sectors = 256, .max_extent_sectors = 64, .max_extents = 32,
};

/* The number of commands for copies that follow each other. */
static unsigned int merge_commands(const struct merge_ctx *ctx)
{
	const struct fake_disk_conf *conf = &ctx->fake->conf;
	unsigned int i, len, ranges, nr = 0, sectors = 0, segs = 0;

	for (i = 0; i < ctx->nr; i++) {
		len = ctx->copies[i].ext[0].nr_sectors;
		ranges = (len + conf->max_extent_sectors - 1) /
			 conf->max_extent_sectors;
		sectors += len;
		segs += ranges;
		if (!nr || sectors > conf->max_sectors ||
		    segs > conf->max_extents) {
			nr++;
			sectors = len;
			segs = ranges;
		}
	}
	return nr;
}

/* @nr copies of @len sectors, one behind the other, from all over the place. */
static void merge_row(struct kunit *test, struct merge_ctx *ctx,
		      unsigned int nr, unsigned int len)
{
	unsigned int i;

	merge_begin(ctx);
	for (i = 0; i < nr; i++)
		merge_add(ctx, MERGE_DST + i * len, (i * 17 % nr + 3) * 20,
			  len);
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ_MSG(test, ctx->fake->nr_cmds, merge_commands(ctx),
			    "for %u copies of %u sectors", nr, len);
}

static void merge_up_to_the_limits(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_conf);
	unsigned int nr, len;

	for (len = 1; len <= 20; len++)
		for (nr = 1; nr <= 10; nr++)
			merge_row(test, ctx, nr, len);
}

static void merge_up_to_wide_limits(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);

	merge_row(test, ctx, MERGE_MAX, 1);
	merge_row(test, ctx, MERGE_MAX, 8);
	merge_row(test, ctx, MERGE_MAX, 9);
	merge_row(test, ctx, MERGE_MAX, 20);
}

static void merge_different_lengths(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	struct rnd_state rnd;
	unsigned int i, j, len;
	sector_t dst;

	prandom_seed_state(&rnd, 2);
	for (i = 0; i < 50; i++) {
		merge_begin(ctx);
		dst = MERGE_DST;
		for (j = 0; j < MERGE_MAX; j++) {
			len = 1 + prandom_u32_state(&rnd) % 20;
			merge_add(ctx, dst, prandom_u32_state(&rnd) % 2000,
				  len);
			dst += len;
		}
		merge_plugged(test, ctx);
		KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, merge_commands(ctx));
	}
}

static void merge_several_extents(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	static const struct bio_copy_extent ext[2][4] = {
		{ { 5, 3 }, { 100, 1 }, { 8, 2 }, { 500, 7 } },
		{ { 30, 1 }, { 20, 1 }, { 10, 9 }, { 0, 4 } },
	};

	merge_begin(ctx);
	merge_add(ctx, MERGE_DST, 0, 1);
	merge_add(ctx, MERGE_DST + 13, 0, 1);
	memcpy(ctx->copies[0].ext, ext[0], sizeof(ext[0]));
	memcpy(ctx->copies[1].ext, ext[1], sizeof(ext[1]));
	ctx->copies[0].nr = 4;
	ctx->copies[1].nr = 4;
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 1);
	KUNIT_EXPECT_EQ(test, ctx->fake->cmds[0].nr_ranges, 8);
	KUNIT_EXPECT_EQ(test, ctx->fake->cmds[0].nr_bios, 2);
}

/* A copy may also come before what is there. */
static void merge_in_front(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	unsigned int i;

	merge_begin(ctx);
	for (i = 0; i < 8; i++)
		merge_add(ctx, MERGE_DST + (7 - i) * 5, 40 * i, 5);
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 1);
	KUNIT_EXPECT_EQ(test, ctx->fake->cmds[0].nr_ranges, 8);
}

/* Interleaved rows: each copy continues the last but one. */
static void merge_with_any_in_the_plug(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	unsigned int i;

	merge_begin(ctx);
	for (i = 0; i < 16; i++)
		merge_add(ctx, MERGE_DST + i / 2 * 4 + i % 2 * 100, 10 * i, 4);
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 2);
}

static void merge_not_across_a_gap(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	unsigned int i;

	/* sources that touch are no reason */
	merge_begin(ctx);
	for (i = 0; i < 8; i++)
		merge_add(ctx, MERGE_DST + 6 * i, 5 * i, 5);
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 8);
}

/* Destinations that overlap by a sector; the last one is what remains. */
static void merge_not_if_they_overlap(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);

	merge_begin(ctx);
	merge_add(ctx, MERGE_DST, 100, 5);
	merge_add(ctx, MERGE_DST + 4, 200, 5);
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 2);
}

/* A copy of what another one writes has to come after it. */
static void merge_not_if_they_depend(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	unsigned int i, shift;

	for (shift = 0; shift < 9; shift++) {
		/* the second reads, among others, what the first writes */
		merge_begin(ctx);
		merge_add(ctx, MERGE_DST, 100, 5);
		merge_add(ctx, MERGE_DST + 5, MERGE_DST - 4 + shift, 5);
		/* the destination of the second, too, from shift 5 on */
		if (shift > 4)
			ctx->copies[1].ext[0].nr_sectors = 9 - shift;
		merge_plugged(test, ctx);
		KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 2);
	}

	/* the first has read what the second writes, also in front of it */
	for (i = 0; i < 2; i++) {
		merge_begin(ctx);
		merge_add(ctx, MERGE_DST + 5 * i, MERGE_DST + 5 * !i, 5);
		merge_add(ctx, MERGE_DST + 5 * !i, 100, 5);
		merge_plugged(test, ctx);
		KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 2);
	}
}

/* One extent is relative to a partition, the other to the disk. */
static void merge_sources_on_partition_and_disk(struct kunit *test)
{
	struct fake_disk_conf conf = merge_wide_conf;
	struct merge_ctx *ctx;

	conf.partition = true;
	ctx = copy_ctx_new(test, struct merge_ctx, &conf);
	merge_begin(ctx);
	merge_add(ctx, FAKE_SECTORS - 16, 7, 5);
	merge_add(ctx, FAKE_SECTORS - 11, 7, 5);
	merge_add(ctx, FAKE_SECTORS - 6, 90, 5);
	ctx->copies[1].src = ctx->fake->part;
	merge_plugged(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 1);
	KUNIT_EXPECT_EQ(test, ctx->fake->cmds[0].ranges[1].sector,
			FAKE_PART_START + 7);
}

static void merge_end_io(struct bio *bio)
{
	complete(bio->bi_private);
}

/* Writes beside copies stay writes. */
static void merge_not_with_writes(struct kunit *test)
{
	struct merge_ctx *ctx = copy_ctx_new(test, struct merge_ctx, &merge_wide_conf);
	DECLARE_COMPLETION_ONSTACK(done);
	struct blk_plug plug;
	unsigned long ret;
	struct page *page;
	struct bio *bio;

	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, page);
	bio = bio_alloc(ctx->fake->bdev, 1, REQ_OP_WRITE, GFP_KERNEL);
	bio->bi_iter.bi_sector = MERGE_DST + 8;
	__bio_add_page(bio, page, PAGE_SIZE, 0);
	bio->bi_end_io = merge_end_io;
	bio->bi_private = &done;

	merge_begin(ctx);
	merge_add(ctx, MERGE_DST, 100, 8);
	blk_start_plug(&plug);
	merge_submit(test, ctx);
	submit_bio(bio);
	blk_finish_plug(&plug);
	ret = wait_for_completion_timeout(&done, FAKE_TIMEOUT);
	KUNIT_ASSERT_NE(test, ret, 0UL);
	COPY_EXPECT_STS(test, bio->bi_status, BLK_STS_OK);
	bio_put(bio);
	__free_page(page);
	memset(&ctx->model->tag[MERGE_DST + 8], 0, 8 * sizeof(u32));
	merge_finish(test, ctx);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 1);
}

/*
 * Four copies that the scheduler sees one by one, the third of them from @src,
 * until they were @nr_cmds commands: a slow machine lets the queue run between two
 * of them, which ends merging.
 */
static void merge_scheduled(struct kunit *test, sector_t src, unsigned int nr_cmds,
			    void (*finish)(struct kunit *test, struct merge_ctx *ctx))
{
	struct fake_disk_conf conf = merge_wide_conf;
	struct merge_ctx *ctx;
	unsigned int i;

	conf.scheduler = true;
	ctx = copy_ctx_new(test, struct merge_ctx, &conf);
	if (!ctx->fake->disk->queue->elevator)
		kunit_skip(test, "the kernel has no mq-deadline");

	for (i = 0; i < 50; i++) {
		merge_begin(ctx);
		/* the first one is tried, comes back and isn't merged with */
		merge_add(ctx, MERGE_DST + 500, 900, 1);
		merge_add(ctx, MERGE_DST, 100, 8);
		merge_add(ctx, MERGE_DST + 16, src, 8);
		merge_add(ctx, MERGE_DST + 8, 200, 8);
		fake_disk_busy(ctx->fake, true);
		merge_submit(test, ctx);
		fake_disk_busy(ctx->fake, false);
		finish(test, ctx);
		KUNIT_ASSERT_GE(test, ctx->fake->nr_cmds, nr_cmds);
		if (ctx->fake->nr_cmds == nr_cmds)
			return;
	}
	KUNIT_FAIL(test, "%u commands, fifty times", ctx->fake->nr_cmds);
}

/* Requests that wait in the scheduler: the one that fills a gap joins them. */
static void merge_in_the_scheduler(struct kunit *test)
{
	merge_scheduled(test, 300, 2, merge_finish);
}

/* Which of them came first is left to the scheduler, and so are the data. */
static void merge_finish_any(struct kunit *test, struct merge_ctx *ctx)
{
	merge_wait(test, ctx);
	KUNIT_EXPECT_NULL(test, ctx->fake->wrong);
}

/* The one that fills the gap joins the first; the last reads what that writes. */
static void merge_no_requests_that_depend(struct kunit *test)
{
	merge_scheduled(test, MERGE_DST + 1, 3, merge_finish_any);
}

/* As many copies in the scheduler as there are limits to keep to. */
static void merge_requests_up_to_the_limits(struct kunit *test)
{
	struct fake_disk_conf conf = merge_conf;
	struct merge_ctx *ctx;
	unsigned int len, i;

	conf.scheduler = true;
	ctx = copy_ctx_new(test, struct merge_ctx, &conf);
	if (!ctx->fake->disk->queue->elevator)
		kunit_skip(test, "the kernel has no mq-deadline");

	for (len = 1; len <= 10; len++) {
		merge_begin(ctx);
		merge_add(ctx, MERGE_DST + 500, 900, 1);
		for (i = 0; i < 12; i++)
			merge_add(ctx, MERGE_DST + i * 5 % 12 * len,
				  40 * i, len);
		fake_disk_busy(ctx->fake, true);
		merge_submit(test, ctx);
		fake_disk_busy(ctx->fake, false);
		/* the disk complains if a command is too long */
		merge_finish(test, ctx);
	}
}

static struct kunit_case copy_merge_cases[] = {
	KUNIT_CASE(merge_up_to_the_limits),
	KUNIT_CASE(merge_up_to_wide_limits),
	KUNIT_CASE(merge_different_lengths),
	KUNIT_CASE(merge_several_extents),
	KUNIT_CASE(merge_in_front),
	KUNIT_CASE(merge_with_any_in_the_plug),
	KUNIT_CASE(merge_not_across_a_gap),
	KUNIT_CASE(merge_not_if_they_overlap),
	KUNIT_CASE(merge_not_if_they_depend),
	KUNIT_CASE(merge_sources_on_partition_and_disk),
	KUNIT_CASE(merge_not_with_writes),
	KUNIT_CASE(merge_in_the_scheduler),
	KUNIT_CASE(merge_no_requests_that_depend),
	KUNIT_CASE(merge_requests_up_to_the_limits),
	{}
};

struct kunit_suite copy_merge_suite = {
	.name = "copy_merge",
	.test_cases = copy_merge_cases,
};
