// SPDX-License-Identifier: GPL-2.0-only
// What `make bench` runs: the rows of benches.json.
#pragma once

#include "result.h"

#include <string>
#include <vector>

namespace bench {

struct Bench {
    std::string name;
    std::string machine; // of bench/machines.json or qemu/machines.json
    std::string program; // in the build directory
    std::vector<std::string> arguments;
    std::vector<std::string> smoke;   // arguments of the short version
    bool has_smoke = false;           // part of the short version
    bool icount = false;              // one CPU whose clock counts instructions
    std::string flavour = "plain";    // of the kernel: plain, or unpatched
    std::vector<std::string> modules; // loaded before, of build/kmod/FLAVOUR
    unsigned timeout = 1800;          // seconds
};

// An unknown key, a missing one or a name that is there twice is an error that names the row.
kit::Result<std::vector<Bench>> parse_benches(const std::string &json);

// "": all; "smoke": the short version of those that have one; else those whose name has it.
std::vector<Bench> select(const std::vector<Bench> &benches, const std::string &filter);

} // namespace bench
