// SPDX-License-Identifier: GPL-2.0-only
// What is to be measured: which copies, in which ways.
#pragma once

#include "method.h"

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

} // namespace bench
