// SPDX-License-Identifier: GPL-2.0-only
#include "golden.h"

#include "fd.h"

#include <cstring>
#include <gtest/gtest.h>

namespace kit {
namespace {

GoldenPlan plan() {
    GoldenPlan p;
    p.device = "/dev/x";
    p.offset = 1536;
    p.bytes = 4 << 20;
    p.image = p.offset + p.bytes + 1024;
    p.block = 512;
    p.copies = 400;
    p.max_extent = 60;
    return p;
}

TEST(Golden, CopiesAreValidAndReproducible) {
    std::vector<GoldenCopy> copies = make_golden_copies(plan(), 7);
    size_t single = 0, many = 0, adjacent = 0, repeated = 0, backwards = 0;

    ASSERT_EQ(copies.size(), plan().copies);
    EXPECT_EQ(format_golden_copies(copies), format_golden_copies(make_golden_copies(plan(), 7)));
    EXPECT_NE(format_golden_copies(copies), format_golden_copies(make_golden_copies(plan(), 8)));
    for (const GoldenCopy &copy : copies) {
        ASSERT_FALSE(copy.sources.empty());
        EXPECT_EQ(copy.destination % 512, 0U);
        EXPECT_LE(copy.destination + copy.length(), plan().bytes);
        for (size_t i = 0; i < copy.sources.size(); i++) {
            const GoldenExtent &s = copy.sources[i];
            EXPECT_GT(s.length, 0U);
            EXPECT_EQ(s.offset % 512, 0U);
            EXPECT_EQ(s.length % 512, 0U);
            EXPECT_LE(s.offset + s.length, plan().bytes);
            EXPECT_TRUE(s.offset + s.length <= copy.destination ||
                        copy.destination + copy.length() <= s.offset);
            if (!i)
                continue;
            const GoldenExtent &p = copy.sources[i - 1];
            adjacent += p.offset + p.length == s.offset;
            backwards += s.offset + s.length == p.offset;
            repeated += s.offset == copy.sources[0].offset;
        }
        single += copy.sources.size() == 1;
        many += copy.sources.size() > 128;
    }
    // Every shape has to occur.
    EXPECT_GT(single, 0U);
    EXPECT_GT(many, 0U);
    EXPECT_GT(adjacent, 0U);
    EXPECT_GT(backwards, 0U);
    EXPECT_GT(repeated, 0U);
}

TEST(Golden, WideExtentsFitIntoASmallDevice) {
    GoldenPlan p = plan();
    p.max_extent = 4000;
    for (const GoldenCopy &copy : make_golden_copies(p, 1))
        EXPECT_LE(copy.destination + copy.length(), p.bytes);
}

TEST(Golden, Format) {
    EXPECT_EQ(format_golden_copies({{{{0, 512}, {4096, 1024}}, 8192}}), "0:512,4096:1024 8192\n");
}

TEST(Golden, ImageDiffersEverywhere) {
    std::vector<std::byte> a = make_golden_image(8192, 1), b = make_golden_image(8192, 2);
    for (size_t i = 0; i < 8192; i += 512) {
        EXPECT_NE(memcmp(a.data() + i, b.data() + i, 512), 0);
        if (i) {
            EXPECT_NE(memcmp(a.data(), a.data() + i, 512), 0);
        }
    }
}

TEST(Golden, AppliesInOrder) {
    std::vector<std::byte> image(16);
    for (size_t i = 0; i < 16; i++)
        image[i] = static_cast<std::byte>(i);
    // Within [4, 16): bytes 0..1 and 3 to 6, then what is now at 6 to 0.
    apply_golden_copies(image, 4, {{{{0, 2}, {3, 1}}, 6}, {{{6, 2}}, 0}});
    EXPECT_EQ(static_cast<int>(image[10]), 4);
    EXPECT_EQ(static_cast<int>(image[11]), 5);
    EXPECT_EQ(static_cast<int>(image[12]), 7);
    EXPECT_EQ(static_cast<int>(image[4]), 4);
    EXPECT_EQ(static_cast<int>(image[3]), 3);
}

TEST(Golden, ComparisonFindsOneWrongByte) {
    GoldenPlan p = plan();
    std::vector<GoldenCopy> copies = {{{{0, 512}}, 1024}};
    std::vector<std::byte> image = make_golden_image(p.image, 3);
    Result<Fd> file = make_nameless_file();
    ASSERT_TRUE(static_cast<bool>(file));
    ASSERT_TRUE(static_cast<bool>(pwrite_all(file->get(), image, 0)));
    EXPECT_TRUE(static_cast<bool>(compare_golden_image(file->get(), image, p, copies)));

    struct {
        uint64_t at;
        const char *place;
    } spots[] = {{100, "outside the block device"},
                 {p.offset + 10, "in a source"},
                 {p.offset + 1030, "in a destination"},
                 {p.offset + 5000, "where nothing was copied"},
                 {p.image - 1, "outside the block device"}};
    for (const auto &spot : spots) {
        std::byte wrong = image[spot.at] ^ std::byte{1};
        ASSERT_TRUE(static_cast<bool>(pwrite_all(file->get(), std::span(&wrong, 1), spot.at)));
        Status status = compare_golden_image(file->get(), image, p, copies);
        ASSERT_FALSE(static_cast<bool>(status)) << spot.at;
        EXPECT_NE(status.error().message.find(spot.place), std::string::npos)
            << status.error().message;
        EXPECT_NE(status.error().message.find("1 blocks"), std::string::npos);
        ASSERT_TRUE(
            static_cast<bool>(pwrite_all(file->get(), std::span(&image[spot.at], 1), spot.at)));
    }
    // A file of another size is wrong, too.
    ASSERT_TRUE(static_cast<bool>(pwrite_all(file->get(), std::span(image).first(1), p.image)));
    EXPECT_FALSE(static_cast<bool>(compare_golden_image(file->get(), image, p, copies)));
}

} // namespace
} // namespace kit
