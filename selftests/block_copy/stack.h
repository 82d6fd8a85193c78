/* SPDX-License-Identifier: GPL-2.0 */
/* dm and md devices over two drives, made without any tool. */
#ifndef BLKCOPY_STACK_H
#define BLKCOPY_STACK_H

#include "blkcopy_lib.h"

enum bc_stack_kind { BC_DM_LINEAR, BC_DM_STRIPED, BC_MD_RAID0, BC_MD_RAID1 };

struct bc_stack {
	enum bc_stack_kind kind;
	char path[64];		/* the block device */
	char node[64];		/* what to remove with it, or empty */
};

/*
 * Makes a device over the first @size bytes of each leg (md takes whole legs).
 * Returns 0, 1 to skip (the kernel lacks the driver) or -1, see bc_reason().
 */
int bc_stack_make(struct bc_stack *s, enum bc_stack_kind kind, const struct bc_dev *a,
		  const struct bc_dev *b, __u64 size);
int bc_stack_remove(struct bc_stack *s);

#endif /* BLKCOPY_STACK_H */
