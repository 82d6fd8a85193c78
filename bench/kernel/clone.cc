// SPDX-License-Identifier: GPL-2.0-only
#include "guest/pattern.h"
#include "mapped.h"
#include "mover.h"
#include "offload.h"
#include "range.h"

#include <fmt/format.h>

namespace bench {

namespace {

constexpr uint64_t kSalt = 0xc2b2ae3d27d4eb4f;
constexpr uint64_t kMetadata = 4 << 20;
constexpr unsigned kRegion = 128; // sectors
// What may be on its way: four batches of 1 MiB.
constexpr char kOptions[] = "1 no_hydration 4 hydration_threshold 64 hydration_batch_size 16";

class Clone : public Mover {
public:
    Clone(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap)
        : drive_(drive), bytes_(bytes), nap_(nap), mapped_(drive.drive()), pattern_(drive.fd()) {}

    kit::Status fill() { return pattern_.fill(kFrom, bytes_, kSalt); }

    kit::Status prepare() override {
        const uint64_t sectors = bytes_ / 512;
        kit::Status status = zero_range(drive_.fd(), to(), bytes_ + kMetadata);

        for (const std::string &table :
             {fmt::format("0 {} linear %a {}\n", sectors, kFrom / 512),
              fmt::format("0 {} linear %a {}\n", sectors, to() / 512),
              fmt::format("0 {} linear %a {}\n", kMetadata / 512, (to() + bytes_) / 512),
              fmt::format("0 {} clone %2 %1 %0 {} {}\n", sectors, kRegion, kOptions)})
            if (status)
                status = mapped_.add(table);
        return status;
    }

    kit::Status run() override {
        kit::Status status = mapped_.message(kClone, "enable_hydration");
        // The first of the status is metadata, the second regions.
        return status ? mapped_.await_all(kClone, 1, nap_) : status;
    }

    kit::Status verify() override {
        kit::Status status = mapped_.remove();
        if (status)
            status = pattern_.expect(to(), bytes_, kSalt, kFrom, "the clone's destination");
        return status ? pattern_.expect(kFrom, bytes_, kSalt, kFrom, "its source") : status;
    }

private:
    static constexpr uint64_t kFrom = 16 << 20;
    static constexpr unsigned kClone = 3; // number of the device
    uint64_t to() const { return kFrom + bytes_; }

    const OffloadSwitch &drive_;
    uint64_t bytes_;
    std::chrono::microseconds nap_;
    Mapped mapped_;
    Pattern pattern_;
};

} // namespace

MoverResult make_clone(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap) {
    auto clone = std::make_unique<Clone>(drive, bytes, nap);
    kit::Status status = clone->fill();
    if (!status)
        return status.error();
    return MoverResult(std::move(clone));
}

} // namespace bench
