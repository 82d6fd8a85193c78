// SPDX-License-Identifier: GPL-2.0-only
#include "compare.h"

#include "stats.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace bench {

static constexpr double kChance = 0.001;
static constexpr double kInstructions = 0.1; // percent
static constexpr double kTimes = 2;          // percent
// With fewer samples on each side no order of them is as rare as kChance.
static constexpr size_t kEnough = 7;

static std::optional<Change> change_of(const Row &a, const Row &b) {
    Change change;
    change.key = a.key();
    bool counted = a.instructions && b.instructions;
    if (counted) {
        change.unit = "instructions";
        change.before = *a.instructions;
        change.after = *b.instructions;
    } else if (a.p99_ns && b.p99_ns) {
        change.unit = "ns (p99 of reads)";
        change.before = *a.p99_ns;
        change.after = *b.p99_ns;
    } else if (a.wall_ns && b.wall_ns) {
        change.unit = "ns";
        change.before = *a.wall_ns;
        change.after = *b.wall_ns;
    } else {
        return std::nullopt;
    }
    const double least = counted ? kInstructions : kTimes;
    bool rare = counted;
    if (!a.samples.empty() && !b.samples.empty()) {
        change.p = rank_test(a.samples, b.samples);
        rare = std::min(a.samples.size(), b.samples.size()) < kEnough
                   ? disjoint(a.samples, b.samples)
                   : change.p < kChance;
    }
    if (rare && std::abs(change.percent()) > least)
        change.verdict = change.after < change.before ? Verdict::better : Verdict::worse;
    return change;
}

Comparison compare(const Results &a, const Results &b) {
    Comparison result;
    std::map<std::string, const Row *> before;

    for (const Row &row : a.rows)
        before.emplace(row.key(), &row);
    for (const Row &row : b.rows) {
        auto at = before.find(row.key());
        if (at == before.end()) {
            result.only_b.push_back(row.key());
            continue;
        }
        if (std::optional<Change> change = change_of(*at->second, row))
            result.changes.push_back(*change);
        before.erase(at);
    }
    for (const auto &[key, row] : before)
        result.only_a.push_back(key);
    std::stable_sort(result.changes.begin(), result.changes.end(),
                     [](const Change &x, const Change &y) {
                         return std::abs(x.percent()) > std::abs(y.percent());
                     });
    return result;
}

std::string comparison_text(const Comparison &comparison, bool colour) {
    std::string text;
    size_t counts[3] = {};
    auto paint = [&](const char *code, const std::string &s) {
        return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, s) : s;
    };

    for (const Change &change : comparison.changes)
        counts[static_cast<int>(change.verdict)]++;
    for (Verdict verdict : {Verdict::worse, Verdict::better}) {
        if (!counts[static_cast<int>(verdict)])
            continue;
        bool worse = verdict == Verdict::worse;
        text += paint(worse ? "31" : "32", worse ? "Worse" : "Better") + "\n";
        for (const Change &change : comparison.changes)
            if (change.verdict == verdict)
                text +=
                    fmt::format("  {:+8.1f} %  {:>12.0f} -> {:>12.0f} {}  {}\n", change.percent(),
                                change.before, change.after, change.unit, change.key);
        text += "\n";
    }
    for (const auto &[keys, name] :
         {std::pair(&comparison.only_a, "A"), std::pair(&comparison.only_b, "B")})
        if (!keys->empty())
            text += fmt::format("{} measurements are in {} only, such as {}\n", keys->size(), name,
                                keys->front());
    return text + fmt::format("{} worse, {} better, {} without a significant change\n", counts[2],
                              counts[1], counts[0]);
}

} // namespace bench
