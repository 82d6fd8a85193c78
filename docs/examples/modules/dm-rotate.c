// SPDX-License-Identifier: GPL-2.0
/*
 * A device-mapper target whose blocks are those of another device, rotated:
 *
 *   START LENGTH rotate DEVICE OFFSET BY
 *
 * Sector 0 of the target is sector OFFSET + BY of DEVICE, and after the last of
 * the LENGTH sectors there come the first BY.
 */
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/slab.h>

struct rotate {
	struct dm_dev *dev;
	sector_t start;
	sector_t by;
};

static int rotate_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned long long start, by;
	struct rotate *rotate;
	int ret;

	if (argc != 3 || kstrtoull(argv[1], 10, &start) ||
	    kstrtoull(argv[2], 10, &by) || by >= ti->len) {
		ti->error = "Want DEVICE OFFSET BY, and BY less than the length";
		return -EINVAL;
	}
	rotate = kzalloc(sizeof(*rotate), GFP_KERNEL);
	if (!rotate)
		return -ENOMEM;
	rotate->start = start;
	rotate->by = by;
	ret = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table),
			    &rotate->dev);
	if (ret) {
		ti->error = "No such device";
		kfree(rotate);
		return ret;
	}

	ti->num_flush_bios = 1;
	ti->copy_supported = true;
	ti->private = rotate;
	return 0;
}

static void rotate_dtr(struct dm_target *ti)
{
	struct rotate *rotate = ti->private;

	dm_put_device(ti, rotate->dev);
	kfree(rotate);
}

/*
 * There is not a word about copies here: both halves are remapped and split
 * like reads and writes, and know what has become of them.
 */
static int rotate_map(struct dm_target *ti, struct bio *bio)
{
	struct rotate *rotate = ti->private;
	sector_t offset = dm_target_offset(ti, bio->bi_iter.bi_sector);
	sector_t seam = ti->len - rotate->by;
	sector_t left = (offset < seam ? seam : ti->len) - offset;

	if (bio_sectors(bio) > left)
		dm_accept_partial_bio(bio, left);
	bio_set_dev(bio, rotate->dev->bdev);
	bio->bi_iter.bi_sector = rotate->start +
		(offset < seam ? offset + rotate->by : offset - seam);
	return DM_MAPIO_REMAPPED;
}

/* The limits for copies are found with this, as all others are. */
static int rotate_iterate_devices(struct dm_target *ti,
				  iterate_devices_callout_fn fn, void *data)
{
	struct rotate *rotate = ti->private;

	return fn(ti, rotate->dev, rotate->start, ti->len, data);
}

static struct target_type rotate_target = {
	.name		 = "rotate",
	.version	 = { 1, 0, 0 },
	.module		 = THIS_MODULE,
	.ctr		 = rotate_ctr,
	.dtr		 = rotate_dtr,
	.map		 = rotate_map,
	.iterate_devices = rotate_iterate_devices,
};

module_dm(rotate);
MODULE_DESCRIPTION("a target that copies, as an example");
MODULE_LICENSE("GPL");
