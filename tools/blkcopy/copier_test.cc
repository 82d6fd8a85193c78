// SPDX-License-Identifier: GPL-2.0-only
#include "copier.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

#include "uapi.h"

namespace blkcopy {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// A device that answers BLKCOPY from a script; when the script is over it copies whatever it is
// asked. What the queue of copies does is a result that tests set.
class FakeMover : public Mover {
public:
    std::deque<OffloadReply> script;
    std::vector<Step> steps;
    std::optional<uint64_t> read_write_from;
    ReadWriteResult read_write_result;
    bool read_write_all = true;
    unsigned flushes = 0;
    int flush_error = 0;
    // No io_uring, unless a test has one.
    OffloadResult queued{0, 0, 0, OffloadFailure{0, -ENOSYS, true}, false};
    unsigned queued_asked = 0;

    OffloadResult offload_many(const Plan &, const ProgressFunction &,
                               const StopFunction &) override {
        queued_asked++;
        return queued;
    }
    OffloadReply offload(const Step &step) override {
        steps.push_back(step);
        if (script.empty())
            return {0, true, step.length};
        const OffloadReply reply = script.front();
        script.pop_front();
        return reply;
    }
    ReadWriteResult read_write(const Plan &plan, uint64_t from, const ProgressFunction &,
                               const StopFunction &) override {
        read_write_from = from;
        if (read_write_all)
            read_write_result.copied = plan.total() - from;
        return read_write_result;
    }
    int flush() override {
        flushes++;
        return flush_error;
    }
};

Plan plan_of(uint64_t length) {
    const Geometry source{"source", length, 512, 1, 0};
    const Geometry destination{"destination", length, 512, 2, 0};
    return *Plan::make({}, source, destination);
}

CopyReport run(FakeMover &mover, Policy policy = Policy::kAuto, uint64_t length = 16 * kMiB) {
    return run_copy(plan_of(length), policy, mover, {}, [] { return false; });
}

TEST(Copier, OffloadsWithoutReading) {
    FakeMover mover;
    const CopyReport report = run(mover, Policy::kAuto, 1024 * kMiB);
    EXPECT_EQ(report.offloaded, 1024 * kMiB);
    EXPECT_EQ(report.method(), "offload");
    EXPECT_FALSE(report.error || report.fell_back || mover.read_write_from);
    EXPECT_EQ(mover.flushes, 1u);
    EXPECT_EQ(report.offload_calls, mover.steps.size());
    EXPECT_GT(mover.steps.size(), 1u) << "in steps, so that progress moves";
}

TEST(Copier, TheQueueDoesItAll) {
    FakeMover mover;
    mover.queued = {16 * kMiB, 64, 32, {}, false};
    const CopyReport report = run(mover);
    EXPECT_EQ(report.offloaded, 16 * kMiB);
    EXPECT_EQ(report.queued, 16 * kMiB);
    EXPECT_EQ(report.offload_calls, 64u);
    EXPECT_EQ(report.most_in_flight, 32u);
    EXPECT_EQ(report.method(), "offload");
    EXPECT_EQ(report.interface(), "io_uring");
    EXPECT_TRUE(mover.steps.empty() && !mover.read_write_from);
    EXPECT_EQ(mover.flushes, 1u);
}

// What an older kernel says, or one that has no ring for us.
TEST(Copier, WithoutTheCommandTheIoctlIsAsked) {
    for (const int error : {ENOSYS, EOPNOTSUPP, EINVAL}) {
        FakeMover mover;
        mover.queued = {0, 0, 1, OffloadFailure{0, -error, true}, false};
        const CopyReport report = run(mover, Policy::kOffloadOnly);
        EXPECT_EQ(report.offloaded, 16 * kMiB) << error;
        EXPECT_EQ(report.queued, 0u);
        EXPECT_EQ(report.interface(), "ioctl");
        EXPECT_FALSE(report.error || report.fell_back);
        ASSERT_FALSE(mover.steps.empty());
        EXPECT_EQ(mover.steps[0].destination_offset, 0u);
    }
}

TEST(Copier, TheIoctlGoesOnBehindTheQueuesPrefix) {
    FakeMover mover;
    mover.queued = {5 * kMiB, 5, 4, OffloadFailure{5 * kMiB, -EOPNOTSUPP, true}, false};
    const CopyReport report = run(mover);
    EXPECT_EQ(report.interface(), "io_uring, ioctl");
    EXPECT_EQ(report.queued, 5 * kMiB);
    EXPECT_EQ(report.offloaded, 16 * kMiB);
    ASSERT_FALSE(mover.steps.empty());
    EXPECT_EQ(mover.steps[0].destination_offset, 5 * kMiB);
}

TEST(Copier, WhatNeitherOfThemDoesIsReadAndWritten) {
    FakeMover mover;
    mover.queued = {5 * kMiB, 5, 4, OffloadFailure{5 * kMiB, -EOPNOTSUPP, true}, false};
    mover.script = {{EOPNOTSUPP, true, 0}};
    const CopyReport report = run(mover);
    EXPECT_EQ(mover.read_write_from, 5 * kMiB);
    EXPECT_EQ(report.method(), "mixed");
    EXPECT_EQ(report.interface(), "io_uring");
    EXPECT_TRUE(report.fell_back);
}

// The kernel has waited for a second already; the ioctl would do so once more.
TEST(Copier, WhatIsSuspendedForTheQueueIsSoForTheIoctl) {
    FakeMover mover;
    mover.queued = {kMiB, 1, 1, OffloadFailure{kMiB, -EAGAIN, true}, false};
    EXPECT_EQ(run(mover).read_written, 15 * kMiB);
    const CopyReport report = run(mover, Policy::kOffloadOnly);
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.error->code, ExitCode::kNoOffload);
    EXPECT_NE(report.error->message.find("is suspended"), std::string::npos);
    EXPECT_TRUE(mover.steps.empty());
}

TEST(Copier, AnErrorOfTheQueueIsNotTriedInOtherWays) {
    for (const int32_t result : {-EIO, -ENOSPC, -EBUSY, -EPERM, -EBADF, 0, 12345}) {
        FakeMover mover;
        mover.queued = {3 * kMiB, 3, 3, OffloadFailure{3 * kMiB, result, false}, false};
        const CopyReport report = run(mover);
        ASSERT_TRUE(report.error);
        EXPECT_EQ(report.error->code, ExitCode::kFailed);
        EXPECT_NE(report.error->message.find("destination offset 3145728"), std::string::npos)
            << report.error->message;
        EXPECT_EQ(report.copied(), 3 * kMiB);
        EXPECT_TRUE(mover.steps.empty() && !mover.read_write_from);
        EXPECT_EQ(mover.flushes, 1u);
    }
}

TEST(Copier, AStoppedQueueEndsIt) {
    FakeMover mover;
    mover.queued = {2 * kMiB, 2, 2, {}, true};
    const CopyReport report = run(mover);
    EXPECT_TRUE(report.interrupted);
    EXPECT_EQ(report.copied(), 2 * kMiB);
    EXPECT_TRUE(mover.steps.empty() && !mover.read_write_from && !report.error);
}

TEST(Copier, NeverAsksForTooManyExtents) {
    const Geometry source{"source", 64 * kMiB, 512, 1, 0};
    const Geometry destination{"destination", 64 * kMiB, 512, 2, 0};
    const Request request{0, {}, std::vector<Extent>(3000, Extent{0, 512}), 0};
    FakeMover mover;
    const CopyReport report = run_copy(*Plan::make(request, source, destination), Policy::kAuto,
                                       mover, {}, [] { return false; });
    EXPECT_EQ(report.offloaded, 3000u * 512);
    ASSERT_EQ(mover.steps.size(), 3u);
    EXPECT_EQ(mover.steps[0].extents.size(), size_t{BLKCOPY_MAX_EXTENTS});
}

TEST(Copier, FallsBackWhenNothingIsOffered) {
    for (const OffloadReply &reply :
         {OffloadReply{ENOTTY, false, 0}, OffloadReply{EOPNOTSUPP, true, 0},
          OffloadReply{EAGAIN, true, 0}, OffloadReply{EINVAL, false, 0}}) {
        FakeMover mover;
        mover.script = {reply};
        const CopyReport report = run(mover);
        EXPECT_EQ(mover.steps.size(), 1u);
        EXPECT_EQ(mover.read_write_from, 0u);
        EXPECT_TRUE(report.fell_back);
        EXPECT_EQ(report.method(), "read-write");
        EXPECT_EQ(report.copied(), 16 * kMiB);
        EXPECT_FALSE(report.error);
    }
}

TEST(Copier, OffloadOnlyRefusesInstead) {
    FakeMover mover;
    mover.script = {{EOPNOTSUPP, true, 0}};
    const CopyReport report = run(mover, Policy::kOffloadOnly);
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.error->code, ExitCode::kNoOffload);
    EXPECT_FALSE(mover.read_write_from);
    EXPECT_EQ(report.copied(), 0u);
    EXPECT_EQ(mover.flushes, 0u);
    EXPECT_NE(report.error->message.find("nothing was changed"), std::string::npos);
}

TEST(Copier, OffloadOnlyRefusesASuspendedDestination) {
    FakeMover mover;
    mover.script = {{EAGAIN, true, kMiB}, {EAGAIN, true, 0}};
    const CopyReport report = run(mover, Policy::kOffloadOnly);
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.error->code, ExitCode::kNoOffload);
    EXPECT_FALSE(mover.read_write_from);
    EXPECT_EQ(report.copied(), kMiB);
    EXPECT_NE(report.error->message.find("is suspended"), std::string::npos);
    EXPECT_NE(report.error->message.find("first 1048576 of 16777216 bytes"), std::string::npos);
    mover.script = {{EAGAIN, true, 0}};
    EXPECT_NE(run(mover, Policy::kOffloadOnly).error->message.find("nothing was copied"),
              std::string::npos);
}

TEST(Copier, NoOffloadNeverAsks) {
    FakeMover mover;
    const CopyReport report = run(mover, Policy::kNoOffload);
    EXPECT_TRUE(mover.steps.empty());
    EXPECT_EQ(mover.queued_asked, 0u);
    EXPECT_EQ(report.method(), "read-write");
    EXPECT_EQ(report.interface(), "");
    EXPECT_FALSE(report.fell_back);
}

TEST(Copier, ADeviceErrorIsNeverHiddenByReadingAndWriting) {
    for (const int error : {EIO, ENOSPC, EBUSY, EINVAL, EPERM}) {
        FakeMover mover;
        mover.script = {{error, true, kMiB}};
        const CopyReport report = run(mover);
        ASSERT_TRUE(report.error);
        EXPECT_EQ(report.error->code, ExitCode::kFailed);
        EXPECT_EQ(report.copied(), kMiB) << "the exact prefix";
        EXPECT_FALSE(mover.read_write_from);
        EXPECT_NE(report.error->message.find("first 1048576 of 16777216 bytes"), std::string::npos);
    }
}

TEST(Copier, GoesOnFromThePrefixWhenOffloadEndsInTheMiddle) {
    FakeMover mover;
    mover.script = {{EOPNOTSUPP, true, 3 * kMiB}, {EOPNOTSUPP, true, 0}};
    const CopyReport report = run(mover);
    EXPECT_EQ(mover.read_write_from, 3 * kMiB);
    EXPECT_EQ(report.offloaded, 3 * kMiB);
    EXPECT_EQ(report.read_written, 13 * kMiB);
    EXPECT_EQ(report.method(), "mixed");
    EXPECT_FALSE(report.error);
}

TEST(Copier, GoesOnAfterASignalThatWasNotForUs) {
    FakeMover mover;
    mover.script = {{EINTR, true, kMiB}, {EINTR, true, 0}};
    const CopyReport report = run(mover);
    EXPECT_EQ(report.offloaded, 16 * kMiB);
    ASSERT_EQ(mover.steps.size(), 3u);
    EXPECT_EQ(mover.steps[1].destination_offset, kMiB);
}

TEST(Copier, StopsBetweenStepsAndAfterAnInterruptedOne) {
    FakeMover mover;
    mover.script = {{EINTR, true, kMiB}};
    const CopyReport report = run_copy(plan_of(16 * kMiB), Policy::kAuto, mover, {},
                                       [&] { return !mover.steps.empty(); });
    EXPECT_TRUE(report.interrupted);
    EXPECT_EQ(report.copied(), kMiB);
    EXPECT_FALSE(report.error || mover.read_write_from);
    EXPECT_EQ(mover.flushes, 1u) << "what is reported should survive";
}

TEST(Copier, DoesNotBelieveMoreThanWasAsked) {
    FakeMover mover;
    mover.script = {{0, true, 17 * kMiB}};
    const CopyReport report = run(mover);
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.copied(), 0u);
}

TEST(Copier, ReportsReadAndWriteErrorsWithTheSum) {
    FakeMover mover;
    mover.script = {{EOPNOTSUPP, true, kMiB}, {EOPNOTSUPP, true, 0}};
    mover.read_write_all = false;
    mover.read_write_result = {2 * kMiB, IoFailure{true, 3 * kMiB, EIO}, false};
    const CopyReport report = run(mover);
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.copied(), 3 * kMiB);
    EXPECT_NE(report.error->message.find("writing the destination at offset 3145728"),
              std::string::npos);
}

TEST(Copier, AFailedFlushIsAnError) {
    FakeMover mover;
    mover.flush_error = EIO;
    const CopyReport report = run(mover);
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.error->code, ExitCode::kFailed);
}

} // namespace
} // namespace blkcopy
