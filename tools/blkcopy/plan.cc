// SPDX-License-Identifier: GPL-2.0-only
#include "plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "bytes.h"

namespace blkcopy {

namespace {

Error usage(std::string message) {
    return Error{ExitCode::kUsage, std::move(message)};
}
Error refused(std::string message) {
    return Error{ExitCode::kRefused, std::move(message)};
}

// A sentence for a number that is not on a block boundary, nothing when it is.
std::optional<Error> check_aligned(std::string_view what, uint64_t value, uint32_t block) {
    if (value % block == 0)
        return std::nullopt;
    const uint64_t below = value - value % block;
    const std::string above =
        below > UINT64_MAX - block ? std::string() : fmt::format(" and {}", below + block);
    return usage(fmt::format(
        "{} {} is not a multiple of the block size, {} bytes; the nearest multiples are {}{}", what,
        value, block, below, above));
}

// The extents that a request means, not yet checked against the devices.
Result<std::vector<Extent>> requested_extents(const Request &request, const Geometry &source) {
    if (!request.extents.empty())
        return request.extents;
    if (request.length)
        return std::vector<Extent>{{request.source_offset, *request.length}};
    if (request.source_offset >= source.size)
        return usage(fmt::format("source offset {} is not inside {}, which has {} bytes",
                                 request.source_offset, source.path, source.size));
    return std::vector<Extent>{{request.source_offset, source.size - request.source_offset}};
}

bool ranges_overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length) {
    return a < b + b_length && b < a + a_length;
}

} // namespace

Plan::Plan(std::vector<Extent> extents, uint64_t destination_offset)
    : extents_(std::move(extents)), destination_offset_(destination_offset) {
    starts_.reserve(extents_.size());
    for (const Extent &extent : extents_) {
        starts_.push_back(total_);
        total_ += extent.length;
    }
}

Result<Plan> Plan::make(const Request &request, const Geometry &source,
                        const Geometry &destination) {
    for (const Geometry *device : {&source, &destination}) {
        if (device->size == 0)
            return refused(fmt::format("{} has no blocks (no medium?)", device->path));
    }
    const uint32_t block = std::max(source.block_size, destination.block_size);
    const Result<std::vector<Extent>> extents = requested_extents(request, source);
    if (!extents)
        return extents.error();

    uint64_t total = 0;
    for (const Extent &extent : *extents) {
        if (extent.length == 0)
            return usage("a length of 0 bytes copies nothing; leave the length out to copy all");
        if (auto error = check_aligned("source offset", extent.offset, block))
            return *error;
        if (auto error = check_aligned("length", extent.length, block))
            return *error;
        if (extent.offset > source.size || extent.length > source.size - extent.offset)
            return refused(fmt::format(
                "{} has {} bytes, too few for {} bytes at offset {}; nothing was written",
                source.path, source.size, extent.length, extent.offset));
        // Repeated extents can add up to more than 64 bits.
        if (extent.length > UINT64_MAX - total)
            return usage("the lengths add up to more than 64 bits");
        total += extent.length;
    }
    const uint64_t to = request.destination_offset;
    if (auto error = check_aligned("destination offset", to, block))
        return *error;
    if (to > destination.size || total > destination.size - to)
        return refused(fmt::format(
            "{} has room for {} bytes from offset {}, but {} bytes were to be copied; nothing "
            "was written. Give a --length, or a larger destination",
            destination.path, to > destination.size ? 0 : destination.size - to, to, total));
    if (source.disk == destination.disk) {
        for (const Extent &extent : *extents) {
            if (ranges_overlap(source.start + extent.offset, extent.length, destination.start + to,
                               total))
                return usage(fmt::format(
                    "{} bytes at {} of {} overlap the destination range, {} bytes at {} of {}; "
                    "nothing was written",
                    extent.length, extent.offset, source.path, total, to, destination.path));
        }
    }
    return Plan(*extents, to);
}

size_t Plan::extent_at(uint64_t position) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), position);
    return static_cast<size_t>(after - starts_.begin()) - 1;
}

Step Plan::step(uint64_t position, uint64_t max_bytes, size_t max_extents) const {
    Step step;
    step.destination_offset = destination_offset_ + position;
    if (position >= total_)
        return step;
    for (size_t i = extent_at(position); i < extents_.size(); i++) {
        if (step.extents.size() == max_extents || step.length == max_bytes)
            break;
        const uint64_t inside = position + step.length - starts_[i];
        const uint64_t length = std::min(extents_[i].length - inside, max_bytes - step.length);
        step.extents.push_back({extents_[i].offset + inside, length});
        step.length += length;
    }
    return step;
}

uint64_t Plan::source_of(uint64_t position) const {
    const size_t i = extent_at(position);
    return extents_[i].offset + (position - starts_[i]);
}

} // namespace blkcopy
