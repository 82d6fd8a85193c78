/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BLKCOPY_RING_H
#define BLKCOPY_RING_H

#include <liburing.h>

#include "blkcopy_lib.h"

/* A command that copies to @dst_fd; *@arg has to live until it has completed. */
void bc_uring_prep(struct io_uring_sqe *sqe, int dst_fd, const struct blk_copy_arg *arg,
		   __u64 user_data);

/*
 * Waits until the device has nothing in flight: the kernel takes down rings in the
 * background, and their copies with them.  Returns 0, or -1 after 30 s.
 */
int bc_wait_for_idle(const struct bc_dev *dev);

#endif /* BLKCOPY_RING_H */
