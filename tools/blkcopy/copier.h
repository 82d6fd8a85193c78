// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Decides, step by step, whether the device or the host copies.

#include <cstdint>
#include <string>

#include "judge.h"
#include "offload.h"
#include "plan.h"
#include "read_write.h"

namespace blkcopy {

enum class Policy {
    kAuto,        // the device copies where it can, reads and writes do the rest
    kOffloadOnly, // the device copies, or nothing is done
    kNoOffload,   // reads and writes
};

// The ways to copy, as the copier sees them. Tests put fakes here.
class Mover {
public:
    virtual ~Mover() = default;
    // With many copies in flight, all of the plan; ENOSYS is its failure where that is not
    // possible.
    virtual OffloadResult offload_many(const Plan &plan, const ProgressFunction &progress,
                                       const StopFunction &stop) = 0;
    // One copy, and waits for it.
    virtual OffloadReply offload(const Step &step) = 0;
    virtual ReadWriteResult read_write(const Plan &plan, uint64_t from,
                                       const ProgressFunction &progress,
                                       const StopFunction &stop) = 0;
    // Makes what was written durable; 0 or errno.
    virtual int flush() = 0;
};

struct CopyReport {
    uint64_t offloaded = 0;      // bytes that the device copied
    uint64_t queued = 0;         // of these, bytes that io_uring commands have copied
    uint64_t read_written = 0;   // bytes copied through the host's memory
    uint64_t offload_calls = 0;  // ioctls and io_uring commands that copied something
    unsigned most_in_flight = 0; // copies at a time
    bool fell_back = false;
    bool interrupted = false;
    std::optional<Error> error;

    [[nodiscard]] uint64_t copied() const { return offloaded + read_written; }
    // "offload", "read-write", "mixed" or "none"
    [[nodiscard]] std::string method() const;
    // How the device was asked: "io_uring", "ioctl", "io_uring, ioctl", or nothing
    [[nodiscard]] std::string interface() const;
};

// Runs the plan. Whatever happens, the report's copied() is an exact prefix of the plan.
CopyReport run_copy(const Plan &plan, Policy policy, Mover &mover, const ProgressFunction &progress,
                    const StopFunction &stop);

} // namespace blkcopy
