// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// What is to be copied from where to where: decided completely before anything is written.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "result.h"

namespace blkcopy {

// A range of the source, in bytes.
struct Extent {
    uint64_t offset = 0;
    uint64_t length = 0;
    bool operator==(const Extent &) const = default;
};

// What planning must know of a device.
struct Geometry {
    std::string path;        // as the user wrote it, for messages
    uint64_t size = 0;       // bytes
    uint32_t block_size = 0; // logical block size, bytes
    uint64_t disk = 0;       // which whole disk it lies on (its device number)
    uint64_t start = 0;      // bytes from the start of that disk
};

// What the user asked for. Without extents the range is source_offset + length, and without a
// length everything up to the end of the source.
struct Request {
    uint64_t source_offset = 0;
    std::optional<uint64_t> length;
    std::vector<Extent> extents;
    uint64_t destination_offset = 0;
};

// A step of a copy: some extents, and where on the destination they go.
struct Step {
    std::vector<Extent> extents;
    uint64_t destination_offset = 0;
    uint64_t length = 0;
};

// Extents of the source, in order, to one contiguous range of the destination. Positions count the
// bytes of the copy from 0 to total().
class Plan {
public:
    // Refuses whatever the kernel would refuse (blk_copy_arg): unaligned, empty, past an end,
    // overlapping.
    static Result<Plan> make(const Request &request, const Geometry &source,
                             const Geometry &destination);

    [[nodiscard]] uint64_t total() const { return total_; }
    [[nodiscard]] uint64_t destination_offset() const { return destination_offset_; }
    [[nodiscard]] const std::vector<Extent> &extents() const { return extents_; }

    // The part that starts at a position, at most max_bytes and max_extents long. max_bytes must be
    // a multiple of the block sizes for the step to be one; an empty step at the end.
    [[nodiscard]] Step step(uint64_t position, uint64_t max_bytes, size_t max_extents) const;

    // The byte of the source that a position below total() is copied from.
    [[nodiscard]] uint64_t source_of(uint64_t position) const;

private:
    Plan(std::vector<Extent> extents, uint64_t destination_offset);
    [[nodiscard]] size_t extent_at(uint64_t position) const;

    std::vector<Extent> extents_;
    std::vector<uint64_t> starts_; // position of each extent
    uint64_t destination_offset_ = 0;
    uint64_t total_ = 0;
};

} // namespace blkcopy
