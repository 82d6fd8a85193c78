/* SPDX-License-Identifier: GPL-2.0 */
/* Devices stacked on the drives under test, made without any tool. */
#ifndef BLKCOPY_STACK_H
#define BLKCOPY_STACK_H

#include "blkcopy_lib.h"

/* ---- device mapper (dm.c): 0 or -errno, silently, unless said otherwise ---- */

struct bc_dm {
	char name[32];		/* empty: does not exist */
	char path[64];		/* the block device */
	char dev[24];		/* MAJOR:MINOR, as tables name devices */
	bool node;		/* we made the node of @path ourselves */
};

enum bc_dm_flags {
	BC_DM_FLUSH = 0, BC_DM_NOFLUSH = 1, BC_DM_NOLOCKFS = 2,
};

int bc_dm_create(struct bc_dm *dm, const char *name);
bool bc_dm_has_target(const char *type);
/* @table: lines of "START LENGTH TARGET ARGUMENTS", in sectors, as dmsetup takes them. */
int bc_dm_load(const struct bc_dm *dm, const char *table);
int bc_dm_suspend(const struct bc_dm *dm, unsigned int flags);
int bc_dm_resume(const struct bc_dm *dm);
/* Suspend, load and resume in one. */
int bc_dm_swap(const struct bc_dm *dm, const char *table, unsigned int flags);
int bc_dm_message(const struct bc_dm *dm, const char *text);	/* to the target at sector 0 */
/* A number from the pairs of words that the first target's status is made of. */
int bc_dm_status(const struct bc_dm *dm, const char *word, __u64 *value);
/* All that the status of the first target says. */
int bc_dm_status_line(const struct bc_dm *dm, char *line, size_t len);
/* The arguments of the first target, as its table has them. */
int bc_dm_table(const struct bc_dm *dm, char *line, size_t len);
/* Waits until that number is at least @least; logs when it takes too long. */
int bc_dm_await(const struct bc_dm *dm, const char *word, __u64 least);
int bc_dm_remove(struct bc_dm *dm);

/* ---- stacks of dm devices (stack.c) ---- */

#define BC_STACK_MOST	6

/*
 * Tables from the bottom to the top, in the words of bc_dm_load(). %a and %b
 * are the drives, %0 the device of the first table, %1 of the second.
 * A number after @ is in logical blocks of drive a.
 */
struct bc_stack {
	struct bc_dm dm[BC_STACK_MOST];
	unsigned int nr;
	struct bc_dev top;	/* open */
};

/*
 * Returns 0, 1 to skip (the kernel lacks a target) or -1, see bc_reason().
 * Devices that an earlier test left behind are removed first.
 */
int bc_stack_make(struct bc_stack *s, const char *const tables[BC_STACK_MOST],
		  const struct bc_dev *a, const struct bc_dev *b);
int bc_stack_remove(struct bc_stack *s);
/* Opens the devices of @nr tables from @first on; each has to offer copies. */
int bc_stack_open(const struct bc_stack *s, unsigned int first, struct bc_dev *dev,
		  unsigned int nr);
/* Removes what an earlier test, ended in the middle, has left; bc_stack_make() does it. */
void bc_stack_sweep(void);
/* A table with its names and units replaced; free() it. */
char *bc_stack_table(const struct bc_stack *s, const char *table, const struct bc_dev *a,
		     const struct bc_dev *b);
/* One table more; the new device is s->dm[s->nr - 1] and not opened. */
int bc_stack_add(struct bc_stack *s, const char *table, const struct bc_dev *a,
		 const struct bc_dev *b);

/* ---- shapes of stacks that copy, over drive a alone (stack_shapes.c) ---- */

/* They lie in these logical blocks of the drive, with gaps. */
#define BC_SHAPE_FIRST	4096ULL
#define BC_SHAPE_BLOCKS	16384ULL

#define BC_SHAPES(X)		\
	X(linear)		\
	X(swapped)		\
	X(crumbs)		\
	X(striped_4k)		\
	X(striped_odd)		\
	X(striped_wide)		\
	X(three_levels)		\
	X(mixed)		\
	X(delayed)		\
	X(torn)			\
	X(deferred)		\
	X(permuted)

#define BC_SHAPE_ENUM(name)	BC_SHAPE_##name,
enum bc_shape { BC_SHAPES(BC_SHAPE_ENUM) BC_NR_SHAPES };

const char *bc_shape_name(enum bc_shape shape);
/* As bc_stack_make(); loads the module that a shape may need. */
int bc_shape_make(struct bc_stack *s, enum bc_shape shape, const struct bc_dev *a);

/* ---- copies through stacks (stack_step.c) ---- */

/*
 * As bc_step2(), but nobody knows into how many commands a stack cuts a
 * copy: they must not be larger than the drive takes, not fewer than the
 * least, copy exactly what was asked for, and no data be read or written.
 */
int bc_stack_step2(struct bc_win *dw, struct bc_win *sw, enum bc_iface iface, __u64 dst,
		   const struct blk_copy_extent *ext, __u32 nr);
int bc_stack_step(struct bc_win *w, enum bc_iface iface, __u64 dst,
		  const struct blk_copy_extent *ext, __u32 nr);
/*
 * A copy that somebody disturbs: the errnos in @may (the last is 0) are right,
 * and what was reported must be true. Returns the errno, 0, or -1 (logged).
 */
int bc_stack_disturbed(struct bc_win *dw, struct bc_win *sw, enum bc_iface iface, __u64 dst,
		       const struct blk_copy_extent *ext, __u32 nr, const int *may);
/* That @dev offers copies with the smaller of the limits of @a and @b. */
int bc_expect_stacked_limits(struct bc_dev *dev, struct bc_dev *a, struct bc_dev *b);
/* Six zeroes in sysfs. */
int bc_expect_no_limits(struct bc_dev *dev);

/* ---- no memory but the reserves (failslab.c): 0 or -1, silently ---- */

/* Marks the caches of bios, and of nothing else, as those that fail. Returns how many. */
int bc_fail_mark_bios(bool on);
/* All allocations in the caches that are marked, or those that may wait; but not yet. */
int bc_fail_prepare(bool all);
int bc_fail_slabs(bool on);
void bc_fail_end(void);
/* All of it for bios. Returns 0, 1 to skip or -1 (bc_reason()); nothing fails yet. */
int bc_fail_bios_begin(void);
void bc_fail_bios_end(void);

/* ---- one copy by a thread of its own (async.c) ---- */

struct bc_async {
	struct bc_win *dw, *sw;
	enum bc_iface iface;
	__u64 dst;
	struct blk_copy_extent ext;
	/* results */
	struct bc_result r;
	__u64 took_ms;
	/* thread */
	pthread_t thread;
	bool done;
};

/* Copies @len bytes at @src of @sw; @dst and @src are relative to the windows. */
int bc_async_start(struct bc_async *t, enum bc_iface iface, struct bc_win *dw, __u64 dst,
		   struct bc_win *sw, __u64 src, __u64 len);
bool bc_async_done(const struct bc_async *t);
/*
 * Waits for at most @ms. The result must be @err with nothing copied, or all
 * copied when @err is 0; updates the model.
 */
int bc_async_end(struct bc_async *t, int err, unsigned int ms);

/* ---- a few devices and one copy between them (stack_set.c) ---- */

enum { BC_SET_DRIVE = 3, BC_SET_DEVICES };

struct bc_set {
	struct bc_dev dev[BC_SET_DEVICES];	/* the last is the drive */
	struct bc_win win[BC_SET_DEVICES];
	struct bc_stack stack;
	struct bc_dm *dm[BC_SET_DRIVE];
	__u64 lbs, len;				/* of the copy */
	struct bc_async copy;
};

/*
 * Returns as bc_stack_make(). The first three devices are those of table
 * @first and the two after it; copies are @blocks long.
 */
int bc_set_make(struct bc_set *s, const char *const tables[BC_STACK_MOST], unsigned int first,
		unsigned int blocks);
int bc_set_remove(struct bc_set *s);		/* checks all windows */
/* Starts s->copy from block 20 of one to block 500 of the other. */
int bc_set_copy(struct bc_set *s, unsigned int to, unsigned int from);
/* Loads a table in the words of bc_stack_make(). */
int bc_set_load(struct bc_set *s, unsigned int i, const char *text);
/*
 * Moves the data of a device from block @from of the drive to block @to, and
 * scribbles upon their old place.
 */
int bc_set_move(struct bc_set *s, unsigned int i, unsigned int from, unsigned int to);

/* ---- tasks that copy while something happens (copier.c, watchdog.c) ---- */

struct bc_copier {
	struct bc_win *win;	/* nobody else's */
	struct bc_win *src;	/* nobody changes it; or NULL: copy inside @win */
	__u64 rng;		/* state; start with any number */
	__u64 longest;		/* bytes of one copy, 0: 256 KiB */
	const int *may;		/* errnos that are right, ends with 0; or NULL */
	/* results */
	__u64 done, copied_bytes, again, failed, slowest_ms;
	int bad;
	/* thread */
	pthread_t thread;
	bool stop;
};

/* One random copy, and every so often all of the window is checked. */
int bc_copier_op(struct bc_copier *c);
int bc_copier_start(struct bc_copier *c);
int bc_copier_stop(struct bc_copier *c);	/* returns c->bad */
/*
 * Whether the time is over: it is @end, and each of the @nr tasks has copied a
 * few times, for a busy host may not have let them until now; or one failed.
 */
bool bc_copiers_had_enough(const struct bc_copier *c, unsigned int nr, __u64 end);

/*
 * Ends the test when a counter has not moved for 20 s: logs @name, and lets
 * the kernel print the tasks that are blocked. Counters that are watched may
 * stop moving once bc_unwatch() was called.
 */
void bc_watch(const char *name, const __u64 *counter);
void bc_unwatch(void);
void bc_dump_blocked_tasks(void);	/* into the kernel's log */

/* ---- what was tried again (again.c) ---- */

/*
 * Counts, from here on, the source halves of copies from @a, or from @b if it
 * is not NULL, that end with EAGAIN. Returns -1 where that cannot be known.
 */
void bc_again_start(const struct bc_dev *a, const struct bc_dev *b);
int bc_again_stop(__u64 *bios);
void bc_again_log(void);	/* stops and tells */
const char *bc_tracefs(void);	/* NULL: not mounted */

/* ---- how long (watchdog.c) ---- */

/* Seconds to run for: @full when COPY_FULL is set, else @quick. */
unsigned int bc_seconds(unsigned int quick, unsigned int full);
bool bc_full(void);

/* ---- md (md.c) ---- */

struct bc_md {
	char path[64];		/* empty: does not exist */
};

/* @level 0 or 1, over all of the legs. Returns as bc_stack_make(). */
int bc_md_make(struct bc_md *md, int level, const struct bc_dev *a, const struct bc_dev *b);
int bc_md_remove(struct bc_md *md);

#endif /* BLKCOPY_STACK_H */
