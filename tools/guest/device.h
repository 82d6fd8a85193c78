// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// A block device as a guest test sees it: filled and read past the page cache.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/fd.h"

namespace guest {

using common::Fd;

// Throws: a test that cannot prepare its data has failed, whatever the reason.
class Device {
public:
    explicit Device(std::string path)
        : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC)) {
        check(static_cast<bool>(fd_), "open");
        check(::ioctl(fd_.get(), BLKGETSIZE64, &size_) == 0, "BLKGETSIZE64");
        check(::ioctl(fd_.get(), BLKSSZGET, &block_) == 0, "BLKSSZGET");
    }

    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] uint64_t size() const { return size_; }
    [[nodiscard]] uint64_t block() const { return static_cast<uint64_t>(block_); }
    [[nodiscard]] int fd() const { return fd_.get(); }

    [[nodiscard]] std::vector<std::byte> read(uint64_t offset, uint64_t length) const {
        std::vector<std::byte> data(length);
        each_piece(length, [&](uint64_t at, uint64_t n, std::byte *buffer) {
            check(::pread(fd_.get(), buffer, n, static_cast<off_t>(offset + at)) ==
                      static_cast<ssize_t>(n),
                  "read");
            std::memcpy(data.data() + at, buffer, n);
        });
        return data;
    }

    void write(uint64_t offset, const std::vector<std::byte> &data) const {
        each_piece(data.size(), [&](uint64_t at, uint64_t n, std::byte *buffer) {
            std::memcpy(buffer, data.data() + at, n);
            check(::pwrite(fd_.get(), buffer, n, static_cast<off_t>(offset + at)) ==
                      static_cast<ssize_t>(n),
                  "write");
        });
    }

private:
    static constexpr size_t kPiece = 1 << 20;

    template <typename Function>
    static void each_piece(uint64_t length, Function function) {
        const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(4096, kPiece),
                                                                 &std::free);
        for (uint64_t at = 0; at < length; at += kPiece)
            function(at, std::min<uint64_t>(kPiece, length - at),
                     static_cast<std::byte *>(memory.get()));
    }

    void check(bool good, const char *what) const {
        if (!good)
            throw std::runtime_error(path_ + ": " + what + ": " + std::strerror(errno));
    }

    std::string path_;
    Fd fd_;
    uint64_t size_ = 0;
    int block_ = 0;
};

// Bytes that look random and say where they come from; equal seeds give equal bytes.
inline std::vector<std::byte> pattern(uint64_t length, uint64_t seed) {
    std::vector<std::byte> data(length);
    uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    for (uint64_t i = 0; i < length; i += sizeof(state)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        std::memcpy(data.data() + i, &state, std::min<uint64_t>(sizeof(state), length - i));
    }
    return data;
}

} // namespace guest
