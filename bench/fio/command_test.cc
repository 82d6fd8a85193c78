// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace blkcopy {
namespace {

struct CommandTest : testing::Test {
    Task task;
    std::vector<blk_copy_extent> sources{{0, 100}, {1000, 100}, {5000, 50}};

    Command copy() {
        Command c;
        c.kind = Command::Kind::copy;
        c.offset = 9000;
        c.left = 250;
        c.sources = sources;
        c.task = &task;
        return c;
    }
};

TEST_F(CommandTest, AShortCopyGoesOnWhereItEnded) {
    Command c = copy();
    ASSERT_TRUE(again(c, 130));
    EXPECT_EQ(c.offset, 9130U);
    EXPECT_EQ(c.left, 120U);
    ASSERT_EQ(c.sources.size(), 2U);
    EXPECT_EQ(c.sources[0].offset, 1030U);
    EXPECT_EQ(c.sources[0].length, 70U);
    ASSERT_TRUE(again(c, 70));
    ASSERT_EQ(c.sources.size(), 1U);
    EXPECT_EQ(c.sources[0].offset, 5000U);
    EXPECT_FALSE(again(c, 50));
    EXPECT_EQ(task.error, 0);
}

TEST_F(CommandTest, NothingIsNoSuccess) {
    Command c = copy();
    EXPECT_FALSE(again(c, 0));
    EXPECT_EQ(task.error, EIO);
}

TEST_F(CommandTest, TheFirstErrorCounts) {
    Command c = copy();
    EXPECT_FALSE(again(c, -ENOSPC));
    EXPECT_FALSE(again(c, -EIO));
    EXPECT_EQ(task.error, ENOSPC);
}

TEST_F(CommandTest, AnNvmeStatusIsAnError) {
    Command c;
    c.kind = Command::Kind::nvme_copy;
    c.task = &task;
    EXPECT_FALSE(again(c, 0));
    EXPECT_EQ(task.error, 0);
    EXPECT_FALSE(again(c, 0x183));
    EXPECT_EQ(task.error, EIO);
    EXPECT_EQ(task.nvme_status, 0x183U);
}

TEST_F(CommandTest, AShortWriteMovesItsBuffer) {
    std::byte buffer[10];
    Command c;
    c.kind = Command::Kind::write;
    c.buffer = buffer;
    c.left = 10;
    c.task = &task;
    ASSERT_TRUE(again(c, 4));
    EXPECT_EQ(c.buffer, buffer + 4);
    EXPECT_FALSE(again(c, 6));
}

} // namespace
} // namespace blkcopy
