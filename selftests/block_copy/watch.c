// SPDX-License-Identifier: GPL-2.0
/* Traces, statistics and cgroups, read as everybody reads them. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "watch.h"

#define HIERARCHY	"/tmp/block_copy_cgroup"
#define CGROUP		HIERARCHY "/block_copy"

int bc_trace_set(const char *file, const char *value)
{
	char path[256];
	int fd, ret;

	if (!bc_tracefs())
		return -1;
	snprintf(path, sizeof(path), "%s/%s", bc_tracefs(), file);
	/* Truncated, "trace" forgets what it has. */
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -1;
	close(fd);
	return ret;
}

unsigned int bc_traced(const char *a, const char *b, char *line, size_t len)
{
	unsigned int found = 0;
	char path[256], buf[1024];
	FILE *f;

	line[0] = '\0';
	snprintf(path, sizeof(path), "%s/trace", bc_tracefs());
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(buf, sizeof(buf), f)) {
		if (buf[0] == '#' || !strstr(buf, a) || !strstr(buf, b))
			continue;
		buf[strcspn(buf, "\n")] = '\0';
		snprintf(line, len, "%s", buf);
		found++;
	}
	fclose(f);
	return found;
}

int bc_find_line(const char *path, const char *start, char *line, size_t len)
{
	FILE *f = fopen(path, "r");
	int ret = -1;

	while (f && ret && fgets(line, len, f))
		if (!strncmp(line, start, strlen(start)))
			ret = 0;
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return ret;
}

static int read_iostat(const struct bc_dev *dev, struct bc_iostat *s)
{
	char path[256];
	FILE *f;
	int n;

	memset(s, 0, sizeof(*s));
	snprintf(path, sizeof(path), "/sys/block/%s/stat", dev->disk);
	f = fopen(path, "r");
	if (!f)
		return -1;
	n = fscanf(f, "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu",
		   &s->reads, &s->read_merges, &s->read_sectors, &s->read_ms, &s->writes,
		   &s->write_merges, &s->write_sectors, &s->write_ms, &s->in_flight, &s->io_ms,
		   &s->queue_ms, &s->discards, &s->discard_merges, &s->discard_sectors);
	fclose(f);
	return n == 14 ? 0 : -1;
}

/* Who waits for a request is woken before it is counted, so give it a second. */
int bc_iostat(const struct bc_dev *dev, struct bc_iostat *s)
{
	__u64 end = bc_now_ms() + 1000;
	int ret;

	do {
		ret = read_iostat(dev, s);
	} while (!ret && s->in_flight && bc_now_ms() < end && !usleep(1000));
	return ret;
}

static int grew(const char *name, const char *what, __u64 then, __u64 now, __u64 by)
{
	if (now - then == by)
		return 0;
	bc_log("%s: %llu more %s, must be %llu", name, now - then, what, by);
	return -1;
}

int bc_iostat_grew(const char *name, const struct bc_iostat *then, const struct bc_iostat *now,
		   __u64 reads, __u64 read_sectors, __u64 writes, __u64 write_sectors)
{
	int bad = 0;

	bad |= grew(name, "reads", then->reads, now->reads, reads);
	bad |= grew(name, "sectors read", then->read_sectors, now->read_sectors, read_sectors);
	bad |= grew(name, "writes", then->writes, now->writes, writes);
	bad |= grew(name, "sectors written", then->write_sectors, now->write_sectors,
		    write_sectors);
	bad |= grew(name, "discards", then->discards, now->discards, 0);
	bad |= grew(name, "sectors discarded", then->discard_sectors, now->discard_sectors, 0);
	bad |= grew(name, "in flight", 0, now->in_flight, 0);
	return bad;
}

int bc_cgroup_make(void)
{
	char controllers[256];

	mkdir(HIERARCHY, 0700);
	if (access(HIERARCHY "/cgroup.procs", F_OK) &&
	    mount("none", HIERARCHY, "cgroup2", 0, NULL)) {
		bc_set_reason("cannot mount the cgroup hierarchy: %s", strerror(errno));
		return errno == ENODEV ? 1 : -1;
	}
	if (bc_find_line(HIERARCHY "/cgroup.controllers", "", controllers, sizeof(controllers)) ||
	    !strstr(controllers, "io")) {
		bc_set_reason("the kernel has no io controller for cgroups");
		return 1;
	}
	if (bc_cgroup_set_root("cgroup.subtree_control", "+io") ||
	    (mkdir(CGROUP, 0700) && errno != EEXIST)) {
		bc_set_reason("cannot make a cgroup: %s", strerror(errno));
		return -1;
	}
	return 0;
}

void bc_cgroup_remove(void)
{
	bc_cgroup_leave();
	rmdir(CGROUP);
	umount2(HIERARCHY, MNT_DETACH);
	rmdir(HIERARCHY);
}

int bc_cgroup_enter(void)
{
	return bc_write_file(CGROUP "/cgroup.procs", "0");
}

int bc_cgroup_leave(void)
{
	return bc_write_file(HIERARCHY "/cgroup.procs", "0");
}

int bc_cgroup_set(const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", CGROUP, file);
	return bc_write_file(path, value);
}

int bc_cgroup_set_root(const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", HIERARCHY, file);
	return bc_write_file(path, value);
}

void bc_dev_number(const struct bc_dev *dev, unsigned int *maj, unsigned int *min)
{
	struct stat st = { 0 };

	if (fstat(dev->fd, &st))
		bc_log("%s: %s", dev->path, strerror(errno));
	*maj = major(st.st_rdev);
	*min = minor(st.st_rdev);
}

int bc_cgroup_limit(const struct bc_dev *dev, const char *what)
{
	unsigned int maj, min;
	char line[96];
	int ret;

	bc_dev_number(dev, &maj, &min);
	snprintf(line, sizeof(line), "%u:%u %s", maj, min, what);
	ret = bc_cgroup_set("io.max", line);
	if (ret)
		bc_set_reason("io.max: %s: %s", line, strerror(-ret));
	return ret == -ENOENT ? 1 : ret ? -1 : 0;
}

__u64 bc_cgroup_stat(const struct bc_dev *dev, const char *key)
{
	char line[512], start[32], word[64], *at;
	unsigned int maj, min;

	bc_dev_number(dev, &maj, &min);
	snprintf(start, sizeof(start), "%u:%u ", maj, min);
	if (bc_find_line(CGROUP "/io.stat", start, line, sizeof(line)))
		return 0;
	snprintf(word, sizeof(word), " %s=", key);
	at = strstr(line, word);
	return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}
