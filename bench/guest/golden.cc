// SPDX-License-Identifier: GPL-2.0-only
#include "golden.h"

#include <fmt/format.h>
#include <numeric>

namespace bench {

static constexpr uint64_t kSourceSalt = 0x9e3779b97f4a7c15;

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

kit::Status Golden::fill_sources() {
    if (device_.bytes < kNeeded)
        return kit::Error{fmt::format("the drive is too small: {} MiB are needed", kNeeded >> 20)};
    return pattern_.fill(kSources, kSourcesBytes, kSourceSalt);
}

kit::Status Golden::verify(Method &method, const Copy &copy) {
    const uint64_t bytes = copy.bytes(), start = copy.to - kMargin;
    const uint64_t salt = ~kSourceSalt + ++clobbers_ * 0x1000000000000;

    kit::Status status = pattern_.fill(start, bytes + 2 * kMargin, salt);
    if (status)
        status = method.prepare(copy);
    if (status)
        status = method.run();
    if (status)
        status = pattern_.expect(start, kMargin, salt, start, "what is before the destination");
    uint64_t to = copy.to;
    for (const Extent &extent : copy.from) {
        if (!status)
            return status;
        status = pattern_.expect(to, extent.length, kSourceSalt, extent.offset, "the destination");
        if (status && extent.length <= pattern_.chunk())
            status = pattern_.expect(extent.offset, extent.length, kSourceSalt, extent.offset,
                                     "a source");
        to += extent.length;
    }
    if (status)
        status = pattern_.expect(to, kMargin, salt, to, "what is behind the destination");
    return status;
}

kit::Status Golden::check_sources() {
    return pattern_.expect(kSources, kSourcesBytes, kSourceSalt, kSources, "a source");
}

} // namespace bench
