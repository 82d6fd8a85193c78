// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// What the guest's tests of blkcopy are made of: runs of it, and prepared copies.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "guest/device.h"
#include "guest/program.h"
#include "guest/suite.h"

namespace blkcopy {

using namespace guest;

using Bytes = std::vector<std::byte>;

inline constexpr uint64_t kMiB = 1 << 20;
inline constexpr uint64_t kGuard = 64 << 10; // looked at before and behind a destination

// The device that a variable names; the test is skipped without it.
inline Device device(const char *variable) {
    const std::string path = environment(variable);
    if (path.empty())
        throw Skip{fmt::format("this machine has no {}", variable)};
    if (environment("COPY_MACHINE") == "zoned")
        throw Skip{"zones cannot be written at random"};
    return Device(path);
}

inline void need_offload() {
    if (environment("COPY_EXPECT") != "offered")
        throw Skip{"this machine's drive does not offer to copy"};
}

inline Run blkcopy(const std::vector<std::string> &arguments) {
    return Child(arguments).wait();
}

// A run that must end with this code; with --json the report must say the same.
inline Run blkcopy_expect(int code, const std::vector<std::string> &arguments) {
    Run run = blkcopy(arguments);
    expect(run.exit_code == code,
           fmt::format("\"blkcopy {}\" ends with {}, not with {}; it said: {}{}",
                       fmt::join(arguments, " "), code, run.exit_code, run.err, run.out));
    if (code != 0)
        expect(!run.err.empty(), "a failure is explained on standard error");
    return run;
}

// A prepared copy: a source with known bytes, and a destination with other ones and guards around
// it.
class Case {
public:
    Case(const Device &source, uint64_t from, const Device &destination, uint64_t to,
         uint64_t length)
        : source_(source), destination_(destination), from_(from), to_(to), length_(length),
          data_(pattern(length, from + 1)), before_(pattern(length + 2 * kGuard, to + 7)) {
        source_.write(from_, data_);
        destination_.write(to_ - kGuard, before_);
    }

    [[nodiscard]] std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
        more.insert(more.end(),
                    {"--json", "-o", std::to_string(from_), "-l", std::to_string(length_), "-d",
                     std::to_string(to_), source_.path(), destination_.path()});
        return more;
    }

    // The first `copied` bytes are the source's; guards, and unless `loose` also the rest, are what
    // they were.
    void expect_copied(uint64_t copied, bool loose = false) const {
        const Bytes now = destination_.read(to_ - kGuard, length_ + 2 * kGuard);
        Bytes want = before_;
        std::copy_n(data_.begin(), copied, want.begin() + kGuard);
        const auto equal = [&](uint64_t begin, uint64_t end, const char *what) {
            const auto b = static_cast<std::ptrdiff_t>(begin);
            const auto e = static_cast<std::ptrdiff_t>(end);
            const auto [at, unused] =
                std::mismatch(now.begin() + b, now.begin() + e, want.begin() + b);
            expect(at == now.begin() + e,
                   fmt::format("{} is right (byte {} is not)", what,
                               to_ - kGuard + static_cast<uint64_t>(at - now.begin())));
        };
        equal(0, kGuard, "what is before the destination");
        equal(kGuard, kGuard + copied, "the copy");
        if (!loose)
            equal(kGuard + copied, kGuard + length_, "the rest of the destination");
        equal(kGuard + length_, now.size(), "what is behind the destination");
        expect(source_.read(from_, length_) == data_, "the source is what it was");
    }

private:
    const Device &source_;
    const Device &destination_;
    uint64_t from_;
    uint64_t to_;
    uint64_t length_;
    Bytes data_;
    Bytes before_;
};

} // namespace blkcopy
