// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// --verify: reads both sides again and compares them.

#include "read_write.h"

namespace blkcopy {

struct CompareResult {
    uint64_t compared = 0;              // bytes that were found equal, a prefix
    std::optional<uint64_t> difference; // position of the first byte that differs
    std::optional<IoFailure> failure;   // a read failed; `write` then means "of the destination"
    bool interrupted = false;
};

// Compares the whole plan. Half of the queue's slots read the source, half the destination, so it
// needs at least two. The open files should be O_DIRECT and not those that wrote the data.
CompareResult compare(IoQueue &queue, int source, int destination, const Plan &plan,
                      const ProgressFunction &progress, const StopFunction &stop);

} // namespace blkcopy
