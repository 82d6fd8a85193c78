// SPDX-License-Identifier: GPL-2.0-only
#include "compare.h"
#include "stats.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

using List = std::vector<double>;

TEST(Stats, Median) {
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({3}), 3);
    EXPECT_EQ(median({9, 1, 5}), 5);
    EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

// Worked out by hand: U of 0, 2.5 and 6, standard deviations of 4.787, 3.338 and 3.464.
TEST(Stats, RankTestByHand) {
    EXPECT_NEAR(rank_test({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}), 0.01219, 0.0001);
    EXPECT_NEAR(rank_test({1, 2, 2, 3}, {2, 3, 4, 4}), 0.1342, 0.0001);
    EXPECT_NEAR(rank_test({1, 3, 5, 7}, {2, 4, 6, 8}), 0.6650, 0.001);
}

TEST(Stats, RankTestSaysNothingOfNothing) {
    EXPECT_EQ(rank_test({}, {1}), 1);
    EXPECT_EQ(rank_test({2, 2, 2}, {2, 2}), 1);
    List a, b;
    for (int i = 0; i < 20; i++) {
        a.push_back(i);
        b.push_back(i + 100);
    }
    EXPECT_LT(rank_test(a, b), 1e-6);
    EXPECT_DOUBLE_EQ(rank_test(a, b), rank_test(b, a));
}

TEST(Stats, Disjoint) {
    EXPECT_TRUE(disjoint({1, 2}, {3}));
    EXPECT_TRUE(disjoint({5}, {3, 4}));
    EXPECT_FALSE(disjoint({1, 3}, {2}));
    EXPECT_FALSE(disjoint({}, {2}));
}

Row row(const char *method, double value, const List &samples, bool counted) {
    Row r;
    r.bench = "b";
    r.method = method;
    r.bytes = 4096;
    (counted ? r.instructions : r.wall_ns) = value;
    r.samples = samples;
    return r;
}

Verdict verdict(const Row &a, const Row &b) {
    Results before, after;
    before.rows = {a};
    after.rows = {b};
    Comparison comparison = compare(before, after);
    EXPECT_EQ(comparison.changes.size(), 1U);
    return comparison.changes.at(0).verdict;
}

TEST(Compare, InstructionsAreExact) {
    EXPECT_EQ(verdict(row("m", 10000, {}, true), row("m", 10009, {}, true)), Verdict::same);
    EXPECT_EQ(verdict(row("m", 10000, {}, true), row("m", 10011, {}, true)), Verdict::worse);
    EXPECT_EQ(verdict(row("m", 10000, {}, true), row("m", 9989, {}, true)), Verdict::better);
}

TEST(Compare, ButNotMoreThanTheirSamples) {
    List a, b, c;
    for (int i = 0; i < 12; i++) {
        a.push_back(10000 + i * 10);
        b.push_back(10003 + i * 10);
        c.push_back(10500 + i * 10);
    }
    EXPECT_EQ(verdict(row("m", 10000, a, true), row("m", 10030, b, true)), Verdict::same);
    EXPECT_EQ(verdict(row("m", 10000, a, true), row("m", 10500, c, true)), Verdict::worse);
    // Too few for a test: they must not overlap.
    EXPECT_EQ(verdict(row("m", 10, {10, 14}, true), row("m", 12, {12, 13}, true)), Verdict::same);
    EXPECT_EQ(verdict(row("m", 10, {10, 11}, true), row("m", 12, {12, 13}, true)), Verdict::worse);
}

TEST(Compare, TimesWithoutSamplesSayNothing) {
    EXPECT_EQ(verdict(row("m", 100, {}, false), row("m", 900, {}, false)), Verdict::same);
    List a(10, 100), b(10, 150);
    EXPECT_EQ(verdict(row("m", 100, a, false), row("m", 150, b, false)), Verdict::worse);
    EXPECT_EQ(verdict(row("m", 100, a, false), row("m", 101, List(10, 101), false)), Verdict::same);
}

TEST(Compare, WhatIsInOneOnlyIsTold) {
    Results a, b;
    a.rows = {row("x", 1, {}, true), row("y", 1, {}, true)};
    b.rows = {row("y", 2, {}, true), row("z", 1, {}, true)};
    Comparison comparison = compare(a, b);
    EXPECT_EQ(comparison.only_a.size(), 1U);
    EXPECT_EQ(comparison.only_b.size(), 1U);
    std::string text = comparison_text(comparison, false);
    EXPECT_NE(text.find("Worse\n    +100.0 %"), std::string::npos) << text;
    EXPECT_NE(text.find("1 worse, 0 better, 0 without"), std::string::npos) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(comparison_text(comparison, true).find('\x1b'), std::string::npos);
}

} // namespace
} // namespace bench
