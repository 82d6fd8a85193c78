// SPDX-License-Identifier: GPL-2.0-only
#include "copy_queue.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "common/fd.h"
#include "judge.h"

namespace blkcopy {
namespace {

using common::Fd;

// What any kernel says of files that have no such command, and what is to be made of it.
TEST(CopyQueue, AFileThatDoesNotCopySaysSo) {
    const std::unique_ptr<CopyQueue> queue = make_copy_queue(0, 1, 2);
    if (!queue)
        GTEST_SKIP() << "no io_uring here";
    const Fd file(::open(testing::TempDir().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    ASSERT_TRUE(file);
    const std::unique_ptr<CopyQueue> copies = make_copy_queue(file.get(), file.get(), 2);
    ASSERT_TRUE(copies);
    EXPECT_EQ(copies->slots(), 2u);
    copies->submit(1, Step{{{0, 4096}}, 8192, 4096});
    const IoDone done = copies->wait();
    EXPECT_EQ(done.slot, 1u);
    EXPECT_TRUE(done.result == -EOPNOTSUPP || done.result == -EINVAL) << done.result;
    EXPECT_EQ(judge_command(done.result, 4096), Judgement::kUnsupported);
}

TEST(CopyQueue, ABadDescriptorIsAnErrorOfItsOwn) {
    const std::unique_ptr<CopyQueue> copies = make_copy_queue(-1, -1, 1);
    if (!copies)
        GTEST_SKIP() << "no io_uring here";
    copies->submit(0, Step{{{0, 4096}}, 8192, 4096});
    EXPECT_EQ(copies->wait().result, -EBADF);
}

} // namespace
} // namespace blkcopy
