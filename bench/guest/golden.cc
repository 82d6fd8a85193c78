// SPDX-License-Identifier: GPL-2.0-only
#include "golden.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <unistd.h>

namespace bench {

static constexpr uint64_t kSourceSalt = 0x9e3779b97f4a7c15;

// Cheap, for an emulated CPU makes tens of millions of them; no two words of a drive are alike.
static uint64_t word(uint64_t salt, uint64_t place) {
    return (place ^ salt) * 0xff51afd7ed558ccd;
}

Copy scattered(unsigned extents, uint64_t bytes) {
    Copy copy;
    copy.to = kDestination;
    // With a step that has no divisor in common with their number all of them are visited.
    unsigned step = extents / 2 + 1;
    while (std::gcd(step, extents) != 1)
        step++;
    for (unsigned i = 0; i < extents; i++) {
        uint64_t slot = uint64_t{i} * step % extents;
        copy.from.push_back({kSources + slot * (bytes + 4096), bytes});
    }
    return copy;
}

kit::Status Golden::fill(uint64_t from, uint64_t bytes, uint64_t salt) {
    auto *words = reinterpret_cast<uint64_t *>(chunk_.data());

    for (uint64_t at = from; at < from + bytes; at += chunk_.size()) {
        uint64_t length = std::min<uint64_t>(chunk_.size(), from + bytes - at);
        for (uint64_t i = 0; i < length / 8; i++)
            words[i] = word(salt, at + i * 8);
        if (::pwrite(device_.disk.get(), words, length, static_cast<off_t>(at)) !=
            static_cast<ssize_t>(length))
            return kit::errno_error("cannot write test data");
    }
    return {};
}

kit::Status Golden::fill_sources() {
    if (device_.bytes < kNeeded)
        return kit::Error{fmt::format("the drive is too small: {} MiB are needed", kNeeded >> 20)};
    return fill(kSources, kSourcesBytes, kSourceSalt);
}

// `place`: where the data at `at` come from.
kit::Status Golden::expect(uint64_t at, uint64_t bytes, uint64_t salt, uint64_t place,
                           const char *what) {
    const auto *words = reinterpret_cast<const uint64_t *>(chunk_.data());

    for (uint64_t done = 0; done < bytes; done += chunk_.size()) {
        uint64_t length = std::min<uint64_t>(chunk_.size(), bytes - done);
        if (::pread(device_.disk.get(), chunk_.data(), length, static_cast<off_t>(at + done)) !=
            static_cast<ssize_t>(length))
            return kit::errno_error("cannot read back");
        for (uint64_t i = 0; i < length / 8; i++)
            if (words[i] != word(salt, place + done + i * 8))
                return kit::Error{
                    fmt::format("{} is wrong at byte {} of the drive", what, at + done + i * 8)};
    }
    return {};
}

kit::Status Golden::verify(Method &method, const Copy &copy) {
    const uint64_t bytes = copy.bytes(), start = copy.to - kMargin;
    const uint64_t salt = ~kSourceSalt + ++clobbers_ * 0x1000000000000;

    kit::Status status = fill(start, bytes + 2 * kMargin, salt);
    if (status)
        status = method.prepare(copy);
    if (status)
        status = method.run();
    if (status)
        status = expect(start, kMargin, salt, start, "what is before the destination");
    uint64_t to = copy.to;
    for (const Extent &extent : copy.from) {
        if (!status)
            return status;
        status = expect(to, extent.length, kSourceSalt, extent.offset, "the destination");
        if (status && extent.length <= chunk_.size())
            status = expect(extent.offset, extent.length, kSourceSalt, extent.offset, "a source");
        to += extent.length;
    }
    if (status)
        status = expect(to, kMargin, salt, to, "what is behind the destination");
    return status;
}

kit::Status Golden::check_sources() {
    return expect(kSources, kSourcesBytes, kSourceSalt, kSources, "a source");
}

} // namespace bench
