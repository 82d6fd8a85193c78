// SPDX-License-Identifier: GPL-2.0
/*
 * One copy, asked for in several ways: as one bio with all of its extents, as one
 * bio for each of them, with a plug and without, and one after the other. Who
 * measures does it from outside: a way is taken by writing its name to a file, and
 * "none" does nothing but that. README.md has the words.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define WAYS_MAX_EXTENTS	256U
#define WAYS_MAX_TEXT		SZ_16K

struct ways_copy {
	struct file		*file;
	struct block_device	*bdev;
	sector_t		sector;		/* to copy to */
	sector_t		nr_sectors;	/* all of it */
	unsigned int		nr;
	struct bio_copy_extent	extents[WAYS_MAX_EXTENTS];
	/* what the bios of each way refer to while they are in flight */
	struct bio_copy		part[WAYS_MAX_EXTENTS];
	struct bio_copy_extent	scratch[WAYS_MAX_EXTENTS];
};

struct ways_wait {
	struct completion	done;
	atomic_t		pending;
	blk_status_t		status;
};

struct way {
	const char	*name;
	int		(*run)(struct ways_copy *copy);
};

static DEFINE_MUTEX(ways_lock);		/* protects what follows */
static struct ways_copy *ways_now;
static char ways_error[160] = "no copy has been described\n";
static struct dentry *ways_dir;

#define ways_refuse(error, fmt, ...) ({						\
	scnprintf(ways_error, sizeof(ways_error), fmt "\n", ##__VA_ARGS__);	\
	error;									\
})

static void ways_wait_init(struct ways_wait *wait)
{
	init_completion(&wait->done);
	atomic_set(&wait->pending, 1);
	wait->status = BLK_STS_OK;
}

static void ways_put(struct ways_wait *wait)
{
	if (atomic_dec_and_test(&wait->pending))
		complete(&wait->done);
}

static void ways_end_io(struct bio *bio)
{
	struct ways_wait *wait = bio->bi_private;

	if (bio->bi_status)
		wait->status = bio->bi_status;
	bio_put(bio);
	ways_put(wait);
}

static int ways_await(struct ways_wait *wait)
{
	ways_put(wait);
	wait_for_completion_io(&wait->done);
	return blk_status_to_errno(wait->status);
}

static void ways_submit(const struct bio_copy *copy, sector_t nr_sectors,
			struct ways_wait *wait)
{
	struct bio *bio = bio_alloc_copy(copy, nr_sectors, GFP_KERNEL);

	bio->bi_end_io = ways_end_io;
	bio->bi_private = wait;
	bio->bi_opf |= REQ_SYNC;
	atomic_inc(&wait->pending);
	submit_bio(bio);
}

static int ways_none(struct ways_copy *copy)
{
	return 0;
}

static int ways_one(struct ways_copy *copy)
{
	struct ways_wait wait;

	ways_wait_init(&wait);
	copy->part[0] = (struct bio_copy) {
		.src		= copy->bdev,
		.dst		= copy->bdev,
		.dst_sector	= copy->sector,
		.extents	= copy->extents,
		.nr_extents	= copy->nr,
	};
	ways_submit(copy->part, copy->nr_sectors, &wait);
	return ways_await(&wait);
}

static sector_t ways_submit_part(struct ways_copy *copy, unsigned int i,
				 sector_t sector, struct ways_wait *wait)
{
	copy->part[i] = (struct bio_copy) {
		.src		= copy->bdev,
		.dst		= copy->bdev,
		.dst_sector	= sector,
		.extents	= &copy->extents[i],
		.nr_extents	= 1,
	};
	ways_submit(&copy->part[i], copy->extents[i].nr_sectors, wait);
	return sector + copy->extents[i].nr_sectors;
}

static int ways_apart(struct ways_copy *copy)
{
	sector_t sector = copy->sector;
	struct ways_wait wait;
	unsigned int i;

	ways_wait_init(&wait);
	for (i = 0; i < copy->nr; i++)
		sector = ways_submit_part(copy, i, sector, &wait);
	return ways_await(&wait);
}

static int ways_plug(struct ways_copy *copy)
{
	sector_t sector = copy->sector;
	struct ways_wait wait;
	struct blk_plug plug;
	unsigned int i;

	ways_wait_init(&wait);
	blk_start_plug(&plug);
	for (i = 0; i < copy->nr; i++)
		sector = ways_submit_part(copy, i, sector, &wait);
	blk_finish_plug(&plug);
	return ways_await(&wait);
}

static int ways_turns(struct ways_copy *copy)
{
	sector_t sector = copy->sector;
	struct ways_wait wait;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < copy->nr && !ret; i++) {
		ways_wait_init(&wait);
		sector = ways_submit_part(copy, i, sector, &wait);
		ret = ways_await(&wait);
	}
	return ret;
}

static int ways_call(struct ways_copy *copy)
{
	sector_t copied;

	/* It takes what was copied off the extents. */
	memcpy(copy->scratch, copy->extents,
	       copy->nr * sizeof(copy->scratch[0]));
	return blkdev_copy(copy->bdev, copy->sector, copy->bdev, copy->scratch,
			   copy->nr, GFP_KERNEL, &copied);
}

static const struct way ways[] = {
	{ "none", ways_none },
	{ "one", ways_one },
	{ "plug", ways_plug },
	{ "apart", ways_apart },
	{ "turns", ways_turns },
	{ "call", ways_call },
};

static void ways_free(struct ways_copy *copy)
{
	if (!copy)
		return;
	if (copy->file)
		bdev_fput(copy->file);
	kfree(copy);
}

static int ways_parse_extents(struct ways_copy *copy, char *text)
{
	char *word, *length;

	while ((word = strsep(&text, " ")) != NULL) {
		struct bio_copy_extent *ext = &copy->extents[copy->nr];

		if (!*word)
			continue;
		if (copy->nr == WAYS_MAX_EXTENTS)
			return ways_refuse(-E2BIG,
					   "there are more than %u extents",
					   WAYS_MAX_EXTENTS);
		length = strchr(word, '+');
		if (length)
			*length++ = '\0';
		if (!length || kstrtoull(word, 10, &ext->sector) ||
		    kstrtoull(length, 10, &ext->nr_sectors) ||
		    !ext->nr_sectors)
			return ways_refuse(-EINVAL,
					   "extent %u is no SECTOR+SECTORS",
					   copy->nr);
		if (check_add_overflow(copy->nr_sectors, ext->nr_sectors,
				       &copy->nr_sectors) ||
		    copy->nr_sectors > BIO_MAX_SECTORS)
			return ways_refuse(-EINVAL,
					   "the extents have more than %u sectors, which one bio cannot copy",
					   BIO_MAX_SECTORS);
		copy->nr++;
	}
	if (!copy->nr)
		return ways_refuse(-EINVAL, "there are no extents");
	return 0;
}

static int ways_parse(struct ways_copy *copy, char *text)
{
	char *path, *to;
	int ret;

	text = strim(text);
	path = strsep(&text, " ");
	to = strsep(&text, " ");
	if (!path || !*path || !to || !text)
		return ways_refuse(-EINVAL,
				   "wanted: DEVICE SECTOR SECTOR+SECTORS...");
	if (kstrtoull(to, 10, &copy->sector))
		return ways_refuse(-EINVAL, "the destination is no sector");
	ret = ways_parse_extents(copy, text);
	if (ret)
		return ret;

	copy->file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE,
					    copy, NULL);
	if (IS_ERR(copy->file)) {
		ret = PTR_ERR(copy->file);
		copy->file = NULL;
		return ways_refuse(ret, "%.64s cannot be opened for this module alone: error %d",
				   path, ret);
	}
	copy->bdev = file_bdev(copy->file);
	if (!bdev_max_copy_sectors(copy->bdev))
		return ways_refuse(-EOPNOTSUPP, "%.64s does not offload copies",
				   path);
	if (bdev_get_queue(copy->bdev)->disk->fops->submit_bio)
		return ways_refuse(-EOPNOTSUPP,
				   "%.64s is a stack of devices: a bio copies one extent of it only",
				   path);
	return 0;
}

static ssize_t ways_copy_write(struct file *file, const char __user *buf,
			       size_t count, loff_t *ppos)
{
	struct ways_copy *copy;
	char *text;
	int ret;

	if (count >= WAYS_MAX_TEXT)
		return -E2BIG;
	text = memdup_user_nul(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy) {
		kfree(text);
		return -ENOMEM;
	}

	mutex_lock(&ways_lock);
	/* The device is opened once at a time. */
	ways_free(ways_now);
	ways_now = NULL;
	ret = ways_parse(copy, text);
	if (ret) {
		ways_free(copy);
	} else {
		ways_now = copy;
		ways_error[0] = '\0';
	}
	mutex_unlock(&ways_lock);

	kfree(text);
	return ret ?: count;
}

static ssize_t ways_run_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	char name[8] = { };
	unsigned int i;
	int ret;

	if (count >= sizeof(name) || copy_from_user(name, buf, count))
		name[0] = '\0';

	mutex_lock(&ways_lock);
	ret = -EINVAL;
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (sysfs_streq(name, ways[i].name))
			break;
	if (i == ARRAY_SIZE(ways))
		ways_refuse(ret, "the ways are none, one, plug, apart, turns and call");
	else if (!ways_now)
		ways_refuse(ret, "no copy has been described");
	else
		ret = ways[i].run(ways_now);
	if (ret && ways_now && i < ARRAY_SIZE(ways))
		ways_refuse(ret, "the copy failed: error %d", ret);
	mutex_unlock(&ways_lock);

	return ret ?: count;
}

static ssize_t ways_error_read(struct file *file, char __user *buf,
			       size_t count, loff_t *ppos)
{
	ssize_t ret;

	mutex_lock(&ways_lock);
	ret = simple_read_from_buffer(buf, count, ppos, ways_error,
				      strlen(ways_error));
	mutex_unlock(&ways_lock);
	return ret;
}

static const struct file_operations ways_copy_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= ways_copy_write,
};

static const struct file_operations ways_run_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= ways_run_write,
};

static const struct file_operations ways_error_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= ways_error_read,
};

static int __init ways_init(void)
{
	ways_dir = debugfs_create_dir("copy-ways", NULL);
	if (IS_ERR(ways_dir))
		return PTR_ERR(ways_dir);
	debugfs_create_file("copy", 0200, ways_dir, NULL, &ways_copy_fops);
	debugfs_create_file("run", 0200, ways_dir, NULL, &ways_run_fops);
	debugfs_create_file("error", 0400, ways_dir, NULL, &ways_error_fops);
	return 0;
}

static void __exit ways_exit(void)
{
	debugfs_remove(ways_dir);
	ways_free(ways_now);
}

module_init(ways_init);
module_exit(ways_exit);
MODULE_DESCRIPTION("One copy, asked for in several ways");
MODULE_LICENSE("GPL");
