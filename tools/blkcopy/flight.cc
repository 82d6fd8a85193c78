// SPDX-License-Identifier: GPL-2.0-only
#include "flight.h"

#include <cerrno>

namespace blkcopy {

uint64_t Prefix::start(uint64_t length) {
    pieces_.push_back({length, false});
    return first_ + pieces_.size() - 1;
}

void Prefix::finish(uint64_t piece) {
    pieces_[piece - first_].finished = true;
    while (!pieces_.empty() && pieces_.front().finished) {
        bytes_ += pieces_.front().length;
        pieces_.pop_front();
        first_++;
    }
}

void Flight::land(const std::function<void(const IoDone &)> &handle, uint64_t from,
                  const ProgressFunction &progress, const StopFunction &stop) {
    while (in_flight_ > 0) {
        const IoDone done = completions_.wait();
        in_flight_--;
        if (!stopped && stop())
            stopped = true;
        handle(done);
        if (progress)
            progress(from + prefix.bytes());
    }
}

void Flight::fail(uint64_t piece, const IoFailure &failure) {
    if (failure_ && failed_piece_ < piece)
        return;
    failed_piece_ = piece;
    failure_ = failure;
}

int error_of(const IoDone &done) {
    if (done.result > 0)
        return 0;
    return done.result == 0 ? ENXIO : -done.result;
}

bool try_again(const IoDone &done) {
    return done.result == -EINTR || done.result == -EAGAIN;
}

} // namespace blkcopy
