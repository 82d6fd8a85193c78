// SPDX-License-Identifier: GPL-2.0-only
// Pictures of results, drawn by gnuplot(1).
#pragma once

#include "machine.h"
#include "results.h"

#include <string>
#include <vector>

namespace bench {

struct Plot {
    std::string title;
    std::string script; // for gnuplot, with its data; writes SVG to standard output
};

// Those for which there are enough measurements.
std::vector<Plot> plots(const Results &results, const std::vector<kit::Machine> &machines);

// Has gnuplot draw. `directory` takes the script for as long as that lasts.
kit::Result<std::string> draw(const Plot &plot, const std::string &directory);

} // namespace bench
