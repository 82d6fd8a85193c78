// SPDX-License-Identifier: GPL-2.0-only
// What users of copies inside the kernel cost, as tables: dm-kcopyd's, and an NVMe target.
#pragma once

#include "table.h"

#include <string>
#include <vector>

namespace bench {

// Mirrors, clones, pvmove: a table for each machine.
std::vector<Table> mapper_tables(const Results &results, const std::vector<kit::Machine> &machines);
// First writes to chunks of an origin with a snapshot: a table for each machine.
std::vector<Table> snapshot_tables(const Results &results,
                                   const std::vector<kit::Machine> &machines);
// Bytes between a target and its host.
std::vector<Table> wire_tables(const Results &results, const std::vector<kit::Machine> &machines);

// Whether one of these shows the rows of `bench`.
bool is_moved(const std::string &bench);

} // namespace bench
