// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

namespace bench {

kit::Result<std::unique_ptr<Ring>> Ring::make(unsigned entries, unsigned flags) {
    std::unique_ptr<Ring> ring(new Ring);
    int error = io_uring_queue_init(
        entries, &ring->ring_, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | flags);
    if (error) {
        ring->ring_.ring_fd = -1;
        // The destructor would take down what was never up.
        (void)ring.release();
        return kit::errno_error("no io_uring", -error);
    }
    return ring;
}

} // namespace bench
