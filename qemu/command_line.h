// SPDX-License-Identifier: GPL-2.0-only
// Turns a machine's row into QEMU's arguments.
#pragma once

#include "machine.h"

#include <string>
#include <vector>

namespace kit {

// What the arguments name: /proc/self/fd/N when we start QEMU ourselves, so
// that nothing on disk can be left behind; file names for a dry run.
struct LaunchFiles {
    std::string kernel;
    std::string initramfs;
    std::string trace;
    std::vector<std::string> images; // one per drive
    std::string qmp_chardev;         // "socket,fd=7" or "socket,path=..."
    std::string console_chardev;
    std::string results_chardev;
    std::string witness_chardev;
};

struct LaunchOptions {
    std::string qemu;
    std::string accelerator = "tcg";
    std::string firmware;    // -bios; empty for QEMU's own
    std::string append;      // more kernel command line
    unsigned memory_mib = 0; // 0: as the machine's row says
    bool icount = false;     // one CPU whose clock counts its instructions, 1 ns each
};

std::vector<std::string> qemu_command(const Machine &machine, const LaunchOptions &options,
                                      const LaunchFiles &files);

// The arguments as a shell would take them, one option per line.
std::string quote_command(const std::vector<std::string> &argv);

} // namespace kit
