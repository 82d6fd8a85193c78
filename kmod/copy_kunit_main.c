// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites of the in-kernel interface to copy offload: bio_alloc_copy(),
 * blkdev_copy(), and what drivers and stacking drivers see of them.  Loading the
 * module runs them.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "copy_kunit.h"

static void copy_async_end_io(struct bio *bio)
{
	struct copy_async *async = bio->bi_private;

	if (atomic_inc_return(&async->ends) == 1)
		async->status = bio->bi_status;
	complete(&async->done);
}

static void copy_async_free(void *context)
{
	struct copy_async *async = context;

	if (async->bio && atomic_read(&async->ends) != 1) {
		fake_disks_release();
		if (!wait_for_completion_timeout(&async->done, FAKE_TIMEOUT)) {
			/* better lost than freed while it is in use */
			pr_err("a copy never ended\n");
			return;
		}
	}
	if (async->bio)
		bio_put(async->bio);
	kfree(async);
}

/* A bio that is ready to be submitted by the test. */
struct copy_async *copy_async_new(struct kunit *test, struct block_device *dst,
				  sector_t sector, struct block_device *src,
				  const struct bio_copy_extent *ext,
				  unsigned int nr)
{
	struct copy_async *async;
	struct bio *bio;
	int ret;

	KUNIT_ASSERT_LE(test, nr, (unsigned int)COPY_MAX_EXTENTS);
	async = kzalloc(sizeof(*async), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, async);
	init_completion(&async->done);
	memcpy(async->ext, ext, nr * sizeof(*ext));
	async->copy.src = src;
	async->copy.dst = dst;
	async->copy.dst_sector = sector;
	async->copy.extents = async->ext;
	async->copy.nr_extents = nr;
	/* no bio to wait for yet */
	atomic_set(&async->ends, 1);

	bio = bio_alloc_copy(&async->copy, copy_sectors(ext, nr), GFP_KERNEL);
	if (bio) {
		bio->bi_end_io = copy_async_end_io;
		bio->bi_private = async;
		async->bio = bio;
	}
	ret = kunit_add_action_or_reset(test, copy_async_free, async);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_NOT_NULL(test, bio);
	return async;
}

void copy_async_submit(struct copy_async *async)
{
	atomic_set(&async->ends, 0);
	submit_bio(async->bio);
}

struct copy_async *copy_async_start(struct kunit *test,
				    struct block_device *dst, sector_t sector,
				    struct block_device *src,
				    const struct bio_copy_extent *ext,
				    unsigned int nr)
{
	struct copy_async *async;

	async = copy_async_new(test, dst, sector, src, ext, nr);
	copy_async_submit(async);
	return async;
}

/* Wait for the end, which has to come, once. */
void copy_async_wait(struct kunit *test, struct copy_async *async)
{
	KUNIT_ASSERT_NE_MSG(test, 0UL,
			    wait_for_completion_timeout(&async->done,
							FAKE_TIMEOUT),
			    "the copy doesn't end");
	KUNIT_EXPECT_EQ(test, atomic_read(&async->ends), 1);
}

blk_status_t copy_async_run(struct kunit *test, struct block_device *dst,
			    sector_t sector, struct block_device *src,
			    const struct bio_copy_extent *ext, unsigned int nr)
{
	struct copy_async *async;

	async = copy_async_start(test, dst, sector, src, ext, nr);
	copy_async_wait(test, async);
	return async->status;
}

static void copy_sync_work(struct work_struct *work)
{
	struct copy_sync *sync = container_of(work, struct copy_sync, work);

	sync->ret = blkdev_copy(sync->dst, sync->sector, sync->src, sync->ext,
				sync->nr, sync->gfp, &sync->copied);
	complete(&sync->done);
}

static void copy_sync_free(void *context)
{
	struct copy_sync *sync = context;

	fake_disks_release();
	flush_work(&sync->work);
	kfree(sync);
}

struct copy_sync *copy_sync_start(struct kunit *test, struct block_device *dst,
				  sector_t sector, struct block_device *src,
				  const struct bio_copy_extent *ext,
				  unsigned int nr)
{
	struct copy_sync *sync;
	int ret;

	KUNIT_ASSERT_LE(test, nr, (unsigned int)COPY_MAX_EXTENTS);
	sync = kzalloc(sizeof(*sync), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sync);
	INIT_WORK(&sync->work, copy_sync_work);
	init_completion(&sync->done);
	memcpy(sync->ext, ext, nr * sizeof(*ext));
	sync->dst = dst;
	sync->sector = sector;
	sync->src = src;
	sync->nr = nr;
	sync->gfp = GFP_KERNEL;
	ret = kunit_add_action_or_reset(test, copy_sync_free, sync);
	KUNIT_ASSERT_EQ(test, ret, 0);
	queue_work(system_unbound_wq, &sync->work);
	return sync;
}

void copy_sync_wait(struct kunit *test, struct copy_sync *sync)
{
	KUNIT_ASSERT_NE_MSG(test, 0UL,
			    wait_for_completion_timeout(&sync->done,
							FAKE_TIMEOUT),
			    "blkdev_copy() doesn't return");
}

/* blkdev_copy() of extents that are constant. */
int copy_sync_run(struct kunit *test, struct block_device *dst, sector_t sector,
		  struct block_device *src, const struct bio_copy_extent *ext,
		  unsigned int nr, sector_t *copied)
{
	struct copy_sync *sync;

	sync = copy_sync_start(test, dst, sector, src, ext, nr);
	copy_sync_wait(test, sync);
	*copied = sync->copied;
	return sync->ret;
}

kunit_test_suites(&copy_iter_suite, &copy_split_suite, &copy_merge_suite,
		  &copy_submit_suite, &copy_order_suite, &copy_sync_suite,
		  &copy_stack_suite, &copy_nested_suite, &copy_bottom_suite,
		  &copy_fault_suite, &copy_kcopyd_suite,
		  &copy_kcopyd_fail_suite);

MODULE_DESCRIPTION("KUnit suites of block copy offload");
MODULE_LICENSE("GPL");
