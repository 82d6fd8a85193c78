// SPDX-License-Identifier: GPL-2.0-only
#include "offload.h"

#include "guest/queue.h"

extern "C" {
#include "blkcopy_lib.h"
}

namespace bench {

OffloadSwitch::OffloadSwitch() : drive_(std::make_unique<bc_dev>()) {}
OffloadSwitch::OffloadSwitch(OffloadSwitch &&) noexcept = default;

OffloadSwitch::~OffloadSwitch() {
    if (!drive_)
        return;
    bc_queue_write(drive_.get(), "copy_max_bytes", drive_->lim.max_bytes);
    bc_close(drive_.get());
}

kit::Result<OffloadSwitch> OffloadSwitch::open(const std::string &path) {
    OffloadSwitch result;
    if (bc_open_path(&result.drive(), path.c_str()) || bc_need_copy(&result.drive()))
        return kit::Error{path + ": " + bc_reason()};
    kit::Status status = without_scheduler(path);
    if (!status)
        return status.error();
    return result;
}

kit::Status OffloadSwitch::set(bool on) {
    int error = bc_queue_write(drive_.get(), "copy_max_bytes", on ? drive_->lim.max_bytes : 0);
    if (error)
        return kit::errno_error("cannot switch copies " + std::string(on ? "on" : "off"), -error);
    return {};
}

int OffloadSwitch::fd() const {
    return drive_->fd;
}

} // namespace bench
