// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <liburing.h>

#include "completion.h"

namespace blkcopy {

// An io_uring, released with its owner. Whoever submits uses no more slots than it has entries, so
// that there always is a free one.
class Ring {
public:
    explicit Ring(unsigned entries);
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;
    ~Ring();

    // False where the kernel has none, or does not let us have one.
    [[nodiscard]] bool ok() const { return ready_; }
    // True if the buffers may be used by their index; RLIMIT_MEMLOCK can stand against it.
    bool register_buffers(const iovec *vectors, unsigned count);
    // An entry that is submitted with the next wait(), and whose user data is the slot.
    io_uring_sqe *entry() { return ::io_uring_get_sqe(&ring_); }
    IoDone wait();

private:
    io_uring ring_{};
    bool ready_ = false;
};

} // namespace blkcopy
