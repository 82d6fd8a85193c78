// SPDX-License-Identifier: GPL-2.0-only
// Asks the host what the drive has seen: the port that qemu/README.md describes.
#pragma once

#include "fd.h"
#include "result.h"

#include <string>

namespace bench {

class WitnessPort {
public:
    // An error if there is no such port.
    static kit::Result<WitnessPort> open();

    // Counting starts here.
    kit::Status mark();
    // What the drive has seen since then: one JSON object in a line, without its end.
    kit::Result<std::string> count();

private:
    explicit WitnessPort(kit::Fd fd) : fd_(std::move(fd)) {}
    kit::Result<std::string> ask(const std::string &question);

    kit::Fd fd_;
};

} // namespace bench
