/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user interface of block copy, from the kernel's own header where that
 * is new enough, else from the definitions below: the tests must also build,
 * and refuse in a sentence, against headers that know nothing of copies. Also
 * for C++.
 */
#ifndef BLKCOPY_UAPI_H
#define BLKCOPY_UAPI_H

#include <assert.h>
#include <stddef.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __has_include
#if __has_include(<linux/blkdev.h>)
#include <linux/blkdev.h>
#endif
#endif

#ifndef BLKCOPY
struct blk_copy_extent {
	__u64 offset;		/* bytes, on the source */
	__u64 length;		/* bytes */
};

struct blk_copy_arg {
	__s32 src_fd;
	__u32 flags;
	__u64 dst_offset;	/* bytes, on the device that is asked */
	__u64 extents;		/* points to struct blk_copy_extent[nr_extents] */
	__u32 nr_extents;
	__u32 reserved0;
	__u64 copied;		/* out: bytes, from the start */
	__u64 reserved[3];
};

#define BLKCOPY_MAX_EXTENTS	1024
#define BLKCOPY			_IOWR(0x12, 160, struct blk_copy_arg)
#endif

/* The same argument, as an io_uring command whose result is the number of bytes. */
#ifndef BLOCK_URING_CMD_COPY
#define BLOCK_URING_CMD_COPY	_IO(0x12, 160)
#endif

static_assert(sizeof(struct blk_copy_extent) == 16, "extent layout");
static_assert(offsetof(struct blk_copy_extent, length) == 8, "extent layout");
static_assert(sizeof(struct blk_copy_arg) == 64, "argument layout");
static_assert(offsetof(struct blk_copy_arg, dst_offset) == 8, "argument layout");
static_assert(offsetof(struct blk_copy_arg, extents) == 16, "argument layout");
static_assert(offsetof(struct blk_copy_arg, nr_extents) == 24, "argument layout");
static_assert(offsetof(struct blk_copy_arg, copied) == 32, "argument layout");
static_assert(offsetof(struct blk_copy_arg, reserved) == 40, "argument layout");
static_assert(BLKCOPY == _IOC(_IOC_READ | _IOC_WRITE, 0x12, 160, 64), "number of the ioctl");
static_assert(BLKCOPY_MAX_EXTENTS == 1024, "extent count is part of the interface");

#endif /* BLKCOPY_UAPI_H */
