// SPDX-License-Identifier: GPL-2.0-only
// The ways to copy that are compared.
#pragma once

#include "device.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class Method {
public:
    virtual ~Method() = default;

    // Whatever can be made before the copy is made here and is not measured: lists of extents,
    // buffers, rings. For all methods alike.
    virtual kit::Status prepare(const Copy &copy) = 0;
    // Makes the copy that was prepared, and returns when the data are there. May be called again.
    virtual kit::Status run() = 0;
};

struct MethodKind {
    std::string name;
    std::function<kit::Result<std::unique_ptr<Method>>(const Device &)> make;
};

// In the order in which reports show them.
const std::vector<MethodKind> &method_kinds();

using MethodResult = kit::Result<std::unique_ptr<Method>>;
MethodResult make_read_write(const Device &device);        // pread, pwrite
MethodResult make_read_write_uring(const Device &device);  // 32 in flight, registered buffers
MethodResult make_copy_file_range(const Device &device);   // one call an extent
MethodResult make_ioctl(const Device &device);             // BLKCOPY
MethodResult make_uring_copy(const Device &device);        // BLOCK_URING_CMD_COPY
MethodResult make_passthrough(const Device &device);       // NVME_IOCTL_IO_CMD
MethodResult make_passthrough_uring(const Device &device); // NVME_URING_CMD_IO

} // namespace bench
