// SPDX-License-Identifier: GPL-2.0-only
// What a copy through an NVMe target puts on the wire.
#pragma once

#include "result.h"

#include <string>
#include <vector>

namespace bench {

struct WirePlan {
    std::string path = "/dev/nvme0n1";             // the target's backing; overwritten
    std::vector<unsigned> lengths = {8, 64, 1024}; // KiB at a time
    unsigned mib = 4;                              // of each length and method
};

// The target is in this kernel, and so is the host, which is connected to it with TCP through the
// loopback interface. Prints JSON lines; "wire_bytes" is of all operations, with headers and
// acknowledgements. Needs a boot under icount.
kit::Status wire(const WirePlan &plan);

} // namespace bench
