// SPDX-License-Identifier: GPL-2.0-only
// A mover that is a device of device mapper's: it copies what is at one place of the drive to the
// place behind it.
#pragma once

#include "guest/pattern.h"
#include "mapped.h"
#include "mover.h"

namespace bench {

class MappedMover : public Mover {
public:
    // Fills the source, once for all moves.
    kit::Status start() { return pattern_.fill(kFrom, bytes_, salt_); }
    kit::Status verify() override;

protected:
    // What errors call the two places.
    struct Names {
        const char *source, *destination;
    };
    // `salt`: of the data. The drive has to outlive it.
    MappedMover(const OffloadSwitch &drive, uint64_t bytes, uint64_t salt, const Names &names);

    // Places on the drive, bytes.
    static constexpr uint64_t kFrom = 16 << 20;
    uint64_t to() const { return kFrom + bytes_; }
    uint64_t bytes() const { return bytes_; }

    Mapped &mapped() { return mapped_; }
    // Writes zeroes to the destination and to so many bytes behind it.
    kit::Status clear(uint64_t behind) const;

private:
    const OffloadSwitch &drive_;
    uint64_t bytes_, salt_;
    Names names_;
    Mapped mapped_;
    Pattern pattern_;
};

} // namespace bench
