// SPDX-License-Identifier: GPL-2.0-only
// `run` and `list`.
#pragma once

#include "setting.h"

#include <string>
#include <vector>

namespace kit {

struct RunOptions {
    std::vector<std::string> filters;
    std::string flavour = "plain";
    std::string kernel;
    std::string modules; // directory of the modules of `kernel`
    std::string append;
    std::string results;
    std::string tests; // directory of the built selftests
    unsigned jobs = 2; // machines at a time
    uint64_t seed = 1; // of the golden images
    bool full = false; // tests with a quick and a full length: full
    bool dry_run = false;
};

// Boots every machine that matches, runs its tests, tells everybody, and
// returns the exit code.
int run_command(const Setting &setting, const RunOptions &options);

// Machines, their nodes and their tests.
int list_command(const Setting &setting, const RunOptions &options, bool json);

} // namespace kit
