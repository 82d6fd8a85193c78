// SPDX-License-Identifier: GPL-2.0
/* dm through /dev/mapper/control, md through its ioctls. */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/dm-ioctl.h>
#include <linux/major.h>
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>

#include "stack.h"

#define DM_NAME		"block_copy_test"
#define DM_CHUNK	128	/* sectors per stripe */
#define MD_CHUNK	65536	/* bytes */

static int dm_ioctl(unsigned long cmd, struct dm_ioctl *io)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, cmd, io))
		ret = -errno;
	close(fd);
	return ret;
}

struct dm_request {
	struct dm_ioctl io;
	struct dm_target_spec spec;
	char params[256];
};

static void dm_init(struct dm_request *r)
{
	memset(r, 0, sizeof(*r));
	r->io.version[0] = DM_VERSION_MAJOR;
	r->io.data_size = sizeof(*r);
	r->io.data_start = offsetof(struct dm_request, spec);
	snprintf(r->io.name, sizeof(r->io.name), DM_NAME);
}

static int dm_remove(void)
{
	struct dm_request r;

	dm_init(&r);
	return dm_ioctl(DM_DEV_REMOVE, &r.io);
}

static void dev_name(const struct bc_dev *dev, char *buf, size_t len)
{
	struct stat st;

	if (fstat(dev->fd, &st))
		abort();
	snprintf(buf, len, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
}

static int dm_make(struct bc_stack *s, const struct bc_dev *a, const struct bc_dev *b, __u64 size)
{
	char name_a[32], name_b[32];
	struct dm_request r;
	__u64 dev;
	int ret;

	dm_remove();
	dm_init(&r);
	ret = dm_ioctl(DM_DEV_CREATE, &r.io);
	if (ret == -ENOENT || ret == -ENODEV || ret == -ENXIO) {
		bc_set_reason("no /dev/mapper/control: the kernel has no device mapper");
		return 1;
	}
	if (ret) {
		bc_set_reason("cannot create a dm device: %s", strerror(-ret));
		return -1;
	}
	dev = r.io.dev;

	dev_name(a, name_a, sizeof(name_a));
	dev_name(b, name_b, sizeof(name_b));
	dm_init(&r);
	r.io.target_count = 1;
	r.spec.length = size / BC_SECTOR;
	if (s->kind == BC_DM_LINEAR) {
		snprintf(r.spec.target_type, sizeof(r.spec.target_type), "linear");
		snprintf(r.params, sizeof(r.params), "%s 0", name_a);
	} else {
		snprintf(r.spec.target_type, sizeof(r.spec.target_type), "striped");
		snprintf(r.params, sizeof(r.params), "2 %u %s 0 %s 0", DM_CHUNK, name_a, name_b);
	}
	ret = dm_ioctl(DM_TABLE_LOAD, &r.io);
	if (!ret) {
		dm_init(&r);
		ret = dm_ioctl(DM_DEV_SUSPEND, &r.io);	/* without the flag: resume */
	}
	if (ret) {
		bc_set_reason("cannot load a dm table: %s", strerror(-ret));
		dm_remove();
		return -1;
	}
	/* No udev: devtmpfs has the kernel's own name. */
	snprintf(s->path, sizeof(s->path), "/dev/dm-%u", minor(dev));
	if (access(s->path, F_OK)) {
		snprintf(s->path, sizeof(s->path), "/tmp/%s", DM_NAME);
		snprintf(s->node, sizeof(s->node), "%s", s->path);
		unlink(s->node);
		if (mknod(s->node, S_IFBLK | 0600, dev)) {
			bc_set_reason("cannot make a node: %s", strerror(errno));
			dm_remove();
			return -1;
		}
	}
	return 0;
}

static int md_add(int fd, const struct bc_dev *dev, int number)
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

/* Without superblocks, as mdadm --build does. */
static int md_make(struct bc_stack *s, const struct bc_dev *a, const struct bc_dev *b)
{
	mdu_array_info_t info = {
		.major_version = 0,
		.minor_version = 90,
		.level = s->kind == BC_MD_RAID0 ? 0 : 1,
		.nr_disks = 2,
		.raid_disks = 2,
		.md_minor = 0,
		.not_persistent = 1,
		.state = 1 << MD_SB_CLEAN,
		.active_disks = 2,
		.working_disks = 2,
		.chunk_size = s->kind == BC_MD_RAID0 ? MD_CHUNK : 0,
		/* KiB per leg; raid0 takes what there is. */
		.size = s->kind == BC_MD_RAID0 ? 0 : a->size / 1024,
	};
	mdu_param_t param = { 0 };
	const char *step = "open";
	int fd, ret = -1;

	snprintf(s->node, sizeof(s->node), "/tmp/block_copy_md0");
	snprintf(s->path, sizeof(s->path), "%s", s->node);
	unlink(s->node);
	if (mknod(s->node, S_IFBLK | 0600, makedev(MD_MAJOR, 0))) {
		bc_set_reason("cannot make a node: %s", strerror(errno));
		return -1;
	}
	/* Opening the node creates the array. */
	fd = open(s->node, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		bc_set_reason("cannot open md0: %s: has the kernel md?", strerror(errno));
		unlink(s->node);
		return errno == ENXIO || errno == ENODEV ? 1 : -1;
	}
	ioctl(fd, STOP_ARRAY, NULL);
	step = "SET_ARRAY_INFO";
	if (ioctl(fd, SET_ARRAY_INFO, &info))
		goto out;
	step = "ADD_NEW_DISK";
	if (md_add(fd, a, 0) || md_add(fd, b, 1))
		goto out;
	step = "RUN_ARRAY";
	if (ioctl(fd, RUN_ARRAY, &param))
		goto out;
	ret = 0;
out:
	if (ret) {
		bc_set_reason("md: %s: %s", step, strerror(errno));
		ioctl(fd, STOP_ARRAY, NULL);
		unlink(s->node);
	}
	close(fd);
	return ret;
}

int bc_stack_make(struct bc_stack *s, enum bc_stack_kind kind, const struct bc_dev *a,
		  const struct bc_dev *b, __u64 size)
{
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	return kind <= BC_DM_STRIPED ? dm_make(s, a, b, size) : md_make(s, a, b);
}

static int md_stop(const char *node)
{
	int fd, tries, ret = -1;

	for (tries = 0; ret && tries < 100; tries++) {
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -1;
		ret = ioctl(fd, STOP_ARRAY, NULL);
		close(fd);
		if (ret)
			usleep(20000);
	}
	return ret;
}

int bc_stack_remove(struct bc_stack *s)
{
	int ret = s->kind <= BC_DM_STRIPED ? dm_remove() : md_stop(s->node);

	if (s->node[0])
		unlink(s->node);
	if (ret)
		bc_log("%s cannot be removed", s->path);
	return ret;
}
