// SPDX-License-Identifier: GPL-2.0-only
// Where the copy of each block goes, and where its sources are.
#pragma once

#include "blkcopy/uapi.h"
#include "common/result.h"

#include <cstdint>
#include <vector>

namespace blkcopy {

// All in bytes.
struct Region {
    uint64_t source = 0;      // first byte that may be copied from
    uint64_t destination = 0; // where the copy of that byte goes
    uint64_t length = 0;
    uint64_t block = 0;    // of a copy of several sources: its size; else the largest there is
    unsigned extents = 1;  // sources of a block
    uint64_t aligned = 1;  // the larger of the two logical blocks
    bool same_file = true; // source and destination are one
    uint64_t source_size = 0;
    uint64_t destination_size = 0;
};

// With one source per copy, the source of a block is at its own offset. With several, the region is
// cut into pieces, `extents` to a block, and the sources are a permutation of the pieces in which
// no neighbours stay neighbours. So each job of this region finds a piece in the same place.
class Placement {
public:
    // An Error says what in the job has to be changed.
    static common::Result<Placement> make(const Region &region);

    uint64_t destination(uint64_t offset) const;
    // False if [offset, offset + length) is not what can be copied at once.
    bool takes(uint64_t offset, uint64_t length) const;
    // Appends the sources of that range, in the order of the destination.
    void sources(uint64_t offset, uint64_t length, std::vector<blk_copy_extent> &sources) const;

private:
    explicit Placement(const Region &region);

    Region region_;
    uint64_t piece_ = 0;  // bytes; with several sources per copy
    uint64_t pieces_ = 0; // of the region
    uint64_t stride_ = 1; // has no divisor in common with pieces_
};

} // namespace blkcopy
