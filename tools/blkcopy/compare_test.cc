// SPDX-License-Identifier: GPL-2.0-only
#include "compare.h"

#include <gtest/gtest.h>

#include "fake_queue.h"

namespace blkcopy {
namespace {

constexpr uint64_t kSize = 256 << 10;
const std::vector<Extent> kExtents{{8192, 65536}, {0, 512}, {131072, 8192}};

CompareResult run(
    FakeQueue &queue, const Plan &plan, const StopFunction &stop = [] { return false; }) {
    return compare(queue, FakeQueue::kSource, FakeQueue::kDestination, plan, {}, stop);
}

TEST(Compare, FindsEqualWhatIsEqual) {
    for (unsigned seed = 0; seed < 30; seed++) {
        FakeQueue queue(8, 4096, kSize, seed);
        queue.short_moves = seed % 2 == 1;
        queue.hiccups = seed % 5;
        const Plan plan = fake_plan(kExtents, 2048, kSize);
        queue.destination = golden(queue, plan);
        const CompareResult result = run(queue, plan);
        EXPECT_EQ(result.compared, plan.total());
        EXPECT_FALSE(result.difference || result.failure || result.interrupted);
        EXPECT_EQ(queue.most_in_flight, 8u) << "several in flight";
    }
}

TEST(Compare, FindsOneWrongBitWhereverItIs) {
    const Plan plan = fake_plan(kExtents, 2048, kSize);
    for (const uint64_t at :
         {uint64_t{0}, uint64_t{511}, uint64_t{4096}, uint64_t{65536}, plan.total() - 1}) {
        FakeQueue queue(8, 4096, kSize, static_cast<unsigned>(at));
        queue.destination = golden(queue, plan);
        queue.destination[2048 + at] ^= std::byte{0x10};
        const CompareResult result = run(queue, plan);
        ASSERT_TRUE(result.difference);
        EXPECT_EQ(*result.difference, at);
        EXPECT_LE(result.compared, at);
    }
}

TEST(Compare, IgnoresWhatIsOutside) {
    const Plan plan = fake_plan(kExtents, 2048, kSize);
    FakeQueue queue(8, 4096, kSize);
    queue.destination = golden(queue, plan);
    queue.destination[2047] ^= std::byte{1};
    queue.destination[2048 + plan.total()] ^= std::byte{1};
    EXPECT_FALSE(run(queue, plan).difference);
}

TEST(Compare, NamesTheFirstOfSeveralDifferencesInFlight) {
    for (unsigned seed = 0; seed < 30; seed++) {
        const Plan plan = fake_plan({{0, 65536}}, 0, kSize);
        FakeQueue queue(8, 4096, kSize, seed);
        queue.destination = golden(queue, plan);
        for (const size_t at : {100u, 5000u, 9000u, 13000u})
            queue.destination[at] ^= std::byte{1};
        const CompareResult result = run(queue, plan);
        ASSERT_TRUE(result.difference);
        EXPECT_EQ(*result.difference, 100u);
    }
}

TEST(Compare, AReadErrorIsNotADifference) {
    const Plan plan = fake_plan({{0, 65536}}, 0, kSize);
    FakeQueue queue(8, 4096, kSize);
    queue.destination = golden(queue, plan);
    queue.write_error_at = 20000; // also answers reads of the destination
    const CompareResult result = run(queue, plan);
    EXPECT_FALSE(result.difference);
    ASSERT_TRUE(result.failure);
    EXPECT_TRUE(result.failure->write) << "the destination's side";
    EXPECT_EQ(result.failure->error, EIO);
}

TEST(Compare, NamesTheFirstOfTwoReadErrors) {
    for (unsigned seed = 0; seed < 50; seed++) {
        const Plan plan = fake_plan({{0, 65536}}, 0, kSize);
        FakeQueue queue(8, 4096, kSize, seed);
        queue.destination = golden(queue, plan);
        queue.read_error_at = 10000;
        queue.write_error_at = 6000;
        const CompareResult result = run(queue, plan);
        ASSERT_TRUE(result.failure);
        EXPECT_TRUE(result.failure->write);
        EXPECT_EQ(result.failure->offset, 4096u);
    }
}

TEST(Compare, AStopIsNotAVerdict) {
    const Plan plan = fake_plan({{0, 131072}}, 0, kSize);
    FakeQueue queue(8, 4096, kSize);
    queue.destination = golden(queue, plan);
    const CompareResult result = run(queue, plan, [&] { return queue.completions > 10; });
    EXPECT_TRUE(result.interrupted);
    EXPECT_LT(result.compared, plan.total());
}

} // namespace
} // namespace blkcopy
