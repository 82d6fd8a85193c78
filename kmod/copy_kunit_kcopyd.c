// SPDX-License-Identifier: GPL-2.0
/*
 * dm-kcopyd offers its jobs to the device: which commands that sees, and that
 * nothing is read or written then; what is not offered; throttling.
 */
#include "copy_kunit_kcopyd.h"

static const struct fake_disk_conf kc_conf = {
	.max_sectors = 100, .max_extent_sectors = 60, .max_extents = 4,
};

static void kc_stop(void *context)
{
	struct kc_ctx *ctx = context;

	fake_disks_release();
	/* it waits for all of its jobs */
	if (ctx->client && !ctx->stuck)
		dm_kcopyd_client_destroy(ctx->client);
}

/* A client of which nothing has been refused. */
void kc_new_client(struct kunit *test, struct kc_ctx *ctx)
{
	if (ctx->client)
		dm_kcopyd_client_destroy(ctx->client);
	ctx->client = dm_kcopyd_client_create(&ctx->throttle);
	if (IS_ERR(ctx->client)) {
		ctx->client = NULL;
		KUNIT_FAIL_AND_ABORT(test, "no client of kcopyd");
	}
}

struct kc_ctx *kc_start(struct kunit *test, const struct fake_disk_conf *conf)
{
	struct kc_ctx *ctx;
	int ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->fake = fake_disk_new(test, conf);
	ctx->model = copy_model_new(test, ctx->fake);
	ctx->throttle.throttle = 100;
	ret = kunit_add_action_or_reset(test, kc_stop, ctx);
	KUNIT_ASSERT_EQ(test, ret, 0);
	kc_new_client(test, ctx);
	return ctx;
}

static void kc_notify(int read_err, unsigned long write_err, void *context)
{
	struct kc_job *job = context;

	if (atomic_inc_return(&job->ends) == 1) {
		job->read_err = read_err;
		job->write_err = write_err;
	}
	complete(&job->done);
}

struct kc_job *kc_submit(struct kunit *test, struct kc_ctx *ctx,
			 struct block_device *src, sector_t sector,
			 sector_t count, struct dm_io_region *dests,
			 unsigned int nr, unsigned int flags)
{
	struct dm_io_region from = {
		.bdev = src, .sector = sector, .count = count,
	};
	struct kc_job *job;

	job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, job);
	job->ctx = ctx;
	init_completion(&job->done);
	dm_kcopyd_copy(ctx->client, src ? &from : NULL, nr, dests, flags,
		       kc_notify, job);
	return job;
}

/* Wait for the end of a job, which has to come once, with these errors. */
void kc_wait(struct kunit *test, struct kc_job *job, int read_err,
	     unsigned long write_err)
{
	if (!wait_for_completion_timeout(&job->done, FAKE_TIMEOUT)) {
		job->ctx->stuck = true;
		KUNIT_FAIL_AND_ABORT(test, "the job doesn't end");
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&job->ends), 1);
	KUNIT_EXPECT_EQ(test, job->read_err, read_err);
	KUNIT_EXPECT_EQ(test, job->write_err, write_err);
}

/* The model: all of it is read before it is written. */
static void kc_model(struct kc_ctx *ctx, sector_t src, sector_t dst,
		     sector_t count)
{
	u32 *tag = ctx->model->tag;

	memmove(tag + dst, tag + src, count * sizeof(*tag));
}

/* Copy within the disk and take that over into the model. */
void kc_copy(struct kunit *test, struct kc_ctx *ctx, sector_t src,
	     sector_t dst, sector_t count)
{
	struct dm_io_region to = {
		.bdev = ctx->fake->bdev, .sector = dst, .count = count,
	};

	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, src, count, &to, 1,
				0), 0, 0);
	kc_model(ctx, src, dst, count);
	copy_model_check(ctx->model);
}

/* Sectors that were read and written instead of copied. */
void kc_expect_io(struct kunit *test, struct fake_disk *fake,
		  unsigned int nr_read, unsigned int nr_written)
{
	KUNIT_ASSERT_EQ(test, fake->nr_read, nr_read);
	KUNIT_ASSERT_EQ(test, fake->nr_written, nr_written);
}

/* Commands as full as the limits allow, and nothing else. */
static void kcopyd_offered(struct kunit *test)
{
	static const unsigned int lens[] = { 1, 8, 99, 100, 101, 350, 1024 };
	struct kc_ctx *ctx = kc_start(test, &kc_conf);
	struct bio_copy_extent ext = { KC_SRC, 0 };
	struct copy_ref *ref;
	unsigned int i;

	ref = kunit_kzalloc(test, sizeof(*ref), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		copy_model_reset(ctx->model);
		kc_copy(test, ctx, KC_SRC, KC_DST, lens[i]);
		kc_expect_io(test, ctx->fake, 0, 0);
		ext.nr_sectors = lens[i];
		ref->nr_cmds = 0;
		copy_ref_add(test, ref, &kc_conf, KC_DST, &ext, 1);
		copy_ref_check(test, ref, ctx->fake);
	}
}

/* Jobs that kcopyd splits. */
static void kcopyd_split(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &kc_conf);

	kc_copy(test, ctx, KC_SRC, KC_DST, 1900);
	kc_expect_io(test, ctx->fake, 0, 0);
	/* 1024 and 876 sectors */
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 11 + 9);
}

/* Other disks, overlap, zeroes, and disks that don't copy. */
static void kcopyd_not_offered(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &kc_conf);
	struct fake_disk *other = fake_disk_new(test, &kc_conf);
	struct dm_io_region to = {
		.bdev = other->bdev, .sector = KC_DST, .count = 300,
	};
	unsigned int i;

	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 300, &to, 1,
				0), 0, 0);
	kc_expect_io(test, ctx->fake, 300, 0);
	kc_expect_io(test, other, 0, 300);
	for (i = 0; i < 300; i++)
		KUNIT_ASSERT_EQ(test, fake_disk_tag(other, KC_DST + i),
				KC_SRC + i);
	KUNIT_EXPECT_EQ(test, other->nr_cmds, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);

	/* to be read before any of it is written, forwards and backwards */
	fake_disk_forget(ctx->fake);
	kc_copy(test, ctx, KC_SRC, KC_SRC + 120, 300);
	kc_copy(test, ctx, KC_SRC + 220, KC_SRC + 101, 300);
	kc_copy(test, ctx, KC_SRC, KC_SRC + 299, 300);
	kc_expect_io(test, ctx->fake, 900, 900);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	/* what only touches is no overlap */
	kc_copy(test, ctx, KC_SRC, KC_SRC + 300, 300);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 3);

	fake_disk_forget(ctx->fake);
	to.bdev = ctx->fake->bdev;
	kc_wait(test, kc_submit(test, ctx, NULL, 0, 0, &to, 1, 0), 0, 0);
	for (i = 0; i < 300; i++)
		ctx->model->tag[KC_DST + i] = 0;
	copy_model_check(ctx->model);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);

	fake_disk_forget(ctx->fake);
	fake_disk_set_limits(test, ctx->fake, 0, 0, 0);
	kc_copy(test, ctx, 1000, KC_DST, 300);
	kc_expect_io(test, ctx->fake, 300, 300);
}

/* Partitions, and stacks on either side. */
static void kcopyd_elsewhere(struct kunit *test)
{
	struct fake_disk_conf conf = kc_conf;
	struct kc_ctx *ctx;
	struct fake_seg segs[2];
	struct fake_stack *stack;
	struct dm_io_region to;
	struct bio_copy_extent ext;
	struct block_device *part;

	conf.partition = true;
	ctx = kc_start(test, &conf);
	part = ctx->fake->part;
	to = (struct dm_io_region) {
		.bdev = part, .sector = 900, .count = 150,
	};
	kc_wait(test, kc_submit(test, ctx, part, 100, 150, &to, 1, 0), 0, 0);
	ext = (struct bio_copy_extent) { FAKE_PART_START + 100, 150 };
	copy_model_copy(ctx->model, FAKE_PART_START + 900, &ext, 1, 150);
	copy_model_check(ctx->model);
	/* an overlap that different numbers hide */
	to = (struct dm_io_region) {
		.bdev = ctx->fake->bdev, .sector = FAKE_PART_START + 40,
		.count = 150,
	};
	fake_disk_forget(ctx->fake);
	kc_wait(test, kc_submit(test, ctx, part, 0, 150, &to, 1, 0), 0, 0);
	kc_model(ctx, FAKE_PART_START, to.sector, 150);
	copy_model_check(ctx->model);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);

	/* two segments, swapped */
	segs[0] = (struct fake_seg) { 70, ctx->fake->bdev, 400 };
	segs[1] = (struct fake_seg) { 500, ctx->fake->bdev, 3200 };
	stack = fake_stack_new(test, FAKE_CLONE, segs, ARRAY_SIZE(segs));
	fake_disk_forget(ctx->fake);
	to = (struct dm_io_region) {
		.bdev = stack->bdev, .sector = 300, .count = 130,
	};
	kc_wait(test, kc_submit(test, ctx, stack->bdev, 5, 130, &to, 1, 0),
		0, 0);
	ext = (struct bio_copy_extent) { 405, 65 };
	copy_model_copy(ctx->model, 3200 + 230, &ext, 1, 65);
	ext = (struct bio_copy_extent) { 3200, 65 };
	copy_model_copy(ctx->model, 3200 + 295, &ext, 1, 65);
	copy_model_check(ctx->model);
	kc_expect_io(test, ctx->fake, 0, 0);
}

/* Several destinations, one of them elsewhere: only that one is written. */
static void kcopyd_destinations(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &kc_conf);
	struct fake_disk *other = fake_disk_new(test, &kc_conf);
	struct dm_io_region to[] = {
		{ ctx->fake->bdev, KC_DST, 250 },
		{ other->bdev, 100, 250 },
		{ ctx->fake->bdev, 3000, 250 },
	};
	struct bio_copy_extent ext = { KC_SRC, 250 };
	unsigned int i;

	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 250, to, 3,
				0), 0, 0);
	copy_model_copy(ctx->model, KC_DST, &ext, 1, 250);
	copy_model_copy(ctx->model, 3000, &ext, 1, 250);
	copy_model_check(ctx->model);
	for (i = 0; i < 250; i++)
		KUNIT_ASSERT_EQ(test, fake_disk_tag(other, 100 + i),
				KC_SRC + i);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 6);
	kc_expect_io(test, ctx->fake, 250, 0);
	kc_expect_io(test, other, 0, 250);
}

/* A copy in flight is I/O in flight to the throttle. */
static void kcopyd_throttled(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &kc_conf);
	struct dm_io_region to = {
		.bdev = ctx->fake->bdev, .sector = KC_DST, .count = 300,
	};
	struct kc_job *job;

	fake_disk_hold(ctx->fake);
	job = kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 300, &to, 1, 0);
	KUNIT_ASSERT_TRUE(test, fake_disk_wait_held(ctx->fake, 3));
	KUNIT_EXPECT_EQ(test, READ_ONCE(ctx->throttle.num_io_jobs), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&job->ends), 0);
	/* one of them fails, so that the job is read and written as well */
	fake_disk_end(ctx->fake, 1, BLK_STS_IOERR, 0);
	fake_disk_release(ctx->fake);
	kc_wait(test, job, 0, 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(ctx->throttle.num_io_jobs), 0);
}

/* What has to be written in order is not offered. */
static void kcopyd_in_order(struct kunit *test)
{
	struct kc_ctx *ctx = kc_start(test, &kc_conf);
	struct dm_io_region to = {
		.bdev = ctx->fake->bdev, .sector = KC_DST, .count = 1900,
	};
	struct bio_copy_extent ext = { KC_SRC, 1900 };

	ctx->fake->in_order = true;
	kc_wait(test, kc_submit(test, ctx, ctx->fake->bdev, KC_SRC, 1900, &to,
				1, BIT(DM_KCOPYD_WRITE_SEQ)), 0, 0);
	KUNIT_EXPECT_EQ(test, ctx->fake->nr_cmds, 0);
	kc_expect_io(test, ctx->fake, 1900, 1900);
	copy_model_copy(ctx->model, KC_DST, &ext, 1, 1900);
	copy_model_check(ctx->model);
}

static struct kunit_case copy_kcopyd_cases[] = {
	KUNIT_CASE(kcopyd_offered),
	KUNIT_CASE(kcopyd_split),
	KUNIT_CASE(kcopyd_not_offered),
	KUNIT_CASE(kcopyd_elsewhere),
	KUNIT_CASE(kcopyd_destinations),
	KUNIT_CASE(kcopyd_throttled),
	KUNIT_CASE(kcopyd_in_order),
	{ }
};

struct kunit_suite copy_kcopyd_suite = {
	.name = "copy_kcopyd",
	.test_cases = copy_kcopyd_cases,
};
