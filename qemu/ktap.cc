// SPDX-License-Identifier: GPL-2.0-only
#include "ktap.h"

#include "splat.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>

namespace kit {

const char *status_name(TestStatus status) {
    switch (status) {
    case TestStatus::pass:
        return "pass";
    case TestStatus::fail:
        return "fail";
    case TestStatus::skip:
        return "skip";
    case TestStatus::xfail:
        return "xfail";
    }
    return "fail";
}

TestCounts &TestCounts::operator+=(const TestCounts &other) {
    pass += other.pass;
    fail += other.fail;
    skip += other.skip;
    xfail += other.xfail;
    return *this;
}

TestCounts count_tests(const std::vector<TestResult> &tests) {
    TestCounts counts;

    for (const TestResult &test : tests) {
        TestCounts below = count_tests(test.subtests);
        // A parent that failed though its subtests did not is one more.
        bool own_failure = test.status == TestStatus::fail && !below.fail;
        counts += below;
        if (!test.subtests.empty() && !own_failure)
            continue;
        counts.pass += test.status == TestStatus::pass;
        counts.fail += test.status == TestStatus::fail;
        counts.skip += test.status == TestStatus::skip;
        counts.xfail += test.status == TestStatus::xfail;
    }
    return counts;
}

static bool take(std::string_view &text, std::string_view prefix) {
    if (!text.starts_with(prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

static std::string_view trim(std::string_view s) {
    size_t begin = s.find_first_not_of(" \t");
    size_t end = s.find_last_not_of(" \t");

    return begin == std::string_view::npos ? "" : s.substr(begin, end - begin + 1);
}

static bool is_version(std::string_view text) {
    return text.starts_with("KTAP version ") || text.starts_with("TAP version ");
}

static bool is_result(std::string_view text) {
    return text == "ok" || text == "not ok" || text.starts_with("ok ") ||
           text.starts_with("not ok ");
}

static bool is_plan(std::string_view text) {
    return text.starts_with("1..") && text.size() > 3 && text[3] >= '0' && text[3] <= '9';
}

KtapParser::KtapParser() : levels_(1) {}

void KtapParser::feed(std::string_view bytes) {
    partial_ += bytes;
    size_t at = 0;
    for (size_t end; (end = partial_.find('\n', at)) != std::string::npos; at = end + 1)
        line(partial_.substr(at, end - at));
    partial_.erase(0, at);
}

// Output of the level that ended becomes one list of tests.
std::vector<TestResult> KtapParser::close(Level level, const std::string &interrupted) {
    std::string blame = interrupted.empty() ? "" : ": " + interrupted;

    if (level.planned && *level.planned >= level.next) {
        unsigned first = level.next, last = *level.planned;
        TestResult missing;
        missing.name = first == last ? fmt::format("test {}", first)
                                     : fmt::format("tests {} to {}", first, last);
        missing.reason = "planned, but without a result" + blame;
        missing.diagnostics = std::move(level.diagnostics);
        level.tests.push_back(std::move(missing));
    } else if (!level.planned && !level.tests.empty() && !interrupted.empty()) {
        level.tests.push_back({"the rest", TestStatus::fail, interrupted, level.diagnostics, {}});
    }
    return std::move(level.tests);
}

// Ends all levels that are indented more than `indent`; the innermost ones'
// results become subtests of a parent that never reported, the outermost's
// are returned.
std::vector<TestResult> KtapParser::leave_to(size_t indent) {
    std::vector<TestResult> tests;

    while (levels_.size() > 1 && levels_.back().indent > indent) {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        if (!tests.empty())
            level.tests.push_back({level.name.empty() ? "unnamed group" : level.name,
                                   TestStatus::fail,
                                   "its own result is missing",
                                   {},
                                   std::move(tests)});
        tests = close(std::move(level), "");
    }
    prefixed_ = std::min(prefixed_, indent / 2);
    return tests;
}

void KtapParser::enter(size_t indent) {
    if (indent > levels_.back().indent) {
        Level level;
        level.indent = indent;
        levels_.push_back(std::move(level));
    }
}

bool KtapParser::plan(size_t indent, const std::string &text) {
    if (!is_plan(text))
        return false;
    enter(indent);
    Level &level = levels_.back();
    level.planned = static_cast<unsigned>(std::strtoul(text.c_str() + 3, nullptr, 10));
    size_t skip = text.find("# SKIP");
    if (skip != std::string::npos) {
        std::string_view reason = trim(std::string_view(text).substr(skip + 6));
        level.skip_all = reason.empty() ? "without a reason" : reason;
    }
    return true;
}

bool KtapParser::result(size_t indent, const std::string &text) {
    if (!is_result(text))
        return false;

    std::string_view rest = text;
    bool ok = take(rest, "ok");
    if (!ok)
        take(rest, "not ok");
    rest = trim(rest);
    size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    std::optional<unsigned> number;
    if (digits && (digits == rest.size() || rest[digits] == ' ')) {
        number = static_cast<unsigned>(std::atoi(std::string(rest.substr(0, digits)).c_str()));
        rest = trim(rest.substr(digits));
    }
    if (!take(rest, "- ") && rest == "-")
        rest = "";

    TestResult test;
    test.status = ok ? TestStatus::pass : TestStatus::fail;
    size_t hash = rest.rfind("# ");
    std::string_view directive = hash == std::string_view::npos ? "" : rest.substr(hash + 2);
    bool known = false;
    if (take(directive, "SKIP")) {
        test.status = TestStatus::skip;
        known = true;
    } else if (take(directive, "TODO")) {
        test.status = ok ? TestStatus::pass : TestStatus::xfail;
        known = true;
    } else if (take(directive, "XFAIL")) {
        test.status = TestStatus::xfail;
        known = true;
    }
    if (known)
        test.reason = trim(directive);
    test.name = trim(known ? rest.substr(0, hash) : rest);

    // What is indented more and came before belongs to this result.
    test.subtests = leave_to(indent);
    if (levels_.back().indent > indent)
        levels_.back().indent = indent;
    enter(indent);
    Level &level = levels_.back();
    test.diagnostics = std::exchange(level.diagnostics, {});
    if (number && *number != level.next)
        test.diagnostics.push_back(
            fmt::format("result {} came where {} was expected", *number, level.next));
    level.next = number ? *number + 1 : level.next + 1;
    if (test.name.empty())
        test.name = fmt::format("test {}", level.next - 1);
    if (test.status == TestStatus::pass && count_tests(test.subtests).fail) {
        test.status = TestStatus::fail;
        test.reason = "it says ok, but a subtest failed";
    }
    last_name_ = test.name;
    results_++;
    level.tests.push_back(std::move(test));
    return true;
}

void KtapParser::line(std::string text) {
    if (!text.empty() && text.back() == '\r')
        text.pop_back();
    // A console log has the kernel's time stamps in front.
    std::string stripped = strip_printk_prefix(text);
    size_t indent = stripped.find_first_not_of(' ');
    if (indent == std::string::npos || bailed_out_)
        return;
    std::string body = stripped.substr(indent);

    // kselftest's runner nests by putting "# " in front of each line.
    size_t prefixes = 0;
    std::string_view inner = body;
    while (take(inner, "# "))
        prefixes++;
    if (prefixes && is_version(inner))
        prefixed_ = std::max(prefixed_, indent / 2 + prefixes);
    if (prefixes && indent / 2 + prefixes <= prefixed_ &&
        (is_version(inner) || is_result(inner) || is_plan(inner))) {
        indent += 2 * prefixes;
        body = inner;
    }

    if (is_version(body)) {
        enter(indent);
        return;
    }
    if (plan(indent, body) || result(indent, body))
        return;
    if (body.starts_with("Bail out!")) {
        bailed_out_ = true;
        TestResult bail;
        bail.name = "bail out";
        bail.reason = trim(std::string_view(body).substr(9));
        levels_.back().tests.push_back(std::move(bail));
        return;
    }
    if (body.starts_with("# Subtest: ")) {
        enter(indent);
        levels_.back().name = body.substr(11);
        return;
    }
    if (body[0] == '#') {
        body.erase(0, body.size() > 1 && body[1] == ' ' ? 2 : 1);
        if (body.starts_with("Totals:"))
            return;
    }
    levels_.back().diagnostics.push_back(body);
}

std::vector<TestResult> KtapParser::finish(const std::string &interrupted) {
    if (!partial_.empty())
        line(std::exchange(partial_, {}));

    // Innermost first: each unfinished group is a failed test of its parent.
    while (levels_.size() > 1) {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        TestResult group;
        group.name = level.name.empty() ? "unnamed group" : level.name;
        group.reason = interrupted.empty() ? "its own result is missing" : interrupted;
        group.subtests = close(std::move(level), interrupted);
        levels_.back().tests.push_back(std::move(group));
        levels_.back().next++;
    }
    Level top = std::move(levels_.back());
    levels_.assign(1, {});
    std::string skip_all = top.skip_all;
    bool planned_nothing = top.planned == 0U;
    std::vector<std::string> said = top.diagnostics;
    std::vector<TestResult> tests = close(std::move(top), bailed_out_ ? "bailed out" : interrupted);
    if (!tests.empty())
        return tests;

    TestResult none;
    if (planned_nothing && !skip_all.empty()) {
        none.name = "all tests";
        none.status = TestStatus::skip;
        none.reason = skip_all;
    } else {
        none.name = "no tests ran";
        none.reason = interrupted.empty() ? "the program reported no test at all" : interrupted;
        none.diagnostics = std::move(said);
    }
    tests.push_back(std::move(none));
    return tests;
}

} // namespace kit
