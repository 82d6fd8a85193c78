// SPDX-License-Identifier: GPL-2.0-only
#include "copy_queue.h"

#include <vector>

#include "copy_arg.h"
#include "ring.h"

namespace blkcopy {

namespace {

class UringCopyQueue : public CopyQueue {
public:
    UringCopyQueue(int source, int destination, unsigned slots)
        : source_(source), destination_(destination), arguments_(slots), ring_(slots) {}

    [[nodiscard]] bool ok() const { return ring_.ok(); }
    [[nodiscard]] unsigned slots() const override {
        return static_cast<unsigned>(arguments_.size());
    }

    void submit(unsigned slot, const Step &step) override {
        CopyArgument &argument = arguments_[slot];
        argument.assign(source_, step);
        io_uring_sqe *const sqe = ring_.entry();
        ::io_uring_prep_rw(IORING_OP_URING_CMD, sqe, destination_, &argument.arg, 0, 0);
        sqe->cmd_op = BLOCK_URING_CMD_COPY;
        ::io_uring_sqe_set_data64(sqe, slot);
    }

    IoDone wait() override { return ring_.wait(); }

private:
    int source_;
    int destination_;
    std::vector<CopyArgument> arguments_;
    Ring ring_; // released first: nothing may still use the arguments
};

} // namespace

std::unique_ptr<CopyQueue> make_copy_queue(int source, int destination, unsigned slots) {
    auto queue = std::make_unique<UringCopyQueue>(source, destination, slots);
    if (!queue->ok())
        return nullptr;
    return queue;
}

} // namespace blkcopy
