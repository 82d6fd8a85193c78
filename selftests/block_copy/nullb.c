// SPDX-License-Identifier: GPL-2.0
/* null_blk drives, made and removed through configfs. */
#include <sys/mount.h>
#include <sys/stat.h>

#include "nullb.h"

#define CONFIGFS	"/sys/kernel/config"
#define NULLB		CONFIGFS "/nullb"

int bc_nullb_set(const struct bc_nullb *n, const char *attr, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), NULLB "/%s/%s", n->name, attr);
	return bc_write_file(path, value);
}

int bc_nullb_configure(struct bc_nullb *n, const char *name, const char *attrs)
{
	char path[256], *copy, *word, *save;
	int ret = 0;

	memset(n, 0, sizeof(*n));
	n->dev.fd = -1;
	n->dev.bfd = -1;
	if (access(NULLB, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	if (access(NULLB, F_OK)) {
		bc_set_reason("no %s: the kernel has no null_blk or no configfs", NULLB);
		return 1;
	}
	snprintf(path, sizeof(path), NULLB "/%s", name);
	rmdir(path);
	if (mkdir(path, 0700)) {
		bc_set_reason("cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	snprintf(n->name, sizeof(n->name), "%s", name);
	copy = strdup(attrs);
	for (word = strtok_r(copy, " ", &save); word && !ret; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		ret = bc_nullb_set(n, word, value);
		if (ret)
			bc_set_reason("null_blk does not take %s=%s: %s", word, value,
				      strerror(-ret));
	}
	free(copy);
	if (!ret)
		return 0;
	bc_nullb_remove(n);
	/* a kernel whose null_blk does not copy, for example */
	return ret == -ENOENT ? 1 : -1;
}

/* The node is made by a kernel thread. */
static int open_node(struct bc_nullb *n)
{
	char path[64];
	int tries;

	snprintf(path, sizeof(path), "/dev/%s", n->name);
	for (tries = 0; access(path, F_OK) && tries < 200; tries++)
		usleep(10000);
	return bc_open_path(&n->dev, path);
}

int bc_nullb_power(struct bc_nullb *n, bool on)
{
	int ret;

	bc_close(&n->dev);
	ret = bc_nullb_set(n, "power", on ? "1" : "0");
	if (ret)
		bc_set_reason("cannot switch %s %s: %s", n->name, on ? "on" : "off",
			      strerror(-ret));
	return ret || !on ? ret : open_node(n);
}

int bc_nullb_make(struct bc_nullb *n, const char *name, const char *attrs)
{
	int ret = bc_nullb_configure(n, name, attrs);

	if (ret)
		return ret;
	ret = bc_nullb_power(n, true);
	if (ret)
		bc_nullb_remove(n);
	return ret ? -1 : 0;
}

void bc_nullb_remove(struct bc_nullb *n)
{
	char path[256];

	if (!n->name[0])
		return;
	bc_close(&n->dev);
	snprintf(path, sizeof(path), NULLB "/%s", n->name);
	if (rmdir(path))
		bc_log("cannot remove %s: %s", path, strerror(errno));
	n->name[0] = '\0';
}
