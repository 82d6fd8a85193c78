// SPDX-License-Identifier: GPL-2.0
/*
 * A disk in memory, /dev/ramcopy, that copies: the least that a blk-mq driver
 * has to do for it.
 */
#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#define RAMCOPY_SECTORS		(SZ_64M >> SECTOR_SHIFT)

/* What a single command of this device may be. */
#define COPY_SECTORS		(SZ_1M >> SECTOR_SHIFT)
#define COPY_EXTENT_SECTORS	(SZ_128K >> SECTOR_SHIFT)
#define COPY_EXTENTS		16

static u8 *ramcopy_data;
static struct blk_mq_tag_set ramcopy_tags;
static struct gendisk *ramcopy_disk;

static u8 *ramcopy_at(sector_t sector)
{
	return ramcopy_data + (sector << SECTOR_SHIFT);
}

/*
 * The destination is where a write of this request would go, and contiguous.
 * Each bio brings the extents that are copied to its part of it, and they
 * are walked in ranges that are no larger than the device takes.
 */
static void ramcopy_copy(struct request *rq)
{
	u8 *to = ramcopy_at(blk_rq_pos(rq));
	struct bio_copy_extent range;
	struct bio *bio;

	__rq_for_each_bio(bio, rq) {
		struct bvec_iter iter = bio->bi_iter;

		while (bio_copy_next_range(bio, &iter, COPY_EXTENT_SECTORS,
					   &range)) {
			size_t bytes = range.nr_sectors << SECTOR_SHIFT;

			memmove(to, ramcopy_at(range.sector), bytes);
			to += bytes;
		}
	}
}

static void ramcopy_read_write(struct request *rq)
{
	u8 *at = ramcopy_at(blk_rq_pos(rq));
	struct req_iterator iter;
	struct bio_vec bvec;

	rq_for_each_segment(bvec, rq, iter) {
		if (op_is_write(req_op(rq)))
			memcpy_from_bvec(at, &bvec);
		else
			memcpy_to_bvec(&bvec, at);
		at += bvec.bv_len;
	}
}

static blk_status_t ramcopy_queue_rq(struct blk_mq_hw_ctx *hctx,
				     const struct blk_mq_queue_data *bd)
{
	struct request *rq = bd->rq;

	blk_mq_start_request(rq);
	switch (req_op(rq)) {
	case REQ_OP_COPY_DST:
		ramcopy_copy(rq);
		break;
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		ramcopy_read_write(rq);
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	blk_mq_end_request(rq, BLK_STS_OK);
	return BLK_STS_OK;
}

static const struct blk_mq_ops ramcopy_mq_ops = {
	.queue_rq	= ramcopy_queue_rq,
};

static const struct block_device_operations ramcopy_fops = {
	.owner		= THIS_MODULE,
};

static int __init ramcopy_add_disk(void)
{
	struct queue_limits lim = {
		.max_hw_copy_sectors		= COPY_SECTORS,
		.max_hw_copy_extent_sectors	= COPY_EXTENT_SECTORS,
		.max_hw_copy_extents		= COPY_EXTENTS,
	};
	int ret;

	ramcopy_disk = blk_mq_alloc_disk(&ramcopy_tags, &lim, NULL);
	if (IS_ERR(ramcopy_disk))
		return PTR_ERR(ramcopy_disk);
	ramcopy_disk->fops = &ramcopy_fops;
	ramcopy_disk->flags |= GENHD_FL_NO_PART;
	strscpy(ramcopy_disk->disk_name, "ramcopy", DISK_NAME_LEN);
	set_capacity(ramcopy_disk, RAMCOPY_SECTORS);
	ret = add_disk(ramcopy_disk);
	if (ret)
		put_disk(ramcopy_disk);
	return ret;
}

static int __init ramcopy_init(void)
{
	int ret;

	ramcopy_data = vzalloc(RAMCOPY_SECTORS << SECTOR_SHIFT);
	if (!ramcopy_data)
		return -ENOMEM;

	ramcopy_tags.ops = &ramcopy_mq_ops;
	ramcopy_tags.nr_hw_queues = 1;
	ramcopy_tags.queue_depth = 64;
	ramcopy_tags.numa_node = NUMA_NO_NODE;
	ramcopy_tags.flags = BLK_MQ_F_SHOULD_MERGE;
	ret = blk_mq_alloc_tag_set(&ramcopy_tags);
	if (ret)
		goto out_free;
	ret = ramcopy_add_disk();
	if (ret)
		goto out_tags;
	return 0;

out_tags:
	blk_mq_free_tag_set(&ramcopy_tags);
out_free:
	vfree(ramcopy_data);
	return ret;
}

static void __exit ramcopy_exit(void)
{
	del_gendisk(ramcopy_disk);
	put_disk(ramcopy_disk);
	blk_mq_free_tag_set(&ramcopy_tags);
	vfree(ramcopy_data);
}

module_init(ramcopy_init);
module_exit(ramcopy_exit);
MODULE_DESCRIPTION("a disk in memory that copies, as an example");
MODULE_LICENSE("GPL");
