// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <vector>

namespace bench {

// 0 for an empty list.
double median(std::vector<double> values);

// The probability that two lists differ as much as these do, or more, although they were drawn from
// the same distribution: two-sided rank sum test (Mann and Whitney), with the normal approximation
// corrected for ties. 1 where nothing can be said, as with an empty list.
double rank_test(const std::vector<double> &a, const std::vector<double> &b);

// Whether each value of one list is smaller than each of the other.
bool disjoint(const std::vector<double> &a, const std::vector<double> &b);

} // namespace bench
