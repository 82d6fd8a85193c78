// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

namespace bench {

using RingResult = kit::Result<std::unique_ptr<Ring>>;

RingResult Ring::make(unsigned entries, unsigned flags) {
    io_uring ring = {};
    int error = io_uring_queue_init(
        entries, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | flags);

    if (error)
        return kit::errno_error("no io_uring", -error);
    return std::unique_ptr<Ring>(new Ring(ring));
}

RingResult Ring::make_for(int file, unsigned entries, unsigned flags) {
    RingResult ring = make(entries, flags);

    if (!ring)
        return ring;
    int error = io_uring_register_files((*ring)->get(), &file, 1);
    if (error)
        return kit::errno_error("cannot register a file", -error);
    return ring;
}

} // namespace bench
