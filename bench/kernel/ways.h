// SPDX-License-Identifier: GPL-2.0-only
// One bio with n extents, n bios that are merged under a plug, or n bios on their own?
#pragma once

#include "result.h"

#include <string>
#include <vector>

namespace bench {

struct WaysPlan {
    std::string path = "/dev/nvme0n1";  // overwritten
    std::vector<unsigned> extents = {}; // how many, by turns; none: 1 to 128
    unsigned rounds = 25;               // copies that are measured of each
};

// Has the module copy-ways copy in each of its ways, checks what it copied, and prints JSON lines.
// Needs a boot under icount.
kit::Status ways(const WaysPlan &plan);

} // namespace bench
