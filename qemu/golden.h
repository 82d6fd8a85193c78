// SPDX-License-Identifier: GPL-2.0-only
// An independent computation of what a drive has to hold after a list of
// copies. The guest only performs the list; nothing it says is believed.
#pragma once

#include "machine.h"
#include "result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kit {

// Bytes on the block device that the copies are made on.
struct GoldenExtent {
    uint64_t offset = 0;
    uint64_t length = 0;
};

struct GoldenCopy {
    std::vector<GoldenExtent> sources; // copied in this order
    uint64_t destination = 0;          // to here, contiguously

    uint64_t length() const;
};

// Reproducible random copies: one block to max_extent blocks per source, one
// to many sources, scattered, adjacent, repeated and reversed. No copy's
// destination touches its own sources; over the list they overlap at will.
std::vector<GoldenCopy> make_golden_copies(const GoldenPlan &plan, uint64_t seed);

// "SRC:LENGTH[,SRC:LENGTH...] DST\n" for each copy, in bytes.
std::string format_golden_copies(const std::vector<GoldenCopy> &copies);

// Every byte of the image depends on its offset and the seed, so that data
// from a wrong place never look right.
std::vector<std::byte> make_golden_image(uint64_t bytes, uint64_t seed);

// Does to `image` what the drive has to do. `offset` is where the block
// device begins within the image.
void apply_golden_copies(std::vector<std::byte> &image, uint64_t offset,
                         const std::vector<GoldenCopy> &copies);

// Compares all of the file with `expected`. The error tells how many blocks
// differ, where the first one is, and whether it lies in a destination.
Status compare_golden_image(int fd, const std::vector<std::byte> &expected, const GoldenPlan &plan,
                            const std::vector<GoldenCopy> &copies);

} // namespace kit
