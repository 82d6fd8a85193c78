// SPDX-License-Identifier: GPL-2.0-only
#include "linear.h"

#include <fmt/format.h>

extern "C" {
#include "stack.h"
}

namespace bench {

struct Linear::Device {
    bc_dm dm = {};
    ~Device() { bc_dm_remove(&dm); }
};

Linear::Linear(std::unique_ptr<Device> device) : device_(std::move(device)) {}
Linear::~Linear() = default;
Linear::Linear(Linear &&) noexcept = default;

kit::Result<Linear> Linear::make(const std::string &path, uint64_t start, uint64_t sectors) {
    auto device = std::make_unique<Device>();
    const std::string table = fmt::format("0 {} linear {} {}", sectors, path, start);
    int error = bc_dm_create(&device->dm, "bench-linear");

    if (!error)
        error = bc_dm_load(&device->dm, table.c_str());
    if (!error)
        error = bc_dm_resume(&device->dm);
    if (error)
        return kit::errno_error("cannot make the device-mapper table '" + table + "'", -error);
    return Linear(std::move(device));
}

std::string Linear::path() const {
    return device_->dm.path;
}

} // namespace bench
