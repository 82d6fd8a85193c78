/* SPDX-License-Identifier: GPL-2.0 */
/* Loop devices and the file systems that their files are on. */
#ifndef BLKCOPY_LOOPDEV_H
#define BLKCOPY_LOOPDEV_H

#include "blkcopy_lib.h"

/* ---- file systems: 0, 1 to skip or -1 to fail, see bc_reason() ---- */

struct bc_fs {
	char where[64];		/* empty: not mounted */
	char image[96];		/* a file in it, for a loop device */
};

/* Runs mkfs.TYPE, with @options (NULL at the end), on the device. */
int bc_mkfs(const char *path, const char *type, const char *const options[]);
int bc_fs_mount(struct bc_fs *fs, const char *path, const char *type);
int bc_fs_unmount(struct bc_fs *fs);		/* 0 or -1 (logged) */
/* As if the power failed: what is not on the device is lost. XFS only. */
int bc_fs_shutdown(const struct bc_fs *fs);
int bc_fs_freeze(int fd, bool freeze);		/* 0 or -errno */
/* Makes an image of @bytes, all of it a hole. */
int bc_fs_image(const struct bc_fs *fs, __u64 bytes);
/* Bytes of [off, off + len) of the image that share their blocks; -1: unknown. */
long long bc_fs_shared(const struct bc_fs *fs, __u64 off, __u64 len);

/* ---- loop devices ---- */

struct bc_loop_options {
	__u32 block_size;	/* 0: the driver's choice */
	__u64 offset, sizelimit;
	bool direct, read_only;
};

struct bc_loop {
	struct bc_dev dev;	/* open, if @path is there */
	char path[32];
	struct bc_loop_options opt;
};

int bc_loop_make(struct bc_loop *l, const char *file, const struct bc_loop_options *opt);
/*
 * A loop device over COPY_DEV2, or over an image of @image bytes on xfs that shares blocks,
 * on COPY_DEV. As bc_open(): 0, 1 to skip, or -1.
 */
int bc_loop_over(struct bc_loop *l, struct bc_fs *fs, struct bc_dev *drive, bool block,
		 __u64 image, const struct bc_loop_options *opt);
/* For main(): makes that file system once for all tests, each of which is a process of its own. */
void bc_loop_mkfs_first(void);
int bc_loop_remove(struct bc_loop *l);		/* 0 or -1 (logged) */
/* Another offset or block size; the device is opened anew. 0 or -errno. */
int bc_loop_set_offset(struct bc_loop *l, __u64 offset, __u64 sizelimit);
int bc_loop_set_block_size(struct bc_loop *l, __u32 block_size);

#endif /* BLKCOPY_LOOPDEV_H */
