// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// What comes back from a queue, whatever was put into it.

#include <cstdint>

namespace blkcopy {

struct IoDone {
    unsigned slot = 0;
    int32_t result = 0; // bytes moved, or -errno
};

class Completions {
public:
    virtual ~Completions() = default;
    // One finished I/O, in any order. Call only with I/O in flight; a signal does not end the wait,
    // since what is in flight must be known to have ended before it can be reported.
    virtual IoDone wait() = 0;
};

} // namespace blkcopy
