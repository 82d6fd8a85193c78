// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>

#include "copier.h"
#include "io_queue.h"

namespace blkcopy {

// The real Mover: BLKCOPY in both its forms, and an IoQueue that is made when it is first needed.
class DeviceMover : public Mover {
public:
    DeviceMover(int source, int destination, unsigned queue_depth, uint32_t io_bytes,
                StepSize copy_size)
        : source_(source), destination_(destination), queue_depth_(queue_depth),
          io_bytes_(io_bytes), copy_size_(copy_size) {}

    OffloadResult offload_many(const Plan &plan, const ProgressFunction &progress,
                               const StopFunction &stop) override;
    OffloadReply offload(const Step &step) override;
    ReadWriteResult read_write(const Plan &plan, uint64_t from, const ProgressFunction &progress,
                               const StopFunction &stop) override;
    int flush() override;

    // Null when there is no memory for it.
    IoQueue *queue();

private:
    int source_;
    int destination_;
    unsigned queue_depth_;
    uint32_t io_bytes_;
    StepSize copy_size_; // of copies that are in flight with others
    std::unique_ptr<IoQueue> queue_;
};

} // namespace blkcopy
