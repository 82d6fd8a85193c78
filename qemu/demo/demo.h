// SPDX-License-Identifier: GPL-2.0-only
// `blkcopy-vm demo`: a real file system, copied inside an emulated drive, with proof.
#pragma once

#include "setting.h"

#include <string>

namespace kit {

struct DemoOptions {
    std::string kernel;
    std::string flavour = "plain";
    std::string blkcopy; // the tool; empty: the one in the build directory
    std::string source;  // directory to make the file system of; empty: a suitable one
    std::string spoil;   // "offloaded" or "read-write": damage that copy before it is checked
    bool json = false;
    bool console = false; // show the kernel's console on standard error
};

// Exit codes: 0 every proof held, 1 one did not, else the outcome of the machine.
int demo_command(const Setting &setting, const DemoOptions &options);

} // namespace kit
