/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks for the KUnit suites: one that takes requests, carries copies out in
 * memory and does as badly as it is told to, and one that takes bios and remaps
 * them to others.  Both belong to a test and end with it.
 */
#ifndef FAKE_DISK_H
#define FAKE_DISK_H

#include <kunit/test.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>

#define FAKE_SECTORS		4096	/* size of a disk */
#define FAKE_PART_START		1001	/* of its partition, if it has one */
#define FAKE_PART_SECTORS	2003
#define FAKE_MAX_CMDS		640	/* copies that a disk keeps in mind */
#define FAKE_MAX_RANGES		40	/* source ranges of one of them */

/* How long to wait for what has to happen: machines may be slow. */
#define FAKE_TIMEOUT		(30 * HZ)

struct fake_disk;

/* The limits for copies, and what else makes a disk. */
struct fake_disk_conf {
	unsigned int		block_sectors;	/* of a logical block, 0: one */
	unsigned int		max_sectors;
	unsigned int		max_extent_sectors;
	unsigned int		max_extents;
	bool			partition;
	bool			scheduler;	/* mq-deadline */
	struct fake_disk	*path_of;	/* another way to its sectors */
};

/* A copy command, as the driver was given it. */
struct fake_cmd {
	struct request		*rq;		/* while it is held */
	sector_t		dst;
	unsigned int		nr_sectors;
	unsigned int		nr_bios;
	unsigned int		nr_ranges;
	struct bio_copy_extent	ranges[FAKE_MAX_RANGES];
};

struct fake_disk {
	struct gendisk		*disk;
	struct block_device	*bdev;		/* all of the disk */
	struct block_device	*part;		/* its partition or NULL */
	struct fake_disk_conf	conf;
	struct blk_mq_tag_set	tag_set;
	u8			*data;
	struct list_head	list;		/* of all fake disks */
	wait_queue_head_t	wait;		/* for commands to be held */
	bool			busy;		/* don't take requests */
	spinlock_t		lock;		/* protects all below */
	bool			hold;		/* don't end copies */
	unsigned int		fail_nr;	/* this copy fails, from 1 */
	blk_status_t		fail_status;
	unsigned int		fail_good;	/* sectors copied before that */
	sector_t		bad_read;	/* this sector can't be read */
	sector_t		bad_write;	/* or written */
	unsigned int		nr_read;	/* sectors, not by copies */
	unsigned int		nr_written;
	bool			in_order;	/* writes and copies must be */
	sector_t		next_write;
	const char		*wrong;		/* first broken promise */
	unsigned int		nr_cmds;
	unsigned int		nr_held;
	struct fake_cmd		*cmds;
};

struct fake_disk *fake_disk_new(struct kunit *test,
				const struct fake_disk_conf *conf);
void fake_disk_forget(struct fake_disk *fake);
void fake_disk_set_limits(struct kunit *test, struct fake_disk *fake,
			  unsigned int max_sectors,
			  unsigned int max_extent_sectors,
			  unsigned int max_extents);
void fake_disk_hold(struct fake_disk *fake);
void fake_disk_busy(struct fake_disk *fake, bool busy);
void fake_disk_fail(struct fake_disk *fake, unsigned int nr,
		    blk_status_t status, unsigned int good_sectors);
bool fake_disk_wait_held(struct fake_disk *fake, unsigned int nr);
void fake_disk_end(struct fake_disk *fake, unsigned int nr, blk_status_t status,
		   unsigned int good_sectors);
void fake_disk_release(struct fake_disk *fake);
u32 fake_disk_tag(const struct fake_disk *fake, sector_t sector);
void fake_disk_set_tag(struct fake_disk *fake, sector_t sector, u32 tag);

/* Sectors of a stacking disk that lie on another one. */
struct fake_seg {
	sector_t		nr_sectors;
	struct block_device	*bdev;
	sector_t		sector;
};

enum fake_stack_how {
	FAKE_SPLIT,		/* bio_split() and remap the bio itself */
	FAKE_CLONE,		/* a trimmed clone of the bio for each part */
};

#define FAKE_MAX_SEGS		16
#define FAKE_MAX_DEFERRED	128

struct fake_stack {
	struct gendisk		*disk;
	struct block_device	*bdev;
	struct bio_set		bios;
	struct list_head	list;		/* of all stacking disks */
	enum fake_stack_how	how;
	unsigned int		chunk;		/* cut every so many sectors */
	bool			defer;		/* what is mapped waits */
	enum req_op		fail_op;
	unsigned int		fail_nr;	/* this one of it fails, from 1 */
	unsigned int		fail_count;	/* and so many in all */
	blk_status_t		fail_status;
	wait_queue_head_t	wait;		/* for bios to be deferred */
	spinlock_t		lock;		/* protects all below */
	const char		*wrong;		/* first broken promise */
	unsigned int		nr_src;		/* bios seen, by operation */
	unsigned int		nr_dst;
	unsigned int		nr_nested;	/* of the latter */
	unsigned int		nr_deferred;
	struct bio		*deferred[FAKE_MAX_DEFERRED];
	unsigned int		nr_segs;
	struct fake_seg		segs[FAKE_MAX_SEGS];
};

struct fake_stack *fake_stack_new(struct kunit *test, enum fake_stack_how how,
				  const struct fake_seg *segs,
				  unsigned int nr_segs);
void fake_stack_fail(struct fake_stack *stack, enum req_op op, unsigned int nr,
		     unsigned int count, blk_status_t status);
bool fake_stack_wait_deferred(struct fake_stack *stack, unsigned int nr);
void fake_stack_submit(struct fake_stack *stack, unsigned int nr);
void fake_stack_release(struct fake_stack *stack);

void fake_stacks_release(void);
void fake_disks_release(void);

#endif /* FAKE_DISK_H */
