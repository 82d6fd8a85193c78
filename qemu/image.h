// SPDX-License-Identifier: GPL-2.0-only
// The drives' backing images: sparse, and without a name.
#pragma once

#include "fd.h"
#include "machine.h"
#include "result.h"

#include <string>

namespace kit {

// A sparse raw image of drive.bytes, with the row's partition table.
Result<Fd> make_image(const Drive &drive);

// One 512-byte master boot record. Starts and lengths are in 512-byte sectors
// and have to fit into 32 bits.
Result<std::string> make_partition_table(const std::vector<Partition> &partitions);

} // namespace kit
