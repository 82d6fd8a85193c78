// SPDX-License-Identifier: GPL-2.0-only
#include "offload.h"

#include <gtest/gtest.h>

#include "fake_copy_queue.h"

namespace blkcopy {
namespace {

using Bytes = std::vector<std::byte>;

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kDevice = 4 * kMiB;

Plan plan_of(std::vector<Extent> extents, uint64_t to) {
    const Geometry device{"device", kDevice, 512, 1, 0};
    return *Plan::make(Request{0, {}, std::move(extents), to}, device, device);
}

// The device after the first `copied` bytes of a plan.
Bytes golden(const Bytes &before, const Plan &plan, uint64_t copied) {
    Bytes after = before;
    for (uint64_t i = 0; i < copied; i++)
        after[plan.destination_offset() + i] = before[plan.source_of(i)];
    return after;
}

StepSize small_steps() {
    return {4 * kKiB, 8 * kKiB, 16 * kKiB};
}

OffloadResult run(FakeCopyQueue &queue, const Plan &plan) {
    return offload_by_queue(queue, plan, small_steps(), {}, [] { return false; });
}

TEST(Offload, CopiesExactlyThePlanInAnyOrder) {
    for (unsigned seed = 1; seed <= 20; seed++) {
        FakeCopyQueue queue(7, kDevice, seed);
        queue.halves = seed;
        const Plan plan =
            plan_of({{512, 100 * kKiB}, {kMiB, 512}, {512, 3 * 512}, {kMiB + 4096, 300 * kKiB}},
                    2 * kMiB + 512);
        const Bytes before = queue.device;
        const OffloadResult result = run(queue, plan);
        EXPECT_EQ(result.copied, plan.total());
        EXPECT_FALSE(result.failure || result.interrupted);
        EXPECT_EQ(result.most_in_flight, 7u);
        EXPECT_EQ(result.copies, queue.steps.size());
        EXPECT_EQ(queue.device, golden(before, plan, plan.total())) << "seed " << seed;
    }
}

TEST(Offload, TheFirstCopyIsAlone) {
    FakeCopyQueue queue(8, kDevice);
    queue.answers = {-EOPNOTSUPP};
    const OffloadResult result = run(queue, plan_of({{0, kMiB}}, 2 * kMiB));
    EXPECT_EQ(queue.steps.size(), 1u) << "nobody asks a second time";
    EXPECT_EQ(result.most_in_flight, 1u);
    EXPECT_EQ(result.copied, 0u);
    ASSERT_TRUE(result.failure);
    EXPECT_TRUE(result.failure->unsupported);
    EXPECT_EQ(result.failure->position, 0u);
}

TEST(Offload, GoesOnWhereTheDeviceStopped) {
    FakeCopyQueue queue(1, kDevice);
    queue.halves = 1;
    const OffloadResult result = run(queue, plan_of({{0, 4096}, {kMiB, 4096}}, 2 * kMiB));
    EXPECT_EQ(result.copied, 8 * kKiB);
    ASSERT_EQ(queue.steps.size(), 2u);
    EXPECT_EQ(queue.steps[1].destination_offset, 2 * kMiB + 4096);
    EXPECT_EQ(queue.steps[1].extents, (std::vector<Extent>{{kMiB, 4096}}));
}

TEST(Offload, AnErrorLeavesAnExactPrefix) {
    for (unsigned seed = 1; seed <= 50; seed++) {
        FakeCopyQueue queue(5, kDevice, seed);
        const Plan plan = plan_of({{0, kMiB}}, 2 * kMiB);
        const uint64_t bad = seed * 19 * 512;
        queue.write_error_at = plan.destination_offset() + bad + 7;
        const Bytes before = queue.device;
        const OffloadResult result = run(queue, plan);
        EXPECT_EQ(result.copied, bad) << "up to the sector, not just to its piece";
        ASSERT_TRUE(result.failure);
        EXPECT_EQ(result.failure->position, bad);
        EXPECT_EQ(result.failure->result, -EIO);
        EXPECT_FALSE(result.failure->unsupported);
        const size_t end = plan.destination_offset() + bad;
        Bytes want = golden(before, plan, bad);
        want.resize(end);
        queue.device.resize(end);
        EXPECT_EQ(queue.device, want);
    }
}

TEST(Offload, SwitchedOffInTheMiddleIsNotAnError) {
    FakeCopyQueue queue(1, kDevice);
    const Plan plan = plan_of({{0, 64 * kKiB}}, 2 * kMiB);
    queue.answers = {8192, -EINTR, -EOPNOTSUPP};
    const OffloadResult result = run(queue, plan);
    EXPECT_EQ(result.copied, 8 * kKiB);
    ASSERT_TRUE(result.failure);
    EXPECT_TRUE(result.failure->unsupported);
    EXPECT_EQ(result.failure->position, 8 * kKiB);
}

TEST(Offload, AStopWaitsForWhatIsInFlight) {
    FakeCopyQueue queue(4, kDevice);
    unsigned asked = 0;
    const Plan plan = plan_of({{0, kMiB}}, 2 * kMiB);
    const Bytes before = queue.device;
    const OffloadResult result =
        offload_by_queue(queue, plan, small_steps(), {}, [&] { return ++asked > 3; });
    EXPECT_TRUE(result.interrupted);
    EXPECT_LT(result.copied, plan.total());
    EXPECT_EQ(result.copies, queue.steps.size()) << "all that was started has ended";
    EXPECT_EQ(golden(before, plan, result.copied)[2 * kMiB + result.copied - 1],
              queue.device[2 * kMiB + result.copied - 1]);
    FakeCopyQueue untouched(4, kDevice);
    EXPECT_TRUE(
        offload_by_queue(untouched, plan, small_steps(), {}, [] { return true; }).interrupted);
    EXPECT_TRUE(untouched.steps.empty()) << "stopped before it began";
}

TEST(Offload, AStopThatCameTooLateIsNone) {
    FakeCopyQueue queue(1, kDevice);
    const OffloadResult result =
        offload_by_queue(queue, plan_of({{0, 4096}}, 2 * kMiB), small_steps(), {},
                         [&] { return !queue.steps.empty(); });
    EXPECT_FALSE(result.interrupted);
    EXPECT_EQ(result.copied, 4096u);
}

// Only copies of whole pages can be started without waiting for the page cache.
TEST(Offload, PiecesEndOnPagesOfTheDestination) {
    FakeCopyQueue queue(3, kDevice);
    run(queue, plan_of({{0, 200 * kKiB + 512}}, 2 * kMiB + 1024));
    for (const Step &step : queue.steps) {
        const uint64_t end = step.destination_offset + step.length;
        if (end != 2 * kMiB + 1024 + 200 * kKiB + 512) {
            EXPECT_EQ(end % 4096, 0u);
        }
    }
}

TEST(Offload, ProgressNeverGoesBack) {
    FakeCopyQueue queue(6, kDevice);
    uint64_t last = 0;
    offload_by_queue(
        queue, plan_of({{0, kMiB}}, 2 * kMiB), small_steps(),
        [&](uint64_t done) {
            EXPECT_GE(done, last);
            last = done;
        },
        [] { return false; });
    EXPECT_EQ(last, kMiB);
}

TEST(QueuedStepSize, IsWholeCommandsBlocksAndPages) {
    for (const uint64_t command : {uint64_t{0}, uint64_t{512}, 10 * kKiB, 64 * kKiB, 127 * kKiB,
                                   kMiB, 2 * kMiB, 64 * kMiB, uint64_t{4294967295} * 512}) {
        for (const uint32_t block : {512u, 4096u, 16384u}) {
            StepSize size = queued_step_size(command, block);
            EXPECT_EQ(size.bytes() % std::max<uint64_t>(block, 4096), 0u) << command;
            EXPECT_GE(size.bytes(), 256 * kKiB);
            EXPECT_LE(size.bytes(), 32 * kMiB);
            if (command > 0 && command <= 2 * kMiB) {
                EXPECT_EQ(size.bytes() % command, 0u);
            }
            for (int i = 0; i < 40; i++)
                size.learn(std::chrono::seconds(1));
            EXPECT_EQ(size.bytes() % std::max<uint64_t>(block, 4096), 0u);
            EXPECT_GT(size.bytes(), 0u);
        }
    }
}

TEST(StepSize, GrowsAndShrinksWithinItsLimits) {
    StepSize size(4, 16, 100);
    size.learn(std::chrono::milliseconds(200));
    EXPECT_EQ(size.bytes(), 16u) << "just right";
    for (int i = 0; i < 5; i++)
        size.learn(std::chrono::milliseconds(1));
    EXPECT_EQ(size.bytes(), 64u);
    EXPECT_EQ(size.bytes(30), 16u) << "enough for now";
    EXPECT_EQ(size.bytes(1), 16u) << "but not less than at the start";
    for (int i = 0; i < 5; i++)
        size.learn(std::chrono::seconds(1));
    EXPECT_EQ(size.bytes(), 4u);
}

} // namespace
} // namespace blkcopy
