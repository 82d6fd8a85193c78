/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dm-copytest: what any stacking driver may do to copies, reads and writes.
 * README.md has the table line.
 */
#ifndef DM_COPYTEST_H
#define DM_COPYTEST_H

#include <linux/bio.h>
#include <linux/bits.h>
#include <linux/device-mapper.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/prandom.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#define DM_MSG_PREFIX "copytest"

/* What a bio is; a destination is nested when it keeps its source in flight. */
enum ct_class {
	CT_SRC, CT_DIRECT, CT_NESTED, CT_READ, CT_WRITE, CT_NR_CLASSES,
};

enum ct_action {
	CT_DEFER, CT_DELAY, CT_REORDER, CT_SPLIT, CT_FAIL, CT_FAIL_END,
	CT_REQUEUE, CT_HOLD, CT_HOLD_END, CT_LINGER, CT_NR_ACTIONS,
};

enum ct_when {
	CT_ALWAYS, CT_NTH, CT_FROM, CT_EVERY, CT_CHANCE, CT_NR_WHENS,
};

/* ---- rules (copytest_rules.c) ---- */

#define CT_MAX_RULES	16
#define CT_MAX_ARGS	2

struct ct_rule {
	enum ct_action action;
	enum ct_when when;
	unsigned int classes;		/* a bit for each enum ct_class */
	unsigned int n;			/* of @when */
	unsigned int arg[CT_MAX_ARGS];	/* of @action */
	u64 seen;			/* bios of @classes since it was added */
};

struct ct_rules {
	spinlock_t lock;		/* protects all below */
	struct rnd_state rnd;
	unsigned int nr;
	struct ct_rule rule[CT_MAX_RULES];
};

/* What the rules say about one bio. */
struct ct_verdict {
	unsigned int actions;		/* a bit for each enum ct_action */
	unsigned int delay_us;
	unsigned int reorder;		/* bios that wait for each other */
	unsigned int split;		/* sectors */
	unsigned int linger_ms;
	blk_status_t fail, fail_end;
};

static inline bool ct_says(const struct ct_verdict *verdict, enum ct_action action)
{
	return verdict->actions & BIT(action);
}

/*
 * Functions that take words return NULL, or a sentence that says what is
 * wrong with them.
 */
void ct_rules_init(struct ct_rules *rules, u64 seed);
/* @only: nothing may follow the rule. */
char *ct_rules_add(struct ct_rules *rules, struct dm_arg_set *as, bool only);
void ct_rules_clear(struct ct_rules *rules);
void ct_rules_judge(struct ct_rules *rules, enum ct_class class, struct ct_verdict *verdict);
/* Writes the rules as the table line has them, each after a space. */
unsigned int ct_rules_emit(struct ct_rules *rules, char *result, unsigned int sz,
			   unsigned int maxlen);
char *ct_parse_classes(char *word, unsigned int *classes);
char *ct_parse_status(const char *word, blk_status_t *status);
char *ct_parse_u32(const char *word, unsigned int *value);

/* ---- bios that wait (copytest_wait.c) ---- */

struct ct_bio {
	struct list_head node;
	ktime_t due;
	enum ct_class class;
	bool reorder;			/* waits for others */
	bool hold_end;			/* hold it when it ends */
	bool ended;			/* it is held after its end */
	blk_status_t end_status;	/* instead of success */
};

/* Submits bios later, from a worker. */
struct ct_lane {
	spinlock_t lock;		/* protects all below */
	struct list_head bios;		/* struct ct_bio, the first is due first */
	unsigned int nr_reorder;	/* of them wait for others */
	bool hurry;			/* a suspend waits: all is due now */
	struct rnd_state rnd;

	struct hrtimer timer;
	struct work_struct work;
	struct workqueue_struct *wq;
};

int ct_lane_init(struct ct_lane *lane, const char *name, u64 seed);
void ct_lane_exit(struct ct_lane *lane);
void ct_lane_add(struct ct_lane *lane, struct ct_bio *cb, const struct ct_verdict *verdict);
void ct_lane_hurry(struct ct_lane *lane, bool hurry);

/* Keeps bios until it is told to let go. */
struct ct_held {
	spinlock_t lock;		/* protects all below; ends come from interrupts */
	struct list_head bios;		/* struct ct_bio, the first came first */
	unsigned int nr[CT_NR_CLASSES];
};

void ct_held_init(struct ct_held *held);
void ct_held_add(struct ct_held *held, struct ct_bio *cb);
/* Moves those of @classes to the end of @to. */
void ct_held_take(struct ct_held *held, unsigned int classes, struct list_head *to);

/* ---- suspends from within (copytest_nap.c) ---- */

/* Exported to targets, but declared in a header of dm's own. */
void dm_internal_suspend_noflush(struct mapped_device *md);
void dm_internal_resume(struct mapped_device *md);
void dm_internal_suspend_fast(struct mapped_device *md);
void dm_internal_resume_fast(struct mapped_device *md);

struct ct_nap {
	struct work_struct work;
	struct mapped_device *md;	/* held meanwhile */
	bool fast;
	unsigned int ms;
	atomic_t busy;
	atomic64_t begun;		/* the device sleeps, or did */
	atomic64_t ended;
};

void ct_nap_init(struct ct_nap *nap);
void ct_nap_exit(struct ct_nap *nap);
char *ct_nap_words(struct ct_nap *nap, struct dm_target *ti, struct dm_arg_set *as);

/* ---- the permutation of chunks (copytest_map.c) ---- */

struct ct_map {
	unsigned int chunk;		/* sectors; 0: not permuted */
	u32 *place;			/* chunk below, for each chunk of the target */
};

char *ct_map_init(struct ct_map *map, sector_t len, unsigned int chunk, u64 seed);
void ct_map_exit(struct ct_map *map);
/* Sectors from @offset on that stay together. */
sector_t ct_map_left(const struct ct_map *map, sector_t offset, sector_t len);
sector_t ct_map_sector(const struct ct_map *map, sector_t offset);

#endif /* DM_COPYTEST_H */
