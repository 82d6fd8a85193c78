// SPDX-License-Identifier: GPL-2.0-only
// The report: one HTML page that needs nothing else.
#pragma once

#include "check.h"
#include "results.h"
#include "table.h"

#include <string>
#include <vector>

namespace bench {

struct Picture {
    std::string title;
    std::string svg;
};

std::string page(const Results &results, const std::vector<Headline> &headlines,
                 const std::vector<std::string> &violations, const std::vector<Picture> &pictures,
                 const std::vector<Table> &tables);

} // namespace bench
