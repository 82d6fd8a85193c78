// SPDX-License-Identifier: GPL-2.0-only
#include "mapped_mover.h"

#include <fmt/format.h>

namespace bench {

namespace {

constexpr uint64_t kSalt = 0x9e3779b97f4a7c15;
constexpr unsigned kRegion = 1024; // sectors; half a MiB, as LVM is told by pvmove's bench

class Mirror : public MappedMover {
public:
    Mirror(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap)
        : MappedMover(drive, bytes, kSalt, {"its first leg", "the mirror's second leg"}),
          nap_(nap) {}

    kit::Status prepare() override { return clear(0); }

    kit::Status run() override {
        kit::Status status =
            mapped().add(fmt::format("0 {} mirror core 1 {} 2 %a {} %a {}\n", bytes() / 512,
                                     kRegion, kFrom / 512, to() / 512));
        return status ? mapped().await_all(0, 0, nap_) : status;
    }

private:
    std::chrono::microseconds nap_;
};

} // namespace

MoverResult make_mirror(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap) {
    return make_started<Mirror>(drive, bytes, nap);
}

} // namespace bench
