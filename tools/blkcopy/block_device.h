// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <string>

#include "common/fd.h"
#include "plan.h"
#include "result.h"

namespace blkcopy {

using common::Fd;

// An open block device and what is known of it.
class BlockDevice {
public:
    enum class Use {
        kSource,            // for reading
        kDestination,       // for reading and writing; refused while something else holds it
        kForcedDestination, // for reading and writing, even when it is held
        kLook,              // for reading, and refused while something else holds it: a rehearsal
    };

    // Every refusal is a sentence that names the path. Opened O_DIRECT.
    static Result<BlockDevice> open(const std::string &path, Use use);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const Geometry &geometry() const { return geometry_; }
    // The largest copy command that the kernel offers, in bytes; 0 when it offers none or does not
    // know.
    [[nodiscard]] uint64_t copy_max_bytes() const;

private:
    BlockDevice(Fd fd, Geometry geometry) : fd_(std::move(fd)), geometry_(std::move(geometry)) {}

    Fd fd_;
    Geometry geometry_;
};

// Whether something (a mounted file system, LVM, RAID, swap) holds the device at this moment.
bool is_held(const std::string &path);

} // namespace blkcopy
