// SPDX-License-Identifier: GPL-2.0
/* Loop devices, as losetup makes them, and file systems for their files. */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "loopdev.h"

#define WHERE		"/tmp/block_copy_fs"
#define MOST_OPTIONS	16
#define MOST_EXTENTS	512
#define SHUTDOWN	_IOR('X', 125, __u32)
#define NO_LOG_FLUSH	2U

int bc_mkfs(const char *path, const char *type, const char *const options[])
{
	const char *argv[MOST_OPTIONS + 3];
	int status, nr = 0;
	char name[32];
	pid_t pid;

	snprintf(name, sizeof(name), "mkfs.%s", type);
	argv[nr++] = name;
	while (options && *options && nr <= MOST_OPTIONS)
		argv[nr++] = *options++;
	argv[nr++] = path;
	argv[nr] = NULL;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(name, (char **)argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		bc_set_reason("cannot run %s: %s", name, strerror(errno));
		return -1;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		bc_set_reason("there is no %s here", name);
		return 1;
	}
	bc_set_reason("%s %s failed with status 0x%x", name, path, status);
	return -1;
}

int bc_fs_mount(struct bc_fs *fs, const char *path, const char *type)
{
	memset(fs, 0, sizeof(*fs));
	mkdir(WHERE, 0700);
	/* What an earlier test, ended in the middle, has left behind. */
	umount2(WHERE, MNT_DETACH);
	if (mount(path, WHERE, type, 0, NULL)) {
		bc_set_reason("cannot mount %s as %s: %s", path, type, strerror(errno));
		return errno == ENODEV ? 1 : -1;
	}
	snprintf(fs->where, sizeof(fs->where), "%s", WHERE);
	snprintf(fs->image, sizeof(fs->image), "%s/image", WHERE);
	return 0;
}

int bc_fs_unmount(struct bc_fs *fs)
{
	int tries;

	if (!fs->where[0])
		return 0;
	/* A loop device lets go of its file a little after it was told to. */
	for (tries = 0; umount(fs->where); tries++) {
		if (errno != EBUSY || tries == 200) {
			bc_log("%s cannot be unmounted: %s", fs->where, strerror(errno));
			umount2(fs->where, MNT_DETACH);
			fs->where[0] = '\0';
			return -1;
		}
		usleep(20000);
	}
	fs->where[0] = '\0';
	return 0;
}

int bc_fs_shutdown(const struct bc_fs *fs)
{
	__u32 how = NO_LOG_FLUSH;
	int fd = open(fs->where, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, SHUTDOWN, &how);
	if (ret)
		bc_log("%s cannot be shut down: %s", fs->where, strerror(errno));
	close(fd);
	return ret;
}

int bc_fs_freeze(int fd, bool freeze)
{
	return ioctl(fd, freeze ? FIFREEZE : FITHAW, 0) ? -errno : 0;
}

int bc_fs_image(const struct bc_fs *fs, __u64 bytes)
{
	int fd = open(fs->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret = fd < 0 || ftruncate(fd, bytes) ? -1 : 0;

	if (ret)
		bc_set_reason("cannot make %s: %s", fs->image, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

long long bc_fs_shared(const struct bc_fs *fs, __u64 off, __u64 len)
{
	size_t bytes = sizeof(struct fiemap) + MOST_EXTENTS * sizeof(struct fiemap_extent);
	struct fiemap *map = calloc(1, bytes);
	int fd = open(fs->image, O_RDONLY | O_CLOEXEC);
	long long shared = -1;
	__u32 i;

	if (!map || fd < 0)
		goto out;
	map->fm_start = off;
	map->fm_length = len;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = MOST_EXTENTS;
	if (ioctl(fd, FS_IOC_FIEMAP, map))
		goto out;
	shared = 0;
	for (i = 0; i < map->fm_mapped_extents; i++) {
		const struct fiemap_extent *e = &map->fm_extents[i];
		__u64 start = e->fe_logical > off ? e->fe_logical : off;
		__u64 end = e->fe_logical + e->fe_length;

		if (end > off + len)
			end = off + len;
		if ((e->fe_flags & FIEMAP_EXTENT_SHARED) && end > start)
			shared += end - start;
	}
out:
	if (fd >= 0)
		close(fd);
	free(map);
	return shared;
}

static int configure(struct bc_loop *l, const char *file)
{
	struct loop_config config = {
		.block_size = l->opt.block_size,
		.info.lo_offset = l->opt.offset,
		.info.lo_sizelimit = l->opt.sizelimit,
		.info.lo_flags = (l->opt.direct ? LO_FLAGS_DIRECT_IO : 0) |
				 (l->opt.read_only ? LO_FLAGS_READ_ONLY : 0),
	};
	int control, number, fd, ret = -1;

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0) {
		bc_set_reason("/dev/loop-control: %s: has the kernel loop devices?",
			      strerror(errno));
		return 1;
	}
	number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (number < 0) {
		bc_set_reason("no loop device is free: %s", strerror(errno));
		return -1;
	}
	snprintf(l->path, sizeof(l->path), "/dev/loop%d", number);
	fd = open(l->path, O_RDWR | O_CLOEXEC);
	config.fd = open(file, (l->opt.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd >= 0 && (int)config.fd >= 0)
		ret = ioctl(fd, LOOP_CONFIGURE, &config);
	if (ret) {
		bc_set_reason("%s cannot be bound to %s: %s", l->path, file, strerror(errno));
		l->path[0] = '\0';
		ret = -1;
	}
	if ((int)config.fd >= 0)
		close(config.fd);
	if (fd >= 0)
		close(fd);
	return ret;
}

int bc_loop_make(struct bc_loop *l, const char *file, const struct bc_loop_options *opt)
{
	int ret;

	memset(l, 0, sizeof(*l));
	if (opt)
		l->opt = *opt;
	ret = configure(l, file);
	if (ret)
		return ret;
	if (l->opt.read_only) {
		l->dev.fd = -1;
		l->dev.bfd = -1;
		snprintf(l->dev.path, sizeof(l->dev.path), "%s", l->path);
		snprintf(l->dev.disk, sizeof(l->dev.disk), "%s", l->path + strlen("/dev/"));
		return 0;
	}
	ret = bc_open_path(&l->dev, l->path);
	if (ret)
		bc_loop_remove(l);
	return ret;
}

int bc_loop_remove(struct bc_loop *l)
{
	int fd, ret;

	if (!l->path[0])
		return 0;
	bc_close(&l->dev);
	fd = open(l->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = open(l->path, O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? -1 : ioctl(fd, LOOP_CLR_FD, 0);
	if (ret)
		bc_log("%s cannot be taken apart: %s", l->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	l->path[0] = '\0';
	return ret;
}

static int open_anew(struct bc_loop *l)
{
	bc_close(&l->dev);
	return bc_open_path(&l->dev, l->path) ? -ENODEV : 0;
}

int bc_loop_set_offset(struct bc_loop *l, __u64 offset, __u64 sizelimit)
{
	struct loop_info64 info;

	if (ioctl(l->dev.fd, LOOP_GET_STATUS64, &info))
		return -errno;
	info.lo_offset = offset;
	info.lo_sizelimit = sizelimit;
	if (ioctl(l->dev.fd, LOOP_SET_STATUS64, &info))
		return -errno;
	return open_anew(l);
}

int bc_loop_set_block_size(struct bc_loop *l, __u32 block_size)
{
	if (ioctl(l->dev.fd, LOOP_SET_BLOCK_SIZE, (unsigned long)block_size))
		return -errno;
	return open_anew(l);
}

static int make_xfs(const struct bc_dev *dev)
{
	static const char * const options[] = { "-q", "-f", "-K", "-m", "reflink=1", NULL };
	static int made = -1;

	if (made < 0)
		made = bc_mkfs(dev->path, "xfs", options);
	return made;
}

void bc_loop_mkfs_first(void)
{
	struct bc_dev drive;

	if (!bc_open(&drive, "COPY_DEV")) {
		make_xfs(&drive);
		bc_close(&drive);
	}
}

int bc_loop_over(struct bc_loop *l, struct bc_fs *fs, struct bc_dev *drive, bool block,
		 __u64 image, const struct bc_loop_options *opt)
{
	int ret = bc_open(drive, block ? "COPY_DEV2" : "COPY_DEV");

	if (!ret && block)
		ret = bc_need_copy(drive);
	else if (!ret)
		ret = make_xfs(drive) ?: bc_fs_mount(fs, drive->path, "xfs") ?:
		      bc_fs_image(fs, image);
	return ret ?: bc_loop_make(l, block ? drive->path : fs->image, opt) ?:
	       bc_need_copy(&l->dev);
}
