// SPDX-License-Identifier: GPL-2.0-only
#include "nvme_copy.h"

#include <endian.h>
#include <gtest/gtest.h>

namespace blkcopy {
namespace {

struct Plan {
    std::vector<NvmeRange> ranges;
    std::vector<NvmeCopy> copies;
};

Plan plan(const NvmeLimits &limits, const std::vector<blk_copy_extent> &sources,
          uint64_t destination) {
    Plan p;
    plan_nvme_copies(limits, sources, destination, p.ranges, p.copies);
    return p;
}

TEST(NvmeCopy, OneRange) {
    Plan p = plan({512, 128, 256, 4}, {{4096, 65536}}, 1 << 20);
    ASSERT_EQ(p.copies.size(), 1U);
    EXPECT_EQ(p.copies[0].destination_block, 2048U);
    ASSERT_EQ(p.ranges.size(), 1U);
    EXPECT_EQ(le64toh(p.ranges[0].first_block), 8U);
    EXPECT_EQ(le16toh(p.ranges[0].blocks_minus_1), 127U);
}

TEST(NvmeCopy, EveryLimitEndsACommand) {
    // ranges of 4 blocks, commands of 10 blocks or 3 ranges
    NvmeLimits limits{512, 4, 10, 3};
    Plan p = plan(limits, {{0, 13 * 512}, {100 * 512, 512}, {200 * 512, 512}, {300 * 512, 512}}, 0);
    std::vector<uint64_t> lengths, places;
    for (const NvmeRange &range : p.ranges)
        lengths.push_back(le16toh(range.blocks_minus_1) + 1U);
    EXPECT_EQ(lengths, (std::vector<uint64_t>{4, 4, 2, 3, 1, 1, 1}));
    for (const NvmeCopy &copy : p.copies)
        places.push_back(copy.destination_block);
    EXPECT_EQ(places, (std::vector<uint64_t>{0, 10, 15}));
    EXPECT_EQ(p.copies[1].first, 3U);
    EXPECT_EQ(p.copies[1].count, 3U);
    EXPECT_EQ(p.copies[2].count, 1U);
}

TEST(NvmeCopy, TheLongestRange) {
    Plan p = plan({512, 65535, 0xffffffff, 256}, {{0, 65536 * 512}}, 0);
    ASSERT_EQ(p.ranges.size(), 2U);
    EXPECT_EQ(le16toh(p.ranges[0].blocks_minus_1), 65534U);
    EXPECT_EQ(le16toh(p.ranges[1].blocks_minus_1), 0U);
    EXPECT_EQ(p.copies.size(), 1U);
}

TEST(NvmeCopy, TheCommand) {
    NvmeRange ranges[3]{};
    nvme_passthru_cmd c = nvme_copy_command(7, {0x500000003, 0, 3}, ranges);
    EXPECT_EQ(c.opcode, 0x19);
    EXPECT_EQ(c.nsid, 7U);
    EXPECT_EQ(c.data_len, 96U);
    EXPECT_EQ(c.cdw10, 3U);
    EXPECT_EQ(c.cdw11, 5U);
    EXPECT_EQ(c.cdw12, 2U);
}

TEST(NvmeCopy, NoNamespace) {
    common::Result<NvmeNamespace> found = NvmeNamespace::identify("/dev/null", -1);
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().message.find("no namespace"), std::string::npos);
}

} // namespace
} // namespace blkcopy
