// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// A queue over two arrays, for tests: answers in an order of its own, moves less than was asked,
// and fails where it is told to.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <vector>

#include "io_queue.h"
#include "plan.h"

namespace blkcopy {

class FakeQueue : public IoQueue {
public:
    static constexpr int kSource = 100;
    static constexpr int kDestination = 101;

    FakeQueue(unsigned slots, uint32_t slot_bytes, size_t bytes, unsigned seed = 1)
        : source(bytes), destination(bytes), random_(seed), slot_bytes_(slot_bytes),
          buffers_(slots, std::vector<std::byte>(slot_bytes)), busy_(slots, false) {
        for (std::byte &b : source)
            b = static_cast<std::byte>(random_());
    }

    std::vector<std::byte> source;
    std::vector<std::byte> destination;
    uint64_t read_error_at = UINT64_MAX;  // byte of the source that cannot be read
    uint64_t write_error_at = UINT64_MAX; // byte of the destination that cannot be written
    unsigned hiccups = 0;                 // so many I/Os end with EAGAIN or EINTR
    bool short_moves = false;
    unsigned most_in_flight = 0;
    unsigned completions = 0;

    [[nodiscard]] unsigned slots() const override { return static_cast<unsigned>(buffers_.size()); }
    [[nodiscard]] uint32_t slot_bytes() const override { return slot_bytes_; }
    [[nodiscard]] std::byte *buffer(unsigned slot) override { return buffers_[slot].data(); }
    [[nodiscard]] std::string description() const override { return "fake"; }

    void submit(const Io &io) override {
        if (busy_[io.slot])
            std::abort(); // two I/Os on one buffer
        busy_[io.slot] = true;
        pending_.push_back(io);
        most_in_flight = std::max(most_in_flight, static_cast<unsigned>(pending_.size()));
    }

    IoDone wait() override {
        if (pending_.empty())
            std::abort(); // would block for ever
        const size_t at = random_() % pending_.size();
        const Io io = pending_[at];
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(at));
        busy_[io.slot] = false;
        completions++;
        return {io.slot, perform(io)};
    }

private:
    int32_t perform(const Io &io) {
        if (hiccups > 0) {
            hiccups--;
            return hiccups % 2 ? -EAGAIN : -EINTR;
        }
        std::vector<std::byte> &device = io.fd == kSource ? source : destination;
        const uint64_t error_at = io.fd == kSource ? read_error_at : write_error_at;
        if (error_at >= io.offset && error_at < io.offset + io.length)
            return -EIO;
        if (io.offset >= device.size())
            return 0;
        uint32_t length =
            static_cast<uint32_t>(std::min<uint64_t>(io.length, device.size() - io.offset));
        if (short_moves && length > 512)
            length = 512;
        std::byte *const memory = buffers_[io.slot].data() + io.buffer_offset;
        if (io.write)
            std::memcpy(device.data() + io.offset, memory, length);
        else
            std::memcpy(memory, device.data() + io.offset, length);
        return static_cast<int32_t>(length);
    }

    std::mt19937 random_;
    uint32_t slot_bytes_;
    std::vector<std::vector<std::byte>> buffers_;
    std::vector<bool> busy_;
    std::vector<Io> pending_;
};

// A plan between the fake's two devices.
inline Plan fake_plan(std::vector<Extent> extents, uint64_t to, uint64_t size) {
    const Geometry source{"source", size, 512, 1, 0};
    const Geometry destination{"destination", size, 512, 2, 0};
    return *Plan::make(Request{0, {}, std::move(extents), to}, source, destination);
}

// What the destination must be after a complete copy.
inline std::vector<std::byte> golden(const FakeQueue &queue, const Plan &plan) {
    std::vector<std::byte> result = queue.destination;
    uint64_t to = plan.destination_offset();
    for (const Extent &extent : plan.extents()) {
        std::memcpy(result.data() + to, queue.source.data() + extent.offset, extent.length);
        to += extent.length;
    }
    return result;
}

} // namespace blkcopy
