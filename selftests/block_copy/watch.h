/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells of copies: traces, statistics and cgroups (watch.c). */
#ifndef BLKCOPY_WATCH_H
#define BLKCOPY_WATCH_H

#include "stack.h"

/* ---- tracefs, see bc_tracefs() ---- */

int bc_trace_set(const char *file, const char *value);	/* 0 or -1, silently */
/* Lines of the trace with both words in them; the last of them in @line. */
unsigned int bc_traced(const char *a, const char *b, char *line, size_t len);
/* The first line of a file that starts with @start; 0 or -1. */
int bc_find_line(const char *path, const char *start, char *line, size_t len);

/* ---- /sys/block/DISK/stat ---- */

struct bc_iostat {
	unsigned long long reads, read_merges, read_sectors, read_ms;
	unsigned long long writes, write_merges, write_sectors, write_ms, in_flight;
	unsigned long long io_ms, queue_ms, discards, discard_merges, discard_sectors;
};

/* Counters of a disk, once nothing is in flight, or a second later; 0 or -1. */
int bc_iostat(const struct bc_dev *dev, struct bc_iostat *s);
/* That @now has exactly so many more than @then of what copies may change. */
int bc_iostat_grew(const char *name, const struct bc_iostat *then, const struct bc_iostat *now,
		   __u64 reads, __u64 read_sectors, __u64 writes, __u64 write_sectors);

/* ---- cgroups, version 2 ---- */

/* Mounts the hierarchy and makes a cgroup with io in it: 0, 1 to skip, -1. */
int bc_cgroup_make(void);
void bc_cgroup_remove(void);
int bc_cgroup_enter(void);		/* this process; 0 or -errno */
int bc_cgroup_leave(void);
int bc_cgroup_set(const char *file, const char *value);		/* of it; 0 or -errno */
int bc_cgroup_set_root(const char *file, const char *value);
/* What it may do with the device, in the words of io.max: 0, 1 to skip, -1. */
int bc_cgroup_limit(const struct bc_dev *dev, const char *what);
/* "rbytes", "wios"... of the device in io.stat; 0 if it isn't there. */
__u64 bc_cgroup_stat(const struct bc_dev *dev, const char *key);
void bc_dev_number(const struct bc_dev *dev, unsigned int *maj, unsigned int *min);

#endif /* BLKCOPY_WATCH_H */
