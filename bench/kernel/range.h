// SPDX-License-Identifier: GPL-2.0-only
// Ranges of a block device.
#pragma once

#include "result.h"

#include <cstdint>
#include <linux/fs.h>
#include <sys/ioctl.h>

namespace bench {

// Lets the device itself write zeroes.
inline kit::Status zero_range(int fd, uint64_t at, uint64_t bytes) {
    uint64_t range[2] = {at, bytes};
    if (ioctl(fd, BLKZEROOUT, range) != 0)
        return kit::errno_error("cannot write zeroes");
    return {};
}

} // namespace bench
