// SPDX-License-Identifier: GPL-2.0-only
#include "pattern.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace bench {

// Cheap, for an emulated CPU makes tens of millions of them; no two words of a drive are alike.
static uint64_t word(uint64_t salt, uint64_t place) {
    return (place ^ salt) * 0xff51afd7ed558ccd;
}

kit::Status Pattern::fill(uint64_t from, uint64_t bytes, uint64_t salt) {
    auto *words = reinterpret_cast<uint64_t *>(chunk_.data());

    for (uint64_t at = from; at < from + bytes; at += chunk_.size()) {
        uint64_t length = std::min<uint64_t>(chunk_.size(), from + bytes - at);
        for (uint64_t i = 0; i < length / 8; i++)
            words[i] = word(salt, at + i * 8);
        if (::pwrite(fd_, words, length, static_cast<off_t>(at)) != static_cast<ssize_t>(length))
            return kit::errno_error("cannot write test data");
    }
    return {};
}

kit::Status Pattern::expect(uint64_t at, uint64_t bytes, uint64_t salt, uint64_t place,
                            const char *what) {
    const auto *words = reinterpret_cast<const uint64_t *>(chunk_.data());

    for (uint64_t done = 0; done < bytes; done += chunk_.size()) {
        uint64_t length = std::min<uint64_t>(chunk_.size(), bytes - done);
        if (::pread(fd_, chunk_.data(), length, static_cast<off_t>(at + done)) !=
            static_cast<ssize_t>(length))
            return kit::errno_error("cannot read back");
        for (uint64_t i = 0; i < length / 8; i++)
            if (words[i] != word(salt, place + done + i * 8))
                return kit::Error{
                    fmt::format("{} is wrong at byte {} of the device", what, at + done + i * 8)};
    }
    return {};
}

} // namespace bench
