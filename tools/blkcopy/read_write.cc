// SPDX-License-Identifier: GPL-2.0-only
#include "read_write.h"

#include <algorithm>
#include <cerrno>
#include <vector>

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

namespace {

// A slot carries one piece through two states: being read, being written.
struct Slot {
    uint64_t piece = 0;
    uint64_t source_offset = 0;
    uint64_t destination_offset = 0;
    uint32_t length = 0;
    uint32_t moved =
        0; // bytes of the current state that are done: devices may move less than was asked
    bool writing = false;
};

class Pump {
public:
    Pump(IoQueue &queue, int source, int destination, const Plan &plan, uint64_t from)
        : queue_(queue), source_(source), destination_(destination), plan_(plan), position_(from),
          from_(from), slots_(queue.slots()) {}

    ReadWriteResult run(const ProgressFunction &progress, const StopFunction &stop) {
        for (unsigned slot = 0; slot < slots_.size(); slot++)
            start_next(slot);
        while (in_flight_ > 0) {
            const IoDone done = queue_.wait();
            in_flight_--;
            if (!result_.interrupted && stop())
                result_.interrupted = true;
            handle(done);
            if (progress)
                progress(from_ + prefix_.bytes());
        }
        result_.copied = prefix_.bytes();
        // A stop that came too late to stop anything is not an interruption.
        if (from_ + result_.copied == plan_.total())
            result_.interrupted = false;
        return result_;
    }

private:
    void start_next(unsigned index) {
        if (result_.failure || result_.interrupted || position_ >= plan_.total())
            return;
        const Step step = plan_.step(position_, queue_.slot_bytes(), 1);
        Slot &slot = slots_[index];
        slot = Slot{prefix_.start(step.length),
                    step.extents[0].offset,
                    step.destination_offset,
                    static_cast<uint32_t>(step.length),
                    0,
                    false};
        position_ += step.length;
        submit(index);
    }

    void submit(unsigned index) {
        const Slot &slot = slots_[index];
        const uint64_t base = slot.writing ? slot.destination_offset : slot.source_offset;
        queue_.submit({slot.writing, slot.writing ? destination_ : source_, index, slot.moved,
                       base + slot.moved, slot.length - slot.moved});
        in_flight_++;
    }

    void handle(const IoDone &done) {
        Slot &slot = slots_[done.slot];
        if (done.result == -EINTR || done.result == -EAGAIN) {
            submit(done.slot);
            return;
        }
        if (done.result <= 0) {
            // No bytes and no error: the device ended early, for example because it was made
            // smaller.
            fail(slot, done.result == 0 ? ENXIO : -done.result);
            return;
        }
        slot.moved += static_cast<uint32_t>(done.result);
        if (slot.moved < slot.length) {
            submit(done.slot);
        } else if (!slot.writing) {
            // Who stopped wants no more writes. After a failure the pieces before it are still
            // worth writing, since they make the prefix reach it; those behind it are not.
            if (result_.interrupted || (result_.failure && slot.piece > failed_piece_))
                return;
            slot.writing = true;
            slot.moved = 0;
            submit(done.slot);
        } else {
            prefix_.finish(slot.piece);
            start_next(done.slot);
        }
    }

    // Keeps the failure that comes first on the way, whichever device answered first.
    void fail(const Slot &slot, int error) {
        if (result_.failure && failed_piece_ < slot.piece)
            return;
        failed_piece_ = slot.piece;
        const uint64_t base = slot.writing ? slot.destination_offset : slot.source_offset;
        result_.failure = IoFailure{slot.writing, base + slot.moved, error};
    }

    IoQueue &queue_;
    int source_;
    int destination_;
    const Plan &plan_;
    uint64_t position_;
    uint64_t from_;
    std::vector<Slot> slots_;
    Prefix prefix_;
    ReadWriteResult result_;
    uint64_t failed_piece_ = 0;
    unsigned in_flight_ = 0;
};

} // namespace

ReadWriteResult copy_by_read_write(IoQueue &queue, int source, int destination, const Plan &plan,
                                   uint64_t from, const ProgressFunction &progress,
                                   const StopFunction &stop) {
    return Pump(queue, source, destination, plan, from).run(progress, stop);
}

} // namespace blkcopy
