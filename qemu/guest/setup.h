// SPDX-License-Identifier: GPL-2.0-only
// What the guest needs before anything can run: file systems and ports.
#pragma once

#include <string>
#include <string_view>

namespace kit {

// Mounts /proc, /sys, /dev, /dev/pts, /tmp, /run, and debugfs and tracefs
// where the kernel has them.
void mount_filesystems();

// Waits for the virtio-serial port `name` and opens it; also makes the
// /dev/virtio-ports/NAME links that udev makes elsewhere. -1 when the port
// does not appear within `seconds`.
int open_port(const std::string &name, int seconds);

// Small file helpers; a file that is not there reads as empty.
std::string read_text(const std::string &path);
bool write_text(const std::string &path, std::string_view text);

// Asks the kernel to print its blocked tasks and all CPUs' stacks.
void dump_blocked_tasks();

// Resets the machine at once. QEMU runs with -no-reboot and so exits, and
// this path needs no ACPI in the guest's kernel.
[[noreturn]] void power_off();

} // namespace kit
