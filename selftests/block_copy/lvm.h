/* SPDX-License-Identifier: GPL-2.0 */
/* The real tools in the guest, and a file system that is in use meanwhile. */
#ifndef BLKCOPY_LVM_H
#define BLKCOPY_LVM_H

#include "stack.h"

#define LVM_VG	"copyvg"
#define LVM_LV	"/dev/mapper/" LVM_VG "-"

/* Runs a program of PATH with its words; 0, or -1 and its output is logged. */
__printf(1, 2) int lvm_run(const char *fmt, ...);
/* As lvm_run(), with what it prints, without white space at the end. */
__printf(3, 4) int lvm_read(char *out, size_t len, const char *fmt, ...);

/* Returns 0 when all of these programs are there, or 1 to skip, see bc_reason(). */
int lvm_need(const char *const *programs);
/* Writes LVM's configuration for a machine without udev. */
int lvm_configure(void);
/* Makes the volume group on @dev, which is wiped before. */
int lvm_start(const struct bc_dev *dev);
/* Deactivates and removes whatever there is, silently. */
void lvm_stop(const struct bc_dev *dev);

/* dm-clone, which LVM doesn't know, of volume a to volume d, with metadata in m. */
int clone_make(struct bc_dm *dm);
/* Waits until all of it has been copied. */
int clone_await(const struct bc_dm *dm);

/* ---- a file system under load ---- */

struct fs_load {
	const char *dir;
	__u64 files;		/* written and synced */
	int bad;
	pthread_t thread;
	bool stop;
};

int fs_make(const char *dev);
int fs_mount(const char *dev, const char *dir);
int fs_umount(const char *dir);
/* A thread that writes files, syncs them, and then notes down in a log that it did. */
int fs_load_start(struct fs_load *load, const char *dir);
int fs_load_stop(struct fs_load *load);
int fs_load_for(struct fs_load *load, const char *dir, unsigned int ms);
/* Every file that the log has must be as it was written; @least so many. */
int fs_verify(const char *dir, __u64 least);
/* e2fsck of what isn't mounted: nothing to be repaired. */
int fs_check(const char *dev);

#endif /* BLKCOPY_LVM_H */
