// SPDX-License-Identifier: GPL-2.0-only
// What changed from one results file to another, and whether it means anything.
#pragma once

#include "results.h"

#include <string>
#include <vector>

namespace bench {

enum class Verdict { same, better, worse };

struct Change {
    std::string key;
    std::string unit; // "instructions", "ns"
    double before = 0;
    double after = 0;
    double p = 1; // that chance alone does this
    Verdict verdict = Verdict::same;

    double percent() const { return before > 0 ? (after / before - 1) * 100 : 0; }
};

struct Comparison {
    std::vector<Change> changes;     // one for each measurement of both, largest first
    std::vector<std::string> only_a; // keys
    std::vector<std::string> only_b;
};

// A change is significant when the two medians differ by more than 0.1 % (instructions) or 2 %
// (times), and chance would do that less than once in a thousand comparisons (rank test). Where
// there are too few samples for such a test, no sample of one may lie among those of the other.
// Measurements without samples are taken for exact.
Comparison compare(const Results &a, const Results &b);

// For people; `colour` adds colours only.
std::string comparison_text(const Comparison &comparison, bool colour);

} // namespace bench
