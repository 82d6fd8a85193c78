// SPDX-License-Identifier: GPL-2.0-only
// A results file: what was measured, where.
#pragma once

#include "row.h"

#include <string>
#include <vector>

namespace bench {

struct Results {
    std::string created; // local time, as people read it
    std::string series;  // commit of the repository; may be empty
    std::string kernel;  // release
    std::string qemu;    // version
    std::string command; // that makes this file again
    bool smoke = false;
    std::vector<Row> rows;

    // The first that fits; nullptr if there is none. `extents` and `each` describe the copy.
    const Row *find(const std::string &bench, const std::string &machine, const std::string &method,
                    uint64_t extents, uint64_t each) const;
};

std::string results_text(const Results &results);
// `label` names the file in an error.
kit::Result<Results> parse_results(const std::string &text, const std::string &label);
kit::Result<Results> load_results(const std::string &path);

} // namespace bench
