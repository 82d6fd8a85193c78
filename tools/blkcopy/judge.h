// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// What the kernel's answer to a copy means for those who asked.

#include <cstdint>

namespace blkcopy {

// What one BLKCOPY call did.
struct OffloadReply {
    int error = 0;       // errno, 0 for success
    bool known = true;   // false: the kernel left `copied` untouched, so it has no such ioctl
    uint64_t copied = 0; // bytes, a prefix of the step
};

enum class Judgement {
    kDone,        // go on with the next step
    kAgain,       // a prefix was copied or a signal came: go on from there
    kUnsupported, // the device does not copy in this way, or not now: another way must
    kFailed,      // an error that another way must not hide
};

// Judges a reply to a step of that many bytes.
Judgement judge(const OffloadReply &reply, uint64_t length);

// Judges the result of the same copy as an io_uring command: bytes or -errno. What kUnsupported
// means the ioctl knows better, except for -EAGAIN, which is the same for both.
Judgement judge_command(int32_t result, uint64_t length);

} // namespace blkcopy
