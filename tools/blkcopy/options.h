// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// The command line.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "copier.h"
#include "plan.h"
#include "result.h"

namespace blkcopy {

struct Options {
    std::string source;
    std::string destination;
    Request request;
    Policy policy = Policy::kAuto;
    bool verify = false;
    bool dry_run = false;
    bool force = false;
    bool json = false;
    bool quiet = false;
    uint32_t io_bytes = 256 << 10; // of one read or write
    unsigned queue_depth = 32;     // copies, or reads and writes, in flight
};

// --help or --version: print this and end well.
struct Printout {
    std::string text;
};

// Arguments without the program's name. Nothing is opened; errors are of kind kUsage.
Result<std::variant<Options, Printout>> parse_options(std::vector<std::string> arguments);

} // namespace blkcopy
