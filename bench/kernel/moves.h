// SPDX-License-Identifier: GPL-2.0-only
// What dm-kcopyd's users cost that move much: with copy_max_bytes 0, and as it is.
#pragma once

#include "result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct MovesPlan {
    std::string path = "/dev/nvme0n1";    // overwritten
    std::vector<std::string> movers = {}; // none: all of mover_kinds()
    uint64_t mib = 256;
    unsigned rounds = 3; // of each, by turns
    bool times = false;  // nanoseconds, not instructions
};

// Prints JSON lines. What was copied is compared each time. Without `times` it needs a boot under
// icount.
kit::Status moves(const MovesPlan &plan);

} // namespace bench
