// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "lvm.h"

#define MOST_WORDS	48
#define LOG_FILE	"log"
#define FILE_MOST	(192 * BC_KIB)
#define FILES_MOST	400	/* then the first are written anew */

static int run(char *out, size_t len, const char *command)
{
	char *words[MOST_WORDS + 1], *copy = strdup(command), *save, *word;
	int nr = 0, pipes[2], status;
	size_t have = 0;
	ssize_t n;
	pid_t pid;

	for (word = strtok_r(copy, " ", &save); word && nr < MOST_WORDS;
	     word = strtok_r(NULL, " ", &save))
		words[nr++] = word;
	words[nr] = NULL;
	if (pipe2(pipes, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		/* It is no child of ours that may stay behind. */
		execvp(words[0], words);
		_exit(127);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], out + have, len - 1 - have)) > 0)
		have += n;
	/* What is too long is not kept, but must not block the program. */
	while (!n && have == len - 1 && read(pipes[0], (char [256]){ 0 }, 256) > 0)
		;
	close(pipes[0]);
	out[have] = '\0';
	while (have && strchr(" \n\t", out[have - 1]))
		out[--have] = '\0';
	free(copy);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_logged(char *out, size_t len, const char *fmt, va_list args)
{
	char command[1024], *line, *save;
	int ret;

	vsnprintf(command, sizeof(command), fmt, args);
	ret = run(out, len, command);
	if (!ret)
		return 0;
	bc_log("'%s' ended with %d", command, ret);
	for (line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		bc_log("  %s", line);
	return -1;
}

int lvm_run(const char *fmt, ...)
{
	char out[8192];
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = run_logged(out, sizeof(out), fmt, args);
	va_end(args);
	return ret;
}

int lvm_read(char *out, size_t len, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = run_logged(out, len, fmt, args);
	va_end(args);
	return ret;
}

static bool find_program(const char *name, char *path, size_t len)
{
	static const char * const places[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		snprintf(path, len, "%s/%s", places[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

int lvm_need(const char *const *programs)
{
	char path[128];

	for (; *programs; programs++) {
		if (!find_program(*programs, path, sizeof(path))) {
			bc_set_reason("the program %s is not here", *programs);
			return 1;
		}
	}
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	return 0;
}

int lvm_configure(void)
{
	static const char format[] =
		"devices { use_devicesfile = 0 multipath_component_detection = 0 hints = \"none\"\n"
		"  obtain_device_list_from_udev = 0 issue_discards = 0 }\n"
		"allocation { thin_pool_crop_metadata = 0 }\n"
		"backup { backup = 0 archive = 0 }\n"
		"global { use_lvmpolld = 0 event_activation = 0 notify_dbus = 0\n"
		"  thin_check_executable = \"%s\" cache_check_executable = \"%s\" }\n"
		"activation { udev_sync = 0 udev_rules = 0 monitoring = 0 verify_udev_operations = 0\n"
		"  raid_region_size = 512 }\n";
	char thin[128], cache[128], config[sizeof(format) + 256];
	int fd, ret;

	/* LVM knows other places than the machines of the kit have. */
	if (!find_program("thin_check", thin, sizeof(thin)) ||
	    !find_program("cache_check", cache, sizeof(cache)))
		return -1;
	snprintf(config, sizeof(config), format, thin, cache);
	mkdir("/tmp", 0755);
	mkdir("/tmp/lvm", 0755);
	mkdir("/run", 0755);
	mkdir("/run/lock", 0755);
	mkdir("/mnt", 0755);
	setenv("LVM_SYSTEM_DIR", "/tmp/lvm", 1);
	setenv("DM_DISABLE_UDEV", "1", 1);
	setenv("LVM_SUPPRESS_FD_WARNINGS", "1", 1);
	fd = open("/tmp/lvm/lvm.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	ret = write(fd, config, strlen(config)) == (ssize_t)strlen(config) ? 0 : -1;
	close(fd);
	return ret;
}

void lvm_stop(const struct bc_dev *dev)
{
	char out[8192], command[256];

	run(out, sizeof(out), "lvm vgchange -an " LVM_VG);
	run(out, sizeof(out), "lvm vgremove -ff -y " LVM_VG);
	snprintf(command, sizeof(command), "lvm pvremove -ff -y %s", dev->path);
	run(out, sizeof(out), command);
}

int lvm_start(const struct bc_dev *dev)
{
	char *zeroes = bc_alloc(BC_MIB);

	memset(zeroes, 0, BC_MIB);
	if (pwrite(dev->fd, zeroes, BC_MIB, 0) != (ssize_t)BC_MIB)
		return -1;
	free(zeroes);
	return lvm_run("lvm pvcreate -ff -y %s", dev->path) ?:
	       lvm_run("lvm vgcreate -s 4m " LVM_VG " %s", dev->path);
}

static int lv_number(const char *lv, char *number, size_t len, __u64 *sectors)
{
	struct bc_dev dev;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), LVM_LV "%s", lv);
	if (bc_open_path(&dev, path) || fstat(dev.fd, &st))
		return -1;
	snprintf(number, len, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	*sectors = dev.size / BC_SECTOR;
	bc_close(&dev);
	return 0;
}

int clone_make(struct bc_dm *dm)
{
	char src[32], dst[32], meta[32], table[256];
	__u64 sectors;
	int ret;

	if (lv_number("m", meta, sizeof(meta), &sectors) ||
	    lv_number("d", dst, sizeof(dst), &sectors) ||
	    lv_number("a", src, sizeof(src), &sectors))
		return -1;
	snprintf(table, sizeof(table), "0 %llu clone %s %s %s 128\n", sectors, meta, dst, src);
	ret = bc_dm_create(dm, "block_copy_0") ?: bc_dm_load(dm, table) ?: bc_dm_resume(dm);
	if (ret)
		bc_log("no clone: %s", strerror(-ret));
	return ret;
}

int clone_await(const struct bc_dm *dm)
{
	__u64 end = bc_now_ms() + 60000;
	unsigned long long done, all;
	char line[256];

	do {
		if (bc_dm_status_line(dm, line, sizeof(line)) ||
		    sscanf(line, "%*u %*s %*u %llu/%llu", &done, &all) != 2)
			return -1;
		if (done == all)
			return 0;
		usleep(10000);
	} while (bc_now_ms() < end);
	bc_log("%llu of %llu regions are cloned", done, all);
	return -1;
}

int fs_make(const char *dev)
{
	return lvm_run("mke2fs -q -F -t ext4 -b 4096 -J size=4 -E nodiscard,lazy_itable_init=0 %s",
		      dev);
}

int fs_mount(const char *dev, const char *dir)
{
	mkdir(dir, 0755);
	if (!mount(dev, dir, "ext4", 0, ""))
		return 0;
	bc_log("cannot mount %s: %s", dev, strerror(errno));
	return -1;
}

int fs_umount(const char *dir)
{
	if (!umount(dir))
		return 0;
	bc_log("cannot unmount %s: %s", dir, strerror(errno));
	return -1;
}

int fs_check(const char *dev)
{
	return lvm_run("e2fsck -f -n %s", dev);
}

/* A file's bytes follow from its version; so does its length. */
static size_t file_length(__u64 version)
{
	return 1 + bc_mix(version) % FILE_MOST;
}

static void file_fill(__u64 *words, __u64 version)
{
	size_t i;

	for (i = 0; i < FILE_MOST / sizeof(*words); i++)
		words[i] = bc_mix((version << 20) + i);
}

static int file_write(const char *dir, __u64 version, __u64 *words)
{
	char path[256], name[256];
	size_t len = file_length(version);
	int fd, ret = -1;

	snprintf(path, sizeof(path), "%s/new", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	file_fill(words, version);
	if (write(fd, words, len) == (ssize_t)len && !fsync(fd))
		ret = 0;
	close(fd);
	snprintf(name, sizeof(name), "%s/%llu", dir, version % FILES_MOST);
	return ret ?: rename(path, name);
}

static void *load_thread(void *arg)
{
	struct fs_load *load = arg;
	__u64 *words = malloc(FILE_MOST), version;
	char path[256], line[32];
	int fd;

	snprintf(path, sizeof(path), "%s/" LOG_FILE, load->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	for (version = load->files; !__atomic_load_n(&load->stop, __ATOMIC_ACQUIRE); version++) {
		int len = snprintf(line, sizeof(line), "%llu\n", version);

		/* The rename is there when the log, which was synced later, is. */
		if (fd < 0 || file_write(load->dir, version, words) ||
		    write(fd, line, len) != len || fsync(fd)) {
			bc_log("cannot write file %llu: %s", version, strerror(errno));
			load->bad = -1;
			break;
		}
		__atomic_store_n(&load->files, version + 1, __ATOMIC_RELEASE);
	}
	close(fd);
	free(words);
	return NULL;
}

int fs_load_start(struct fs_load *load, const char *dir)
{
	load->dir = dir;
	load->stop = false;
	return pthread_create(&load->thread, NULL, load_thread, load) ? -1 : 0;
}

int fs_load_stop(struct fs_load *load)
{
	__atomic_store_n(&load->stop, true, __ATOMIC_RELEASE);
	pthread_join(load->thread, NULL);
	return load->bad;
}

int fs_load_for(struct fs_load *load, const char *dir, unsigned int ms)
{
	if (fs_load_start(load, dir))
		return -1;
	usleep(ms * 1000);
	return fs_load_stop(load);
}

static int file_verify(const char *dir, __u64 last, __u64 *have, __u64 *want)
{
	char path[256];
	__u64 version;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%llu", dir, last % FILES_MOST);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, have, FILE_MOST);
	close(fd);
	/* A file of the next round may have taken its place, and not be in the log yet. */
	for (version = last; version <= last + FILES_MOST; version += FILES_MOST) {
		file_fill(want, version);
		if (n == (ssize_t)file_length(version) && !memcmp(have, want, n))
			return 0;
	}
	bc_log("file %llu, %zd bytes, is not what was written", last, n);
	return -1;
}

int fs_verify(const char *dir, __u64 least)
{
	__u64 *have = malloc(FILE_MOST), *want = malloc(FILE_MOST), *last;
	__u64 version, lines = 0;
	char path[256];
	int bad = 0, i;
	FILE *log;

	last = calloc(FILES_MOST, sizeof(*last));
	snprintf(path, sizeof(path), "%s/" LOG_FILE, dir);
	log = fopen(path, "r");
	while (log && fscanf(log, "%llu", &version) == 1) {
		last[version % FILES_MOST] = version + 1;
		lines++;
	}
	if (log)
		fclose(log);
	for (i = 0; i < FILES_MOST && bad < 5; i++)
		if (last[i] && file_verify(dir, last[i] - 1, have, want))
			bad++;
	if (lines < least)
		bc_log("the log has %llu files, must have %llu at least", lines, least);
	free(have);
	free(want);
	free(last);
	return bad || lines < least ? -1 : 0;
}
