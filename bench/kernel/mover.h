// SPDX-License-Identifier: GPL-2.0-only
// Something that has dm-kcopyd copy many MiB from one place of a drive to another.
#pragma once

#include "result.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

class OffloadSwitch;

class Mover {
public:
    virtual ~Mover() = default;

    // Whatever has to be there before; what is at the destination then is not what will be.
    virtual kit::Status prepare() = 0;
    // What is measured. Returns when everything is where it belongs.
    virtual kit::Status run() = 0;
    // Compares the destination with what was written to the source long before, and cleans up.
    virtual kit::Status verify() = 0;
};

struct MoverKind {
    std::string name;
    // `bytes` of the drive, which is overwritten; how often a mover that waits shall look.
    std::function<kit::Result<std::unique_ptr<Mover>>(const OffloadSwitch &drive, uint64_t bytes,
                                                      std::chrono::microseconds nap)>
        make;
};

// In the order in which reports show them.
const std::vector<MoverKind> &mover_kinds();

using MoverResult = kit::Result<std::unique_ptr<Mover>>;

// A `Kind` made of the arguments, once its start() has succeeded.
template <typename Kind, typename... Arguments>
MoverResult make_started(Arguments &&...arguments) {
    auto mover = std::make_unique<Kind>(std::forward<Arguments>(arguments)...);
    kit::Status status = mover->start();
    if (!status)
        return status.error();
    return MoverResult(std::move(mover));
}

// A second leg of a dm-mirror is brought up to date.
MoverResult make_mirror(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap);
// All of a dm-clone is hydrated.
MoverResult make_clone(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap);
// LVM's tool, with a volume of that size: there and, the next time, back again.
MoverResult make_pvmove(const OffloadSwitch &drive, uint64_t bytes, std::chrono::microseconds nap);

} // namespace bench
