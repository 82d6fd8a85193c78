// SPDX-License-Identifier: GPL-2.0-only
// Who runs the commands of tasks: one after the other, or many at a time through io_uring.
#pragma once

#include "command.h"

#include <memory>

namespace blkcopy {

class Runner {
public:
    virtual ~Runner() = default;
    // Whether start() returns when the task has ended.
    virtual bool synchronous() const = 0;
    virtual void start(Task &task) = 0;
    // Hands over what was started; -errno if the kernel doesn't take it.
    virtual int submit() = 0;
    // Waits until `least` more tasks have ended, and appends all that have. 0 or -errno.
    virtual int wait(size_t least, std::vector<Task *> &ended) = 0;
};

std::unique_ptr<Runner> make_synchronous_runner(const Files &files);

struct RingNeeds {
    unsigned commands = 1; // in flight together
    bool nvme = false;     // longer entries, for NVMe commands
    bool copy = false;     // BLOCK_URING_CMD_COPY, issued on the destination
};

// Null, with a sentence in `why_not`, if this kernel has no such ring.
std::unique_ptr<Runner> make_ring_runner(const Files &files, const RingNeeds &needs,
                                         std::string &why_not);

} // namespace blkcopy
