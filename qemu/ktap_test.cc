// SPDX-License-Identifier: GPL-2.0-only
#include "ktap.h"

#include "fd.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace kit {
namespace {

// "outer:fail(inner:pass other:skip[why])"
std::string render(const std::vector<TestResult> &tests) {
    std::string s;

    for (const TestResult &test : tests) {
        s += (s.empty() ? "" : " ") + test.name + ":" + status_name(test.status);
        if (!test.reason.empty())
            s += "[" + test.reason + "]";
        if (!test.subtests.empty())
            s += "(" + render(test.subtests) + ")";
    }
    return s;
}

std::vector<TestResult> parse_log(const std::string &name, const std::string &interrupted = "") {
    const char *directory = std::getenv("TESTDATA");
    Result<std::string> text =
        read_file(std::string(directory ? directory : "testdata") + "/" + name);
    EXPECT_TRUE(static_cast<bool>(text)) << (text ? "" : text.error().message);
    KtapParser parser;
    // Byte by byte: results may come in any pieces.
    for (char c : text ? *text : "")
        parser.feed(std::string_view(&c, 1));
    return parser.finish(interrupted);
}

TEST(Ktap, NestsByIndentation) {
    EXPECT_EQ(render(parse_log("ktap-nested.log")),
              "outer:fail(inner:fail(deepest:fail) other:skip[no hardware for it]) last:pass");
}

TEST(Ktap, KeepsDiagnosticsWithTheirTest) {
    std::vector<TestResult> tests = parse_log("ktap-nested.log");
    const TestResult &deepest = tests.at(0).subtests.at(0).subtests.at(0);
    EXPECT_EQ(deepest.diagnostics, std::vector<std::string>{"deep thoughts"});
}

TEST(Ktap, ReadsSubtestCommentsAndTodo) {
    EXPECT_EQ(render(parse_log("ktap-subtest-comment.log")),
              "suite:pass(one:pass two:pass[not written yet] three:xfail[not written yet])");
}

TEST(Ktap, ReadsTheKselftestHarness) {
    std::vector<TestResult> tests = parse_log("ktap-harness.log");
    EXPECT_EQ(render(tests), "limits.below:pass limits.at:fail "
                             "limits.above:skip[this drive has no such limit] "
                             "limits.odd:xfail[known to be odd]");
    TestCounts c = count_tests(tests);
    EXPECT_EQ(c.pass, 1U);
    EXPECT_EQ(c.fail, 1U);
    EXPECT_EQ(c.skip, 1U);
    EXPECT_EQ(c.xfail, 1U);
}

TEST(Ktap, LooksThroughPrintkNoise) {
    EXPECT_EQ(render(parse_log("ktap-printk.log")), "outer:pass(inner:pass) noisy:pass");
}

TEST(Ktap, ReadsTheKselftestRunner) {
    EXPECT_EQ(render(parse_log("ktap-kselftest-runner.log")),
              "selftests: block_copy: limits # exit=1:fail(first:pass second:fail) "
              "selftests: block_copy: empty:pass");
}

TEST(Ktap, BelievesNothingAfterBailOut) {
    EXPECT_EQ(render(parse_log("ktap-bail-out.log")),
              "first:pass bail out:fail[the device is gone] "
              "tests 2 to 3:fail[planned, but without a result: bailed out]");
}

TEST(Ktap, MissingResultsFail) {
    EXPECT_EQ(render(parse_log("ktap-interrupted.log")),
              "first:pass second:pass tests 3 to 5:fail[planned, but without a result]");
    EXPECT_EQ(render(parse_log("ktap-interrupted.log", "its time was over")),
              "first:pass second:pass "
              "tests 3 to 5:fail[planned, but without a result: its time was over]");
}

TEST(Ktap, AGroupWithoutItsOwnResultFails) {
    EXPECT_EQ(render(parse_log("ktap-interrupted-nested.log", "the machine went away")),
              "suite:fail[the machine went away](first:pass tests 2 to 3:fail[planned, but "
              "without a result: the machine went away]) "
              "test 2:fail[planned, but without a result: the machine went away]");
}

TEST(Ktap, NoTestIsAFailure) {
    EXPECT_EQ(render(parse_log("ktap-no-tests.log")),
              "no tests ran:fail[the program reported no test at all]");
    EXPECT_EQ(render(parse_log("ktap-silence.log")),
              "no tests ran:fail[the program reported no test at all]");
    EXPECT_EQ(parse_log("ktap-silence.log").at(0).diagnostics.at(0), "Segmentation fault");
}

TEST(Ktap, SkipOfEverythingKeepsItsReason) {
    EXPECT_EQ(render(parse_log("ktap-skip-all.log")), "all tests:skip[COPY_DEV is not set]");
}

TEST(Ktap, WrongNumbersAreMentioned) {
    std::vector<TestResult> tests = parse_log("ktap-wrong-numbers.log");
    ASSERT_EQ(tests.size(), 2U);
    EXPECT_EQ(tests[1].diagnostics.at(0), "result 3 came where 2 was expected");
}

TEST(Ktap, AParentCannotHideAFailure) {
    EXPECT_EQ(render(parse_log("ktap-lying-parent.log")),
              "parent:fail[it says ok, but a subtest failed](child:fail)");
}

TEST(Ktap, CountsInnermostTests) {
    TestCounts c = count_tests(parse_log("ktap-nested.log"));
    EXPECT_EQ(c.total(), 3U);
    EXPECT_EQ(c.fail, 1U);
    EXPECT_EQ(c.skip, 1U);
}

TEST(Ktap, ReportsProgress) {
    KtapParser parser;
    parser.feed("TAP version 13\n1..2\nok 1 first\nok 2 sec");
    EXPECT_EQ(parser.results(), 1U);
    EXPECT_EQ(parser.last_name(), "first");
    EXPECT_EQ(render(parser.finish()), "first:pass sec:pass");
}

} // namespace
} // namespace kit
