// SPDX-License-Identifier: GPL-2.0-only
#include "device_mover.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "copy_arg.h"
#include "copy_queue.h"

namespace blkcopy {

OffloadResult DeviceMover::offload_many(const Plan &plan, const ProgressFunction &progress,
                                        const StopFunction &stop) {
    const std::unique_ptr<CopyQueue> copies = make_copy_queue(source_, destination_, queue_depth_);
    if (!copies)
        return {0, 0, 0, OffloadFailure{0, -ENOSYS, true}, false};
    return offload_by_queue(*copies, plan, copy_size_, progress, stop);
}

OffloadReply DeviceMover::offload(const Step &step) {
    // A value that no copy can have: a kernel that knows BLKCOPY always replaces it.
    constexpr uint64_t kUntouched = UINT64_MAX;
    CopyArgument argument;
    argument.assign(source_, step);
    blk_copy_arg &arg = argument.arg;
    arg.copied = kUntouched;
    const int status = ::ioctl(destination_, BLKCOPY, &arg);
    OffloadReply reply;
    reply.error = status == 0 ? 0 : errno;
    reply.known = arg.copied != kUntouched;
    reply.copied = reply.known ? arg.copied : 0;
    return reply;
}

ReadWriteResult DeviceMover::read_write(const Plan &plan, uint64_t from,
                                        const ProgressFunction &progress,
                                        const StopFunction &stop) {
    IoQueue *const io = queue();
    if (!io)
        return {0, IoFailure{false, plan.source_of(from), ENOMEM}, false};
    return copy_by_read_write(*io, source_, destination_, plan, from, progress, stop);
}

int DeviceMover::flush() {
    return ::fsync(destination_) == 0 ? 0 : errno;
}

IoQueue *DeviceMover::queue() {
    if (!queue_)
        queue_ = make_io_queue(queue_depth_, io_bytes_);
    return queue_.get();
}

} // namespace blkcopy
