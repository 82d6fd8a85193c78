// SPDX-License-Identifier: GPL-2.0
/*
 * What a device refuses or fails to copy is read and written by dm-kcopyd, from
 * where the device has stopped, and only that.  The errors of a job are those of
 * its reads and writes.
 */
#include "copy_kunit_kcopyd.h"

#define FAIL_LEN	350	/* four commands, of which the last has 50 */
#define FAIL_CMDS	4

static const struct fake_disk_conf fail_conf = {
	.max_sectors = 100, .max_extent_sectors = 60, .max_extents = 4,
};

/* Every status, after any number of sectors of any command. */
static void kcopyd_stopped(struct kunit *test)
{
	static const blk_status_t status[] = {
		BLK_STS_NOTSUPP, BLK_STS_AGAIN, BLK_STS_IOERR, BLK_STS_MEDIUM,
		BLK_STS_NOSPC, BLK_STS_TARGET, BLK_STS_INVAL, BLK_STS_TIMEOUT,
	};
	static const unsigned int good[] = { 0, 1, 30, 49 };
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	unsigned int i, k, left;

	for (i = 0; i < ARRAY_SIZE(status) * ARRAY_SIZE(good); i++) {
		for (k = 0; k < FAIL_CMDS; k++) {
			kc_new_client(test, ctx);
			copy_model_reset(ctx->model);
			fake_disk_fail(ctx->fake, k + 1,
				       status[i % ARRAY_SIZE(status)],
				       good[i / ARRAY_SIZE(status)]);
			kc_copy(test, ctx, KC_SRC, KC_DST, FAIL_LEN);
			left = FAIL_LEN - 100 * k -
			       good[i / ARRAY_SIZE(status)];
			kc_expect_io(test, ctx->fake, left, left);
		}
	}
}

/* Two commands fail, and end in any order: it goes on from the first of them. */
static void kcopyd_stopped_twice(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	unsigned int perm[FAIL_CMDS] = { 0, 1, 2, 3 }, i, k;
	struct bio_copy_extent ext = { KC_SRC, FAIL_LEN };
	struct dm_io_region to = {
		.bdev = ctx->fake->bdev, .sector = KC_DST, .count = FAIL_LEN,
	};
	struct kc_job *job;

	do {
		kc_new_client(test, ctx);
		copy_model_reset(ctx->model);
		fake_disk_hold(ctx->fake);
		job = kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, FAIL_LEN,
				&to, 1, 0);
		KUNIT_ASSERT_TRUE(test, fake_disk_wait_held(ctx->fake,
							    FAIL_CMDS));
		for (i = 0; i < FAIL_CMDS; i++) {
			KUNIT_EXPECT_EQ(test, atomic_read(&job->ends), 0);
			KUNIT_EXPECT_EQ(test, ctx->fake->nr_read, 0);
			k = perm[i];
			fake_disk_end(ctx->fake, k,
				      k & 1 ? BLK_STS_IOERR : BLK_STS_OK,
				      k == 1 ? 20 : 0);
		}
		kc_wait(test, job, 0, 0);
		copy_model_copy(ctx->model, KC_DST, &ext, 1, FAIL_LEN);
		copy_model_check(ctx->model);
		kc_expect_io(test, ctx->fake, FAIL_LEN - 120, FAIL_LEN - 120);
	} while (copy_next_permutation(perm, FAIL_CMDS));
}

/* Of several destinations those are written that were not copied to. */
static void kcopyd_stopped_of_several(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	struct bio_copy_extent ext = { KC_SRC, 200 };
	struct dm_io_region to[] = {
		{ ctx->fake->bdev, 1000, 200 },
		{ ctx->fake->bdev, 2000, 200 },
		{ ctx->fake->bdev, 3000, 200 },
	};
	unsigned int i, nr;

	/* two commands for each of them */
	for (nr = 1; nr <= 6; nr++) {
		kc_new_client(test, ctx);
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, nr, BLK_STS_NOTSUPP, 0);
		kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 200,
					to, 3, 0), 0, 0);
		for (i = 0; i < 3; i++)
			copy_model_copy(ctx->model, to[i].sector, &ext, 1, 200);
		copy_model_check(ctx->model);
		kc_expect_io(test, ctx->fake, nr & 1 ? 200 : 100,
			     nr & 1 ? 200 : 100);
	}
}

/* A sector that can't be read or written, which a copy trips over too. */
static void kcopyd_bad_sectors(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	struct bio_copy_extent ext = { KC_SRC, 100 };
	struct dm_io_region to[] = {
		{ ctx->fake->bdev, 1000, 100 },
		{ ctx->fake->bdev, 2000, 100 },
		{ ctx->fake->bdev, 3000, 100 },
	};
	unsigned int bad;

	/* nothing is written if the source can't be read */
	fake_disk_fail(ctx->fake, 1, BLK_STS_MEDIUM, 0);
	ctx->fake->bad_read = KC_SRC + 60;
	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 100, to, 1,
				0), 1, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_written, 0);
	copy_model_check(ctx->model);

	/* unless errors are to be ignored: then what was not read is zeroes */
	kc_new_client(test, ctx);
	fake_disk_forget(ctx->fake);
	fake_disk_fail(ctx->fake, 1, BLK_STS_MEDIUM, 0);
	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 100, to, 1,
				BIT(DM_KCOPYD_IGNORE_ERROR)), 1, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_written, 100);
	ctx->fake->bad_read = FAKE_SECTORS;

	/* and of several destinations the bad one is named */
	for (bad = 0; bad < 3; bad++) {
		kc_new_client(test, ctx);
		copy_model_reset(ctx->model);
		fake_disk_fail(ctx->fake, bad + 1, BLK_STS_MEDIUM, 0);
		ctx->fake->bad_write = to[bad].sector + 99;
		kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 100,
					to, 3, 0), 0, BIT(bad));
		copy_model_copy(ctx->model, to[(bad + 1) % 3].sector, &ext, 1,
				100);
		copy_model_copy(ctx->model, to[(bad + 2) % 3].sector, &ext, 1,
				100);
		copy_model_check(ctx->model);
		kc_expect_io(test, ctx->fake, 100, 100);
	}
}

/* Parts that wait for their turn end too when that never comes. */
static void kcopyd_bad_sectors_in_order(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	struct dm_io_region to = {
		.bdev = ctx->fake->bdev, .sector = KC_DST, .count = 1900,
	};

	ctx->fake->bad_read = KC_SRC + 60;
	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 1900, &to,
				1, BIT(DM_KCOPYD_WRITE_SEQ)), 1, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_written, 0);
	ctx->fake->bad_read = FAKE_SECTORS;

	ctx->fake->bad_write = KC_DST + 60;
	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 1900, &to,
				1, BIT(DM_KCOPYD_WRITE_SEQ)), 0, 1);
}

/* Stacks that refuse one half or the other of a copy, or try to make it wait. */
static void kcopyd_stack_refuses(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	struct fake_seg seg = { 400, ctx->fake->bdev, KC_SRC };
	struct bio_copy_extent ext = { KC_SRC, FAIL_LEN };
	struct dm_io_region to = { .sector = 0, .count = FAIL_LEN };
	struct fake_stack *src, *dst;
	unsigned int nr, half;

	src = fake_stack_new(test, FAKE_SPLIT, &seg, 1);
	seg.sector = KC_DST;
	dst = fake_stack_new(test, FAKE_CLONE, &seg, 1);
	to.bdev = dst->bdev;
	for (half = 0; half < 2; half++) {
		for (nr = 1; nr <= FAIL_CMDS; nr++) {
			kc_new_client(test, ctx);
			copy_model_reset(ctx->model);
			fake_stack_fail(half ? dst : src,
					half ? REQ_OP_COPY_DST :
					       REQ_OP_COPY_SRC,
					nr, 1, half ? BLK_STS_AGAIN :
						      BLK_STS_NOTSUPP);
			kc_wait(test, kc_submit(test, ctx, src->bdev, 0,
						FAIL_LEN, &to, 1, 0), 0, 0);
			copy_model_copy(ctx->model, KC_DST, &ext, 1, FAIL_LEN);
			copy_model_check(ctx->model);
			KUNIT_EXPECT_EQ(test, ctx->fake->nr_read,
					FAIL_LEN - 100 * (nr - 1));
			fake_stack_fail(half ? dst : src, REQ_OP_COPY_DST, 0, 0,
					BLK_STS_OK);
		}
	}
}

static bool kc_is_offered(struct kunit *test, struct kc_ctx *ctx)
{
	unsigned int cmds = ctx->fake->nr_cmds;

	kc_copy(test, ctx, KC_SRC, KC_DST, 10);
	return ctx->fake->nr_cmds != cmds;
}

/* A device that refuses is left alone: for 8 jobs, for 16, for 32... for 1024. */
static void kcopyd_left_alone(struct kunit *test)
{
	static const blk_status_t error[] = {
		BLK_STS_AGAIN, BLK_STS_IOERR, BLK_STS_MEDIUM, BLK_STS_INVAL,
	};
	struct kc_ctx *ctx = kc_start(test, &fail_conf);
	unsigned int i, round, jobs = 8;

	for (round = 0; round < 9; round++) {
		fake_disk_forget(ctx->fake);
		fake_disk_fail(ctx->fake, 1, BLK_STS_NOTSUPP, 0);
		KUNIT_ASSERT_TRUE(test, kc_is_offered(test, ctx));
		for (i = 0; i < jobs; i++)
			KUNIT_ASSERT_FALSE_MSG(test, kc_is_offered(test, ctx),
					       "round %u, %u jobs", round, i);
		jobs = min(2 * jobs, 1024U);
	}

	/* that it copies once makes up for everything */
	fake_disk_forget(ctx->fake);
	KUNIT_ASSERT_TRUE(test, kc_is_offered(test, ctx));
	KUNIT_ASSERT_TRUE(test, kc_is_offered(test, ctx));
	fake_disk_forget(ctx->fake);
	fake_disk_fail(ctx->fake, 1, BLK_STS_NOTSUPP, 0);
	KUNIT_ASSERT_TRUE(test, kc_is_offered(test, ctx));
	for (i = 0; i < 8; i++)
		KUNIT_ASSERT_FALSE(test, kc_is_offered(test, ctx));
	KUNIT_ASSERT_TRUE(test, kc_is_offered(test, ctx));

	/* what isn't a refusal says nothing about the next copy */
	kc_new_client(test, ctx);
	for (i = 0; i < ARRAY_SIZE(error); i++) {
		fake_disk_forget(ctx->fake);
		fake_disk_fail(ctx->fake, 1, error[i], 0);
		KUNIT_ASSERT_TRUE(test, kc_is_offered(test, ctx));
	}
}

static struct kunit_case copy_kcopyd_fail_cases[] = {
	KUNIT_CASE(kcopyd_stopped),
	KUNIT_CASE(kcopyd_stopped_twice),
	KUNIT_CASE(kcopyd_stopped_of_several),
	KUNIT_CASE(kcopyd_bad_sectors),
	KUNIT_CASE(kcopyd_bad_sectors_in_order),
	KUNIT_CASE(kcopyd_stack_refuses),
	KUNIT_CASE_SLOW(kcopyd_left_alone),
	{ }
};

struct kunit_suite copy_kcopyd_fail_suite = {
	.name = "copy_kcopyd_fail",
	.test_cases = copy_kcopyd_fail_cases,
};
