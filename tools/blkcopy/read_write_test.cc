// SPDX-License-Identifier: GPL-2.0-only
#include "read_write.h"

#include <gtest/gtest.h>

#include "fake_queue.h"

namespace blkcopy {
namespace {

constexpr uint64_t kSize = 256 << 10;

ReadWriteResult run(
    FakeQueue &queue, const Plan &plan, uint64_t from = 0,
    const StopFunction &stop = [] { return false; }) {
    return copy_by_read_write(queue, FakeQueue::kSource, FakeQueue::kDestination, plan, from, {},
                              stop);
}

const std::vector<Extent> kScattered{
    {8192, 20480}, {0, 512}, {131072, 65536}, {4096, 1024}, {8192, 20480}};

TEST(Prefix, CountsOnlyWhatIsWithoutGaps) {
    Prefix prefix;
    const uint64_t a = prefix.start(10);
    const uint64_t b = prefix.start(20);
    const uint64_t c = prefix.start(30);
    prefix.finish(b);
    EXPECT_EQ(prefix.bytes(), 0u);
    prefix.finish(a);
    EXPECT_EQ(prefix.bytes(), 30u);
    const uint64_t d = prefix.start(5);
    prefix.finish(d);
    EXPECT_EQ(prefix.bytes(), 30u);
    prefix.finish(c);
    EXPECT_EQ(prefix.bytes(), 65u);
}

TEST(ReadWrite, CopiesExactlyInAnyOrderOfCompletion) {
    for (unsigned seed = 0; seed < 50; seed++) {
        FakeQueue queue(8, 4096, kSize, seed);
        queue.short_moves = seed % 2 == 1;
        queue.hiccups = seed % 7;
        const Plan plan = fake_plan(kScattered, 1024, kSize);
        const std::vector<std::byte> want = golden(queue, plan);
        const std::vector<std::byte> source = queue.source;
        const ReadWriteResult result = run(queue, plan);
        EXPECT_EQ(result.copied, plan.total());
        EXPECT_FALSE(result.failure || result.interrupted);
        EXPECT_TRUE(queue.destination == want) << "the copy and everything around it";
        EXPECT_TRUE(queue.source == source);
        EXPECT_EQ(queue.most_in_flight, 8u) << "kept in flight";
    }
}

TEST(ReadWrite, StartsInTheMiddle) {
    FakeQueue queue(4, 4096, kSize);
    const Plan plan = fake_plan({{0, 65536}}, 0, kSize);
    const uint64_t from = 20480;
    std::vector<std::byte> want = golden(queue, plan);
    std::copy_n(queue.destination.begin(), from, want.begin());
    EXPECT_EQ(run(queue, plan, from).copied, plan.total() - from);
    EXPECT_TRUE(queue.destination == want);
}

// Whatever is reported as copied is copied, wherever the error is and however the answers come.
void expect_exact_prefix(bool write) {
    for (unsigned seed = 0; seed < 50; seed++) {
        FakeQueue queue(8, 4096, kSize, seed);
        queue.short_moves = seed % 3 == 0;
        const Plan plan = fake_plan({{65536, 131072}}, 1024, kSize);
        const uint64_t bad = 50000;
        (write ? queue.write_error_at : queue.read_error_at) = bad + (write ? 1024 : 65536);
        const std::vector<std::byte> want = golden(queue, plan);
        const ReadWriteResult result = run(queue, plan);
        ASSERT_TRUE(result.failure);
        EXPECT_EQ(result.failure->write, write);
        EXPECT_EQ(result.failure->error, EIO);
        // Everything before the failed piece of 4096 bytes.
        EXPECT_EQ(result.copied, bad / 4096 * 4096);
        EXPECT_TRUE(std::equal(want.begin(),
                               want.begin() + static_cast<std::ptrdiff_t>(1024 + result.copied),
                               queue.destination.begin()));
    }
}

TEST(ReadWrite, ReportsTheExactPrefixBeforeAReadError) {
    expect_exact_prefix(false);
}
TEST(ReadWrite, ReportsTheExactPrefixBeforeAWriteError) {
    expect_exact_prefix(true);
}

TEST(ReadWrite, ReportsTheFirstOfTwoErrors) {
    for (unsigned seed = 0; seed < 50; seed++) {
        FakeQueue queue(8, 4096, kSize, seed);
        const Plan plan = fake_plan({{0, 32768}}, 0, kSize);
        queue.read_error_at = 12288;
        queue.write_error_at = 8192;
        const ReadWriteResult result = run(queue, plan);
        ASSERT_TRUE(result.failure);
        EXPECT_TRUE(result.failure->write);
        EXPECT_EQ(result.failure->offset, 8192u);
        EXPECT_EQ(result.copied, 8192u);
    }
}

TEST(ReadWrite, ADeviceThatEndsEarlyIsAnError) {
    FakeQueue queue(4, 4096, kSize);
    const Plan plan = fake_plan({{0, 65536}}, 0, kSize);
    queue.source.resize(30720);
    const ReadWriteResult result = run(queue, plan);
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->error, ENXIO);
    EXPECT_EQ(result.copied, 28672u);
}

TEST(ReadWrite, StopsWithAnExactPrefix) {
    for (unsigned seed = 0; seed < 50; seed++) {
        FakeQueue queue(8, 4096, kSize, seed);
        const Plan plan = fake_plan({{0, 131072}}, 0, kSize);
        const std::vector<std::byte> want = golden(queue, plan);
        const ReadWriteResult result = run(queue, plan, 0, [&] { return queue.completions > 20; });
        EXPECT_TRUE(result.interrupted);
        EXPECT_FALSE(result.failure);
        EXPECT_LT(result.copied, plan.total());
        EXPECT_TRUE(std::equal(want.begin(),
                               want.begin() + static_cast<std::ptrdiff_t>(result.copied),
                               queue.destination.begin()));
    }
}

TEST(ReadWrite, ProgressNeverGoesBackAndEndsAtTheTotal) {
    FakeQueue queue(8, 4096, kSize);
    const Plan plan = fake_plan({{0, 65536}}, 0, kSize);
    uint64_t last = 0;
    const auto progress = [&](uint64_t position) {
        EXPECT_GE(position, last);
        last = position;
    };
    (void)copy_by_read_write(queue, FakeQueue::kSource, FakeQueue::kDestination, plan, 0, progress,
                             [] { return false; });
    EXPECT_EQ(last, plan.total());
}

} // namespace
} // namespace blkcopy
