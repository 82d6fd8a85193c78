// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// A device of bytes that copies, for tests: ends copies in an order of its own, stops half-way, and
// fails where it is told to.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "copy_queue.h"

namespace blkcopy {

class FakeCopyQueue : public CopyQueue {
public:
    explicit FakeCopyQueue(unsigned slots, size_t bytes, unsigned seed = 1)
        : device(bytes), random_(seed), busy_(slots) {
        for (std::byte &b : device)
            b = static_cast<std::byte>(random_());
    }

    std::vector<std::byte> device;        // source and destination
    uint64_t write_error_at = UINT64_MAX; // byte that cannot be copied to
    std::deque<int32_t> answers;          // given instead of copying, as long as there are some
    unsigned halves = 0;                  // so many copies stop half-way
    std::vector<Step> steps;              // all that were asked for

    [[nodiscard]] unsigned slots() const override { return static_cast<unsigned>(busy_.size()); }

    void submit(unsigned slot, const Step &step) override {
        if (busy_[slot])
            std::abort(); // two copies in one slot
        busy_[slot] = step;
        steps.push_back(step);
    }

    IoDone wait() override {
        std::vector<unsigned> pending;
        for (unsigned slot = 0; slot < busy_.size(); slot++)
            if (busy_[slot])
                pending.push_back(slot);
        if (pending.empty())
            std::abort(); // would block for ever
        const unsigned slot = pending[random_() % pending.size()];
        const Step step = *busy_[slot];
        busy_[slot].reset();
        return {slot, perform(step)};
    }

private:
    int32_t perform(const Step &step) {
        if (!answers.empty()) {
            const int32_t answer = answers.front();
            answers.pop_front();
            return answer;
        }
        uint64_t most = step.length;
        if (halves > 0 && step.length > kSector) {
            halves--;
            most = step.length / 2 / kSector * kSector;
        }
        const uint64_t to = step.destination_offset;
        if (write_error_at >= to && write_error_at < to + most)
            most = (write_error_at - to) / kSector * kSector;
        if (most == 0)
            return -EIO;
        uint64_t done = 0;
        for (const Extent &extent : step.extents) {
            const uint64_t length = std::min(extent.length, most - done);
            std::copy_n(at(extent.offset), length, at(to + done));
            done += length;
        }
        return static_cast<int32_t>(done);
    }
    std::vector<std::byte>::iterator at(uint64_t offset) {
        return device.begin() + static_cast<std::ptrdiff_t>(offset);
    }

    static constexpr uint64_t kSector = 512;
    std::mt19937 random_;
    std::vector<std::optional<Step>> busy_;
};

} // namespace blkcopy
