// SPDX-License-Identifier: GPL-2.0-only
// What the drive has to hold, made without asking it.
#pragma once

#include "device.h"
#include "method.h"
#include "pattern.h"

#include <cstdint>

namespace bench {

// Where sources and destinations are on the drive, bytes. Everything else is left alone.
constexpr uint64_t kSources = 1 << 20;
constexpr uint64_t kSourcesBytes = 72 << 20;
constexpr uint64_t kDestination = 128 << 20;
constexpr uint64_t kMargin = 64 << 10; // on both sides of the destination, looked at as well
constexpr uint64_t kNeeded = 200 << 20;

// `extents` equal parts of the sources, not in order, and none beside the one before it.
// `bytes` is what one of them has.
Copy scattered(unsigned extents, uint64_t bytes);

class Golden {
public:
    explicit Golden(const Device &device) : device_(device), pattern_(device.disk.get()) {}

    // Fills the sources, each word with a function of its place.
    kit::Status fill_sources();
    // Makes the copy once, over other data, and compares the destination, what is beside it and
    // the sources of this copy with what they have to be.
    kit::Status verify(Method &method, const Copy &copy);
    // That all sources are what they were.
    kit::Status check_sources();

private:
    const Device &device_;
    Pattern pattern_;
    uint64_t clobbers_ = 0; // each verification has other old data
};

} // namespace bench
