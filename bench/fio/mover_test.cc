// SPDX-License-Identifier: GPL-2.0-only
// Movers on files, with io_uring and without.
#include "mover.h"

#include "runner.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr uint64_t kLength = 256 << 10;
constexpr uint64_t kBlock = 64 << 10;

struct MoverTest : testing::Test {
    std::string source = make("from"), destination = make("to");
    mover_job job{};
    std::array<char, 512> sentence{};

    MoverTest() {
        job.source = source.c_str();
        job.destination = destination.c_str();
        job.mode = MOVER_READWRITE;
        job.extents = 1;
        job.length = kLength;
        job.block = kBlock;
        job.depth = 4;
        job.writes = true;
    }
    ~MoverTest() override {
        ::unlink(source.c_str());
        ::unlink(destination.c_str());
    }

    static std::string make(const char *name) {
        std::string path = testing::TempDir() + "mover_" + name + std::to_string(::getpid());
        std::vector<unsigned char> bytes(kLength);
        unsigned state = static_cast<unsigned char>(name[0]);
        for (unsigned char &byte : bytes)
            byte = static_cast<unsigned char>((state = state * 1664525 + 1013904223) >> 24);
        int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        EXPECT_EQ(::write(fd, bytes.data(), kLength), static_cast<ssize_t>(kLength));
        ::close(fd);
        return path;
    }

    static std::vector<unsigned char> contents(const std::string &path) {
        std::vector<unsigned char> bytes(kLength);
        int fd = ::open(path.c_str(), O_RDONLY);
        EXPECT_EQ(::read(fd, bytes.data(), kLength), static_cast<ssize_t>(kLength));
        ::close(fd);
        return bytes;
    }

    mover *open() { return mover_open(&job, sentence.data(), sentence.size()); }

    // Copies, or reads, all blocks of the job into `buffer`.
    void move_all(mover *m, bool read, std::vector<unsigned char> &buffer) {
        unsigned started = 0;
        for (uint64_t at = 0; at < kLength; at += kBlock) {
            int error = -1;
            auto *move = read ? mover_read : mover_copy;
            int ended = move(m, buffer.data() + at, at, kBlock, buffer.data() + at, &error);
            if (ended) {
                ASSERT_EQ(error, 0);
            }
            started += !ended;
        }
        while (started) {
            int n = mover_wait(m, 1);
            ASSERT_GT(n, 0);
            for (int i = 0; i < n; i++) {
                int error = -1;
                ASSERT_NE(mover_ended(m, static_cast<unsigned>(i), &error), nullptr);
                EXPECT_EQ(error, 0);
            }
            started -= static_cast<unsigned>(n);
        }
    }
};

TEST_F(MoverTest, CopiesByEachModeThatFilesHave) {
    for (mover_mode mode : {MOVER_READWRITE, MOVER_COPY_FILE_RANGE}) {
        ASSERT_NE(contents(source), contents(make("to")));
        job.mode = mode;
        mover *m = open();
        ASSERT_NE(m, nullptr) << sentence.data();
        std::vector<unsigned char> buffer(kLength);
        move_all(m, false, buffer);
        mover_close(m);
        EXPECT_EQ(contents(source), contents(destination)) << mode;
    }
}

TEST_F(MoverTest, WhatIsFilledIsWhatIsReadOfACopyOfScatteredSources) {
    std::vector<unsigned char> wanted(kLength), got(kLength);
    for (size_t i = 0; i < wanted.size(); i++)
        wanted[i] = static_cast<unsigned char>(i * 7 / 1000 + i);
    job.extents = 16;
    job.mode = MOVER_FILL;
    mover *m = open();
    ASSERT_NE(m, nullptr) << sentence.data();
    std::vector<unsigned char> buffer = wanted;
    move_all(m, false, buffer);
    mover_close(m);
    EXPECT_EQ(contents(destination), std::vector<unsigned char>(kLength));
    EXPECT_NE(contents(source), wanted);

    job.mode = MOVER_READWRITE;
    m = open();
    ASSERT_NE(m, nullptr) << sentence.data();
    move_all(m, false, buffer);
    move_all(m, true, got);
    mover_close(m);
    EXPECT_EQ(got, wanted);
    EXPECT_EQ(contents(destination), wanted);
}

TEST_F(MoverTest, PreparesAndCopiesInOneGo) {
    std::vector<unsigned char> wanted(kLength, 0x5a), got(kLength);
    job.prepare = true;
    mover *m = open();
    ASSERT_NE(m, nullptr) << sentence.data();
    move_all(m, false, wanted);
    move_all(m, true, got);
    mover_close(m);
    EXPECT_EQ(got, std::vector<unsigned char>(kLength, 0x5a));
    EXPECT_EQ(contents(source), got);
}

TEST_F(MoverTest, BlocksThatAreNoneAreRefused) {
    mover *m = open();
    ASSERT_NE(m, nullptr) << sentence.data();
    int error = 0;
    EXPECT_EQ(mover_copy(m, this, kLength, kBlock, nullptr, &error), 1);
    EXPECT_EQ(error, EINVAL);
    EXPECT_EQ(mover_read(m, this, 0, 2 * kBlock, nullptr, &error), 1);
    EXPECT_EQ(error, EINVAL);
    mover_close(m);
}

TEST_F(MoverTest, SaysWhyItCannotBeOpened) {
    job.mode = MOVER_OFFLOAD;
    EXPECT_EQ(open(), nullptr);
    EXPECT_NE(std::string(sentence.data()).find("block devices"), std::string::npos);
    job.mode = MOVER_READWRITE;
    job.destination = "/nowhere/at/all";
    EXPECT_EQ(open(), nullptr);
    EXPECT_NE(std::string(sentence.data()).find("/nowhere/at/all"), std::string::npos);
    job.destination = nullptr;
    EXPECT_EQ(open(), nullptr);
    EXPECT_NE(std::string(sentence.data()).find("dest_offset"), std::string::npos);
}

} // namespace
