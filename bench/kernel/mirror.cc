// SPDX-License-Identifier: GPL-2.0-only
#include "guest/pattern.h"
#include "mapped.h"
#include "mover.h"
#include "offload.h"
#include "range.h"

#include <fmt/format.h>

namespace bench {

namespace {

constexpr uint64_t kSalt = 0x9e3779b97f4a7c15;
constexpr unsigned kRegion = 1024; // sectors; half a MiB, as LVM is told by pvmove's bench

class Mirror : public Mover {
public:
    Mirror(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap)
        : drive_(drive), bytes_(bytes), nap_(nap), mapped_(drive.drive()), pattern_(drive.fd()) {}

    kit::Status fill() { return pattern_.fill(kFrom, bytes_, kSalt); }

    kit::Status prepare() override { return zero_range(drive_.fd(), to(), bytes_); }

    kit::Status run() override {
        kit::Status status =
            mapped_.add(fmt::format("0 {} mirror core 1 {} 2 %a {} %a {}\n", bytes_ / 512, kRegion,
                                    kFrom / 512, to() / 512));
        return status ? mapped_.await_all(0, 0, nap_) : status;
    }

    kit::Status verify() override {
        kit::Status status = mapped_.remove();
        if (status)
            status = pattern_.expect(to(), bytes_, kSalt, kFrom, "the mirror's second leg");
        return status ? pattern_.expect(kFrom, bytes_, kSalt, kFrom, "its first leg") : status;
    }

private:
    static constexpr uint64_t kFrom = 16 << 20;
    uint64_t to() const { return kFrom + bytes_; }

    const OffloadSwitch &drive_;
    uint64_t bytes_;
    std::chrono::microseconds nap_;
    Mapped mapped_;
    Pattern pattern_;
};

} // namespace

MoverResult make_mirror(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap) {
    auto mirror = std::make_unique<Mirror>(drive, bytes, nap);
    kit::Status status = mirror->fill();
    if (!status)
        return status.error();
    return MoverResult(std::move(mirror));
}

} // namespace bench
