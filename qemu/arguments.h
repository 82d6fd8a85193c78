// SPDX-License-Identifier: GPL-2.0-only
// What blkcopy-vm is told on its command line.
#pragma once

#include "demo/demo.h"
#include "exec_command.h"
#include "run_command.h"

#include <optional>
#include <string>

namespace kit {

struct Arguments {
    std::string command; // run, list, exec, demo or shell
    ExecOptions exec;    // of exec and shell
    DemoOptions demo;
    RunOptions run; // of run and list
    bool list_json = false;
};

// Fills in `arguments`, or returns the exit code: help was wanted and printed,
// or there is a complaint, which has been printed.
std::optional<int> parse_arguments(int argc, const char *const *argv, Arguments &arguments);

} // namespace kit
