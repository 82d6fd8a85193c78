// SPDX-License-Identifier: GPL-2.0-only
#include "judge.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace blkcopy {
namespace {

TEST(Judge, KnowsEveryAnswer) {
    EXPECT_EQ(judge({0, true, 4096}, 4096), Judgement::kDone);
    EXPECT_EQ(judge({ENOTTY, false, 0}, 4096), Judgement::kUnsupported);
    EXPECT_EQ(judge({EOPNOTSUPP, true, 0}, 4096), Judgement::kUnsupported);
    EXPECT_EQ(judge({EOPNOTSUPP, true, 512}, 4096), Judgement::kAgain)
        << "switched off in the middle";
    EXPECT_EQ(judge({EAGAIN, true, 0}, 4096), Judgement::kUnsupported) << "suspended";
    EXPECT_EQ(judge({EAGAIN, true, 512}, 4096), Judgement::kAgain) << "suspended in the middle";
    EXPECT_EQ(judge({EINTR, true, 512}, 4096), Judgement::kAgain);
    EXPECT_EQ(judge({EINVAL, false, 0}, 4096), Judgement::kUnsupported)
        << "a driver that does not know it";
    EXPECT_EQ(judge({EINVAL, true, 0}, 4096), Judgement::kFailed)
        << "a kernel that knows it and refuses";
    for (const int error :
         {EIO, ENOSPC, EBUSY, EPERM, EFAULT, ENOMEM, EBADF, EREMOTEIO, ENODATA, ETIMEDOUT})
        EXPECT_EQ(judge({error, true, 0}, 4096), Judgement::kFailed) << error;
}

TEST(Judge, DoesNotBelieveWrongCounts) {
    EXPECT_EQ(judge({0, true, 512}, 4096), Judgement::kFailed) << "success, but not all";
    EXPECT_EQ(judge({0, true, 0}, 4096), Judgement::kFailed);
    EXPECT_EQ(judge({0, true, 8192}, 4096), Judgement::kFailed) << "more than was asked";
    EXPECT_EQ(judge({EIO, true, 8192}, 4096), Judgement::kFailed);
    EXPECT_EQ(judge({EINTR, true, 8192}, 4096), Judgement::kFailed);
    EXPECT_EQ(judge({0, false, 0}, 4096), Judgement::kFailed) << "success that left no count";
}

TEST(JudgeCommand, KnowsEveryResult) {
    EXPECT_EQ(judge_command(4096, 4096), Judgement::kDone);
    EXPECT_EQ(judge_command(512, 4096), Judgement::kAgain) << "a part is no error";
    EXPECT_EQ(judge_command(-EINTR, 4096), Judgement::kAgain);
    for (const int error : {EOPNOTSUPP, EINVAL, ENOSYS, EAGAIN})
        EXPECT_EQ(judge_command(-error, 4096), Judgement::kUnsupported) << error;
    for (const int error :
         {EIO, ENOSPC, EBUSY, EPERM, EFAULT, ENOMEM, EBADF, EREMOTEIO, ENODATA, ETIMEDOUT})
        EXPECT_EQ(judge_command(-error, 4096), Judgement::kFailed) << error;
}

TEST(JudgeCommand, DoesNotBelieveWrongCounts) {
    EXPECT_EQ(judge_command(0, 4096), Judgement::kFailed) << "success, but nothing";
    EXPECT_EQ(judge_command(8192, 4096), Judgement::kFailed) << "more than was asked";
    EXPECT_EQ(judge_command(100, 4096), Judgement::kFailed) << "part of a sector";
}

} // namespace
} // namespace blkcopy
