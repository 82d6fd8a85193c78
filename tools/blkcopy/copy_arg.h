// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <vector>

#include "plan.h"
#include "uapi.h"

namespace blkcopy {

// A step as the kernel wants it. It must stay where it is until the kernel has answered.
struct CopyArgument {
    std::vector<blk_copy_extent> extents;
    blk_copy_arg arg{};

    void assign(int source, const Step &step) {
        extents.clear();
        for (const Extent &extent : step.extents)
            extents.push_back({extent.offset, extent.length});
        arg = {};
        arg.src_fd = source;
        arg.dst_offset = step.destination_offset;
        arg.extents = reinterpret_cast<uintptr_t>(extents.data());
        arg.nr_extents = static_cast<uint32_t>(extents.size());
    }
};

} // namespace blkcopy
