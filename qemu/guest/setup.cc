// SPDX-License-Identifier: GPL-2.0-only
#include "setup.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

static void mount_one(const char *type, const char *where, const char *options, bool required) {
    mkdir(where, 0755);
    if (mount(type, where, type, 0, options) < 0 && errno != EBUSY && required)
        std::fprintf(stderr, "init: cannot mount %s on %s: %s\n", type, where,
                     std::strerror(errno));
}

void mount_filesystems() {
    mount_one("proc", "/proc", "", true);
    mount_one("sysfs", "/sys", "", true);
    mount_one("devtmpfs", "/dev", "mode=0755", true);
    mount_one("devpts", "/dev/pts", "", false);
    mount_one("tmpfs", "/dev/shm", "mode=1777", false);
    // Where the host's programs lie in /tmp, the root file system, in memory too, is good enough.
    if (rmdir("/tmp") == 0 || errno != ENOTEMPTY)
        mount_one("tmpfs", "/tmp", "", true);
    (void)!chmod("/tmp", 01777);
    if (rmdir("/run") == 0 || errno != ENOTEMPTY)
        mount_one("tmpfs", "/run", "mode=0755", false);
    // Only in kernels built for it; the checks say so where it matters.
    if (access("/sys/kernel/debug", F_OK) == 0)
        mount_one("debugfs", "/sys/kernel/debug", "", false);
    if (access("/sys/kernel/tracing", F_OK) == 0)
        mount_one("tracefs", "/sys/kernel/tracing", "", false);
    (void)!symlink("/proc/self/fd", "/dev/fd");
    (void)!symlink("/proc/self/fd/0", "/dev/stdin");
    (void)!symlink("/proc/self/fd/1", "/dev/stdout");
    (void)!symlink("/proc/self/fd/2", "/dev/stderr");
}

std::string read_text(const std::string &path) {
    std::string text;
    char buffer[4096];
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return text;
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n <= 0)
            break;
        text.append(buffer, static_cast<size_t>(n));
    }
    close(fd);
    return text;
}

bool write_text(const std::string &path, std::string_view text) {
    int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool ok = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(fd);
    return ok;
}

// /sys/class/virtio-ports/vport1p2/name -> /dev/virtio-ports/NAME
static void link_ports() {
    DIR *directory = opendir("/sys/class/virtio-ports");

    if (!directory)
        return;
    mkdir("/dev/virtio-ports", 0755);
    while (dirent *entry = readdir(directory)) {
        std::string port = entry->d_name;
        std::string name = read_text("/sys/class/virtio-ports/" + port + "/name");
        while (!name.empty() && name.back() == '\n')
            name.pop_back();
        if (!name.empty() && port[0] != '.')
            (void)!symlink(("../" + port).c_str(), ("/dev/virtio-ports/" + name).c_str());
    }
    closedir(directory);
}

int open_port(const std::string &name, int seconds) {
    std::string path = "/dev/virtio-ports/" + name;

    for (int tries = 0; tries < seconds * 50; tries++) {
        link_ports();
        int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (fd >= 0) {
            // Ports are announced one by one; the last one's link must
            // be there before a program looks for it.
            usleep(20000);
            link_ports();
            return fd;
        }
        usleep(20000);
    }
    return -1;
}

void dump_blocked_tasks() {
    // Lets the dump reach the console whatever its log level is.
    write_text("/proc/sys/kernel/printk", "8 4 1 7");
    write_text("/proc/sysrq-trigger", "w");
    write_text("/proc/sysrq-trigger", "l");
}

void power_off() {
    sync();
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}

} // namespace kit
