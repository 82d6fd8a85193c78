// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// The kernel's interface to copying inside a block device. Kernel headers that know BLKCOPY win;
// with older ones the definitions below let the tool be built anywhere, and the static_asserts hold
// both to the same layout.

#include <linux/fs.h>
#include <linux/types.h>

#include <cstddef>
#if __has_include(<linux/blkdev.h>)
#include <linux/blkdev.h>
#endif

#ifndef BLKCOPY
struct blk_copy_extent {
    __u64 offset; // bytes, on the source
    __u64 length; // bytes
};

struct blk_copy_arg {
    __s32 src_fd;
    __u32 flags;
    __u64 dst_offset; // bytes, on the device that the ioctl is issued on
    __u64 extents;    // user pointer to struct blk_copy_extent[nr_extents]
    __u32 nr_extents;
    __u32 reserved0;
    __u64 copied; // out: bytes copied, a prefix
    __u64 reserved[3];
};

#define BLKCOPY_MAX_EXTENTS 1024
#define BLKCOPY _IOWR(0x12, 160, struct blk_copy_arg)
#endif
// The same argument, as an io_uring command whose result is the number of bytes.
#ifndef BLOCK_URING_CMD_COPY
#define BLOCK_URING_CMD_COPY _IO(0x12, 160)
#endif

static_assert(sizeof(blk_copy_extent) == 16);
static_assert(offsetof(blk_copy_extent, length) == 8);
static_assert(sizeof(blk_copy_arg) == 64);
static_assert(offsetof(blk_copy_arg, dst_offset) == 8);
static_assert(offsetof(blk_copy_arg, extents) == 16);
static_assert(offsetof(blk_copy_arg, nr_extents) == 24);
static_assert(offsetof(blk_copy_arg, copied) == 32);
static_assert(BLKCOPY == _IOC(_IOC_READ | _IOC_WRITE, 0x12, 160, 64));
