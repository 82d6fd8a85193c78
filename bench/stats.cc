// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace bench {

double median(std::vector<double> values) {
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double rank_test(const std::vector<double> &a, const std::vector<double> &b) {
    std::vector<std::pair<double, bool>> all; // value, whether it is of `a`

    all.reserve(a.size() + b.size());
    for (double value : a)
        all.emplace_back(value, true);
    for (double value : b)
        all.emplace_back(value, false);
    std::sort(all.begin(), all.end());
    const double n = static_cast<double>(all.size());
    double ranks = 0, ties = 0;
    for (size_t i = 0; i < all.size();) {
        size_t end = i;
        while (end < all.size() && all[end].first == all[i].first)
            end++;
        const double equal = static_cast<double>(end - i);
        const double rank = (static_cast<double>(i + end) + 1) / 2;
        ties += equal * equal * equal - equal;
        for (; i < end; i++)
            ranks += all[i].second ? rank : 0;
    }
    const double na = static_cast<double>(a.size()), nb = static_cast<double>(b.size());
    if (a.empty() || b.empty())
        return 1;
    const double u = ranks - na * (na + 1) / 2;
    const double variance = na * nb / 12 * ((n + 1) - ties / (n * (n - 1)));
    if (variance <= 0)
        return 1;
    const double distance = std::max(0.0, std::abs(u - na * nb / 2) - 0.5);
    return std::erfc(distance / std::sqrt(2 * variance));
}

bool disjoint(const std::vector<double> &a, const std::vector<double> &b) {
    if (a.empty() || b.empty())
        return false;
    auto [a_least, a_most] = std::minmax_element(a.begin(), a.end());
    auto [b_least, b_most] = std::minmax_element(b.begin(), b.end());
    return *a_most < *b_least || *b_most < *a_least;
}

} // namespace bench
