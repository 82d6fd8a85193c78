/* SPDX-License-Identifier: GPL-2.0 */
/* NVMe targets in this kernel, and our own host connected to them. No tool is needed. */
#ifndef BLKCOPY_TARGET_H
#define BLKCOPY_TARGET_H

#include <linux/nvme_ioctl.h>

#include "blkcopy_lib.h"
#include "stack.h"

#define BC_TARGET_PORTS	2

enum bc_target_flags {
	BC_TARGET_BUFFERED = 1,		/* a block device through the page cache */
	BC_TARGET_PASSTHRU = 2,		/* the backing is a controller, /dev/nvmeN */
	BC_TARGET_TWO_PORTS = 4,	/* the host connects through both */
};

struct bc_target {
	char nqn[64];			/* empty: does not exist */
	const char *transport;		/* "loop" or "tcp" */
	unsigned int nr_ports, nr_ctrls;
	int ctrl[BC_TARGET_PORTS];	/* number of the host's controller */
	struct bc_dev dev;		/* the namespace, as the host has it; open */
};

/*
 * Exports @backing, a block device or a file, and connects to it. What an
 * earlier test left behind is removed first. Returns 0, 1 to skip (the kernel
 * lacks something) or -1, see bc_reason().
 */
int bc_target_make(struct bc_target *t, const char *transport, const char *backing,
		   unsigned int flags);
int bc_target_remove(struct bc_target *t);
/* Removes what an earlier test, ended in the middle, has left behind. */
int bc_target_clean(void);
/* Writes an attribute of the namespace in configfs. 0 or -errno, silently. */
int bc_target_write(const struct bc_target *t, const char *attr, const char *value);

/* ---- commands, one by one ---- */

#define BC_NVME_COPY	0x19

/* A source range of the Copy command, descriptor format 0. */
struct bc_nvme_range {
	__u64 rsvd0;
	__u64 slba;
	__u16 nlb;		/* 0's based */
	__u16 rsvd18;
	__u32 rsvd20;
	__u32 reftag;
	__u16 lbat;
	__u16 lbatm;
};

struct bc_nvme_copy {
	__u64 sdlba;
	struct bc_nvme_range range[256];
	unsigned int nr;	/* ranges; the command says so */
	unsigned int bytes;	/* of payload, 0: what @nr needs */
	unsigned int format;
	bool fua;
};

void bc_nvme_add(struct bc_nvme_copy *c, __u64 slba, __u32 blocks);
/* Returns the status without "more", or -errno; dword 0 of the completion in @dword0. */
int bc_nvme_copy(const struct bc_dev *dev, const struct bc_nvme_copy *c, __u32 *dword0);
/* What the command copies, @nr ranges of it, in bytes. */
__u32 bc_nvme_extents(const struct bc_dev *dev, const struct bc_nvme_copy *c, unsigned int nr,
		      struct blk_copy_extent *ext);

#define BC_NVME_DNR	0x4000

/* Identify with @cns, 4096 bytes. 0 or what the ioctl returned. */
int bc_nvme_identify(const struct bc_dev *dev, unsigned int cns, void *data);
int bc_nvme_admin(const struct bc_dev *dev, struct nvme_passthru_cmd *cmd);

struct bc_nvme_limits {
	__u32 mssrl, mcl, msrc;		/* as the namespace has them */
};

int bc_nvme_limits(const struct bc_dev *dev, struct bc_nvme_limits *lim);

/* ---- files on file systems ---- */

struct bc_mount {
	char dir[32];			/* empty: is not mounted */
	char file[64];			/* of the size that was asked for */
};

/*
 * "tmpfs", or "ext4" or "xfs", which are made on block device @dev. Returns 0, 1
 * to skip or -1.
 */
int bc_mount_make(struct bc_mount *m, const char *type, const char *dev, __u64 file_bytes);
int bc_mount_remove(struct bc_mount *m);
/* What has been made of these is checked and taken down, from top to bottom. 0 or -1. */
int bc_target_leave(struct bc_win *win, struct bc_target *t, struct bc_stack *stack,
		    struct bc_mount *m);
/* How much fits a tmpfs from now on. */
int bc_mount_limit(const struct bc_mount *m, __u64 bytes);

/*
 * Runs a program of PATH with its output as diagnostics; the exit status, or
 * 127 if there is no such program.
 */
int bc_run(const char *const argv[]);

#endif /* BLKCOPY_TARGET_H */
