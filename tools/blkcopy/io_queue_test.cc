// SPDX-License-Identifier: GPL-2.0-only
#include "io_queue.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "common/fd.h"

namespace blkcopy {
namespace {

using common::Fd;

// Both queues must do the same; a file without a name stands for the device.
class Queues : public testing::TestWithParam<bool> {
protected:
    std::unique_ptr<IoQueue> make(unsigned slots, uint32_t bytes) {
        return GetParam() ? make_io_queue(slots, bytes) : make_synchronous_queue(slots, bytes);
    }
    Fd file_{::open(testing::TempDir().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
};

TEST_P(Queues, WriteThenReadBack) {
    ASSERT_TRUE(file_);
    const std::unique_ptr<IoQueue> queue = make(4, 8192);
    ASSERT_TRUE(queue);
    SCOPED_TRACE(queue->description());
    for (unsigned slot = 0; slot < 4; slot++) {
        std::memset(queue->buffer(slot), 'a' + static_cast<int>(slot), 8192);
        queue->submit({true, file_.get(), slot, 4096, slot * 4096u, 4096});
    }
    std::set<unsigned> seen;
    for (int i = 0; i < 4; i++) {
        const IoDone done = queue->wait();
        EXPECT_EQ(done.result, 4096);
        seen.insert(done.slot);
    }
    EXPECT_EQ(seen.size(), 4u);
    queue->submit({false, file_.get(), 0, 0, 4096, 8192});
    EXPECT_EQ(queue->wait().result, 8192);
    EXPECT_EQ(queue->buffer(0)[0], std::byte{'b'});
    EXPECT_EQ(queue->buffer(0)[8191], std::byte{'c'});
}

TEST_P(Queues, ErrorsAndEndsArePassedOn) {
    const std::unique_ptr<IoQueue> queue = make(2, 4096);
    ASSERT_TRUE(queue);
    queue->submit({false, -1, 1, 0, 0, 4096});
    const IoDone bad = queue->wait();
    EXPECT_EQ(bad.slot, 1u);
    EXPECT_EQ(bad.result, -EBADF);
    queue->submit({false, file_.get(), 0, 0, 1 << 20, 4096});
    EXPECT_EQ(queue->wait().result, 0) << "behind the end";
}

INSTANTIATE_TEST_SUITE_P(Kinds, Queues, testing::Bool());

} // namespace
} // namespace blkcopy
