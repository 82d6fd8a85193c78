// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Copying by reads and writes, many in flight, with an exact account of what has been copied.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "io_queue.h"
#include "plan.h"

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

struct ReadWriteResult {
    uint64_t copied = 0; // bytes from `from`, an exact prefix
    std::optional<IoFailure> failure;
    bool interrupted = false;
};

using ProgressFunction = std::function<void(uint64_t position)>;
using StopFunction = std::function<bool()>;

// Copies positions [from, plan.total()) from one open device to another. After an error or a stop
// no new I/O is started and what is in flight is waited for; parts behind the reported prefix may
// have been written.
ReadWriteResult copy_by_read_write(IoQueue &queue, int source, int destination, const Plan &plan,
                                   uint64_t from, const ProgressFunction &progress,
                                   const StopFunction &stop);

} // namespace blkcopy
