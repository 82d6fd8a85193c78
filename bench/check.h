// SPDX-License-Identifier: GPL-2.0-only
// What has to be true of every run, however fast it was; and what is to be reached.
#pragma once

#include "machine.h"
#include "results.h"

#include <optional>
#include <string>
#include <vector>

namespace bench {

// Sentences: data that nobody verified, commands beyond the bound, bytes that crossed the host's
// memory beside 32 per range. None if all is well.
std::vector<std::string> violations(const Results &results,
                                    const std::vector<kit::Machine> &machines);

// A figure that the series set out to reach.
struct Headline {
    std::string what;
    std::string measured; // "" if this run has no such measurement
    std::string wanted;   // "" if it is reported only
    std::optional<bool> reached;
};

std::vector<Headline> headlines(const Results &results, const std::vector<kit::Machine> &machines);

// Whether a method leaves the data in the drive.
bool is_offload(const std::string &method);

} // namespace bench
