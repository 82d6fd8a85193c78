// SPDX-License-Identifier: GPL-2.0-only
#include "wire.h"

#include "guest/pattern.h"
#include "guest/say.h"
#include "offload.h"
#include "range.h"
#include "scale.h"

#include <fstream>
#include <unistd.h>

extern "C" {
// Structures and functions of one name are usual in C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "target.h"
#pragma GCC diagnostic pop
}

namespace bench {

namespace {

constexpr uint64_t kFrom = 16 << 20;
constexpr uint64_t kSalt = 0x85ebca6bc2b2ae35;

class Target {
public:
    ~Target() { bc_target_remove(&target_); }

    kit::Status make(const std::string &path) {
        if (bc_target_make(&target_, "tcp", path.c_str(), 0) || bc_need_copy(&target_.dev))
            return kit::Error{std::string("no target to be connected with: ") + bc_reason()};
        return {};
    }
    int fd() const { return target_.dev.fd; }

private:
    bc_target target_ = {};
};

// What the loopback interface has carried so far.
kit::Result<uint64_t> wire_bytes() {
    std::ifstream file("/sys/class/net/lo/statistics/rx_bytes");
    uint64_t bytes = 0;
    if (!(file >> bytes))
        return kit::Error{"the loopback interface has no statistics"};
    return bytes;
}

kit::Status copy(int fd, uint64_t from, uint64_t to, uint64_t length) {
    blk_copy_extent extent = {};
    extent.offset = from;
    extent.length = length;
    bc_result result = bc_copy(BC_IOCTL, fd, to, fd, &extent, 1);
    if (result.err)
        return kit::errno_error("the target's namespace does not copy", result.err);
    if (result.copied != length)
        return kit::Error{"the target's namespace copied a part only"};
    return {};
}

kit::Status read_write(int fd, uint64_t from, uint64_t to, Buffer &buffer) {
    const auto length = static_cast<ssize_t>(buffer.size());
    if (::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(from)) != length ||
        ::pwrite(fd, buffer.data(), buffer.size(), static_cast<off_t>(to)) != length)
        return kit::errno_error("cannot read or write the target's namespace");
    return {};
}

kit::Status measure(uint64_t length, bool on, int fd, Pattern &pattern, Scale &scale,
                    const WirePlan &plan) {
    const uint64_t bytes = uint64_t{plan.mib} << 20, to = kFrom + bytes;
    std::vector<uint64_t> samples;
    Json seen = Json::object();
    Buffer buffer(length);
    kit::Status status = zero_range(fd, to, bytes);
    if (status)
        status = scale.mark();
    if (!status)
        return status;
    kit::Result<uint64_t> before = wire_bytes();
    for (uint64_t off = 0; status && off < bytes; off += length) {
        scale.begin();
        status = on ? copy(fd, kFrom + off, to + off, length)
                    : read_write(fd, kFrom + off, to + off, buffer);
        samples.push_back(scale.end());
    }
    kit::Result<uint64_t> after = wire_bytes();
    if (status)
        status = scale.count(seen);
    if (!before || !after)
        return (before ? after : before).error();
    if (status)
        status = pattern.expect(to, bytes, kSalt, kFrom, "what the target copied");
    if (!status)
        return status;
    say({{"bench", "wire"},
         {"method", on ? "copied" : "read+write"},
         {"offload", on},
         {"bytes", length},
         {"ops", samples.size()},
         {"instructions", scale.usual(samples)},
         {"samples", samples},
         {"wire_bytes", *after - *before},
         {"device", seen},
         {"verified", true}});
    return {};
}

} // namespace

kit::Status wire(const WirePlan &plan) {
    kit::Result<Scale> scale = Scale::make(true);
    if (!scale)
        return scale.error();
    Target target;
    kit::Status status = target.make(plan.path);
    if (!status)
        return status;
    Pattern pattern(target.fd());
    status = pattern.fill(kFrom, uint64_t{plan.mib} << 20, kSalt);
    for (unsigned kib : plan.lengths)
        for (bool on : {false, true})
            if (status)
                status = measure(uint64_t{kib} << 10, on, target.fd(), pattern, *scale, plan);
    return status;
}

} // namespace bench
