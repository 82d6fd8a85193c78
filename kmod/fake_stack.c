// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that is made of parts of others, and remaps bios to them in the ways
 * that stacking drivers have.  A nested destination of a copy never waits here.
 */
#include <linux/mutex.h>
#include <linux/slab.h>

#include "fake_disk.h"

static LIST_HEAD(fake_stacks);
static DEFINE_MUTEX(fake_stacks_lock);
static atomic_t fake_stack_nr;

/* The parts of a bio. */
struct fake_parts {
	struct bio		*bio;
	atomic_t		left;
	blk_status_t		status;		/* first error */
};

static gfp_t fake_stack_gfp(const struct bio *bio)
{
	return bio_copy_nested(bio) ? GFP_NOWAIT : GFP_NOIO;
}

/* Where a sector lies; returns how many follow it there. */
static sector_t fake_stack_map(const struct fake_stack *stack, sector_t sector,
			       struct block_device **bdev, sector_t *to)
{
	sector_t start = sector, left;
	unsigned int i;

	for (i = 0; i < stack->nr_segs - 1; i++) {
		if (sector < stack->segs[i].nr_sectors)
			break;
		sector -= stack->segs[i].nr_sectors;
	}
	*bdev = stack->segs[i].bdev;
	*to = stack->segs[i].sector + sector;
	left = stack->segs[i].nr_sectors - sector;
	if (stack->chunk)
		left = min(left, stack->chunk - do_div(start, stack->chunk));
	return left;
}

/* What has been mapped goes down, or waits to be sent later. */
static void fake_stack_go(struct fake_stack *stack, struct bio *bio)
{
	bool deferred = false;

	spin_lock(&stack->lock);
	if (stack->defer) {
		if (stack->nr_deferred < FAKE_MAX_DEFERRED) {
			stack->deferred[stack->nr_deferred++] = bio;
			deferred = true;
		} else if (!stack->wrong) {
			stack->wrong = "more bios than can be deferred";
		}
	}
	spin_unlock(&stack->lock);

	if (deferred)
		wake_up(&stack->wait);
	else
		submit_bio_noacct(bio);
}

static void fake_stack_split(struct fake_stack *stack, struct bio *bio)
{
	struct block_device *bdev;
	struct bio *part;
	sector_t nr, to;

	do {
		nr = fake_stack_map(stack, bio->bi_iter.bi_sector, &bdev, &to);
		part = bio;
		if (nr < bio_sectors(bio)) {
			part = bio_split(bio, nr, fake_stack_gfp(bio),
					 &stack->bios);
			if (!part) {
				bio_wouldblock_error(bio);
				return;
			}
			bio_chain(part, bio);
		}
		bio_set_dev(part, bdev);
		part->bi_iter.bi_sector = to;
		fake_stack_go(stack, part);
	} while (part != bio);
}

static void fake_parts_put(struct fake_parts *parts)
{
	if (!atomic_dec_and_test(&parts->left))
		return;
	parts->bio->bi_status = parts->status;
	bio_endio(parts->bio);
	kfree(parts);
}

static void fake_clone_end_io(struct bio *clone)
{
	struct fake_parts *parts = clone->bi_private;

	if (clone->bi_status)
		cmpxchg(&parts->status, BLK_STS_OK, clone->bi_status);
	bio_put(clone);
	fake_parts_put(parts);
}

static void fake_stack_clone(struct fake_stack *stack, struct bio *bio)
{
	sector_t done, nr, to, start = bio->bi_iter.bi_sector;
	sector_t sectors = bio_sectors(bio);
	gfp_t gfp = fake_stack_gfp(bio);
	struct block_device *bdev;
	struct fake_parts *parts;
	struct bio *clone;

	parts = kzalloc(sizeof(*parts), gfp);
	if (!parts) {
		bio_wouldblock_error(bio);
		return;
	}
	parts->bio = bio;
	atomic_set(&parts->left, 1);

	for (done = 0; done < sectors; done += nr) {
		nr = fake_stack_map(stack, start + done, &bdev, &to);
		nr = min(nr, sectors - done);
		clone = bio_alloc_clone(bdev, bio, gfp, &stack->bios);
		if (!clone) {
			cmpxchg(&parts->status, BLK_STS_OK, BLK_STS_AGAIN);
			break;
		}
		bio_trim(clone, done, nr);
		clone->bi_iter.bi_sector = to;
		clone->bi_end_io = fake_clone_end_io;
		clone->bi_private = parts;
		atomic_inc(&parts->left);
		fake_stack_go(stack, clone);
	}
	fake_parts_put(parts);
}

static void fake_stack_submit_bio(struct bio *bio)
{
	struct fake_stack *stack = bio->bi_bdev->bd_disk->private_data;
	unsigned int *nr = NULL, first = stack->fail_nr;
	bool fail = false;

	spin_lock(&stack->lock);
	if (bio_op(bio) == REQ_OP_COPY_SRC)
		nr = &stack->nr_src;
	else if (bio_op(bio) == REQ_OP_COPY_DST)
		nr = &stack->nr_dst;
	if (bio_copy_nested(bio))
		stack->nr_nested++;
	if (nr) {
		(*nr)++;
		fail = bio_op(bio) == stack->fail_op && *nr >= first &&
		       *nr - first < stack->fail_count;
	}
	spin_unlock(&stack->lock);

	if (fail) {
		bio->bi_status = stack->fail_status;
		bio_endio(bio);
	} else if (stack->how == FAKE_CLONE) {
		fake_stack_clone(stack, bio);
	} else {
		fake_stack_split(stack, bio);
	}
}

static const struct block_device_operations fake_stack_fops = {
	.owner		= THIS_MODULE,
	.submit_bio	= fake_stack_submit_bio,
};

static void fake_stack_free(void *context)
{
	struct fake_stack *stack = context;

	fake_stack_release(stack);
	mutex_lock(&fake_stacks_lock);
	list_del(&stack->list);
	mutex_unlock(&fake_stacks_lock);

	del_gendisk(stack->disk);
	put_disk(stack->disk);
	bioset_exit(&stack->bios);
	kfree(stack);
}

static int fake_stack_add(struct fake_stack *stack)
{
	struct queue_limits lim;
	struct gendisk *disk;
	sector_t sectors = 0;
	unsigned int i;
	int ret;

	blk_set_stacking_limits(&lim);
	lim.max_hw_copy_sectors = UINT_MAX;
	lim.max_hw_copy_extent_sectors = UINT_MAX;
	lim.max_hw_copy_extents = UINT_MAX;
	for (i = 0; i < stack->nr_segs; i++) {
		queue_limits_stack_bdev(&lim, stack->segs[i].bdev, 0, "fakes");
		sectors += stack->segs[i].nr_sectors;
	}

	/* as many as a test makes of its bios */
	ret = bioset_init(&stack->bios, FAKE_MAX_DEFERRED, 0, 0);
	if (ret)
		return ret;
	disk = blk_alloc_disk(&lim, NUMA_NO_NODE);
	if (IS_ERR(disk)) {
		ret = PTR_ERR(disk);
		goto out_bios;
	}

	disk->fops = &fake_stack_fops;
	disk->private_data = stack;
	disk->flags |= GENHD_FL_NO_PART;
	snprintf(disk->disk_name, DISK_NAME_LEN, "fakes%d",
		 atomic_inc_return(&fake_stack_nr));
	set_capacity(disk, sectors);
	ret = add_disk(disk);
	if (ret)
		goto out_disk;

	stack->disk = disk;
	stack->bdev = disk->part0;
	return 0;

out_disk:
	put_disk(disk);
out_bios:
	bioset_exit(&stack->bios);
	return ret;
}

/* A disk that is the sum of @segs, which have to stay longer than the test. */
struct fake_stack *fake_stack_new(struct kunit *test, enum fake_stack_how how,
				  const struct fake_seg *segs,
				  unsigned int nr_segs)
{
	struct fake_stack *stack;
	int ret;

	KUNIT_ASSERT_LE(test, nr_segs, (unsigned int)FAKE_MAX_SEGS);
	stack = kzalloc(sizeof(*stack), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stack);
	stack->how = how;
	stack->nr_segs = nr_segs;
	memcpy(stack->segs, segs, nr_segs * sizeof(*segs));
	spin_lock_init(&stack->lock);
	init_waitqueue_head(&stack->wait);
	ret = fake_stack_add(stack);
	if (ret) {
		kfree(stack);
		KUNIT_FAIL_AND_ABORT(test, "no stacking disk: error %d\n", ret);
	}

	mutex_lock(&fake_stacks_lock);
	list_add(&stack->list, &fake_stacks);
	mutex_unlock(&fake_stacks_lock);
	ret = kunit_add_action_or_reset(test, fake_stack_free, stack);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return stack;
}

/* Let @count bios of @op fail from @nr on, counted from 1 and from now on. */
void fake_stack_fail(struct fake_stack *stack, enum req_op op, unsigned int nr,
		     unsigned int count, blk_status_t status)
{
	spin_lock(&stack->lock);
	stack->nr_src = 0;
	stack->nr_dst = 0;
	stack->nr_nested = 0;
	stack->fail_op = op;
	stack->fail_nr = nr;
	stack->fail_count = count;
	stack->fail_status = status;
	spin_unlock(&stack->lock);
}

/* Returns false if there aren't @nr deferred bios after a long time. */
bool fake_stack_wait_deferred(struct fake_stack *stack, unsigned int nr)
{
	return wait_event_timeout(stack->wait,
				  READ_ONCE(stack->nr_deferred) >= nr,
				  FAKE_TIMEOUT);
}

/* Send a deferred bio, counted from 0, on its way, from outside of the stack. */
void fake_stack_submit(struct fake_stack *stack, unsigned int nr)
{
	struct bio *bio;

	spin_lock(&stack->lock);
	bio = stack->deferred[nr];
	stack->deferred[nr] = NULL;
	spin_unlock(&stack->lock);
	if (bio)
		submit_bio_noacct(bio);
}

/* Defer nothing any more. */
void fake_stack_release(struct fake_stack *stack)
{
	unsigned int i;

	spin_lock(&stack->lock);
	stack->defer = false;
	stack->fail_count = 0;
	spin_unlock(&stack->lock);
	for (i = 0; i < FAKE_MAX_DEFERRED; i++)
		fake_stack_submit(stack, i);
	stack->nr_deferred = 0;
}

void fake_stacks_release(void)
{
	struct fake_stack *stack;

	mutex_lock(&fake_stacks_lock);
	list_for_each_entry(stack, &fake_stacks, list)
		fake_stack_release(stack);
	mutex_unlock(&fake_stacks_lock);
}
