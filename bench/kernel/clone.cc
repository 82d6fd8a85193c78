// SPDX-License-Identifier: GPL-2.0-only
#include "mapped_mover.h"

#include <fmt/format.h>

namespace bench {

namespace {

constexpr uint64_t kSalt = 0xc2b2ae3d27d4eb4f;
constexpr uint64_t kMetadata = 4 << 20;
constexpr unsigned kRegion = 128; // sectors
// What may be on its way: four batches of 1 MiB.
constexpr char kOptions[] = "1 no_hydration 4 hydration_threshold 64 hydration_batch_size 16";

class Clone : public MappedMover {
public:
    Clone(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap)
        : MappedMover(drive, bytes, kSalt, {"its source", "the clone's destination"}), nap_(nap) {}

    kit::Status prepare() override {
        const uint64_t sectors = bytes() / 512;
        kit::Status status = clear(kMetadata);

        for (const std::string &table :
             {fmt::format("0 {} linear %a {}\n", sectors, kFrom / 512),
              fmt::format("0 {} linear %a {}\n", sectors, to() / 512),
              fmt::format("0 {} linear %a {}\n", kMetadata / 512, (to() + bytes()) / 512),
              fmt::format("0 {} clone %2 %1 %0 {} {}\n", sectors, kRegion, kOptions)})
            if (status)
                status = mapped().add(table);
        return status;
    }

    kit::Status run() override {
        kit::Status status = mapped().message(kClone, "enable_hydration");
        // The first of the status is metadata, the second regions.
        return status ? mapped().await_all(kClone, 1, nap_) : status;
    }

private:
    static constexpr unsigned kClone = 3; // number of the device

    std::chrono::microseconds nap_;
};

} // namespace

MoverResult make_clone(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap) {
    return make_started<Clone>(drive, bytes, nap);
}

} // namespace bench
