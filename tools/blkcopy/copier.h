// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Decides, step by step, whether the device or the host copies.

#include <cstdint>
#include <string>

#include "plan.h"
#include "read_write.h"

namespace blkcopy {

enum class Policy {
    kAuto,        // the device copies where it can, reads and writes do the rest
    kOffloadOnly, // the device copies, or nothing is done
    kNoOffload,   // reads and writes
};

// What one BLKCOPY call did.
struct OffloadReply {
    int error = 0;       // errno, 0 for success
    bool known = true;   // false: the kernel left `copied` untouched, so it has no such ioctl
    uint64_t copied = 0; // bytes, a prefix of the step
};

// The two ways to copy, as the copier sees them. Tests put fakes here.
class Mover {
public:
    virtual ~Mover() = default;
    virtual OffloadReply offload(const Step &step) = 0;
    virtual ReadWriteResult read_write(const Plan &plan, uint64_t from,
                                       const ProgressFunction &progress,
                                       const StopFunction &stop) = 0;
    // Makes what was written durable; 0 or errno.
    virtual int flush() = 0;
};

enum class Judgement {
    kDone,        // go on with the next step
    kAgain,       // a prefix was copied or a signal came: go on from there
    kUnsupported, // the device does not copy, or not now: reads and writes must
    kFailed,      // an error that reads and writes must not hide
};

// Judges a reply to a step of that many bytes.
Judgement judge(const OffloadReply &reply, uint64_t length);

struct CopyReport {
    uint64_t offloaded = 0;     // bytes that the device copied
    uint64_t read_written = 0;  // bytes copied through the host's memory
    uint64_t offload_calls = 0; // ioctls that copied something
    bool fell_back = false;
    bool interrupted = false;
    std::optional<Error> error;

    [[nodiscard]] uint64_t copied() const { return offloaded + read_written; }
    // "offload", "read-write", "mixed" or "none"
    [[nodiscard]] std::string method() const;
};

// Runs the plan. Whatever happens, the report's copied() is an exact prefix of the plan.
CopyReport run_copy(const Plan &plan, Policy policy, Mover &mover, const ProgressFunction &progress,
                    const StopFunction &stop);

} // namespace blkcopy
