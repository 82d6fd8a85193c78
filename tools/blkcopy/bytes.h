// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Numbers of bytes and times, read from and written for people.

#include <cstdint>
#include <string>
#include <string_view>

#include "result.h"

namespace blkcopy {

// "4096", "0x1000", "64K", "64KiB" (1024), "1M", "1MB" (1000 * 1000), up to E. As in util-linux: a
// bare letter and "iB" count in 1024s, "B" in 1000s. Anything else, or more than 64 bits, is an
// error.
Result<uint64_t> parse_bytes(std::string_view text);

// "OFFSET:LENGTH" with both as parse_bytes() takes them.
struct Extent;
Result<Extent> parse_extent(std::string_view text);

// "512 B", "64 KiB", "1.5 GiB": three significant digits at most, exact when it is short.
std::string format_bytes(uint64_t bytes);

// "84.3 MiB/s"; "-" while no time has passed.
std::string format_rate(uint64_t bytes, double seconds);

// "0:07", "12:05", "3:04:05". Rounded to whole seconds; "-:--" for what is not a sensible duration.
std::string format_duration(double seconds);

} // namespace blkcopy
