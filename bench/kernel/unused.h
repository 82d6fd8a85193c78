// SPDX-License-Identifier: GPL-2.0-only
// What reads and writes cost in a kernel that could copy but does not: to be compared with the same
// numbers of a kernel without the series.
#pragma once

#include "result.h"

#include <cstdint>
#include <string>

namespace bench {

struct UnusedPlan {
    std::string path = "/dev/nvme0n1"; // overwritten
    unsigned ops = 2000;               // at depth 1; as many batches at depth 32 make a tenth
};

// 4 KiB reads and writes at random, direct, of the drive and of a dm-linear device on it: JSON
// lines on standard output. Needs a boot under icount.
kit::Status unused(const UnusedPlan &plan);

} // namespace bench
