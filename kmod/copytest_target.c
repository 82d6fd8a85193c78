// SPDX-License-Identifier: GPL-2.0
/*
 * The dm target: maps bios to its device, and does to them on the way what
 * its rules say.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "copytest.h"

enum ct_counter {
	CT_FAILED, CT_REQUEUED, CT_DEFERRED, CT_SPLITS, CT_RELEASED, CT_NR_COUNTERS,
};

static const char * const ct_counter_names[CT_NR_COUNTERS] = {
	"failed", "requeued", "deferred", "splits", "released",
};

static const char * const ct_seen_names[CT_NR_CLASSES] = {
	"src", "direct", "nested", "read", "write",
};

/*
 * A nested destination has a lane of its own: in one lane with its source, it
 * could wait behind another source whose submission sleeps until it ends.
 */
enum ct_lane_nr { CT_LANE_PLAIN, CT_LANE_NESTED, CT_NR_LANES };

struct ct_target {
	struct dm_dev *dev;
	sector_t start;			/* on @dev */
	unsigned int block;		/* of @dev, in sectors */
	u64 seed;
	unsigned int max_io_len;	/* sectors, 0: not given */
	bool nocopy;

	struct ct_map map;
	struct ct_rules rules;
	struct ct_lane lane[CT_NR_LANES];
	struct ct_held held;
	struct ct_nap nap;
	atomic64_t seen[CT_NR_CLASSES];
	atomic64_t counter[CT_NR_COUNTERS];
};

static void ct_dtr(struct dm_target *ti)
{
	struct ct_target *ct = ti->private;
	int i;

	ct_nap_exit(&ct->nap);
	WARN_ON_ONCE(!list_empty(&ct->held.bios));
	for (i = 0; i < CT_NR_LANES; i++)
		ct_lane_exit(&ct->lane[i]);
	ct_map_exit(&ct->map);
	if (ct->dev)
		dm_put_device(ti, ct->dev);
	kfree(ct);
}

static char *ct_parse_device(struct dm_target *ti, struct ct_target *ct, struct dm_arg_set *as,
			     int *ret)
{
	const char *path = dm_shift_arg(as);
	const char *offset = dm_shift_arg(as);
	u64 sector;

	*ret = -EINVAL;
	if (!offset)
		return "A device and an offset are needed";
	if (kstrtou64(offset, 10, &sector) || sector != (sector_t)sector)
		return "The offset is not a number of sectors";
	ct->start = sector;
	*ret = dm_get_device(ti, path, dm_table_get_mode(ti->table), &ct->dev);
	if (*ret)
		return "The device is not there";
	ct->block = bdev_logical_block_size(ct->dev->bdev) >> SECTOR_SHIFT;
	return NULL;
}

/* Sectors, a multiple of the block size. */
static char *ct_parse_sectors(const struct ct_target *ct, struct dm_arg_set *as,
			      unsigned int *sectors)
{
	char *error = ct_parse_u32(dm_shift_arg(as), sectors);

	if (!error && (!*sectors || *sectors % ct->block))
		return "Neither chunk nor max_io_len is 0 or a part of a block";
	return error;
}

static char *ct_parse_options(struct ct_target *ct, struct dm_arg_set *as, unsigned int *chunk)
{
	char *error = NULL;

	while (as->argc && !error) {
		const char *name = as->argv[0];

		if (!strcmp(name, "seed")) {
			dm_consume_args(as, 1);
			if (!as->argc || kstrtou64(dm_shift_arg(as), 10, &ct->seed))
				error = "The seed is not a number";
		} else if (!strcmp(name, "chunk")) {
			dm_consume_args(as, 1);
			error = ct_parse_sectors(ct, as, chunk);
		} else if (!strcmp(name, "max_io_len")) {
			dm_consume_args(as, 1);
			error = ct_parse_sectors(ct, as, &ct->max_io_len);
		} else if (!strcmp(name, "nocopy")) {
			dm_consume_args(as, 1);
			ct->nocopy = true;
		} else {
			return NULL;
		}
	}
	return error;
}

static int ct_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	struct ct_target *ct;
	unsigned int chunk = 0;
	int ret, i;

	ct = kzalloc(sizeof(*ct), GFP_KERNEL);
	if (!ct) {
		ti->error = "No memory for the target";
		return -ENOMEM;
	}
	ti->private = ct;
	ct->seed = 1;
	ct_held_init(&ct->held);
	ct_nap_init(&ct->nap);
	ti->error = ct_parse_device(ti, ct, &as, &ret);
	if (ti->error)
		goto bad;

	ret = -EINVAL;
	ti->error = ct_parse_options(ct, &as, &chunk);
	if (ti->error)
		goto bad;
	ct_rules_init(&ct->rules, ct->seed);
	while (as.argc) {
		ti->error = ct_rules_add(&ct->rules, &as, false);
		if (ti->error)
			goto bad;
	}
	ti->error = ct_map_init(&ct->map, ti->len, chunk, ct->seed);
	if (ti->error)
		goto bad;
	ret = dm_set_target_max_io_len(ti, ct->max_io_len ?: chunk);
	if (ret)
		goto bad;
	for (i = 0; i < CT_NR_LANES; i++) {
		ret = ct_lane_init(&ct->lane[i], i == CT_LANE_NESTED ? "nested" : "plain",
				   ct->seed + i);
		if (ret) {
			ti->error = "No memory for a workqueue";
			goto bad;
		}
	}

	ti->num_flush_bios = 1;
	ti->accounts_remapped_io = true;
	ti->per_io_data_size = sizeof(struct ct_bio);
	ti->copy_supported = !ct->nocopy;
	return 0;

bad:
	ct_dtr(ti);
	return ret;
}

static enum ct_class ct_class_of(const struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_COPY_SRC:
		return CT_SRC;
	case REQ_OP_COPY_DST:
		return bio_copy_nested(bio) ? CT_NESTED : CT_DIRECT;
	default:
		return op_is_write(bio_op(bio)) ? CT_WRITE : CT_READ;
	}
}

static struct ct_lane *ct_lane_of(struct ct_target *ct, const struct ct_bio *cb)
{
	return &ct->lane[cb->class == CT_NESTED ? CT_LANE_NESTED : CT_LANE_PLAIN];
}

static void ct_accept(struct ct_target *ct, struct bio *bio, sector_t sectors)
{
	if (sectors >= bio_sectors(bio))
		return;
	dm_accept_partial_bio(bio, sectors);
	atomic64_inc(&ct->counter[CT_SPLITS]);
}

static void ct_remap(struct dm_target *ti, struct bio *bio, const struct ct_verdict *verdict)
{
	struct ct_target *ct = ti->private;
	sector_t offset = dm_target_offset(ti, bio->bi_iter.bi_sector);

	if (ct_says(verdict, CT_SPLIT))
		ct_accept(ct, bio, max(rounddown(verdict->split, ct->block), ct->block));
	ct_accept(ct, bio, ct_map_left(&ct->map, offset, bio_sectors(bio)));
	bio_set_dev(bio, ct->dev->bdev);
	bio->bi_iter.bi_sector = ct->start + ct_map_sector(&ct->map, offset);
}

static void ct_end(struct ct_target *ct, struct bio *bio, blk_status_t status)
{
	atomic64_inc(&ct->counter[CT_FAILED]);
	bio->bi_status = status;
	bio_endio(bio);
}

static int ct_map_bio(struct dm_target *ti, struct bio *bio)
{
	struct ct_target *ct = ti->private;
	struct ct_bio *cb = dm_per_bio_data(bio, sizeof(*cb));
	struct ct_verdict verdict = { };

	memset(cb, 0, sizeof(*cb));
	cb->class = ct_class_of(bio);
	if (!bio_sectors(bio)) {
		/* A flush: nobody's data. */
		bio_set_dev(bio, ct->dev->bdev);
		return DM_MAPIO_REMAPPED;
	}
	atomic64_inc(&ct->seen[cb->class]);
	ct_rules_judge(&ct->rules, cb->class, &verdict);
	ct_remap(ti, bio, &verdict);

	if (ct_says(&verdict, CT_FAIL)) {
		ct_end(ct, bio, verdict.fail);
		return DM_MAPIO_SUBMITTED;
	}
	if (ct_says(&verdict, CT_REQUEUE)) {
		atomic64_inc(&ct->counter[CT_REQUEUED]);
		return DM_MAPIO_REQUEUE;
	}
	cb->end_status = verdict.fail_end;
	cb->hold_end = ct_says(&verdict, CT_HOLD_END);
	if (ct_says(&verdict, CT_HOLD)) {
		ct_held_add(&ct->held, cb);
		return DM_MAPIO_SUBMITTED;
	}
	if (ct_says(&verdict, CT_DEFER) || ct_says(&verdict, CT_DELAY) ||
	    ct_says(&verdict, CT_REORDER)) {
		atomic64_inc(&ct->counter[CT_DEFERRED]);
		ct_lane_add(ct_lane_of(ct, cb), cb, &verdict);
		return DM_MAPIO_SUBMITTED;
	}
	if (ct_says(&verdict, CT_LINGER)) {
		/* Checked for the device below, but not there before we return. */
		dm_submit_bio_remap(bio, NULL);
		atomic64_inc(&ct->counter[CT_DEFERRED]);
		msleep(verdict.linger_ms);
		return DM_MAPIO_SUBMITTED;
	}
	return DM_MAPIO_REMAPPED;
}

static int ct_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct ct_target *ct = ti->private;
	struct ct_bio *cb = dm_per_bio_data(bio, sizeof(*cb));

	if (cb->end_status && !*error) {
		atomic64_inc(&ct->counter[CT_FAILED]);
		*error = cb->end_status;
	}
	cb->end_status = BLK_STS_OK;
	if (!cb->hold_end)
		return DM_ENDIO_DONE;
	/* It ends a second time when it is released, with this status. */
	bio->bi_status = *error;
	cb->hold_end = false;
	cb->ended = true;
	ct_held_add(&ct->held, cb);
	return DM_ENDIO_INCOMPLETE;
}

static void ct_release(struct ct_target *ct, unsigned int classes, blk_status_t status)
{
	struct ct_bio *cb, *next;
	LIST_HEAD(bios);

	ct_held_take(&ct->held, classes, &bios);
	list_for_each_entry_safe(cb, next, &bios, node) {
		struct bio *bio = dm_bio_from_per_bio_data(cb, sizeof(*cb));

		list_del(&cb->node);
		atomic64_inc(&ct->counter[CT_RELEASED]);
		if (cb->ended) {
			/* All that bio_endio() does was done at its first end. */
			if (status)
				bio->bi_status = status;
			bio->bi_end_io(bio);
		} else if (status) {
			cb->hold_end = false;
			ct_end(ct, bio, status);
		} else {
			ct_lane_add(ct_lane_of(ct, cb), cb, NULL);
		}
	}
}

static char *ct_release_words(struct ct_target *ct, struct dm_arg_set *as)
{
	unsigned int classes = ~0U;
	blk_status_t status = BLK_STS_OK;
	char *error = NULL;

	if (as->argc)
		error = ct_parse_classes((char *)dm_shift_arg(as), &classes);
	if (!error && as->argc)
		error = ct_parse_status(dm_shift_arg(as), &status);
	if (!error && as->argc)
		error = "release takes classes and a status, no more";
	if (!error)
		ct_release(ct, classes, status);
	return error;
}

static void ct_zero(struct ct_target *ct)
{
	int i;

	for (i = 0; i < CT_NR_CLASSES; i++)
		atomic64_set(&ct->seen[i], 0);
	for (i = 0; i < CT_NR_COUNTERS; i++)
		atomic64_set(&ct->counter[i], 0);
	atomic64_set(&ct->nap.begun, 0);
	atomic64_set(&ct->nap.ended, 0);
}

static int ct_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		      unsigned int maxlen)
{
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	struct ct_target *ct = ti->private;
	char *error = NULL;

	if (!strcmp(argv[0], "release")) {
		dm_consume_args(&as, 1);
		error = ct_release_words(ct, &as);
	} else if (!strcmp(argv[0], "nap")) {
		dm_consume_args(&as, 1);
		error = ct_nap_words(&ct->nap, ti, &as);
	} else if (argc == 1 && !strcmp(argv[0], "clear")) {
		ct_rules_clear(&ct->rules);
	} else if (argc == 1 && !strcmp(argv[0], "zero")) {
		ct_zero(ct);
	} else {
		error = ct_rules_add(&ct->rules, &as, true);
	}
	if (!error)
		return 0;
	DMERR("%s", error);
	return -EINVAL;
}

static void ct_presuspend(struct dm_target *ti)
{
	struct ct_target *ct = ti->private;
	int i;

	/* What is held stays: that is what it was held for. */
	for (i = 0; i < CT_NR_LANES; i++)
		ct_lane_hurry(&ct->lane[i], true);
}

static void ct_resume(struct dm_target *ti)
{
	struct ct_target *ct = ti->private;
	int i;

	for (i = 0; i < CT_NR_LANES; i++)
		ct_lane_hurry(&ct->lane[i], false);
}

static unsigned int ct_emit_info(struct ct_target *ct, char *result, unsigned int maxlen)
{
	unsigned int held[CT_NR_CLASSES], dst, io, sz = 0;
	unsigned long flags;
	int i;

	spin_lock_irqsave(&ct->held.lock, flags);
	memcpy(held, ct->held.nr, sizeof(held));
	spin_unlock_irqrestore(&ct->held.lock, flags);
	dst = held[CT_DIRECT] + held[CT_NESTED];
	io = held[CT_READ] + held[CT_WRITE];

	for (i = 0; i < CT_NR_CLASSES; i++)
		DMEMIT("%s %lld ", ct_seen_names[i], (s64)atomic64_read(&ct->seen[i]));
	DMEMIT("held %u held_src %u held_dst %u held_io %u", held[CT_SRC] + dst + io,
	       held[CT_SRC], dst, io);
	for (i = 0; i < CT_NR_COUNTERS; i++)
		DMEMIT(" %s %lld", ct_counter_names[i], (s64)atomic64_read(&ct->counter[i]));
	DMEMIT(" naps %lld naps_ended %lld", (s64)atomic64_read(&ct->nap.begun),
	       (s64)atomic64_read(&ct->nap.ended));
	return sz;
}

static unsigned int ct_emit_table(struct ct_target *ct, char *result, unsigned int maxlen)
{
	unsigned int sz = 0;

	DMEMIT("%s %llu seed %llu", ct->dev->name, (u64)ct->start, ct->seed);
	if (ct->map.chunk)
		DMEMIT(" chunk %u", ct->map.chunk);
	if (ct->max_io_len)
		DMEMIT(" max_io_len %u", ct->max_io_len);
	if (ct->nocopy)
		DMEMIT(" nocopy");
	return ct_rules_emit(&ct->rules, result, sz, maxlen);
}

static void ct_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
		      char *result, unsigned int maxlen)
{
	struct ct_target *ct = ti->private;

	result[0] = '\0';
	if (type == STATUSTYPE_INFO)
		ct_emit_info(ct, result, maxlen);
	else if (type == STATUSTYPE_TABLE)
		ct_emit_table(ct, result, maxlen);
}

static int ct_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct ct_target *ct = ti->private;

	return fn(ti, ct->dev, ct->start, ti->len, data);
}

static struct target_type copytest_target = {
	.name = "copytest",
	.version = { 1, 0, 0 },
	.module = THIS_MODULE,
	.ctr = ct_ctr,
	.dtr = ct_dtr,
	.map = ct_map_bio,
	.end_io = ct_end_io,
	.presuspend = ct_presuspend,
	.presuspend_undo = ct_resume,
	.resume = ct_resume,
	.status = ct_status,
	.message = ct_message,
	.iterate_devices = ct_iterate_devices,
};
module_dm(copytest);

MODULE_DESCRIPTION("device-mapper target that does to copies what stacking drivers may do");
MODULE_LICENSE("GPL");
