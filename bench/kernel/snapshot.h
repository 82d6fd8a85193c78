// SPDX-License-Identifier: GPL-2.0-only
// What the first write to a chunk of an origin costs that has a snapshot.
#pragma once

#include "result.h"

#include <string>
#include <vector>

namespace bench {

struct SnapshotPlan {
    std::string path = "/dev/nvme0n1";                           // overwritten
    std::vector<unsigned> chunks = {4, 8, 16, 32, 64, 128, 512}; // KiB
    unsigned writes = 128;                                       // of 4 KiB, each to another chunk
    unsigned rounds = 1;                                         // of so many writes
    bool times = false;                                          // nanoseconds, not instructions
};

// With copy_max_bytes 0 and as it is, by turns; JSON lines. The snapshot is compared with what the
// origin was. Without `times` it needs a boot under icount.
kit::Status snapshot(const SnapshotPlan &plan);

} // namespace bench
