// SPDX-License-Identifier: GPL-2.0
/*
 * A disk in memory that copies.  It notes down what it is asked to copy, and
 * checks that no command breaks the limits that it has advertised.
 */
#include <linux/mutex.h>
#include <linux/vmalloc.h>

#include "fake_disk.h"

static LIST_HEAD(fake_disks);
static DEFINE_MUTEX(fake_disks_lock);
static atomic_t fake_disk_nr;

/* The first complaint is kept for the test, the others are its consequences. */
static bool fake_wrong(struct fake_disk *fake, const char *what)
{
	if (!fake->wrong)
		fake->wrong = what;
	return false;
}

static u8 *fake_data(const struct fake_disk *fake, sector_t sector)
{
	return fake->data + (sector << SECTOR_SHIFT);
}

/* Sectors are told apart by the number that they start with. */
u32 fake_disk_tag(const struct fake_disk *fake, sector_t sector)
{
	return *(u32 *)fake_data(fake, sector);
}

void fake_disk_set_tag(struct fake_disk *fake, sector_t sector, u32 tag)
{
	*(u32 *)fake_data(fake, sector) = tag;
}

static bool fake_inside(sector_t sector, sector_t nr_sectors)
{
	return nr_sectors && nr_sectors <= FAKE_SECTORS &&
	       sector <= FAKE_SECTORS - nr_sectors;
}

/* A write, or the destination of a copy. */
static void fake_note_write(struct fake_disk *fake, struct request *rq)
{
	if (fake->in_order && blk_rq_pos(rq) < fake->next_write)
		fake_wrong(fake, "written out of order");
	fake->next_write = blk_rq_pos(rq) + blk_rq_sectors(rq);
}

/* Note a command down, as a driver would build it. */
static bool fake_record(struct fake_disk *fake, struct request *rq,
			struct fake_cmd *cmd)
{
	const struct queue_limits *lim = &rq->q->limits;
	unsigned int block = lim->logical_block_size >> SECTOR_SHIFT;
	sector_t next = blk_rq_pos(rq), unaligned = next;
	struct bio_copy_extent range;
	struct bio *bio;

	memset(cmd, 0, sizeof(*cmd));
	cmd->dst = blk_rq_pos(rq);

	__rq_for_each_bio(bio, rq) {
		struct bvec_iter iter = bio->bi_iter;

		if (bio->bi_iter.bi_sector != next)
			return fake_wrong(fake, "destination not contiguous");
		next = bio_end_sector(bio);
		cmd->nr_bios++;
		while (bio_copy_next_range(bio, &iter,
					   lim->max_copy_extent_sectors,
					   &range)) {
			if (cmd->nr_ranges == FAKE_MAX_RANGES)
				return fake_wrong(fake, "too many ranges");
			if (!fake_inside(range.sector, range.nr_sectors))
				return fake_wrong(fake, "source not on the disk");
			if (range.nr_sectors > fake->conf.max_extent_sectors)
				return fake_wrong(fake, "range too long");
			unaligned |= range.sector | range.nr_sectors;
			cmd->nr_sectors += range.nr_sectors;
			cmd->ranges[cmd->nr_ranges++] = range;
		}
	}

	if (cmd->nr_sectors != blk_rq_sectors(rq))
		return fake_wrong(fake, "ranges are not what the request is");
	if (cmd->nr_ranges != blk_rq_nr_phys_segments(rq))
		return fake_wrong(fake, "ranges are not counted as segments");
	if (cmd->nr_sectors > fake->conf.max_sectors)
		return fake_wrong(fake, "command too long");
	if (cmd->nr_ranges > fake->conf.max_extents)
		return fake_wrong(fake, "more ranges than the limit");
	if (!fake_inside(cmd->dst, cmd->nr_sectors))
		return fake_wrong(fake, "destination not on the disk");
	if (unaligned & (block - 1))
		return fake_wrong(fake, "command not aligned");
	return true;
}

/* Carry out the first @good sectors of a command, all if there is no error. */
static void fake_finish(struct fake_disk *fake, const struct fake_cmd *cmd,
			struct request *rq, blk_status_t status,
			unsigned int good)
{
	sector_t dst = cmd->dst, left = status ? good : cmd->nr_sectors;
	unsigned int i;

	for (i = 0; i < cmd->nr_ranges && left; i++) {
		sector_t nr = min(left, cmd->ranges[i].nr_sectors);

		memmove(fake_data(fake, dst),
			fake_data(fake, cmd->ranges[i].sector),
			nr << SECTOR_SHIFT);
		dst += nr;
		left -= nr;
	}

	/* nobody needs to read of errors that were asked for */
	rq->rq_flags |= RQF_QUIET;
	/* as a driver does that knows how far it came */
	if (status && good)
		blk_update_request(rq, BLK_STS_OK, good << SECTOR_SHIFT);
	blk_mq_end_request(rq, status);
}

static void fake_copy(struct fake_disk *fake, struct request *rq)
{
	struct fake_cmd *cmd = NULL;
	blk_status_t status = BLK_STS_OK;
	bool held = false;

	spin_lock(&fake->lock);
	fake_note_write(fake, rq);
	if (fake->nr_cmds == FAKE_MAX_CMDS) {
		fake_wrong(fake, "more commands than can be noted down");
	} else if (fake_record(fake, rq, &fake->cmds[fake->nr_cmds])) {
		cmd = &fake->cmds[fake->nr_cmds++];
		if (fake->nr_cmds == fake->fail_nr)
			status = fake->fail_status;
		held = fake->hold;
	}
	if (held) {
		cmd->rq = rq;
		fake->nr_held++;
	}
	spin_unlock(&fake->lock);

	if (held)
		wake_up(&fake->wait);
	else if (cmd)
		fake_finish(fake, cmd, rq, status, fake->fail_good);
	else
		blk_mq_end_request(rq, BLK_STS_IOERR);
}

static void fake_read_write(struct fake_disk *fake, struct request *rq)
{
	u8 *data = fake_data(fake, blk_rq_pos(rq));
	bool write = rq_data_dir(rq) == WRITE;
	struct req_iterator iter;
	struct bio_vec bvec;
	sector_t bad;

	spin_lock(&fake->lock);
	bad = write ? fake->bad_write : fake->bad_read;
	if (write) {
		fake_note_write(fake, rq);
		fake->nr_written += blk_rq_sectors(rq);
	} else {
		fake->nr_read += blk_rq_sectors(rq);
	}
	spin_unlock(&fake->lock);

	if (bad - blk_rq_pos(rq) < blk_rq_sectors(rq)) {
		rq->rq_flags |= RQF_QUIET;
		blk_mq_end_request(rq, BLK_STS_MEDIUM);
		return;
	}

	rq_for_each_segment(bvec, rq, iter) {
		if (write)
			memcpy_from_bvec(data, &bvec);
		else
			memcpy_to_bvec(&bvec, data);
		data += bvec.bv_len;
	}
	blk_mq_end_request(rq, BLK_STS_OK);
}

static blk_status_t fake_queue_rq(struct blk_mq_hw_ctx *hctx,
				  const struct blk_mq_queue_data *bd)
{
	struct fake_disk *fake = hctx->queue->queuedata;
	struct request *rq = bd->rq;

	/* fake_disk_busy() runs the queue again */
	if (READ_ONCE(fake->busy))
		return BLK_STS_DEV_RESOURCE;

	blk_mq_start_request(rq);
	switch (req_op(rq)) {
	case REQ_OP_COPY_DST:
		fake_copy(fake, rq);
		return BLK_STS_OK;
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		fake_read_write(fake, rq);
		return BLK_STS_OK;
	default:
		return BLK_STS_IOERR;
	}
}

static const struct blk_mq_ops fake_mq_ops = {
	.queue_rq	= fake_queue_rq,
};

static const struct block_device_operations fake_fops = {
	.owner		= THIS_MODULE,
};

/* A partition table, for the kernel to read when the disk is added. */
static void fake_write_mbr(struct fake_disk *fake)
{
	__le32 start = cpu_to_le32(FAKE_PART_START);
	__le32 size = cpu_to_le32(FAKE_PART_SECTORS);
	u8 *entry = fake->data + 446;

	entry[4] = 0x83;
	memcpy(entry + 8, &start, sizeof(start));
	memcpy(entry + 12, &size, sizeof(size));
	fake->data[510] = 0x55;
	fake->data[511] = 0xaa;
}

static void fake_disk_free(void *context)
{
	struct fake_disk *fake = context;

	fake_disk_release(fake);
	mutex_lock(&fake_disks_lock);
	list_del(&fake->list);
	mutex_unlock(&fake_disks_lock);

	del_gendisk(fake->disk);
	put_disk(fake->disk);
	blk_mq_free_tag_set(&fake->tag_set);
	vfree(fake->cmds);
	if (!fake->conf.path_of)
		vfree(fake->data);
	kfree(fake);
}

static int fake_disk_add(struct fake_disk *fake)
{
	const struct fake_disk_conf *conf = &fake->conf;
	struct queue_limits lim = {
		.logical_block_size = SECTOR_SIZE * (conf->block_sectors ?: 1),
		.max_hw_copy_sectors = conf->max_sectors,
		.max_hw_copy_extent_sectors = conf->max_extent_sectors,
		.max_hw_copy_extents = conf->max_extents,
	};
	struct gendisk *disk;
	int ret;

	if (conf->path_of)
		lim.copy_domain = conf->path_of->disk->queue;
	fake->tag_set.ops = &fake_mq_ops;
	fake->tag_set.nr_hw_queues = 1;
	fake->tag_set.queue_depth = 32;
	fake->tag_set.numa_node = NUMA_NO_NODE;
	fake->tag_set.flags = BLK_MQ_F_SHOULD_MERGE |
		(conf->scheduler ? 0 : BLK_MQ_F_NO_SCHED_BY_DEFAULT);
	ret = blk_mq_alloc_tag_set(&fake->tag_set);
	if (ret)
		return ret;

	disk = blk_mq_alloc_disk(&fake->tag_set, &lim, fake);
	if (IS_ERR(disk)) {
		ret = PTR_ERR(disk);
		goto out_tag_set;
	}

	disk->fops = &fake_fops;
	disk->private_data = fake;
	if (conf->partition)
		fake_write_mbr(fake);
	else
		disk->flags |= GENHD_FL_NO_PART;
	snprintf(disk->disk_name, DISK_NAME_LEN, "fake%d",
		 atomic_inc_return(&fake_disk_nr));
	set_capacity(disk, FAKE_SECTORS);
	ret = add_disk(disk);
	if (ret)
		goto out_disk;

	fake->disk = disk;
	fake->bdev = disk->part0;
	fake->part = xa_load(&disk->part_tbl, 1);
	return 0;

out_disk:
	put_disk(disk);
out_tag_set:
	blk_mq_free_tag_set(&fake->tag_set);
	return ret;
}

/* A disk whose sectors are tagged with their numbers. */
struct fake_disk *fake_disk_new(struct kunit *test,
				const struct fake_disk_conf *conf)
{
	struct fake_disk *fake;
	sector_t sector;
	int ret = -ENOMEM;

	fake = kzalloc(sizeof(*fake), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->conf = *conf;
	fake->bad_read = FAKE_SECTORS;
	fake->bad_write = FAKE_SECTORS;
	spin_lock_init(&fake->lock);
	init_waitqueue_head(&fake->wait);
	fake->data = conf->path_of ? conf->path_of->data :
				     vzalloc(FAKE_SECTORS << SECTOR_SHIFT);
	fake->cmds = vcalloc(FAKE_MAX_CMDS, sizeof(*fake->cmds));
	if (fake->data && fake->cmds)
		ret = fake_disk_add(fake);
	if (ret) {
		vfree(fake->cmds);
		if (!conf->path_of)
			vfree(fake->data);
		kfree(fake);
		KUNIT_FAIL_AND_ABORT(test, "no fake disk: error %d\n", ret);
	}

	mutex_lock(&fake_disks_lock);
	list_add(&fake->list, &fake_disks);
	mutex_unlock(&fake_disks_lock);
	ret = kunit_add_action_or_reset(test, fake_disk_free, fake);
	KUNIT_ASSERT_EQ(test, ret, 0);

	for (sector = 0; sector < FAKE_SECTORS; sector++)
		fake_disk_set_tag(fake, sector, sector);
	if (conf->partition)
		KUNIT_ASSERT_NOT_NULL_MSG(test, fake->part,
					  "the partition wasn't found");
	return fake;
}

/* Forget what was noted down: commands are counted from here on. */
void fake_disk_forget(struct fake_disk *fake)
{
	spin_lock(&fake->lock);
	fake->nr_cmds = 0;
	fake->nr_read = 0;
	fake->nr_written = 0;
	fake->next_write = 0;
	fake->fail_nr = 0;
	spin_unlock(&fake->lock);
}

/* Limits that change while the disk is in use, 0 to switch copies off. */
void fake_disk_set_limits(struct kunit *test, struct fake_disk *fake,
			  unsigned int max_sectors,
			  unsigned int max_extent_sectors,
			  unsigned int max_extents)
{
	struct request_queue *q = fake->disk->queue;
	struct queue_limits lim = queue_limits_start_update(q);
	int ret;

	lim.max_hw_copy_sectors = max_sectors;
	lim.max_hw_copy_extent_sectors = max_extent_sectors;
	lim.max_hw_copy_extents = max_extents;
	blk_mq_freeze_queue(q);
	ret = queue_limits_commit_update(q, &lim);
	fake->conf.max_sectors = max_sectors;
	fake->conf.max_extent_sectors = max_extent_sectors;
	fake->conf.max_extents = max_extents;
	blk_mq_unfreeze_queue(q);
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* From here on copies stay in flight until they are ended one by one. */
void fake_disk_hold(struct fake_disk *fake)
{
	spin_lock(&fake->lock);
	fake->hold = true;
	spin_unlock(&fake->lock);
}

/* Take no requests, so that they collect in the queue; or take them. */
void fake_disk_busy(struct fake_disk *fake, bool busy)
{
	WRITE_ONCE(fake->busy, busy);
	if (!busy)
		blk_mq_run_hw_queues(fake->disk->queue, false);
}

/* The copy @nr, counted from 1, is to fail after @good_sectors. */
void fake_disk_fail(struct fake_disk *fake, unsigned int nr,
		    blk_status_t status, unsigned int good_sectors)
{
	spin_lock(&fake->lock);
	fake->fail_nr = nr;
	fake->fail_status = status;
	fake->fail_good = good_sectors;
	spin_unlock(&fake->lock);
}

/* Returns false if there aren't @nr held copies after a long time. */
bool fake_disk_wait_held(struct fake_disk *fake, unsigned int nr)
{
	return wait_event_timeout(fake->wait, READ_ONCE(fake->nr_held) >= nr,
				  FAKE_TIMEOUT);
}

/* End the held copy @nr, counted from 0, or do nothing if it isn't held. */
void fake_disk_end(struct fake_disk *fake, unsigned int nr, blk_status_t status,
		   unsigned int good_sectors)
{
	struct fake_cmd *cmd = &fake->cmds[nr];
	struct request *rq;

	spin_lock(&fake->lock);
	rq = cmd->rq;
	if (rq) {
		cmd->rq = NULL;
		fake->nr_held--;
	}
	spin_unlock(&fake->lock);

	if (rq)
		fake_finish(fake, cmd, rq, status, good_sectors);
}

/* Hold nothing any more. */
void fake_disk_release(struct fake_disk *fake)
{
	unsigned int i;

	spin_lock(&fake->lock);
	fake->hold = false;
	spin_unlock(&fake->lock);
	fake_disk_busy(fake, false);
	for (i = 0; i < FAKE_MAX_CMDS; i++)
		fake_disk_end(fake, i, BLK_STS_OK, 0);
}

/* All disks of a test, so that what hangs in them comes to its end. */
void fake_disks_release(void)
{
	struct fake_disk *fake;

	fake_stacks_release();
	mutex_lock(&fake_disks_lock);
	list_for_each_entry(fake, &fake_disks, list)
		fake_disk_release(fake);
	mutex_unlock(&fake_disks_lock);
}
