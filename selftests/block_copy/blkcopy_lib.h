/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all block copy tests share: devices and their copy limits, the two
 * ways to ask for a copy, golden data, a model of what the device must hold,
 * and the device's own word about the commands that it saw.
 *
 * Functions that return int return 0 when all is well; otherwise they have
 * printed a sentence (as a KTAP comment) that says what is wrong.
 * Offsets and lengths are in bytes on the named device unless said otherwise.
 */
#ifndef BLKCOPY_LIB_H
#define BLKCOPY_LIB_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>

#include "blkcopy_uapi.h"

#define BC_SECTOR	512ULL
#define BC_KIB		1024ULL
#define BC_MIB		(1024ULL * 1024)
#define BC_GIB		(1024ULL * 1024 * 1024)

/* Linux moves at most this many bytes in one call (INT_MAX & PAGE_MASK). */
#define BC_MAX_RW_COUNT	(0x7fffffffULL & ~4095ULL)

#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif

__printf(1, 2) void bc_log(const char *fmt, ...);

/* ---- devices and limits (device.c) ---- */

struct bc_limits {
	__u64 max_bytes, max_extent_bytes, max_extents;
	__u64 hw_bytes, hw_extent_bytes, hw_extents;
};

struct bc_dev {
	int fd;			/* O_RDWR | O_DIRECT */
	int bfd;		/* O_RDWR, through the page cache */
	char path[128];
	char disk[64];		/* name of the whole disk in /sys/block */
	__u64 size;		/* bytes */
	__u64 start;		/* of a partition on its disk, bytes */
	__u32 lbs;		/* logical block size, bytes */
	struct bc_limits lim;
};

/*
 * Opens the device that environment variable @var names. Returns 0, 1 when
 * the variable is not set (skip with bc_reason()), or -1 (fail).
 */
int bc_open(struct bc_dev *dev, const char *var);
int bc_open_path(struct bc_dev *dev, const char *path);
void bc_close(struct bc_dev *dev);

/* Returns 0 when copies are offered, 1 to skip or -1 to fail (bc_reason()). */
int bc_need_copy(const struct bc_dev *dev);
/* Returns 0 when the device has this many bytes, 1 to skip (bc_reason()). */
int bc_need_bytes(const struct bc_dev *dev, __u64 bytes);
const char *bc_reason(void);
__printf(1, 2) void bc_set_reason(const char *fmt, ...);

/* Whether COPY_MACHINE says that the test runs on machine @name. */
bool bc_machine(const char *name);

int bc_read_limits(struct bc_dev *dev);
int bc_reset_limits(struct bc_dev *dev);	/* to what they are after boot */
/* What copy_max_bytes is until somebody writes it: at most 64 MiB. */
__u64 bc_default_bytes(const struct bc_dev *dev);
/* How much of a limit of the hardware fits in the 32 bits of a request. */
__u64 bc_usable_bytes(const struct bc_dev *dev, __u64 hw_bytes);
/* A file of the kernel's: 0 or -errno, silently. */
int bc_write_file(const char *path, const char *value);
/* /sys/block/DISK/queue/ATTR; the write returns 0 or -errno, silently. */
int bc_queue_read(const struct bc_dev *dev, const char *attr, __u64 *value);
int bc_queue_write(const struct bc_dev *dev, const char *attr, __u64 value);
int bc_queue_read_str(const struct bc_dev *dev, const char *attr, char *buf, size_t len);
int bc_queue_write_str(const struct bc_dev *dev, const char *attr, const char *value);

/* ---- copying (copy.c) ---- */

enum bc_iface { BC_IOCTL, BC_URING, BC_CFR };

struct bc_result {
	int err;		/* 0 or the errno */
	__u64 copied;		/* bytes reported as copied */
};

/* Value of blk_copy_arg.copied before the call: must never be seen after. */
#define BC_POISON	0xdeadbeefdeadbeefULL

/*
 * One BLKCOPY, by ioctl or through io_uring, or one copy_file_range(2) per extent
 * until one of them fails or is short. A short result of io_uring is gone on with,
 * so that @copied and @err mean what they mean for the ioctl. copy_file_range's offsets are checked to have advanced by
 * exactly what it returned: if not, err is EBADMSG.
 */
struct bc_result bc_copy(enum bc_iface iface, int dst_fd, __u64 dst, int src_fd,
			 const struct blk_copy_extent *ext, __u32 nr);
const char *bc_iface_name(enum bc_iface iface);
struct bc_result bc_copy_uring(int dst_fd, __u64 dst, int src_fd,
			       const struct blk_copy_extent *ext, __u32 nr);
struct blk_copy_arg bc_copy_arg(__u64 dst, int src_fd, const struct blk_copy_extent *ext, __u32 nr);
__u64 bc_total(const struct blk_copy_extent *ext, __u32 nr);

/* What the device must be asked for, all commands filled to the limits. */
struct bc_bound {
	__u64 copies, ranges, blocks;
	__u64 max_ranges, max_blocks, max_range_blocks;
};

void bc_bound_add(struct bc_bound *b, const struct bc_limits *lim, __u32 lbs,
		  const struct blk_copy_extent *ext, __u32 nr);
struct bc_bound bc_bound_for(enum bc_iface iface, const struct bc_dev *dev,
			     const struct blk_copy_extent *ext, __u32 nr);

/* ---- golden data (pattern.c) ---- */

extern __u64 bc_seed;		/* COPY_SEED, else random; printed */

/* A sector's tag says which generation was written at which sector. */
#define BC_TAG_POS_BITS	42
static inline __u64 bc_tag(__u64 gen, __u64 sector)
{
	return (gen << BC_TAG_POS_BITS) | sector;
}

__u64 bc_mix(__u64 x);
__u64 bc_unmix(__u64 x);
__u64 bc_new_gen(void);		/* never the same twice in one program */
void bc_sector_fill(void *sector, __u64 tag);
bool bc_sector_is(const void *sector, __u64 tag);
/* Names what a sector holds ("generation 3 of sector 77", "zeroes", ...). */
const char *bc_sector_name(const void *sector, char *buf, size_t len);

__u64 bc_rand(void);		/* seeded with bc_seed, per process */
__u64 bc_rand_below(__u64 n);
/* From a sequence of the caller's own, which starts with any number. */
__u64 bc_below(__u64 *state, __u64 n);

/* ---- the model of a part of a device (window.c) ---- */

#define BC_NO_ALT	(~0ULL)

struct bc_win {
	struct bc_dev *dev;
	__u64 base, len;	/* bytes */
	__u64 *tag;		/* what each sector must hold */
	__u64 *alt;		/* what it may hold instead, or NULL */
};

/* Fills [base, base + len) with a new generation, with direct writes. */
int bc_win_init(struct bc_win *w, struct bc_dev *dev, __u64 base, __u64 len);
/* The same, trusting that the device holds nothing but zeroes there. */
int bc_win_init_zero(struct bc_win *w, struct bc_dev *dev, __u64 base, __u64 len);
void bc_win_free(struct bc_win *w);
/* Writes a new generation through @fd. */
int bc_win_write(struct bc_win *w, int fd, __u64 off, __u64 len);
/* Model only: a new generation, and its bytes in @buf (len bytes). */
void bc_win_generate(struct bc_win *w, void *buf, __u64 off, __u64 len);
/* Model only: the copy happened, up to @limit bytes of it. */
void bc_win_copied(struct bc_win *dst, __u64 dst_off, const struct bc_win *src,
		   const struct blk_copy_extent *ext, __u32 nr, __u64 limit);
/*
 * Model only: @sure bytes were copied; the rest of the destination may hold
 * the copy or what it held before.
 */
int bc_win_partly_copied(struct bc_win *dst, __u64 dst_off, const struct bc_win *src,
			 const struct blk_copy_extent *ext, __u32 nr, __u64 sure);
/* Forgets alternatives: finds out which of the two each sector holds. */
int bc_win_settle(struct bc_win *w);
/* Reads all of the window through @fd and compares it with the model. */
int bc_win_check_fd(const struct bc_win *w, int fd);
int bc_win_check(const struct bc_win *w);	/* with direct reads */
/* The end of a fixture's window: checks it, if it was made at all, and frees it. */
int bc_win_end(struct bc_win *w);
int bc_win_check_range(const struct bc_win *w, int fd, __u64 off, __u64 len);
int bc_check_buf(const struct bc_win *w, const void *buf, __u64 off, __u64 len);
void *bc_alloc(size_t len);			/* aligned for O_DIRECT */

/* ---- the device's own word (witness.c) ---- */

struct bc_counts {
	__u64 copies, ranges, blocks, max_ranges, max_blocks, max_range_blocks;
	__u64 reads, read_bytes, writes, write_bytes, write_zeroes, flushes, other;
};

/* Whether there is a witness at all; a machine of the kit must have one. */
bool bc_have_witness(void);
/* Questions are about this disk, if it is one of null_blk; bc_open_path() does that. */
void bc_witness_disk(const struct bc_dev *dev);
/* The same for a driver of a test's own, until another device is opened. */
void bc_witness_by_stat(const struct bc_dev *dev);
int bc_mark(void);		/* count from here */
int bc_count(struct bc_counts *c);
int bc_expect_counts(const struct bc_bound *b);	/* copies as computed, no data read or written */
int bc_expect_no_copies(void);	/* neither copies nor writes */
/*
 * "device_del": the machine asks us to let go of @device, "device_add": puts
 * it back. Tries again for @ms: a device can be back only when it was gone.
 */
int bc_plug(const char *command, const char *device, unsigned int ms);
/* Ends the machine here and now; the program is run again, see COPY_BOOT. */
void bc_power_cut(void);

/* ---- random work on a window, also as a thread (load.c) ---- */

enum bc_op {
	BC_OP_IOCTL = 1, BC_OP_CFR = 2, BC_OP_WRITE_DIRECT = 4, BC_OP_WRITE_BUFFERED = 8,
	BC_OP_READ_DIRECT = 16, BC_OP_READ_BUFFERED = 32, BC_OP_URING = 64,
	BC_OP_COPIES = BC_OP_IOCTL | BC_OP_URING | BC_OP_CFR,
	BC_OP_WRITES = BC_OP_WRITE_DIRECT | BC_OP_WRITE_BUFFERED,
	BC_OP_READS = BC_OP_READ_DIRECT | BC_OP_READ_BUFFERED,
	BC_OP_ALL = 127,
};

struct bc_load {
	struct bc_win *win;	/* nobody else's */
	unsigned int ops;	/* enum bc_op, each as likely as the others */
	__u64 rng;		/* state; start with any number */
	__u64 longest;		/* bytes of one operation, 0: 256 KiB */
	/* EOPNOTSUPP is right, or EIO after a part: somebody switches offload. */
	bool may_refuse;
	bool verbose;		/* print each operation */
	/* results */
	__u64 done, copies, copied_bytes, refused;
	int bad;
	/* thread */
	pthread_t thread;
	bool stop;
};

int bc_load_op(struct bc_load *load);		/* one operation, checked */
int bc_load_start(struct bc_load *load);
int bc_load_stop(struct bc_load *load);		/* returns load->bad */
__u64 bc_now_ms(void);

/* ---- all of it in one step (step.c) ---- */

/* Copies inside one window; checks result, commands; updates the model. */
int bc_step(struct bc_win *w, enum bc_iface iface, __u64 dst,
	    const struct blk_copy_extent *ext, __u32 nr);
/* The same between two windows, through the given file descriptors. */
int bc_step2(struct bc_win *dw, int dst_fd, struct bc_win *sw, int src_fd,
	     enum bc_iface iface, __u64 dst, const struct blk_copy_extent *ext, __u32 nr);
/* That a result is errno @err and nothing was copied. */
int bc_refused(struct bc_result r, int err, const char *what);

/* ---- command lines (options.c) ---- */

/* One of the pointers says what the option sets; a flag takes no value. */
struct bc_option {
	const char *name;	/* "--seed"; NULL ends the list */
	__u64 *number;
	char **text;
	bool *flag;
};

/* Returns 0, or -1 for what isn't in the list or lacks its value. */
int bc_options(int argc, char **argv, const struct bc_option *options);

#endif /* BLKCOPY_LIB_H */
