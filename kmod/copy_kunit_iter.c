// SPDX-License-Identifier: GPL-2.0
/*
 * Positions within copy bios: however a bio is advanced, split, trimmed or
 * cloned, its parts are the whole, and go where they belong.
 */
#include "copy_kunit.h"

#define ITER_DST	2000
#define ITER_MAX	256	/* sectors of a bio here */

/* The extents that are walked: long and short ones, in no order. */
static const struct bio_copy_extent iter_ext[] = {
	{ 100, 7 }, { 50, 1 }, { 51, 1 }, { 1000, 32 }, { 300, 2 }, { 107, 13 },
	{ 0, 1 }, { 900, 5 },
};

struct copy_iter_ctx {
	struct fake_disk	*fake;
	struct bio_set		bios;
	struct copy_async	*async;
	struct bio		*bio;
	unsigned int		sectors;
	sector_t		base;		/* of the source on the disk */
	sector_t		want[ITER_MAX];	/* source of each sector */
	sector_t		got[ITER_MAX];
};

static void iter_bios_exit(void *bios)
{
	bioset_exit(bios);
}

static struct copy_iter_ctx *iter_start(struct kunit *test, bool partition)
{
	static const struct fake_disk_conf conf = {
		.max_sectors = ITER_MAX, .max_extent_sectors = ITER_MAX,
		.max_extents = 32, .partition = true,
	};
	unsigned int i, j, pos = 0;
	struct copy_iter_ctx *ctx;
	struct block_device *src;
	int ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->fake = fake_disk_new(test, &conf);
	ret = bioset_init(&ctx->bios, 4, 0, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	ret = kunit_add_action_or_reset(test, iter_bios_exit, &ctx->bios);
	KUNIT_ASSERT_EQ(test, ret, 0);

	src = partition ? ctx->fake->part : ctx->fake->bdev;
	ctx->async = copy_async_new(test, ctx->fake->bdev, ITER_DST, src,
				    iter_ext, ARRAY_SIZE(iter_ext));
	ctx->bio = ctx->async->bio;
	ctx->sectors = copy_sectors(iter_ext, ARRAY_SIZE(iter_ext));
	ctx->base = partition ? FAKE_PART_START : 0;
	for (i = 0; i < ARRAY_SIZE(iter_ext); i++)
		for (j = 0; j < iter_ext[i].nr_sectors; j++)
			ctx->want[pos++] = ctx->base + iter_ext[i].sector + j;
	return ctx;
}

/* The ranges at @iter, sector by sector; returns how many ranges there were. */
static unsigned int iter_walk(struct kunit *test, const struct bio *bio,
			      struct bvec_iter iter, unsigned int max_sectors,
			      sector_t *sectors)
{
	struct bio_copy_extent range;
	unsigned int nr = 0, i;

	while (bio_copy_next_range(bio, &iter, max_sectors, &range)) {
		KUNIT_ASSERT_GT(test, range.nr_sectors, 0ULL);
		KUNIT_ASSERT_LE(test, range.nr_sectors, (sector_t)max_sectors);
		for (i = 0; i < range.nr_sectors; i++)
			*sectors++ = range.sector + i;
		nr++;
	}
	KUNIT_EXPECT_EQ(test, iter.bi_size, 0);
	return nr;
}

/* @bio has to be @nr_sectors of the whole from @pos on, and to go there. */
static void iter_is_part(struct kunit *test, struct copy_iter_ctx *ctx,
			 const struct bio *bio, unsigned int pos,
			 unsigned int nr_sectors)
{
	KUNIT_ASSERT_EQ_MSG(test, bio_sectors(bio), nr_sectors,
			    "at sector %u", pos);
	KUNIT_ASSERT_EQ(test, bio->bi_iter.bi_sector, ITER_DST + pos);
	iter_walk(test, bio, bio->bi_iter, ITER_MAX, ctx->got);
	KUNIT_ASSERT_MEMEQ_MSG(test, ctx->got, ctx->want + pos,
			       nr_sectors * sizeof(*ctx->got),
			       "%u sectors at %u", nr_sectors, pos);
}

static void iter_ranges_are_the_extents(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bvec_iter iter = ctx->bio->bi_iter;
	struct bio_copy_extent range;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iter_ext); i++) {
		KUNIT_ASSERT_TRUE(test, bio_copy_next_range(ctx->bio, &iter,
							    UINT_MAX, &range));
		KUNIT_EXPECT_EQ(test, range.sector, iter_ext[i].sector);
		KUNIT_EXPECT_EQ(test, range.nr_sectors, iter_ext[i].nr_sectors);
	}
	KUNIT_EXPECT_FALSE(test, bio_copy_next_range(ctx->bio, &iter, UINT_MAX,
						     &range));
	iter_is_part(test, ctx, ctx->bio, 0, ctx->sectors);
}

/* Long extents are cut into as few ranges as the limit allows. */
static void iter_ranges_are_cut_at_the_limit(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	unsigned int max, i, ranges, want;

	for (max = 1; max <= 34; max++) {
		want = 0;
		for (i = 0; i < ARRAY_SIZE(iter_ext); i++)
			want += (iter_ext[i].nr_sectors + max - 1) / max;
		ranges = iter_walk(test, ctx->bio, ctx->bio->bi_iter, max,
				   ctx->got);
		KUNIT_EXPECT_EQ_MSG(test, ranges, want, "limit %u", max);
		KUNIT_ASSERT_MEMEQ(test, ctx->got, ctx->want,
				   ctx->sectors * sizeof(*ctx->got));
	}
}

static void iter_ranges_are_of_the_whole_disk(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, true);

	iter_is_part(test, ctx, ctx->bio, 0, ctx->sectors);
}

static void iter_advance_to_every_sector(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bvec_iter start = ctx->bio->bi_iter;
	unsigned int pos;

	for (pos = 0; pos < ctx->sectors; pos++) {
		ctx->bio->bi_iter = start;
		bio_advance(ctx->bio, pos << SECTOR_SHIFT);
		iter_is_part(test, ctx, ctx->bio, pos, ctx->sectors - pos);
	}
	ctx->bio->bi_iter = start;
	bio_advance(ctx->bio, ctx->sectors << SECTOR_SHIFT);
	KUNIT_EXPECT_EQ(test, ctx->bio->bi_iter.bi_size, 0);
}

static void iter_advance_in_steps(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bvec_iter iter;
	unsigned int step, pos;

	for (step = 1; step < ctx->sectors; step++) {
		iter = ctx->bio->bi_iter;
		for (pos = 0; pos + step <= ctx->sectors; pos += step) {
			iter_walk(test, ctx->bio, iter, ITER_MAX, ctx->got);
			KUNIT_ASSERT_EQ(test, ctx->got[0], ctx->want[pos]);
			KUNIT_ASSERT_EQ(test, iter.bi_sector, ITER_DST + pos);
			bio_advance_iter(ctx->bio, &iter, step << SECTOR_SHIFT);
		}
	}
}

static void iter_split_at_every_sector(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bvec_iter start = ctx->bio->bi_iter;
	unsigned int pos;
	struct bio *part;

	for (pos = 1; pos < ctx->sectors; pos++) {
		ctx->bio->bi_iter = start;
		part = bio_split(ctx->bio, pos, GFP_KERNEL, &ctx->bios);
		KUNIT_ASSERT_NOT_NULL(test, part);
		iter_is_part(test, ctx, part, 0, pos);
		iter_is_part(test, ctx, ctx->bio, pos, ctx->sectors - pos);
		bio_put(part);
	}
}

/* Parts of parts, until nothing can be split any more. */
static void iter_split_again(struct kunit *test, struct copy_iter_ctx *ctx,
			     struct rnd_state *rnd, struct bio *bio,
			     unsigned int pos)
{
	unsigned int nr, sectors = bio_sectors(bio);
	struct bio *part;

	iter_is_part(test, ctx, bio, pos, sectors);
	if (sectors == 1)
		return;

	nr = 1 + prandom_u32_state(rnd) % (sectors - 1);
	part = bio_split(bio, nr, GFP_KERNEL, &ctx->bios);
	KUNIT_ASSERT_NOT_NULL(test, part);
	/* the stack is small: on into the shorter one only */
	if (nr < sectors - nr) {
		iter_is_part(test, ctx, bio, pos + nr, sectors - nr);
		iter_split_again(test, ctx, rnd, part, pos);
	} else {
		iter_is_part(test, ctx, part, pos, nr);
		iter_split_again(test, ctx, rnd, bio, pos + nr);
	}
	bio_put(part);
}

static void iter_split_parts_of_parts(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bvec_iter start = ctx->bio->bi_iter;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 50; i++) {
		ctx->bio->bi_iter = start;
		iter_split_again(test, ctx, &rnd, ctx->bio, 0);
	}
}

static void iter_trim_to_every_part(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bvec_iter start = ctx->bio->bi_iter;
	unsigned int pos, nr;

	for (pos = 0; pos < ctx->sectors; pos++) {
		for (nr = 1; nr <= ctx->sectors - pos; nr++) {
			ctx->bio->bi_iter = start;
			bio_trim(ctx->bio, pos, nr);
			iter_is_part(test, ctx, ctx->bio, pos, nr);
		}
	}
}

/* Clones share the extents, but not the position. */
static void iter_clones_are_independent(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	unsigned int pos;
	struct bio *clone;

	for (pos = 0; pos + 1 < ctx->sectors; pos++) {
		clone = bio_alloc_clone(ctx->fake->bdev, ctx->bio, GFP_KERNEL,
					&ctx->bios);
		KUNIT_ASSERT_NOT_NULL(test, clone);
		KUNIT_EXPECT_PTR_EQ(test, clone->bi_copy, &ctx->async->copy);
		bio_advance(clone, SECTOR_SIZE);
		iter_is_part(test, ctx, clone, pos + 1, ctx->sectors - pos - 1);
		iter_is_part(test, ctx, ctx->bio, pos, ctx->sectors - pos);
		bio_put(clone);
		bio_advance(ctx->bio, SECTOR_SIZE);
	}
}

/* The place in the copy survives when the sector is changed by a remap. */
static void iter_remap_keeps_the_place(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);
	unsigned int pos;

	for (pos = 0; pos + 1 < ctx->sectors; pos++) {
		ctx->bio->bi_iter.bi_sector = 3 * pos;
		bio_advance(ctx->bio, SECTOR_SIZE);
		KUNIT_ASSERT_EQ(test, ctx->bio->bi_iter.bi_sector, 3 * pos + 1);
		iter_walk(test, ctx->bio, ctx->bio->bi_iter, ITER_MAX,
			  ctx->got);
		KUNIT_ASSERT_EQ(test, ctx->got[0], ctx->want[pos + 1]);
	}
}

/* Extents, bios and positions of gigabytes, which are not copied here. */
static void iter_large_extents(struct kunit *test)
{
	static const struct bio_copy_extent ext[] = {
		{ 1ULL << 40, 1ULL << 35 }, { 5, 1 },
	};
	struct copy_iter_ctx *ctx = iter_start(test, false);
	struct bio *bio = ctx->bio;
	struct bio_copy_extent range;
	struct bvec_iter iter;

	ctx->async->copy.extents = ext;
	ctx->async->copy.nr_extents = 2;
	bio->bi_iter.bi_size = BIO_MAX_SECTORS << SECTOR_SHIFT;

	iter = bio->bi_iter;
	KUNIT_EXPECT_TRUE(test, bio_copy_next_range(bio, &iter, UINT_MAX,
						    &range));
	KUNIT_EXPECT_EQ(test, range.sector, 1ULL << 40);
	KUNIT_EXPECT_EQ(test, range.nr_sectors, (sector_t)BIO_MAX_SECTORS);

	bio_advance(bio, (BIO_MAX_SECTORS - 1) << SECTOR_SHIFT);
	iter = bio->bi_iter;
	KUNIT_EXPECT_EQ(test, iter.bi_sector,
			(sector_t)ITER_DST + BIO_MAX_SECTORS - 1);
	KUNIT_EXPECT_TRUE(test, bio_copy_next_range(bio, &iter, UINT_MAX,
						    &range));
	KUNIT_EXPECT_EQ(test, range.sector,
			(1ULL << 40) + BIO_MAX_SECTORS - 1);
	KUNIT_EXPECT_EQ(test, range.nr_sectors, 1ULL);
}

/* No code may take what a copy carries for pages. */
static void iter_copies_have_no_data(struct kunit *test)
{
	struct copy_iter_ctx *ctx = iter_start(test, false);

	KUNIT_EXPECT_FALSE(test, bio_has_data(ctx->bio));
	KUNIT_EXPECT_EQ(test, bio_segments(ctx->bio), 0);
	KUNIT_EXPECT_TRUE(test, op_is_write(REQ_OP_COPY_DST));
	KUNIT_EXPECT_FALSE(test, op_is_write(REQ_OP_COPY_SRC));
	KUNIT_EXPECT_FALSE(test, bio_no_advance_iter(ctx->bio));
}

static struct kunit_case copy_iter_cases[] = {
	KUNIT_CASE(iter_ranges_are_the_extents),
	KUNIT_CASE(iter_ranges_are_cut_at_the_limit),
	KUNIT_CASE(iter_ranges_are_of_the_whole_disk),
	KUNIT_CASE(iter_advance_to_every_sector),
	KUNIT_CASE(iter_advance_in_steps),
	KUNIT_CASE(iter_split_at_every_sector),
	KUNIT_CASE(iter_split_parts_of_parts),
	KUNIT_CASE(iter_trim_to_every_part),
	KUNIT_CASE(iter_clones_are_independent),
	KUNIT_CASE(iter_remap_keeps_the_place),
	KUNIT_CASE(iter_large_extents),
	KUNIT_CASE(iter_copies_have_no_data),
	{}
};

struct kunit_suite copy_iter_suite = {
	.name = "copy_iter",
	.test_cases = copy_iter_cases,
};
