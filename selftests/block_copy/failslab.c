// SPDX-License-Identifier: GPL-2.0
/* Allocations fail, in the caches that are chosen: nothing is left but reserves. */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "stack.h"

#define FAULTS	"/sys/kernel/debug/failslab/"

int bc_fail_mark_bios(bool on)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[PATH_MAX];
	struct stat st;
	int nr = 0;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "bio-", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s", entry->d_name);
		/* A link: merged with the cache of something else. */
		if (lstat(path, &st) || !S_ISDIR(st.st_mode))
			continue;
		strcat(path, "/failslab");
		nr += !bc_write_file(path, on ? "1" : "0");
	}
	if (dir)
		closedir(dir);
	return nr;
}

int bc_fail_slabs(bool on)
{
	return bc_write_file(FAULTS "probability", on ? "100" : "0");
}

int bc_fail_prepare(bool all)
{
	return bc_write_file(FAULTS "cache-filter", "Y") ?:
	       bc_write_file(FAULTS "task-filter", "N") ?:
	       bc_write_file(FAULTS "ignore-gfp-wait", all ? "N" : "Y") ?:
	       bc_write_file(FAULTS "interval", "1") ?:
	       bc_write_file(FAULTS "times", "-1") ?:
	       bc_write_file(FAULTS "verbose", "0");
}

void bc_fail_end(void)
{
	bc_fail_slabs(false);
	bc_write_file(FAULTS "cache-filter", "N");
	bc_write_file(FAULTS "ignore-gfp-wait", "Y");
}

int bc_fail_bios_begin(void)
{
	if (access(FAULTS "cache-filter", W_OK)) {
		bc_set_reason("the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
		return 1;
	}
	if (!bc_fail_mark_bios(true)) {
		bc_set_reason("no cache of bios in /sys/kernel/slab can be made to fail");
		return 1;
	}
	bc_set_reason("failslab cannot be set up");
	return bc_fail_prepare(true);
}

void bc_fail_bios_end(void)
{
	bc_fail_end();
	bc_fail_mark_bios(false);
}
