// SPDX-License-Identifier: GPL-2.0-only
#include "mapped_mover.h"

#include "offload.h"
#include "range.h"

namespace bench {

MappedMover::MappedMover(const OffloadSwitch &drive, uint64_t bytes, uint64_t salt,
                         const Names &names)
    : drive_(drive), bytes_(bytes), salt_(salt), names_(names), mapped_(drive.drive()),
      pattern_(drive.fd()) {}

kit::Status MappedMover::clear(uint64_t behind) const {
    return zero_range(drive_.fd(), to(), bytes_ + behind);
}

kit::Status MappedMover::verify() {
    kit::Status status = mapped_.remove();
    if (status)
        status = pattern_.expect(to(), bytes_, salt_, kFrom, names_.destination);
    return status ? pattern_.expect(kFrom, bytes_, salt_, kFrom, names_.source) : status;
}

} // namespace bench
