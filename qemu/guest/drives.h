// SPDX-License-Identifier: GPL-2.0-only
// Drives by what is theirs for good: the kernel probes them side by side, so
// that the first one on the bus may get the second name.
#pragma once

#include <chrono>
#include <string>

namespace kit {

// The value of a variable for a program: "nvme:SERIAL:NSID" is replaced by the
// path of that namespace, "/dev/nvme1n1" for example, anything else stays as it
// is. Waits up to `limit` for a namespace that is not there yet; one that does
// not come leaves the value alone, and a sentence with those that are there in
// `problem`. `root` is where /sys and /dev are.
std::string resolve_drive(const std::string &value, std::chrono::milliseconds limit,
                          std::string &problem, const std::string &root = "");

} // namespace kit
