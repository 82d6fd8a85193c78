// SPDX-License-Identifier: GPL-2.0-only
#include "placement.h"

#include <gtest/gtest.h>
#include <set>

namespace blkcopy {
namespace {

Region region(uint64_t block, unsigned extents) {
    Region r;
    r.source = 1 << 20;
    r.destination = 8 << 20;
    r.length = 4 << 20;
    r.block = block;
    r.extents = extents;
    r.aligned = 512;
    r.source_size = r.destination_size = 16 << 20;
    return r;
}

std::string refused(const Region &r) {
    common::Result<Placement> made = Placement::make(r);
    return made ? "" : made.error().message;
}

TEST(Placement, OneSourceIsWhereTheBlockIs) {
    common::Result<Placement> p = Placement::make(region(65536, 1));
    ASSERT_TRUE(p);
    std::vector<blk_copy_extent> sources;
    p->sources((1 << 20) + 4096, 8192, sources);
    ASSERT_EQ(sources.size(), 1U);
    EXPECT_EQ(sources[0].offset, (1U << 20) + 4096);
    EXPECT_EQ(sources[0].length, 8192U);
    EXPECT_EQ(p->destination((1 << 20) + 4096), (8U << 20) + 4096);
}

TEST(Placement, SeveralSourcesAreAPermutationWithoutNeighbours) {
    for (unsigned extents : {2U, 16U, 127U, 128U}) {
        Region r = region(4096 * extents, extents);
        common::Result<Placement> p = Placement::make(r);
        ASSERT_TRUE(p) << extents;
        std::vector<blk_copy_extent> sources;
        uint64_t blocks = r.length / r.block;
        for (uint64_t i = 0; i < blocks; i++)
            p->sources(r.source + i * r.block, r.block, sources);
        ASSERT_EQ(sources.size(), blocks * extents);
        std::set<uint64_t> places;
        for (size_t i = 0; i < sources.size(); i++) {
            EXPECT_EQ(sources[i].length, 4096U);
            EXPECT_EQ(sources[i].offset % 4096, 0U);
            EXPECT_GE(sources[i].offset, r.source);
            EXPECT_LE(sources[i].offset + 4096, r.source + r.length);
            places.insert(sources[i].offset);
            if (i) {
                EXPECT_NE(sources[i].offset, sources[i - 1].offset + 4096) << extents;
            }
        }
        EXPECT_EQ(places.size(), sources.size());
    }
}

TEST(Placement, TakesWhatIsInsideAndWhole) {
    common::Result<Placement> one = Placement::make(region(65536, 1));
    common::Result<Placement> many = Placement::make(region(65536, 16));
    ASSERT_TRUE(one && many);
    EXPECT_TRUE(one->takes(1 << 20, 512));
    EXPECT_FALSE(one->takes(1 << 20, 513));
    EXPECT_FALSE(one->takes((1 << 20) - 512, 512));
    EXPECT_FALSE(one->takes(5 << 20, 512));
    EXPECT_TRUE(one->takes((5 << 20) - 512, 512));
    EXPECT_TRUE(many->takes(1 << 20, 65536));
    EXPECT_FALSE(many->takes((1 << 20) + 4096, 65536));
    EXPECT_FALSE(many->takes(1 << 20, 4096));
}

TEST(Placement, SaysWhatIsWrong) {
    EXPECT_EQ(refused(region(65536, 16)), "");
    EXPECT_NE(refused(region(65536, 0)).find("1 to 1024"), std::string::npos);
    EXPECT_NE(refused(region(65536, 1025)).find("1 to 1024"), std::string::npos);
    EXPECT_NE(refused(region(65536, 3)).find("cannot be cut"), std::string::npos);
    EXPECT_NE(refused(region(4096, 16)).find("logical block"), std::string::npos);

    Region r = region(65536, 1);
    r.destination = (5 << 20) - 512;
    EXPECT_NE(refused(r).find("both in"), std::string::npos);
    r.same_file = false;
    EXPECT_EQ(refused(r), "");
    r = region(65536, 1);
    r.destination = 13 << 20;
    EXPECT_NE(refused(r).find("than the destination has"), std::string::npos);
    r = region(65536, 1);
    r.source_size = 4 << 20;
    EXPECT_NE(refused(r).find("than the source has"), std::string::npos);
    r = region(8 << 20, 2);
    EXPECT_NE(refused(r).find("less than one block"), std::string::npos);
}

} // namespace
} // namespace blkcopy
