// SPDX-License-Identifier: GPL-2.0-only
#include "plan.h"

#include <gtest/gtest.h>

namespace blkcopy {
namespace {

constexpr uint64_t kMiB = 1 << 20;

Geometry device(const char *path, uint64_t size, uint64_t disk, uint64_t start = 0,
                uint32_t block = 512) {
    return Geometry{path, size, block, disk, start};
}

const Geometry kSource = device("/dev/src", 16 * kMiB, 1);
const Geometry kDestination = device("/dev/dst", 32 * kMiB, 2);

// What a refusal of a request says.
Error refusal(const Request &request, const Geometry &source = kSource,
              const Geometry &destination = kDestination) {
    const Result<Plan> plan = Plan::make(request, source, destination);
    if (plan)
        return Error{ExitCode::kOk, "accepted"};
    return plan.error();
}

Request range(uint64_t offset, uint64_t length, uint64_t to) {
    return Request{offset, length, {}, to};
}

TEST(Plan, CopiesTheWholeSourceByDefault) {
    const Result<Plan> plan = Plan::make({}, kSource, kDestination);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->total(), kSource.size);
    EXPECT_EQ(plan->extents(), (std::vector<Extent>{{0, kSource.size}}));
}

TEST(Plan, AnOffsetAloneCopiesTheRest) {
    const Result<Plan> plan = Plan::make({4096, {}, {}, 512}, kSource, kDestination);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->extents(), (std::vector<Extent>{{4096, kSource.size - 4096}}));
    EXPECT_EQ(plan->destination_offset(), 512u);
}

TEST(Plan, GathersExtentsInTheirOrder) {
    const std::vector<Extent> extents{{8192, 512}, {0, 4096}, {8192, 512}};
    const Result<Plan> plan = Plan::make({0, {}, extents, 0}, kSource, kDestination);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->extents(), extents);
    EXPECT_EQ(plan->total(), 5120u);
    EXPECT_EQ(plan->source_of(0), 8192u);
    EXPECT_EQ(plan->source_of(511), 8703u);
    EXPECT_EQ(plan->source_of(512), 0u);
    EXPECT_EQ(plan->source_of(4608), 8192u);
}

TEST(Plan, RefusesWhatIsNotOnABlockBoundary) {
    EXPECT_EQ(refusal(range(1, 512, 0)).code, ExitCode::kUsage);
    EXPECT_EQ(refusal(range(0, 513, 0)).code, ExitCode::kUsage);
    EXPECT_EQ(refusal(range(0, 512, 256)).code, ExitCode::kUsage);
    EXPECT_NE(refusal(range(0, 513, 0)).message.find("nearest multiples are 512 and 1024"),
              std::string::npos);
    // The larger block size of the two decides, whichever side has it.
    const Geometry big = device("/dev/big", 32 * kMiB, 3, 0, 4096);
    EXPECT_EQ(refusal(range(512, 4096, 0), kSource, big).code, ExitCode::kUsage);
    EXPECT_EQ(refusal(range(0, 512, 0), big, kDestination).code, ExitCode::kUsage);
    EXPECT_EQ(refusal(range(4096, 4096, 4096), kSource, big).code, ExitCode::kOk);
}

TEST(Plan, RefusesAWholeDeviceThatEndsInsideABlockOfTheOther) {
    const Geometry odd = device("/dev/odd", 16 * kMiB + 512, 3);
    const Geometry big = device("/dev/big", 32 * kMiB, 4, 0, 4096);
    EXPECT_EQ(refusal({}, odd, big).code, ExitCode::kUsage);
}

TEST(Plan, RefusesRangesThatDoNotFit) {
    EXPECT_EQ(refusal(range(kSource.size - 512, 512, 0)).code, ExitCode::kOk);
    EXPECT_EQ(refusal(range(kSource.size - 512, 1024, 0)).code, ExitCode::kRefused);
    EXPECT_EQ(refusal(range(kSource.size, 512, 0)).code, ExitCode::kRefused);
    EXPECT_EQ(refusal(range(0, 512, kDestination.size - 512)).code, ExitCode::kOk);
    EXPECT_EQ(refusal(range(0, 1024, kDestination.size - 512)).code, ExitCode::kRefused);
    EXPECT_EQ(refusal(range(0, 512, kDestination.size + 512)).code, ExitCode::kRefused);
    EXPECT_EQ(refusal({}, kDestination, kSource).code, ExitCode::kRefused) << "a larger source";
    EXPECT_EQ(refusal({kSource.size, {}, {}, 0}).code, ExitCode::kUsage);
}

TEST(Plan, RefusesNumbersThatOverflow) {
    const uint64_t most = UINT64_MAX - 511;
    EXPECT_EQ(refusal(range(most, 512, 0)).code, ExitCode::kRefused);
    EXPECT_EQ(refusal(range(512, most, 0)).code, ExitCode::kRefused);
    EXPECT_EQ(refusal(range(0, 512, most)).code, ExitCode::kRefused);
    // Lengths that add up to 2^64, each of them inside the source.
    const Geometry huge = device("/dev/huge", uint64_t{1} << 63, 7);
    const Request request{0, {}, {{0, uint64_t{1} << 63}, {0, uint64_t{1} << 63}}, 0};
    EXPECT_EQ(refusal(request, huge, kDestination).code, ExitCode::kUsage);
}

TEST(Plan, RefusesNothingAndNoMedium) {
    EXPECT_EQ(refusal(range(0, 0, 0)).code, ExitCode::kUsage);
    EXPECT_EQ(refusal({}, device("/dev/empty", 0, 5), kDestination).code, ExitCode::kRefused);
    EXPECT_EQ(refusal(range(0, 512, 0), kSource, device("/dev/empty", 0, 5)).code,
              ExitCode::kRefused);
}

TEST(Plan, RefusesOverlapInEveryShape) {
    const auto code = [](uint64_t from, uint64_t length, uint64_t to) {
        return refusal(range(from, length, to), kSource, kSource).code;
    };
    EXPECT_EQ(code(0, 4096, 0), ExitCode::kUsage) << "the same";
    EXPECT_EQ(code(0, 4096, 3584), ExitCode::kUsage) << "tail";
    EXPECT_EQ(code(4096, 4096, 512), ExitCode::kUsage) << "head";
    EXPECT_EQ(code(0, 4096, 4096), ExitCode::kOk) << "touching";
    EXPECT_EQ(code(4096, 4096, 0), ExitCode::kOk) << "touching";
    // The destination inside a source extent and around one.
    EXPECT_EQ(refusal({0, {}, {{0, kMiB}, {2 * kMiB, 512}}, 512}, kSource, kSource).code,
              ExitCode::kUsage);
    EXPECT_EQ(
        refusal({0, {}, {{8 * kMiB, kMiB}, {4 * kMiB, 512}}, 4 * kMiB - 512}, kSource, kSource)
            .code,
        ExitCode::kUsage);
}

TEST(Plan, RefusesOverlapThroughAPartition) {
    const Geometry disk = device("/dev/disk", 64 * kMiB, 9);
    const Geometry part1 = device("/dev/disk1", 8 * kMiB, 9, kMiB);
    const Geometry part2 = device("/dev/disk2", 8 * kMiB, 9, 9 * kMiB);
    EXPECT_EQ(refusal(range(0, 4096, 0), part1, part2).code, ExitCode::kOk);
    EXPECT_EQ(refusal(range(0, 4096, kMiB), part1, disk).code, ExitCode::kUsage);
    EXPECT_EQ(refusal(range(0, 4096, 0), part1, disk).code, ExitCode::kOk);
    EXPECT_EQ(refusal(range(9 * kMiB, 4096, 0), disk, part2).code, ExitCode::kUsage);
}

TEST(Plan, StepsCoverEverythingOnce) {
    const std::vector<Extent> extents{{0, 1536}, {8192, 512}, {4096, 2048}, {16384, 512}};
    const Result<Plan> made = Plan::make({0, {}, extents, 1024}, kSource, kDestination);
    ASSERT_TRUE(made);
    const Plan &plan = *made;
    for (const uint64_t max_bytes : {512u, 1024u, 1536u, 4096u, 1u << 20}) {
        for (const size_t max_extents : {1u, 2u, 3u, 100u}) {
            uint64_t position = 0;
            std::vector<uint64_t> blocks;
            while (position < plan.total()) {
                const Step step = plan.step(position, max_bytes, max_extents);
                ASSERT_GT(step.length, 0u);
                EXPECT_LE(step.length, max_bytes);
                EXPECT_LE(step.extents.size(), max_extents);
                EXPECT_EQ(step.destination_offset, 1024 + position);
                for (const Extent &extent : step.extents) {
                    EXPECT_GT(extent.length, 0u);
                    for (uint64_t at = 0; at < extent.length; at += 512)
                        blocks.push_back(extent.offset + at);
                }
                position += step.length;
            }
            EXPECT_EQ(position, plan.total());
            EXPECT_EQ(blocks,
                      (std::vector<uint64_t>{0, 512, 1024, 8192, 4096, 4608, 5120, 5632, 16384}));
        }
    }
    EXPECT_EQ(plan.step(plan.total(), 512, 1).length, 0u);
}

} // namespace
} // namespace blkcopy
