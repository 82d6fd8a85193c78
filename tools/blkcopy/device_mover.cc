// SPDX-License-Identifier: GPL-2.0-only
#include "device_mover.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "uapi.h"

namespace blkcopy {

OffloadReply DeviceMover::offload(const Step &step) {
    std::vector<blk_copy_extent> extents;
    extents.reserve(step.extents.size());
    for (const Extent &extent : step.extents)
        extents.push_back({extent.offset, extent.length});
    // A value that no copy can have: a kernel that knows BLKCOPY always replaces it.
    constexpr uint64_t kUntouched = UINT64_MAX;
    blk_copy_arg arg{};
    arg.src_fd = source_;
    arg.dst_offset = step.destination_offset;
    arg.extents = reinterpret_cast<uintptr_t>(extents.data());
    arg.nr_extents = static_cast<uint32_t>(extents.size());
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
