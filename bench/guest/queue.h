// SPDX-License-Identifier: GPL-2.0-only
// The settings of a drive's queue, /sys/block/DRIVE/queue.
#pragma once

#include "result.h"

#include <cstdint>
#include <string>

namespace bench {

// Lets the drive at `path` be measured as it is used: without I/O scheduler. That is what the
// kernel chooses for a drive of more than one queue. Under icount there is one CPU, and therefore
// one queue, which gets mq-deadline, through which everything goes but passthrough.
kit::Status without_scheduler(const std::string &path);

// Has the kernel send reads and writes as large as the drive takes them; returns that, in bytes.
kit::Result<uint64_t> largest_io(const std::string &path);

} // namespace bench
