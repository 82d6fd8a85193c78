/* SPDX-License-Identifier: GPL-2.0 */
/* Drives of the null_blk driver, made as a test needs them, and zones. */
#ifndef BLKCOPY_NULLB_H
#define BLKCOPY_NULLB_H

#include "blkcopy_lib.h"

/* ---- null_blk, by configfs (nullb.c) ---- */

struct bc_nullb {
	char name[32];		/* empty: there is none */
	struct bc_dev dev;	/* open while it has power */
};

/*
 * Makes /dev/@name with attributes "NAME=VALUE NAME=VALUE...". A @name that
 * starts with "nullb" has a witness of its own. Returns 0, 1 to skip or -1, see
 * bc_reason().
 */
int bc_nullb_make(struct bc_nullb *n, const char *name, const char *attrs);
/* Only its configuration, without power. */
int bc_nullb_configure(struct bc_nullb *n, const char *name, const char *attrs);
/* Opens it after power was switched on. What it holds without cache survives. */
int bc_nullb_power(struct bc_nullb *n, bool on);
int bc_nullb_set(const struct bc_nullb *n, const char *attr, const char *value);
void bc_nullb_remove(struct bc_nullb *n);

/* ---- zones (zones.c) ---- */

struct bc_zone {
	__u64 start, len, capacity;	/* bytes */
	__u64 written;		/* bytes from the start to the write pointer */
	unsigned int type, cond;	/* enum blk_zone_type, enum blk_zone_cond */
};

/* The zone at @offset. The report also makes a zone that had an error usable. */
int bc_zone_get(const struct bc_dev *dev, __u64 offset, struct bc_zone *zone);
/* Returns 0 or -errno, silently. */
int bc_zone_reset(const struct bc_dev *dev, __u64 offset);
int bc_zone_reset_all(const struct bc_dev *dev);
int bc_zone_finish(const struct bc_dev *dev, __u64 offset);
/* That the zone at @offset has been written so far. */
int bc_zone_expect(const struct bc_dev *dev, __u64 offset, __u64 written);

#endif /* BLKCOPY_NULLB_H */
