// SPDX-License-Identifier: GPL-2.0-only
#include "offload.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "judge.h"
#include "uapi.h"

namespace blkcopy {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kPage = 4096;

// A piece of the plan on its way, and how far it has come.
struct Slot {
    uint64_t piece = 0;
    uint64_t position = 0;
    uint64_t length = 0;
    uint64_t moved = 0;
    Clock::time_point asked;
};

class Offloader {
public:
    Offloader(CopyQueue &queue, const Plan &plan, StepSize size)
        : queue_(queue), plan_(plan), size_(size), slots_(queue.slots()), flight_(queue) {}

    OffloadResult run(const ProgressFunction &progress, const StopFunction &stop) {
        flight_.stopped = stop();
        start_next(0);
        flight_.land([this](const IoDone &done) { handle(done); }, 0, progress, stop);
        result_.copied = flight_.prefix.bytes();
        // All before the first piece that did not end is copied, and so is its beginning.
        for (const Slot &slot : slots_)
            if (slot.position == result_.copied && slot.moved < slot.length) {
                result_.copied += slot.moved;
                break;
            }
        // A stop that came too late to stop anything is not an interruption.
        result_.interrupted = flight_.stopped && result_.copied < plan_.total();
        if (progress)
            progress(result_.copied);
        return result_;
    }

private:
    // Ends on a page of the destination, unless it is the last one, and leaves work for all slots.
    [[nodiscard]] uint64_t next_bytes() const {
        const uint64_t left = plan_.total() - next_;
        const uint64_t bytes = size_.bytes(left / slots_.size());
        if (left <= bytes)
            return bytes;
        const uint64_t beyond = (plan_.destination_offset() + next_ + bytes) % kPage;
        return beyond < bytes ? bytes - beyond : bytes;
    }

    void start_next(unsigned index) {
        if (flight_.failure() || flight_.stopped || next_ >= plan_.total())
            return;
        const Step step = plan_.step(next_, next_bytes(), BLKCOPY_MAX_EXTENTS);
        Slot &slot = slots_[index];
        slot = Slot{flight_.prefix.start(step.length), next_, step.length, 0, Clock::now()};
        next_ += step.length;
        submit(index, step);
    }

    void submit(unsigned index, const Step &step) {
        queue_.submit(index, step);
        flight_.started();
        result_.most_in_flight = std::max(result_.most_in_flight, flight_.in_flight());
    }

    void go_on(unsigned index) {
        const Slot &slot = slots_[index];
        if (!flight_.stopped && !flight_.beyond_failure(slot.piece))
            submit(index, plan_.step(slot.position + slot.moved, slot.length - slot.moved,
                                     BLKCOPY_MAX_EXTENTS));
    }

    void handle(const IoDone &done) {
        Slot &slot = slots_[done.slot];
        const Judgement judgement = judge_command(done.result, slot.length - slot.moved);
        if (judgement == Judgement::kFailed || judgement == Judgement::kUnsupported) {
            fail(slot, done.result, judgement == Judgement::kUnsupported);
            return;
        }
        if (done.result > 0) {
            slot.moved += static_cast<uint64_t>(done.result);
            result_.copies++;
        }
        if (judgement == Judgement::kAgain) {
            go_on(done.slot);
            return;
        }
        size_.learn(Clock::now() - slot.asked);
        flight_.prefix.finish(slot.piece);
        start_next(done.slot);
        if (!all_started_)
            start_others(done.slot);
    }

    void start_others(unsigned first) {
        all_started_ = true;
        for (unsigned slot = 0; slot < slots_.size(); slot++)
            if (slot != first)
                start_next(slot);
    }

    void fail(const Slot &slot, int32_t result, bool unsupported) {
        const uint64_t position = slot.position + slot.moved;
        flight_.fail(slot.piece, {true, plan_.destination_offset() + position, -result});
        if (!result_.failure || position < result_.failure->position)
            result_.failure = OffloadFailure{position, result, unsupported};
    }

    CopyQueue &queue_;
    const Plan &plan_;
    StepSize size_;
    std::vector<Slot> slots_;
    Flight flight_;
    OffloadResult result_;
    uint64_t next_ = 0; // position of what has not been started
    bool all_started_ = false;
};

} // namespace

StepSize queued_step_size(uint64_t copy_max_bytes, uint32_t block_size) {
    constexpr uint64_t kLeast = 1 << 20;
    constexpr uint64_t kStart = 256 << 10;
    constexpr uint64_t kStartMost = 16 << 20;
    constexpr uint64_t kMost = 256 << 20;
    const uint64_t unit = std::lcm<uint64_t>(kPage, std::max<uint32_t>(block_size, 1));
    uint64_t start = unit;
    // A command that is not full is one too many.
    if (copy_max_bytes > 0 && copy_max_bytes <= kStartMost)
        start = std::lcm(unit, copy_max_bytes);
    if (copy_max_bytes > kStartMost || start > kStartMost)
        start = kStartMost / unit * unit;
    uint64_t least = start;
    while (least > kLeast && least % (2 * unit) == 0)
        least /= 2;
    while (start < kStart)
        start *= 2;
    return {least, start, kMost};
}

OffloadResult offload_by_queue(CopyQueue &queue, const Plan &plan, StepSize size,
                               const ProgressFunction &progress, const StopFunction &stop) {
    return Offloader(queue, plan, size).run(progress, stop);
}

} // namespace blkcopy
