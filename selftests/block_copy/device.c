// SPDX-License-Identifier: GPL-2.0
/* Block devices, their place in sysfs and their copy limits. */
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>

#include "blkcopy_lib.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static char reason[256];

void bc_log(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

void bc_set_reason(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
}

const char *bc_reason(void)
{
	return reason;
}

bool bc_machine(const char *name)
{
	const char *machine = getenv("COPY_MACHINE");

	return machine && !strcmp(machine, name);
}

static int read_file(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, len - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* The disk of a partition is the parent of its directory in sysfs. */
static int find_disk(struct bc_dev *dev)
{
	char path[PATH_MAX], real[PATH_MAX], attr[PATH_MAX + 16], value[64];
	struct stat st;

	if (fstat(dev->fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u",
		 major(st.st_rdev), minor(st.st_rdev));
	if (!realpath(path, real))
		return -errno;
	snprintf(attr, sizeof(attr), "%s/partition", real);
	dev->start = 0;
	if (!access(attr, F_OK)) {
		snprintf(attr, sizeof(attr), "%s/start", real);
		if (read_file(attr, value, sizeof(value)))
			return -EIO;
		dev->start = strtoull(value, NULL, 10) * BC_SECTOR;
		dirname(real);
	}
	snprintf(dev->disk, sizeof(dev->disk), "%s", basename(real));
	return 0;
}

int bc_open_path(struct bc_dev *dev, const char *path)
{
	int lbs;

	memset(dev, 0, sizeof(*dev));
	dev->bfd = -1;
	snprintf(dev->path, sizeof(dev->path), "%s", path);
	dev->fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (dev->fd < 0) {
		bc_set_reason("cannot open %s for direct reads and writes: %s",
			      path, strerror(errno));
		return -1;
	}
	dev->bfd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->bfd < 0 || ioctl(dev->fd, BLKGETSIZE64, &dev->size) ||
	    ioctl(dev->fd, BLKSSZGET, &lbs) || find_disk(dev)) {
		bc_set_reason("%s is not a block device with a size and a place in sysfs: %s",
			      path, strerror(errno));
		bc_close(dev);
		return -1;
	}
	dev->lbs = lbs;
	bc_witness_disk(dev);
	bc_read_limits(dev);
	return 0;
}

int bc_open(struct bc_dev *dev, const char *var)
{
	const char *path = getenv(var);

	memset(dev, 0, sizeof(*dev));
	dev->fd = -1;
	dev->bfd = -1;
	if (!path || !*path) {
		bc_set_reason("%s is not set: it must name a device that may be overwritten", var);
		return 1;
	}
	return bc_open_path(dev, path);
}

void bc_close(struct bc_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->bfd >= 0)
		close(dev->bfd);
	dev->fd = -1;
	dev->bfd = -1;
}

int bc_need_copy(const struct bc_dev *dev)
{
	const char *expect = getenv("COPY_EXPECT");
	char path[256];

	if (dev->lim.max_bytes)
		return 0;
	snprintf(path, sizeof(path), "/sys/block/%s/queue/copy_max_bytes", dev->disk);
	bc_set_reason("%s: %s: %s", dev->path, path, access(path, F_OK) ?
		   "no such file, the running kernel has no block copy" :
		   "0, the device does not offer copies");
	/* A machine that was built to offer copies has to. */
	return expect && !strcmp(expect, "offered") ? -1 : 1;
}

int bc_need_bytes(const struct bc_dev *dev, __u64 bytes)
{
	if (dev->size >= bytes)
		return 0;
	bc_set_reason("%s has %llu bytes, the test needs %llu", dev->path, dev->size, bytes);
	return 1;
}

static void queue_path(const struct bc_dev *dev, const char *attr, char *path, size_t len)
{
	snprintf(path, len, "/sys/block/%s/queue/%s", dev->disk, attr);
}

int bc_queue_read_str(const struct bc_dev *dev, const char *attr, char *buf, size_t len)
{
	char path[256];

	queue_path(dev, attr, path, sizeof(path));
	return read_file(path, buf, len);
}

int bc_queue_read(const struct bc_dev *dev, const char *attr, __u64 *value)
{
	char buf[64], *end;
	int ret = bc_queue_read_str(dev, attr, buf, sizeof(buf));

	if (ret)
		return ret;
	errno = 0;
	*value = strtoull(buf, &end, 10);
	return errno || end == buf || *end ? -EINVAL : 0;
}

int bc_write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		ret = -errno;
	close(fd);
	return ret;
}

int bc_queue_write_str(const struct bc_dev *dev, const char *attr, const char *value)
{
	char path[256];

	queue_path(dev, attr, path, sizeof(path));
	return bc_write_file(path, value);
}

int bc_queue_write(const struct bc_dev *dev, const char *attr, __u64 value)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%llu", value);
	return bc_queue_write_str(dev, attr, buf);
}

int bc_read_limits(struct bc_dev *dev)
{
	struct {
		const char *attr;
		__u64 *value;
	} files[] = {
		{ "copy_max_bytes", &dev->lim.max_bytes },
		{ "copy_max_extent_bytes", &dev->lim.max_extent_bytes },
		{ "copy_max_extents", &dev->lim.max_extents },
		{ "copy_max_hw_bytes", &dev->lim.hw_bytes },
		{ "copy_max_hw_extent_bytes", &dev->lim.hw_extent_bytes },
		{ "copy_max_hw_extents", &dev->lim.hw_extents },
	};
	unsigned int i;
	int ret;

	memset(&dev->lim, 0, sizeof(dev->lim));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		ret = bc_queue_read(dev, files[i].attr, files[i].value);
		if (ret)
			return ret;
	}
	return 0;
}

__u64 bc_usable_bytes(const struct bc_dev *dev, __u64 hw_bytes)
{
	return hw_bytes < 1ULL << 32 ? hw_bytes : (1ULL << 32) - dev->lbs;
}

__u64 bc_default_bytes(const struct bc_dev *dev)
{
	__u64 most = 64 * BC_MIB;

	return dev->lim.hw_bytes < most ? dev->lim.hw_bytes : most;
}

int bc_reset_limits(struct bc_dev *dev)
{
	if (bc_read_limits(dev))
		return -1;
	bc_queue_write(dev, "copy_max_bytes", bc_default_bytes(dev));
	bc_queue_write(dev, "copy_max_extent_bytes", dev->lim.hw_extent_bytes);
	bc_queue_write(dev, "copy_max_extents", dev->lim.hw_extents);
	return bc_read_limits(dev);
}
