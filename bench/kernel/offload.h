// SPDX-License-Identifier: GPL-2.0-only
// A drive whose copies are switched off and on again.
#pragma once

#include "fd.h"
#include "result.h"

#include <memory>
#include <string>

struct bc_dev;

namespace bench {

class OffloadSwitch {
public:
    // The drive at `path` has to offer copies.
    static kit::Result<OffloadSwitch> open(const std::string &path);
    // Leaves it on.
    ~OffloadSwitch();
    OffloadSwitch(OffloadSwitch &&) noexcept;
    OffloadSwitch &operator=(OffloadSwitch &&) = delete;

    // copy_max_bytes: 0, or what it was.
    kit::Status set(bool on);

    // The drive as the selftests have it open.
    bc_dev &drive() const { return *drive_; }
    int fd() const; // O_DIRECT

private:
    OffloadSwitch();
    std::unique_ptr<bc_dev> drive_;
};

} // namespace bench
