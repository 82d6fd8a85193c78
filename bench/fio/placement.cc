// SPDX-License-Identifier: GPL-2.0-only
#include "placement.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace blkcopy {

namespace {

__extension__ typedef unsigned __int128 Wide;

// Whole blocks only: fio leaves out what is too short.
uint64_t used(const Region &region) {
    return region.extents > 1 ? region.length - region.length % region.block : region.length;
}

// Far from 1 and from `pieces`, so that neighbours are torn apart; by the golden section.
uint64_t make_stride(uint64_t pieces) {
    uint64_t stride = std::max<uint64_t>(1, pieces * 5 / 8);

    while (std::gcd(stride, pieces) != 1)
        stride++;
    return stride;
}

common::Status check(const Region &r) {
    if (r.extents < 1 || r.extents > BLKCOPY_MAX_EXTENTS)
        return common::Error{
            fmt::format("extents={}: a copy has 1 to {} sources", r.extents, BLKCOPY_MAX_EXTENTS)};
    if (r.block == 0 || r.block % r.extents)
        return common::Error{
            fmt::format("bs={} cannot be cut into extents={} equal sources", r.block, r.extents)};
    if (r.block / r.extents % r.aligned || r.source % r.aligned || r.destination % r.aligned)
        return common::Error{fmt::format("bs, offset and destination have to be multiples of the "
                                         "logical block of {} bytes, and so have the {} sources",
                                         r.aligned, r.extents)};
    uint64_t length = used(r);
    if (length == 0)
        return common::Error{"the job's size is less than one block"};
    if (r.source > r.source_size || length > r.source_size - r.source)
        return common::Error{fmt::format("{} bytes from {} are more than the source has, {}",
                                         length, r.source, r.source_size)};
    if (r.destination > r.destination_size || length > r.destination_size - r.destination)
        return common::Error{
            fmt::format("{} bytes from {} are more than the destination has, {}; set "
                        "size, dest_offset or dest_offset_delta",
                        length, r.destination, r.destination_size)};
    uint64_t apart = std::max(r.source, r.destination) - std::min(r.source, r.destination);
    if (r.same_file && apart < length)
        return common::Error{
            fmt::format("source and destination are both in {} bytes from {} and {}: "
                        "set dest_offset, dest_offset_delta or dest_filename",
                        length, r.source, r.destination)};
    return {};
}

} // namespace

Placement::Placement(const Region &region) : region_(region) {
    region_.length = used(region);
    if (region.extents == 1)
        return;
    piece_ = region.block / region.extents;
    pieces_ = region_.length / piece_;
    stride_ = make_stride(pieces_);
}

common::Result<Placement> Placement::make(const Region &region) {
    if (common::Status status = check(region); !status)
        return status.error();
    return Placement(region);
}

uint64_t Placement::destination(uint64_t offset) const {
    return offset - region_.source + region_.destination;
}

bool Placement::takes(uint64_t offset, uint64_t length) const {
    if (offset < region_.source || length == 0 || length > region_.length ||
        offset - region_.source > region_.length - length)
        return false;
    uint64_t unit = piece_ ? region_.block : region_.aligned;
    return (offset - region_.source) % unit == 0 && length % unit == 0 && length <= region_.block;
}

void Placement::sources(uint64_t offset, uint64_t length,
                        std::vector<blk_copy_extent> &sources) const {
    if (!piece_) {
        sources.push_back({offset, length});
        return;
    }
    uint64_t first = (offset - region_.source) / piece_;
    for (uint64_t i = first; i < first + length / piece_; i++) {
        uint64_t place = static_cast<uint64_t>(Wide(i) * stride_ % pieces_);
        sources.push_back({region_.source + place * piece_, piece_});
    }
}

} // namespace blkcopy
