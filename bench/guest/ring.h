// SPDX-License-Identifier: GPL-2.0-only
// An io_uring that lives as long as this does.
#pragma once

#include "result.h"

#include <liburing.h>
#include <memory>

namespace bench {

class Ring {
public:
    // The cheapest kind there is for one thread. `flags`: of io_uring_setup(2), besides.
    static kit::Result<std::unique_ptr<Ring>> make(unsigned entries, unsigned flags = 0);
    // The same, with a file registered as number 0 (IOSQE_FIXED_FILE).
    static kit::Result<std::unique_ptr<Ring>> make_for(int file, unsigned entries,
                                                       unsigned flags = 0);
    ~Ring() { io_uring_queue_exit(&ring_); }
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;

    io_uring *get() { return &ring_; }

private:
    explicit Ring(const io_uring &ring) : ring_(ring) {}
    io_uring ring_;
};

} // namespace bench
