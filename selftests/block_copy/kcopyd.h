/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of dm-kcopyd's users share: a drive with golden data, the targets
 * that copy on it, and what the drive says about who copied.
 */
#ifndef BLKCOPY_KCOPYD_H
#define BLKCOPY_KCOPYD_H

#include "stack.h"

/* On the drive, in bytes; a test makes of it what it likes. */
#define KC_BASE		(64 * BC_MIB)
#define KC_LEN		(64 * BC_MIB)

struct kc {
	struct bc_dev a;
	struct bc_win win;	/* of the drive: what it must hold */
	struct bc_stack stack;
};

int kc_open(struct kc *kc);
int kc_close(struct kc *kc);
/* Golden data in @len bytes at KC_BASE + @off; the rest of the window is not looked at. */
int kc_fill(struct kc *kc, __u64 off, __u64 len);
int kc_zero(struct kc *kc, __u64 off, __u64 len);
/* The model: what is at @src was copied to @dst. */
void kc_copied(struct kc *kc, __u64 dst, __u64 src, __u64 len);
int kc_check(struct kc *kc, __u64 off, __u64 len);

/* A table line's sectors: where @off is on the drive. */
static inline __u64 kc_at(__u64 off)
{
	return (KC_BASE + off) / BC_SECTOR;
}

/*
 * The drive has copied @bytes, at least, and twice as many at most; of data no more
 * than that was read and written.
 */
int kc_expect(struct kc *kc, __u64 bytes, __u64 read, __u64 written);
/* It has copied nothing, but seen at least @bytes read and written. */
int kc_expect_none(struct kc *kc, __u64 bytes);

/* Adds a device of printf's table; 0, 1 to skip or -1. */
__printf(2, 3) int kc_add(struct kc *kc, const char *fmt, ...);
/* Waits until the two numbers of "A/B", the @nth of the status, are the same. */
int kc_await_ratio(struct kc *kc, unsigned int dm, unsigned int nth);

/* /sys/module/dm_mod/parameters. */
int kc_param(const char *name, const char *value);

#endif /* BLKCOPY_KCOPYD_H */
