// SPDX-License-Identifier: GPL-2.0
/* Loads what insmod would load. */
#include <sys/syscall.h>

#include "blkcopy_lib.h"
#include "module.h"

static bool is_loaded(const char *name)
{
	char path[128], *c;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	for (c = path + strlen("/sys/module/"); *c; c++)
		if (*c == '-')
			*c = '_';
	return !access(path, F_OK);
}

int bc_load_module(const char *name)
{
	const char *directory = getenv("COPY_MODULES") ?: "/lib/modules";
	char path[256];
	int fd, ret;

	if (is_loaded(name))
		return 0;
	snprintf(path, sizeof(path), "%s/%s.ko", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		bc_set_reason("no module %s (`make kmod` builds it), and it is not loaded", path);
		return 1;
	}
	ret = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	/* Two tests may want it at the same time. */
	if (!ret || ret == EEXIST)
		return 0;
	bc_set_reason("cannot load %s: %s%s", path, strerror(ret),
		      ret == ENOEXEC ? " (it was built for another kernel)" : "");
	return ret == ENOSYS ? 1 : -1;
}
