// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace blkcopy {

// A copy should be long enough that its cost is nothing, and short enough that progress moves and
// Ctrl-C is answered. Devices differ by three orders of magnitude, so the size is found out while
// copying.
class StepSize {
public:
    // Bytes. What is between `least` and `most` is reached by doubling and halving `start`.
    StepSize(uint64_t least, uint64_t start, uint64_t most)
        : least_(least), start_(start), most_(most), bytes_(start) {}

    // Less than that is no reason to make copies smaller than `start`.
    [[nodiscard]] uint64_t bytes(uint64_t enough = UINT64_MAX) const {
        uint64_t bytes = bytes_;
        while (bytes > enough && bytes / 2 >= start_)
            bytes /= 2;
        return bytes;
    }

    // How long it took from asking to the answer.
    void learn(std::chrono::duration<double> took) {
        if (took.count() < 0.1 && bytes_ <= most_ / 2)
            bytes_ *= 2;
        if (took.count() > 0.4 && bytes_ / 2 >= least_)
            bytes_ /= 2;
    }

private:
    uint64_t least_;
    uint64_t start_;
    uint64_t most_;
    uint64_t bytes_;
};

} // namespace blkcopy
