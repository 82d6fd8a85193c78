// SPDX-License-Identifier: GPL-2.0
/* Device mapper through /dev/mapper/control, as dmsetup does it. */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/dm-ioctl.h>

#include "stack.h"

#define DATA_BYTES	32768
#define AWAIT_MS	10000

struct request {
	struct dm_ioctl io;
	char data[DATA_BYTES];
};

static struct request *request(const struct bc_dm *dm)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->io.version[0] = DM_VERSION_MAJOR;
	r->io.data_size = sizeof(*r);
	r->io.data_start = offsetof(struct request, data);
	snprintf(r->io.name, sizeof(r->io.name), "%s", dm->name);
	return r;
}

static int submit(unsigned long cmd, struct request *r)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, cmd, r))
		ret = -errno;
	close(fd);
	return ret;
}

static int simple(const struct bc_dm *dm, unsigned long cmd, __u32 flags)
{
	struct request *r = request(dm);
	int ret;

	r->io.flags = flags;
	ret = submit(cmd, r);
	free(r);
	return ret;
}

int bc_dm_create(struct bc_dm *dm, const char *name)
{
	struct request *r;
	__u64 dev;
	int ret;

	memset(dm, 0, sizeof(*dm));
	snprintf(dm->name, sizeof(dm->name), "%s", name);
	r = request(dm);
	ret = submit(DM_DEV_CREATE, r);
	dev = r->io.dev;
	free(r);
	if (ret) {
		dm->name[0] = '\0';
		return ret;
	}
	snprintf(dm->dev, sizeof(dm->dev), "%u:%u", major(dev), minor(dev));
	/* No udev: devtmpfs has the kernel's own name. */
	snprintf(dm->path, sizeof(dm->path), "/dev/dm-%u", minor(dev));
	if (!access(dm->path, F_OK))
		return 0;
	snprintf(dm->path, sizeof(dm->path), "/tmp/%s", dm->name);
	unlink(dm->path);
	if (mknod(dm->path, S_IFBLK | 0600, dev)) {
		ret = -errno;
		bc_dm_remove(dm);
		return ret;
	}
	dm->node = true;
	return 0;
}

bool bc_dm_has_target(const char *type)
{
	struct bc_dm dm = { 0 };

	/* Here the name is that of the target. */
	snprintf(dm.name, sizeof(dm.name), "%s", type);
	return !simple(&dm, DM_GET_TARGET_VERSION, 0);
}

int bc_dm_load(const struct bc_dm *dm, const char *table)
{
	struct request *r = request(dm);
	size_t used = 0;
	int ret = 0;

	while (*table && !ret) {
		struct dm_target_spec *spec = (void *)(r->data + used);
		size_t len = strcspn(table, "\n");
		char type[DM_MAX_TYPE_NAME];
		unsigned long long start, sectors;
		int params = 0;
		size_t room;

		if (sscanf(table, "%llu %llu %15s%n", &start, &sectors, type, &params) != 3 ||
		    (size_t)params > len) {
			ret = -EBADMSG;
			break;
		}
		params += strspn(table + params, " ");
		/* Specifications are aligned, their arguments end with a zero. */
		room = (sizeof(*spec) + len - params + 1 + 7) & ~7UL;
		if (used + room > sizeof(r->data)) {
			ret = -E2BIG;
			break;
		}
		spec->sector_start = start;
		spec->length = sectors;
		spec->next = room;
		memcpy(spec->target_type, type, sizeof(type));
		memcpy(spec + 1, table + params, len - params);
		used += room;
		r->io.target_count++;
		table += len;
		table += *table == '\n';
	}
	if (!ret)
		ret = submit(DM_TABLE_LOAD, r);
	free(r);
	return ret;
}

int bc_dm_suspend(const struct bc_dm *dm, unsigned int flags)
{
	return simple(dm, DM_DEV_SUSPEND, DM_SUSPEND_FLAG |
		      (flags & BC_DM_NOFLUSH ? DM_NOFLUSH_FLAG : 0) |
		      (flags & BC_DM_NOLOCKFS ? DM_SKIP_LOCKFS_FLAG : 0));
}

int bc_dm_resume(const struct bc_dm *dm)
{
	return simple(dm, DM_DEV_SUSPEND, 0);
}

int bc_dm_swap(const struct bc_dm *dm, const char *table, unsigned int flags)
{
	return bc_dm_suspend(dm, flags) ?: bc_dm_load(dm, table) ?: bc_dm_resume(dm);
}

int bc_dm_message(const struct bc_dm *dm, const char *text)
{
	struct request *r = request(dm);
	struct dm_target_msg *msg = (void *)r->data;
	int ret;

	snprintf(msg->message, sizeof(r->data) - sizeof(*msg), "%s", text);
	ret = submit(DM_TARGET_MSG, r);
	free(r);
	return ret;
}

int bc_dm_status(const struct bc_dm *dm, const char *word, __u64 *value)
{
	struct request *r = request(dm);
	char *save, *key, *number;
	int ret;

	/* A flush must not wait here for what a test holds. */
	r->io.flags = DM_NOFLUSH_FLAG;
	ret = submit(DM_TABLE_STATUS, r);
	if (!ret) {
		ret = -ENOENT;
		key = strtok_r((char *)r + r->io.data_start + sizeof(struct dm_target_spec),
			       " ", &save);
		while (key && ret) {
			number = strtok_r(NULL, " ", &save);
			if (number && !strcmp(key, word)) {
				*value = strtoull(number, NULL, 10);
				ret = 0;
			}
			key = strtok_r(NULL, " ", &save);
		}
	}
	free(r);
	return ret;
}

static int first_line(const struct bc_dm *dm, __u32 flags, char *line, size_t len)
{
	struct request *r = request(dm);
	int ret;

	r->io.flags = flags | DM_NOFLUSH_FLAG;
	ret = submit(DM_TABLE_STATUS, r);
	if (!ret)
		snprintf(line, len, "%s",
			 (char *)r + r->io.data_start + sizeof(struct dm_target_spec));
	free(r);
	return ret;
}

int bc_dm_table(const struct bc_dm *dm, char *line, size_t len)
{
	return first_line(dm, DM_STATUS_TABLE_FLAG, line, len);
}

int bc_dm_status_line(const struct bc_dm *dm, char *line, size_t len)
{
	return first_line(dm, 0, line, len);
}

int bc_dm_await(const struct bc_dm *dm, const char *word, __u64 least)
{
	__u64 end = bc_now_ms() + AWAIT_MS, value = 0;
	int ret;

	do {
		ret = bc_dm_status(dm, word, &value);
		if (ret) {
			bc_log("%s: no status of '%s': %s", dm->name, word, strerror(-ret));
			return ret;
		}
		if (value >= least)
			return 0;
		usleep(2000);
	} while (bc_now_ms() < end);
	bc_log("%s: %s stays at %llu, must become %llu", dm->name, word, value, least);
	return -ETIMEDOUT;
}

int bc_dm_remove(struct bc_dm *dm)
{
	int tries, ret = -EBUSY;

	if (!dm->name[0])
		return 0;
	/* Whoever looked at the new device may still have it open. */
	for (tries = 0; ret == -EBUSY && tries < 100; tries++) {
		ret = simple(dm, DM_DEV_REMOVE, 0);
		if (ret == -EBUSY)
			usleep(20000);
	}
	if (dm->node)
		unlink(dm->path);
	if (!ret)
		memset(dm, 0, sizeof(*dm));
	return ret;
}
