// SPDX-License-Identifier: GPL-2.0-only
#include "compare.h"

#include <algorithm>
#include <vector>

namespace blkcopy {

namespace {

// Two slots of the queue, 2n for the source and 2n + 1 for the destination, that hold the same
// piece.
struct Pair {
    uint64_t piece = 0;
    uint64_t position = 0;
    uint32_t length = 0;
    uint64_t offset[2] = {0, 0};
    uint32_t moved[2] = {0, 0};
};

class Comparer {
public:
    Comparer(IoQueue &queue, int source, int destination, const Plan &plan)
        : queue_(queue), fds_{source, destination}, plan_(plan), pairs_(queue.slots() / 2),
          flight_(queue) {}

    CompareResult run(const ProgressFunction &progress, const StopFunction &stop) {
        for (unsigned i = 0; i < pairs_.size(); i++)
            start_next(i);
        flight_.land([this](const IoDone &done) { handle(done); }, 0, progress, stop);
        const uint64_t compared = flight_.prefix.bytes();
        return {compared, difference_, flight_.failure(),
                flight_.stopped && compared < plan_.total()};
    }

private:
    void start_next(unsigned index) {
        if (flight_.failure() || difference_ || flight_.stopped || position_ >= plan_.total())
            return;
        const Step step = plan_.step(position_, queue_.slot_bytes(), 1);
        pairs_[index] = Pair{flight_.prefix.start(step.length),
                             position_,
                             static_cast<uint32_t>(step.length),
                             {step.extents[0].offset, step.destination_offset},
                             {0, 0}};
        position_ += step.length;
        submit(index, 0);
        submit(index, 1);
    }

    void submit(unsigned index, unsigned side) {
        const Pair &pair = pairs_[index];
        const uint32_t moved = pair.moved[side];
        queue_.submit({false, fds_[side], 2 * index + side, moved, pair.offset[side] + moved,
                       pair.length - moved});
        flight_.started();
    }

    void handle(const IoDone &done) {
        const unsigned index = done.slot / 2;
        const unsigned side = done.slot % 2;
        Pair &pair = pairs_[index];
        if (try_again(done)) {
            submit(index, side);
            return;
        }
        if (const int error = error_of(done)) {
            flight_.fail(pair.piece, {side == 1, pair.offset[side] + pair.moved[side], error});
            return;
        }
        pair.moved[side] += static_cast<uint32_t>(done.result);
        if (pair.moved[side] < pair.length) {
            submit(index, side);
        } else if (pair.moved[1 - side] == pair.length) {
            check(index);
            start_next(index);
        }
    }

    void check(unsigned index) {
        const Pair &pair = pairs_[index];
        const std::byte *const a = queue_.buffer(2 * index);
        const std::byte *const b = queue_.buffer(2 * index + 1);
        const auto [at, unused] = std::mismatch(a, a + pair.length, b);
        if (at == a + pair.length) {
            flight_.prefix.finish(pair.piece);
            return;
        }
        const uint64_t position = pair.position + static_cast<uint64_t>(at - a);
        difference_ = std::min(difference_.value_or(position), position);
    }

    IoQueue &queue_;
    int fds_[2];
    const Plan &plan_;
    std::vector<Pair> pairs_;
    uint64_t position_ = 0;
    Flight flight_;
    std::optional<uint64_t> difference_;
};

} // namespace

CompareResult compare(IoQueue &queue, int source, int destination, const Plan &plan,
                      const ProgressFunction &progress, const StopFunction &stop) {
    return Comparer(queue, source, destination, plan).run(progress, stop);
}

} // namespace blkcopy
