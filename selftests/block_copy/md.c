// SPDX-License-Identifier: GPL-2.0
/* md arrays through md's ioctls, without superblocks, as mdadm --build does. */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/major.h>
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>

#include "stack.h"

#define CHUNK	65536	/* bytes */

static int add(int fd, const struct bc_dev *dev, int number)
{
	mdu_disk_info_t disk = { .number = number, .raid_disk = number };
	struct stat st;

	if (fstat(dev->fd, &st))
		return -1;
	disk.major = major(st.st_rdev);
	disk.minor = minor(st.st_rdev);
	disk.state = (1 << MD_DISK_ACTIVE) | (1 << MD_DISK_SYNC);
	return ioctl(fd, ADD_NEW_DISK, &disk);
}

int bc_md_make(struct bc_md *md, int level, const struct bc_dev *a, const struct bc_dev *b)
{
	mdu_array_info_t info = {
		.major_version = 0,
		.minor_version = 90,
		.level = level,
		.nr_disks = 2,
		.raid_disks = 2,
		.md_minor = 0,
		.not_persistent = 1,
		.state = 1 << MD_SB_CLEAN,
		.active_disks = 2,
		.working_disks = 2,
		.chunk_size = level ? 0 : CHUNK,
		/* KiB per leg; raid0 takes what there is. */
		.size = level ? a->size / 1024 : 0,
	};
	mdu_param_t param = { 0 };
	const char *step = "open";
	int fd, ret = -1;

	snprintf(md->path, sizeof(md->path), "/tmp/block_copy_md0");
	unlink(md->path);
	if (mknod(md->path, S_IFBLK | 0600, makedev(MD_MAJOR, 0))) {
		bc_set_reason("cannot make a node: %s", strerror(errno));
		md->path[0] = '\0';
		return -1;
	}
	/* Opening the node creates the array. */
	fd = open(md->path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		bc_set_reason("cannot open md0: %s: has the kernel md?", strerror(errno));
		ret = errno == ENXIO || errno == ENODEV ? 1 : -1;
		goto no_node;
	}
	ioctl(fd, STOP_ARRAY, NULL);
	step = "SET_ARRAY_INFO";
	if (ioctl(fd, SET_ARRAY_INFO, &info))
		goto out;
	step = "ADD_NEW_DISK";
	if (add(fd, a, 0) || add(fd, b, 1))
		goto out;
	step = "RUN_ARRAY";
	if (ioctl(fd, RUN_ARRAY, &param))
		goto out;
	ret = 0;
out:
	if (ret) {
		bc_set_reason("md: %s: %s", step, strerror(errno));
		ioctl(fd, STOP_ARRAY, NULL);
	}
	close(fd);
	if (!ret)
		return 0;
no_node:
	unlink(md->path);
	md->path[0] = '\0';
	return ret;
}

int bc_md_remove(struct bc_md *md)
{
	int fd, tries, ret = -1;

	if (!md->path[0])
		return 0;
	for (tries = 0; ret && tries < 100; tries++) {
		fd = open(md->path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -1;
		ret = ioctl(fd, STOP_ARRAY, NULL);
		close(fd);
		if (ret)
			usleep(20000);
	}
	unlink(md->path);
	if (ret)
		bc_log("%s cannot be removed", md->path);
	md->path[0] = '\0';
	return ret;
}
