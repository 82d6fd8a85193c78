// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Copying by reads and writes, many in flight, with an exact account of what has been copied.

#include <cstdint>
#include <optional>

#include "flight.h"
#include "io_queue.h"
#include "plan.h"

namespace blkcopy {

struct ReadWriteResult {
    uint64_t copied = 0; // bytes from `from`, an exact prefix
    std::optional<IoFailure> failure;
    bool interrupted = false;
};

// Copies positions [from, plan.total()) from one open device to another. After an error or a stop
// no new I/O is started and what is in flight is waited for; parts behind the reported prefix may
// have been written.
ReadWriteResult copy_by_read_write(IoQueue &queue, int source, int destination, const Plan &plan,
                                   uint64_t from, const ProgressFunction &progress,
                                   const StopFunction &stop);

} // namespace blkcopy
