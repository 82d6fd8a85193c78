// SPDX-License-Identifier: GPL-2.0-only
// Test data that can be told from everything else: each word is a function of its place.
#pragma once

#include "device.h"

#include <cstdint>

namespace bench {

class Pattern {
public:
    // Of a block device, which stays open for as long as the object lives.
    explicit Pattern(int fd) : fd_(fd), chunk_(1 << 20) {}

    // Writes `bytes` at `from`. Data of another salt have no word in common with these.
    kit::Status fill(uint64_t from, uint64_t bytes, uint64_t salt);
    // That there is at `at` what fill() once wrote at `place`. The error begins with `what`.
    kit::Status expect(uint64_t at, uint64_t bytes, uint64_t salt, uint64_t place,
                       const char *what);

    size_t chunk() const { return chunk_.size(); } // bytes that are looked at in one read

private:
    int fd_;
    Buffer chunk_;
};

} // namespace bench
