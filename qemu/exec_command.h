// SPDX-License-Identifier: GPL-2.0-only
// `exec` and `shell`: one program in one machine, for a person.
#pragma once

#include "setting.h"

#include <string>
#include <vector>

namespace kit {

struct ExecOptions {
    std::string machine = "default";
    std::string kernel;
    std::string modules; // directory of the modules of `kernel`
    std::string flavour = "plain";
    std::string append;             // kernel command line
    std::vector<std::string> argv;  // program and arguments
    std::vector<std::string> files; // HOST[:GUEST], put into the guest as well
    std::vector<std::string> env;   // NAME=VALUE
    unsigned timeout = 0;           // seconds; 0: none
    bool console = false;           // show the kernel's console on standard error
    bool tty = false;               // give the program a terminal
    bool icount = false;            // one CPU whose clock counts instructions
};

// Boots, runs the program, passes on its output, and returns its exit code
// (128 + N for signal N). When the machine itself fails, says so on standard
// error and returns the outcome's exit code.
int exec_command(const Setting &setting, const ExecOptions &options);

// A shell in the guest, made of the host's busybox.
int shell_command(const Setting &setting, ExecOptions options);

// "HOST[:GUEST]" -> both paths; GUEST is HOST when it is left out.
std::pair<std::string, std::string> split_file_option(const std::string &option);

} // namespace kit
