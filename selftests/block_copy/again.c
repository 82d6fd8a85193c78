// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel tries again on its own account cannot be seen in results. A
 * trace instance counts the source halves that end with EAGAIN.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stack.h"

#define INSTANCE	"instances/block_copy_again"
#define EVENT		INSTANCE "/events/block/block_bio_complete/"

static bool counting;

const char *bc_tracefs(void)
{
	static const char * const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[64];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/trace", places[i]);
		if (!access(path, F_OK))
			return places[i];
	}
	return NULL;
}

static int set(const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", bc_tracefs(), file);
	return bc_write_file(path, value);
}

/* As the kernel has it inside. */
static unsigned int number(const struct bc_dev *dev)
{
	struct stat st;

	return fstat(dev->fd, &st) ? 0 : major(st.st_rdev) << 20 | minor(st.st_rdev);
}

void bc_again_start(const struct bc_dev *a, const struct bc_dev *b)
{
	char path[128], filter[128];

	counting = false;
	if (!bc_tracefs())
		return;
	snprintf(path, sizeof(path), "%s/%s", bc_tracefs(), INSTANCE);
	if (mkdir(path, 0700) && errno != EEXIST)
		return;
	/* A read-like one, and a copy. */
	snprintf(filter, sizeof(filter), "error == %d && rwbs ~ \"RC*\" && (dev == %u || dev == %u)",
		 -EAGAIN, number(a), number(b ?: a));
	counting = !set(EVENT "filter", filter) && !set(INSTANCE "/trace", "\n") &&
		   !set(EVENT "enable", "1");
}

/* "entries: 5": those that are still there, and those that were overwritten. */
static __u64 entries(const char *stats)
{
	unsigned long long value, sum = 0;
	char word[64];
	FILE *f = fopen(stats, "r");

	while (f && fscanf(f, "%63[^:]: %llu%*[^\n]\n", word, &value) > 0)
		if (!strcmp(word, "entries") || !strcmp(word, "overrun"))
			sum += value;
	if (f)
		fclose(f);
	return sum;
}

int bc_again_stop(__u64 *bios)
{
	char path[512];
	struct dirent *e;
	DIR *dir;

	*bios = 0;
	if (!counting)
		return -1;
	counting = false;
	set(EVENT "enable", "0");
	snprintf(path, sizeof(path), "%s/%s/per_cpu", bc_tracefs(), INSTANCE);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s/per_cpu/%s/stats", bc_tracefs(), INSTANCE,
			 e->d_name);
		*bios += entries(path);
	}
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "%s/%s", bc_tracefs(), INSTANCE);
	rmdir(path);
	return 0;
}

void bc_again_log(void)
{
	__u64 bios;

	if (bc_again_stop(&bios))
		bc_log("no tracefs: nobody knows what was tried again");
	else
		bc_log("%llu source halves were to be tried again", bios);
}
