// SPDX-License-Identifier: GPL-2.0-only
// Reads test results in KTAP (Documentation/dev-tools/ktap.rst), TAP 13/14 and
// what kselftests make of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

enum class TestStatus {
    pass,
    fail,
    skip,
    xfail, // failed as expected: XFAIL or TODO
};

const char *status_name(TestStatus status);

struct TestResult {
    std::string name;
    TestStatus status = TestStatus::fail;
    std::string reason;                   // after SKIP, TODO, XFAIL; or what went wrong
    std::vector<std::string> diagnostics; // lines that came before the result
    std::vector<TestResult> subtests;
};

struct TestCounts {
    unsigned pass = 0;
    unsigned fail = 0;
    unsigned skip = 0;
    unsigned xfail = 0;

    unsigned total() const { return pass + fail + skip + xfail; }
    TestCounts &operator+=(const TestCounts &other);
};

// Counts tests that have no subtests.
TestCounts count_tests(const std::vector<TestResult> &tests);

// Takes output as it comes, a line or half a line at a time. Whatever is
// missing at the end - results that were planned, a parent's own result, any
// test at all - becomes a failed test that says so.
class KtapParser {
public:
    KtapParser();

    void feed(std::string_view bytes);

    // Ends the input. With `interrupted` (a sentence), a missing result is
    // blamed on that.
    std::vector<TestResult> finish(const std::string &interrupted = "");

    // The result that was read last, for progress displays.
    const std::string &last_name() const { return last_name_; }
    unsigned results() const { return results_; }

private:
    // Results that are indented alike.
    struct Level {
        size_t indent = 0;
        std::string name; // from "# Subtest:"
        std::optional<unsigned> planned;
        std::string skip_all; // reason of "1..0 # SKIP"
        unsigned next = 1;    // number of the next result
        std::vector<TestResult> tests;
        std::vector<std::string> diagnostics;
    };

    void line(std::string text);
    void enter(size_t indent);
    std::vector<TestResult> leave_to(size_t indent);
    std::vector<TestResult> close(Level level, const std::string &interrupted);
    bool plan(size_t indent, const std::string &text);
    bool result(size_t indent, const std::string &text);

    std::string partial_;
    std::vector<Level> levels_;
    size_t prefixed_ = 0; // how many "# " stand for indentation here
    std::string last_name_;
    unsigned results_ = 0;
    bool bailed_out_ = false;
};

} // namespace kit
