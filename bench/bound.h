// SPDX-License-Identifier: GPL-2.0-only
// The least that a drive's limits allow: worked out from the machine's row, not by asking anybody.
#pragma once

#include "machine.h"

#include <cstdint>
#include <optional>

namespace bench {

struct Limits {
    uint64_t range = 0;  // MSSRL, bytes
    uint64_t copy = 0;   // MCL, bytes
    uint64_t ranges = 0; // MSRC + 1
};

struct Bound {
    uint64_t commands = 0;
    uint64_t ranges = 0; // of all commands

    bool operator==(const Bound &) const = default;
};

// Of the machine's first NVMe namespace; nothing if its row doesn't say. QEMU's blocks of 512 bytes
// unless the row has logical_block_size.
std::optional<Limits> limits_of(const kit::Machine &machine);

// For a copy of `extents` extents of `each` bytes to one place. A command has as much as fits.
Bound bound_of(const Limits &limits, uint64_t extents, uint64_t each);

} // namespace bench
