// SPDX-License-Identifier: GPL-2.0-only
// Where things are and which QEMU is used: everything that the sub-commands
// have in common.
#pragma once

#include "command_line.h"
#include "initramfs.h"
#include "machine.h"
#include "qemu_binary.h"
#include "result.h"
#include "splat.h"
#include "vm.h"

#include <string>
#include <vector>

namespace kit {

struct Setting {
    std::string data_directory;  // machines.json, splat lists
    std::string build_directory; // the repository's build/
    std::string guest_init;      // the guest's init program
    std::vector<Machine> machines;
    SplatRules splats;

    // The files are found beside this program and its sources; a missing
    // one is an error.
    static Result<Setting> load();

    // build/kernel/FLAVOUR/bzImage, unless `kernel` names a file.
    std::string kernel_path(const std::string &kernel, const std::string &flavour) const;

    // Where that kernel's modules are: `modules`, or build/kmod/FLAVOUR. For
    // a kernel that is named none are known (empty) unless they are, too.
    std::string module_directory(const std::string &modules, const std::string &kernel,
                                 const std::string &flavour) const;
};

// Finds QEMU and an accelerator; `say` gets a sentence when it is a slow one.
struct Host {
    QemuBinary qemu;
    Accelerator accelerator;

    static Result<Host> find(const Setting &setting);

    LaunchOptions launch_options() const;
};

// A machine with an initramfs and the options all sub-commands use. Debug
// kernels (`flavour` "debug") get more memory.
Vm::Options vm_options(const Setting &setting, const Host &host, const Machine &machine,
                       const std::string &kernel, const std::string &flavour);

// LD_LIBRARY_PATH=... for programs that were added with their libraries.
std::string library_path_variable(const Initramfs &initramfs);

} // namespace kit
