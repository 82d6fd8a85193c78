// SPDX-License-Identifier: GPL-2.0
/* NVMe targets through configfs, and /dev/nvme-fabrics to connect to them. */
#include <dirent.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "target.h"

#define CONFIG	"/sys/kernel/config"
#define NVMET	CONFIG "/nvmet"
#define NQN	"nqn.2026-11.block-copy:target"
#define PORT	4420
#define WAIT_MS	20000

/* Whether a file holds @text, but for the end of the line. */
static bool file_is(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return !strcmp(buf, text);
}

/* The first entry of @dir that begins with @prefix and whose @file holds the NQN. */
static bool find_ours(const char *dir, const char *prefix, const char *not_in_name,
		      const char *file, char *name, size_t len)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) ||
		    strpbrk(e->d_name + strlen(prefix), not_in_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", dir, e->d_name, file);
		found = file_is(path, NQN);
		if (found)
			snprintf(name, len, "%.63s", e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

static int disconnect_all(void)
{
	__u64 end = bc_now_ms() + WAIT_MS;
	char name[64], path[128];

	while (find_ours("/sys/class/nvme", "nvme", "", "subsysnqn", name, sizeof(name))) {
		snprintf(path, sizeof(path), "/sys/class/nvme/%s/delete_controller", name);
		bc_write_file(path, "1");
		if (bc_now_ms() > end) {
			bc_log("%s does not go away", name);
			return -1;
		}
		usleep(10000);
	}
	/* the disk of a multipath namespace goes after its last path */
	while (find_ours("/sys/block", "nvme", "", "device/subsysnqn", name, sizeof(name))) {
		if (bc_now_ms() > end) {
			bc_log("%s does not go away", name);
			return -1;
		}
		usleep(10000);
	}
	return 0;
}

static int remove_target(void)
{
	static const char * const dirs[] = {
		NVMET "/ports/1", NVMET "/ports/2", NVMET "/subsystems/" NQN "/namespaces/1",
		NVMET "/subsystems/" NQN,
	};
	unsigned int i;
	int ret = 0;

	unlink(NVMET "/ports/1/subsystems/" NQN);
	unlink(NVMET "/ports/2/subsystems/" NQN);
	bc_write_file(NVMET "/subsystems/" NQN "/namespaces/1/enable", "0");
	bc_write_file(NVMET "/subsystems/" NQN "/passthru/enable", "0");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!rmdir(dirs[i]) || errno == ENOENT)
			continue;
		bc_log("cannot remove %s: %s", dirs[i], strerror(errno));
		ret = -1;
	}
	return ret;
}

int bc_target_remove(struct bc_target *t)
{
	int ret = 0;

	if (t->dev.path[0])
		bc_close(&t->dev);
	if (t->nqn[0])
		ret = disconnect_all() | remove_target();
	memset(t, 0, sizeof(*t));
	return ret;
}

int bc_target_clean(void)
{
	return access(NVMET, F_OK) ? 0 : disconnect_all() | remove_target();
}

int bc_target_write(const struct bc_target *t, const char *attr, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), NVMET "/subsystems/%s/%s", t->nqn, attr);
	return bc_write_file(path, value);
}

static int lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = -1;

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr)) {
		ifr.ifr_flags |= IFF_UP;
		ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return ret;
}

static int make_subsystem(struct bc_target *t, const char *backing, unsigned int flags)
{
	char path[192];
	int ret;

	snprintf(path, sizeof(path), NVMET "/subsystems/%s", NQN);
	if (mkdir(path, 0755))
		return -errno;
	snprintf(t->nqn, sizeof(t->nqn), NQN);
	ret = bc_target_write(t, "attr_allow_any_host", "1");
	if (ret)
		return ret;
	if (flags & BC_TARGET_PASSTHRU)
		return bc_target_write(t, "passthru/device_path", backing) ?:
		       bc_target_write(t, "passthru/enable", "1");

	strcat(path, "/namespaces/1");
	if (mkdir(path, 0755))
		return -errno;
	ret = bc_target_write(t, "namespaces/1/device_path", backing);
	if (!ret && (flags & BC_TARGET_BUFFERED))
		ret = bc_target_write(t, "namespaces/1/buffered_io", "1");
	return ret ?: bc_target_write(t, "namespaces/1/enable", "1");
}

static int make_port(struct bc_target *t, unsigned int nr)
{
	bool tcp = !strcmp(t->transport, "tcp");
	char path[192], value[32], link[320];
	const struct {
		const char *attr, *value;
	} attrs[] = {
		{ "addr_trtype", t->transport },
		{ "addr_adrfam", tcp ? "ipv4" : "loop" },
		{ "addr_traddr", tcp ? "127.0.0.1" : value },
		{ "addr_trsvcid", value },
	};
	unsigned int i;
	int ret;

	snprintf(value, sizeof(value), "%u", PORT + nr);
	snprintf(path, sizeof(path), NVMET "/ports/%u", nr);
	if (mkdir(path, 0755))
		return -errno;
	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		snprintf(link, sizeof(link), "%s/%s", path, attrs[i].attr);
		ret = bc_write_file(link, attrs[i].value);
		if (ret)
			return ret;
	}
	snprintf(link, sizeof(link), "%s/subsystems/%s", path, t->nqn);
	snprintf(path, sizeof(path), NVMET "/subsystems/%s", t->nqn);
	return symlink(path, link) ? -errno : 0;
}

static int connect_to(struct bc_target *t, unsigned int nr)
{
	int fd = open("/dev/nvme-fabrics", O_RDWR | O_CLOEXEC), ret = 0;
	char text[256];
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (!strcmp(t->transport, "tcp"))
		snprintf(text, sizeof(text), "transport=tcp,traddr=127.0.0.1,trsvcid=%u,nqn=%s",
			 PORT + nr, t->nqn);
	else
		snprintf(text, sizeof(text), "transport=loop,traddr=%u,nqn=%s", PORT + nr, t->nqn);
	if (write(fd, text, strlen(text)) < 0) {
		ret = -errno;
	} else {
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		if (sscanf(text, "instance=%d", &t->ctrl[t->nr_ctrls]) == 1)
			t->nr_ctrls++;
		else
			ret = -EPROTO;
	}
	close(fd);
	return ret;
}

/* Paths of a multipath disk have a c in their names, and are not for us. */
static int open_namespace(struct bc_target *t)
{
	__u64 end = bc_now_ms() + WAIT_MS;
	char name[64], path[128];

	for (;;) {
		if (find_ours("/sys/block", "nvme", "c", "device/subsysnqn", name, sizeof(name))) {
			snprintf(path, sizeof(path), "/dev/%s", name);
			/* it may not be ready yet */
			if (!access(path, F_OK) && !bc_open_path(&t->dev, path))
				return 0;
		} else {
			bc_set_reason("no block device after the connection to %s", t->nqn);
		}
		if (bc_now_ms() > end)
			return -1;
		usleep(10000);
	}
}

int bc_target_make(struct bc_target *t, const char *transport, const char *backing,
		   unsigned int flags)
{
	unsigned int ports = flags & BC_TARGET_TWO_PORTS ? 2 : 1;
	unsigned int i;
	int ret;

	memset(t, 0, sizeof(*t));
	t->transport = transport;
	if (mount("configfs", CONFIG, "configfs", 0, NULL) && errno != EBUSY) {
		bc_set_reason("no configfs: %s", strerror(errno));
		return 1;
	}
	if (access(NVMET, F_OK) || access("/dev/nvme-fabrics", F_OK)) {
		bc_set_reason("the kernel has no NVMe target, or no NVMe over fabrics");
		return 1;
	}
	if (bc_target_clean()) {
		bc_set_reason("what an earlier test left behind cannot be removed");
		return -1;
	}
	if (!strcmp(transport, "tcp") && lo_up()) {
		bc_set_reason("no loopback interface");
		return 1;
	}

	ret = make_subsystem(t, backing, flags);
	if (ret == -ENOENT && (flags & BC_TARGET_PASSTHRU)) {
		bc_set_reason("the kernel has no passthrough target");
		bc_target_remove(t);
		return 1;
	}
	if (ret)
		bc_set_reason("cannot export %s: %s", backing, strerror(-ret));
	for (i = 1; !ret && i <= ports; i++) {
		ret = make_port(t, i);
		t->nr_ports = i;
		if (ret)
			bc_set_reason("cannot make a port for %s: %s", transport, strerror(-ret));
	}
	for (i = 1; !ret && i <= t->nr_ports; i++) {
		ret = connect_to(t, i);
		if (ret)
			bc_set_reason("cannot connect with %s: %s", transport, strerror(-ret));
	}
	if (!ret)
		ret = open_namespace(t);
	if (ret)
		bc_target_remove(t);
	return ret ? -1 : 0;
}

int bc_target_leave(struct bc_win *win, struct bc_target *t, struct bc_stack *stack,
		    struct bc_mount *m)
{
	int bad = bc_win_end(win);

	bad |= bc_target_remove(t);
	if (stack->nr)
		bad |= bc_stack_remove(stack);
	bad |= bc_mount_remove(m);
	return bad ? -1 : 0;
}
