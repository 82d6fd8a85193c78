// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

#include <cerrno>
#include <cstdlib>

namespace blkcopy {

Ring::Ring(unsigned entries) : ready_(::io_uring_queue_init(entries, &ring_, 0) == 0) {}

Ring::~Ring() {
    if (ready_)
        ::io_uring_queue_exit(&ring_);
}

bool Ring::register_buffers(const iovec *vectors, unsigned count) {
    return ::io_uring_register_buffers(&ring_, vectors, count) == 0;
}

IoDone Ring::wait() {
    io_uring_cqe *cqe = nullptr;
    for (;;) {
        // Submits first; -EINTR, -EAGAIN and -EBUSY all mean "once more" here.
        const int status = ::io_uring_submit_and_wait(&ring_, 1);
        if (::io_uring_peek_cqe(&ring_, &cqe) == 0)
            break;
        // Any other status cannot happen with a valid ring; the data in flight are lost from view
        // then, and to go on would be to guess.
        if (status < 0 && status != -EINTR && status != -EAGAIN && status != -EBUSY)
            std::abort();
    }
    const IoDone done{static_cast<unsigned>(::io_uring_cqe_get_data64(cqe)), cqe->res};
    ::io_uring_cqe_seen(&ring_, cqe);
    return done;
}

} // namespace blkcopy
