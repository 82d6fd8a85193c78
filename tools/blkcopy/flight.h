// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Reads, writes or copies in flight: how far they have come, and why they go no further. What is
// done with the data is up to those who copy or compare.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "completion.h"

namespace blkcopy {

// Follows pieces that start in order and end in any order; bytes() counts those before the first
// piece that has not ended.
class Prefix {
public:
    uint64_t start(uint64_t length); // returns the piece's number
    void finish(uint64_t piece);
    [[nodiscard]] uint64_t bytes() const { return bytes_; }

private:
    struct Piece {
        uint64_t length = 0;
        bool finished = false;
    };
    std::deque<Piece> pieces_;
    uint64_t first_ = 0; // number of pieces_.front()
    uint64_t bytes_ = 0;
};

struct IoFailure {
    bool write = false;
    uint64_t offset = 0; // bytes on the device that failed
    int error = 0;       // errno
};

using ProgressFunction = std::function<void(uint64_t position)>;
using StopFunction = std::function<bool()>;

class Flight {
public:
    explicit Flight(Completions &completions) : completions_(completions) {}

    // One more has been submitted to the queue whose completions these are.
    void started() { in_flight_++; }
    [[nodiscard]] unsigned in_flight() const { return in_flight_; }
    // Hands over what has ended, until nothing is in flight; `handle` may submit more. `from` is
    // added to the prefix for `progress`, which may be empty.
    void land(const std::function<void(const IoDone &)> &handle, uint64_t from,
              const ProgressFunction &progress, const StopFunction &stop);
    // Keeps the failure that comes first on the way, whichever device answered first.
    void fail(uint64_t piece, const IoFailure &failure);

    Prefix prefix;
    bool stopped = false;
    [[nodiscard]] const std::optional<IoFailure> &failure() const { return failure_; }
    // Whether a failure makes the piece worthless: it cannot be part of the prefix.
    [[nodiscard]] bool beyond_failure(uint64_t piece) const {
        return failure_ && piece > failed_piece_;
    }

private:
    Completions &completions_;
    unsigned in_flight_ = 0;
    std::optional<IoFailure> failure_;
    uint64_t failed_piece_ = 0;
};

// What a result stands for: 0 that all is well, else an errno. No bytes and no error: the device
// ended early, for example because it was made smaller.
int error_of(const IoDone &done);
// Whether the same I/O is to be submitted once more.
bool try_again(const IoDone &done);

} // namespace blkcopy
