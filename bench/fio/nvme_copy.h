// SPDX-License-Identifier: GPL-2.0-only
// NVMe's Copy command, as a program can send it past the block layer: the floor for what a copy
// costs. (NVM Express NVM Command Set 1.0, 3.2.2.)
#pragma once

#include "blkcopy/uapi.h"
#include "common/result.h"

#include <cstdint>
#include <linux/nvme_ioctl.h>
#include <span>
#include <string>
#include <vector>

namespace blkcopy {

// What one command may do, as Identify says. In logical blocks.
struct NvmeLimits {
    uint32_t block = 512;      // bytes
    uint32_t range_blocks = 0; // MSSRL
    uint32_t copy_blocks = 0;  // MCL
    uint32_t ranges = 0;       // MSRC + 1
};

// A source range of format 0: 32 bytes, little-endian.
struct NvmeRange {
    uint64_t reserved0;
    uint64_t first_block;
    uint16_t blocks_minus_1;
    uint16_t reserved1;
    uint32_t reserved2;
    uint32_t tag;
    uint16_t application_tag;
    uint16_t application_mask;
};
static_assert(sizeof(NvmeRange) == 32);

struct NvmeCopy {
    uint64_t destination_block = 0;
    size_t first = 0; // of the ranges that belong to it
    unsigned count = 0;
};

// The fewest commands that copy `sources` to `destination` (bytes), all multiples of a block.
void plan_nvme_copies(const NvmeLimits &limits, std::span<const blk_copy_extent> sources,
                      uint64_t destination, std::vector<NvmeRange> &ranges,
                      std::vector<NvmeCopy> &copies);

// For NVME_IOCTL_IO_CMD, or, as its beginning, for NVME_URING_CMD_IO.
nvme_passthru_cmd nvme_copy_command(uint32_t nsid, const NvmeCopy &copy, const NvmeRange *ranges);

// A namespace, by the block device of the whole of it.
struct NvmeNamespace {
    uint32_t nsid = 0;
    NvmeLimits limits;
    std::string character_device; // "/dev/ng0n1"

    // An Error says why there can be no passthrough.
    static common::Result<NvmeNamespace> identify(const std::string &path, int fd);
};

} // namespace blkcopy
