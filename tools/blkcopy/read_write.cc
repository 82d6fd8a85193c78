// SPDX-License-Identifier: GPL-2.0-only
#include "read_write.h"

#include <vector>

namespace blkcopy {

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
          from_(from), slots_(queue.slots()), flight_(queue) {}

    ReadWriteResult run(const ProgressFunction &progress, const StopFunction &stop) {
        for (unsigned slot = 0; slot < slots_.size(); slot++)
            start_next(slot);
        flight_.land([this](const IoDone &done) { handle(done); }, from_, progress, stop);
        const uint64_t copied = flight_.prefix.bytes();
        // A stop that came too late to stop anything is not an interruption.
        return {copied, flight_.failure(), flight_.stopped && from_ + copied < plan_.total()};
    }

private:
    void start_next(unsigned index) {
        if (flight_.failure() || flight_.stopped || position_ >= plan_.total())
            return;
        const Step step = plan_.step(position_, queue_.slot_bytes(), 1);
        Slot &slot = slots_[index];
        slot = Slot{flight_.prefix.start(step.length),
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
        flight_.started();
    }

    void handle(const IoDone &done) {
        Slot &slot = slots_[done.slot];
        if (try_again(done)) {
            submit(done.slot);
            return;
        }
        if (const int error = error_of(done)) {
            const uint64_t base = slot.writing ? slot.destination_offset : slot.source_offset;
            flight_.fail(slot.piece, {slot.writing, base + slot.moved, error});
            return;
        }
        slot.moved += static_cast<uint32_t>(done.result);
        if (slot.moved < slot.length) {
            submit(done.slot);
        } else if (!slot.writing) {
            // Who stopped wants no more writes. After a failure the pieces before it are still
            // worth writing, since they make the prefix reach it; those behind it are not.
            if (flight_.stopped || flight_.beyond_failure(slot.piece))
                return;
            slot.writing = true;
            slot.moved = 0;
            submit(done.slot);
        } else {
            flight_.prefix.finish(slot.piece);
            start_next(done.slot);
        }
    }

    IoQueue &queue_;
    int source_;
    int destination_;
    const Plan &plan_;
    uint64_t position_;
    uint64_t from_;
    std::vector<Slot> slots_;
    Flight flight_;
};

} // namespace

ReadWriteResult copy_by_read_write(IoQueue &queue, int source, int destination, const Plan &plan,
                                   uint64_t from, const ProgressFunction &progress,
                                   const StopFunction &stop) {
    return Pump(queue, source, destination, plan, from).run(progress, stop);
}

} // namespace blkcopy
