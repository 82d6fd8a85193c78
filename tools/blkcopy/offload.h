// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Copying inside the device with many copies in flight, and an exact account of what was copied.

#include <cstdint>
#include <optional>

#include "copy_queue.h"
#include "flight.h"
#include "plan.h"
#include "step_size.h"

namespace blkcopy {

struct OffloadFailure {
    uint64_t position = 0; // of the copy: where it goes no further
    int32_t result = 0;    // what the kernel said, as for judge_command()
    bool unsupported = false;
};

struct OffloadResult {
    uint64_t copied = 0; // bytes from the start of the plan, an exact prefix
    uint64_t copies = 0; // commands that copied something
    unsigned most_in_flight = 0;
    std::optional<OffloadFailure> failure; // that of the first position
    bool interrupted = false;
};

// Sizes for copies between devices of that block size, of which one command can carry so many bytes
// (0: unknown): multiples of both, and of pages, because what is not whole pages of the destination
// has the kernel wait for its page cache.
StepSize queued_step_size(uint64_t copy_max_bytes, uint32_t block_size);

// Copies the whole plan. The first copy is alone, to see if there is a point in others; its pieces
// go to places of their own, and no source is overwritten, so they may end in any order. A copy
// that stops half-way goes on where it stopped. After an error or a stop nothing new is started,
// and what is in flight is waited for; parts behind the reported prefix may have been copied.
OffloadResult offload_by_queue(CopyQueue &queue, const Plan &plan, StepSize size,
                               const ProgressFunction &progress, const StopFunction &stop);

} // namespace blkcopy
