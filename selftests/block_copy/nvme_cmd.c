// SPDX-License-Identifier: GPL-2.0
/* NVMe commands one by one, past the block layer; file systems for targets. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "target.h"

#define IDENTIFY	0x06

void bc_nvme_add(struct bc_nvme_copy *c, __u64 slba, __u32 blocks)
{
	c->range[c->nr].slba = slba;
	c->range[c->nr].nlb = blocks - 1;
	c->nr++;
}

int bc_nvme_copy(const struct bc_dev *dev, const struct bc_nvme_copy *c, __u32 *dword0)
{
	struct nvme_passthru_cmd64 cmd = {
		.opcode = BC_NVME_COPY,
		.addr = (uintptr_t)c->range,
		.data_len = c->bytes ?: c->nr * sizeof(c->range[0]),
		.cdw10 = c->sdlba,
		.cdw11 = c->sdlba >> 32,
		.cdw12 = (c->nr - 1) | c->format << 8 | (c->fua ? 1U << 30 : 0),
	};
	int ret;

	ret = ioctl(dev->fd, NVME_IOCTL_ID);
	if (ret < 0)
		return -errno;
	cmd.nsid = ret;
	cmd.result = BC_POISON;
	ret = ioctl(dev->fd, NVME_IOCTL_IO64_CMD, &cmd);
	*dword0 = cmd.result;
	/* "more" says that there is an entry in the error log */
	return ret < 0 ? -errno : ret & ~0x2000;
}

__u32 bc_nvme_extents(const struct bc_dev *dev, const struct bc_nvme_copy *c, unsigned int nr,
		      struct blk_copy_extent *ext)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ext[i].offset = c->range[i].slba * dev->lbs;
		ext[i].length = (c->range[i].nlb + 1ULL) * dev->lbs;
	}
	return nr;
}

int bc_nvme_admin(const struct bc_dev *dev, struct nvme_passthru_cmd *cmd)
{
	int ret = ioctl(dev->fd, NVME_IOCTL_ADMIN_CMD, cmd);

	return ret < 0 ? -errno : ret;
}

int bc_nvme_identify(const struct bc_dev *dev, unsigned int cns, void *data)
{
	struct nvme_passthru_cmd cmd = {
		.opcode = IDENTIFY,
		.addr = (uintptr_t)data,
		.data_len = 4096,
		.cdw10 = cns,
	};
	int ret = ioctl(dev->fd, NVME_IOCTL_ID);

	if (ret < 0)
		return -errno;
	cmd.nsid = cns ? 0 : ret;
	return bc_nvme_admin(dev, &cmd);
}

int bc_nvme_limits(const struct bc_dev *dev, struct bc_nvme_limits *lim)
{
	unsigned char *id = bc_alloc(4096);
	int ret = bc_nvme_identify(dev, 0, id);

	lim->mssrl = id[74] | id[75] << 8;
	lim->mcl = id[76] | id[77] << 8 | id[78] << 16 | (__u32)id[79] << 24;
	lim->msrc = id[80];
	free(id);
	return ret;
}

int bc_run(const char *const argv[])
{
	int pipefd[2], status;
	char line[256];
	FILE *out;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipefd))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(pipefd[1], 1);
		dup2(pipefd[1], 2);
		close(pipefd[0]);
		close(pipefd[1]);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipefd[1]);
	out = fdopen(pipefd[0], "r");
	while (out && fgets(line, sizeof(line), out)) {
		line[strcspn(line, "\n")] = '\0';
		bc_log("%s: %s", argv[0], line);
	}
	if (out)
		fclose(out);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int make_file_system(const char *type, const char *dev)
{
	const char *ext4[] = { "mkfs.ext4", "-q", "-F", dev, NULL };
	const char *xfs[] = { "mkfs.xfs", "-q", "-f", dev, NULL };
	const char *const *argv = !strcmp(type, "ext4") ? ext4 : xfs;
	int ret = bc_run(argv);

	if (ret == 127)
		bc_set_reason("there is no %s", argv[0]);
	else if (ret)
		bc_set_reason("%s failed", argv[0]);
	return ret == 127 ? 1 : ret ? -1 : 0;
}

int bc_mount_remove(struct bc_mount *m)
{
	int ret = 0;

	if (m->dir[0] && umount(m->dir)) {
		bc_log("cannot unmount %s: %s", m->dir, strerror(errno));
		ret = -1;
	}
	m->dir[0] = '\0';
	return ret;
}

int bc_mount_limit(const struct bc_mount *m, __u64 bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "size=%llu", bytes);
	return mount(NULL, m->dir, NULL, MS_REMOUNT, text) ? -errno : 0;
}

int bc_mount_make(struct bc_mount *m, const char *type, const char *dev, __u64 file_bytes)
{
	bool tmpfs = !strcmp(type, "tmpfs");
	int fd, ret;

	m->dir[0] = '\0';
	mkdir("/run/block_copy", 0755);
	umount("/run/block_copy");
	if (!tmpfs) {
		ret = make_file_system(type, dev);
		if (ret)
			return ret;
	}
	if (mount(tmpfs ? "tmpfs" : dev, "/run/block_copy", type, 0, NULL)) {
		bc_set_reason("cannot mount %s: %s", type, strerror(errno));
		return errno == ENODEV ? 1 : -1;
	}
	snprintf(m->dir, sizeof(m->dir), "/run/block_copy");
	snprintf(m->file, sizeof(m->file), "%s/backing", m->dir);
	fd = open(m->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, file_bytes)) {
		bc_set_reason("cannot make %s: %s", m->file, strerror(errno));
		bc_mount_remove(m);
		ret = -1;
	} else {
		ret = 0;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}
