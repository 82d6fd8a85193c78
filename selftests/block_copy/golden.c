// SPDX-License-Identifier: GPL-2.0
/*
 * Performs a list of copies and nothing else. What the device must hold after
 * it is computed elsewhere, from the same list, and compared with the device's
 * backing file once the machine is gone: the kernel under test has no say.
 *
 *   golden DEVICE LIST ioctl|copy_file_range
 *
 * Each line of LIST is a copy: SRC_OFFSET:LENGTH[,SRC_OFFSET:LENGTH...]
 * DST_OFFSET, all in bytes; '#' begins a comment. Exit codes: 0 all were
 * copied, 1 one was not, 2 usage, 4 the kernel or the device does not copy.
 */
#include "blkcopy_lib.h"

static int parse_line(char *line, struct blk_copy_extent *ext, __u32 *nr, __u64 *dst)
{
	char *at = line, *end;

	for (*nr = 0; *nr < BLKCOPY_MAX_EXTENTS; at = end + 1) {
		ext[*nr].offset = strtoull(at, &end, 10);
		if (end == at || *end != ':')
			return -1;
		at = end + 1;
		ext[(*nr)++].length = strtoull(at, &end, 10);
		if (end == at)
			return -1;
		if (*end != ',')
			break;
	}
	if (*end != ' ')
		return -1;
	at = end;
	*dst = strtoull(at, &end, 10);
	return end == at || (*end && *end != '\n') ? -1 : 0;
}

static int run(struct bc_dev *dev, FILE *list, enum bc_iface iface)
{
	static struct blk_copy_extent ext[BLKCOPY_MAX_EXTENTS];
	unsigned int line_nr = 0, copies = 0;
	size_t size = 0;
	char *line = NULL;
	int ret = 0;

	while (!ret && getline(&line, &size, list) > 0) {
		struct bc_result r;
		__u64 dst;
		__u32 nr;

		line_nr++;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (parse_line(line, ext, &nr, &dst)) {
			printf("not ok 1 golden\n# line %u is no copy: %s", line_nr, line);
			ret = 2;
			break;
		}
		r = bc_copy(iface, dev->fd, dst, dev->fd, ext, nr);
		if (r.err || r.copied != bc_total(ext, nr)) {
			bc_log("line %u, %u extents to %llu: %s, %llu bytes reported", line_nr, nr,
			       dst, r.err ? strerror(r.err) : "no error", r.copied);
			ret = 1;
		}
		copies++;
	}
	free(line);
	if (!ret && !copies) {
		bc_log("the list has no copies");
		ret = 1;
	}
	if (ret != 2)
		printf("%s 1 golden\n# %u copies\n", ret ? "not ok" : "ok", copies);
	return ret;
}

int main(int argc, char **argv)
{
	enum bc_iface iface;
	struct bc_dev dev;
	FILE *list;
	int ret;

	if (argc == 4 && !strcmp(argv[3], "ioctl")) {
		iface = BC_IOCTL;
	} else if (argc == 4 && !strcmp(argv[3], "copy_file_range")) {
		iface = BC_CFR;
	} else {
		fprintf(stderr, "usage: golden DEVICE LIST ioctl|copy_file_range\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	list = fopen(argv[2], "r");
	if (!list) {
		fprintf(stderr, "golden: cannot read %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	printf("TAP version 13\n1..1\n");
	if (bc_open_path(&dev, argv[1])) {
		printf("not ok 1 golden\n# %s\n", bc_reason());
		fclose(list);
		return 1;
	}
	ret = bc_need_copy(&dev);
	if (ret > 0)
		printf("ok 1 golden # SKIP %s\n", bc_reason());
	else if (ret)
		printf("not ok 1 golden\n# %s\n", bc_reason());
	if (ret)
		ret = ret > 0 ? 4 : 1;
	else
		ret = run(&dev, list, iface);
	fclose(list);
	bc_close(&dev);
	return ret;
}
