// SPDX-License-Identifier: GPL-2.0-only
// A dm-linear device, as the selftests make it.
#pragma once

#include "result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

class Linear {
public:
    // `sectors` of the device at `path`, from `start` on. Goes away with the object.
    static kit::Result<Linear> make(const std::string &path, uint64_t start, uint64_t sectors);
    ~Linear();
    Linear(Linear &&) noexcept;
    Linear &operator=(Linear &&) = delete;

    std::string path() const;

private:
    struct Device;
    explicit Linear(std::unique_ptr<Device> device);
    std::unique_ptr<Device> device_;
};

} // namespace bench
