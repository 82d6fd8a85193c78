// SPDX-License-Identifier: GPL-2.0-only
// The measurements themselves. Each prints JSON lines on standard output (bench/README.md).
#pragma once

#include "device.h"
#include "method.h"
#include "result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Shape {
    unsigned extents = 1;
    uint64_t each = 0; // bytes of one extent

    uint64_t bytes() const { return extents * each; }
};

// Sizes and numbers of extents; `smoke`: a few of them.
std::vector<Shape> shapes(bool smoke);

struct Plan {
    std::vector<Shape> shapes;
    std::vector<std::string> methods; // empty: all
    unsigned rounds = 9;              // of `times`
    unsigned reader_ms = 1500;        // of `reader`, for each method

    // The methods themselves, in the order in which reports show them.
    std::vector<MethodKind> kinds() const;
    // Says how many rows there will be, of each shape one for each method.
    void announce() const;
};

// Instructions and commands of each method; in a boot under icount.
kit::Status sweep(const Device &device, const Plan &plan);
// Wall times: all methods in turns, so that a busy host disturbs all alike.
kit::Status times(const Device &device, const Plan &plan);
// Latency of 4 KiB random reads while copies of 2 MiB are made one after the other.
kit::Status reader(const Device &device, const Plan &plan);

} // namespace bench
