// SPDX-License-Identifier: GPL-2.0-only
#include "boot.h"

#include "file_reporters.h"
#include "judge.h"
#include "line_printer.h"
#include "terminal_reporter.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kit {
namespace {

ProgramResult program(const char *name, const std::vector<TestStatus> &statuses, int code = 0) {
    ProgramResult p;
    ProgramEnd end;

    p.name = name;
    for (TestStatus s : statuses)
        p.tests.push_back({"t" + std::to_string(p.tests.size()),
                           s,
                           s == TestStatus::skip ? "no drive" : "",
                           {},
                           {}});
    end.status.code = code;
    judge_program(p, end);
    return p;
}

constexpr TestStatus P = TestStatus::pass, F = TestStatus::fail, S = TestStatus::skip;

TEST(Judge, Programs) {
    EXPECT_EQ(program("p", {P, P}).status, P);
    EXPECT_EQ(program("p", {P, S}).status, P);
    EXPECT_EQ(program("p", {P, F}, 1).status, F);
    EXPECT_EQ(program("p", {P, F}, 0).status, F);
    EXPECT_EQ(program("p", {S, S}, 4).status, S);
    EXPECT_EQ(program("p", {S, S}, 4).reason, "no drive");
}

TEST(Judge, AnExitCodeCannotBeTalkedAway) {
    ProgramResult p = program("p", {P}, 1);
    EXPECT_EQ(p.status, F);
    EXPECT_EQ(count_tests(p.tests).fail, 1U);
    EXPECT_EQ(p.reason, "no test failed, but it exited with code 1");

    ProgramEnd killed;
    killed.status.signal = 11;
    ProgramResult q;
    q.tests = {{"t", P, "", {}, {}}};
    judge_program(q, killed);
    EXPECT_EQ(q.status, F);
    EXPECT_NE(q.reason.find("signal 11"), std::string::npos);
}

TEST(Judge, TimeoutsAndHangs) {
    ProgramResult p;
    ProgramEnd end;
    p.tests = {{"t", P, "", {}, {}}};
    end.timed_out = true;
    judge_program(p, end);
    EXPECT_EQ(p.status, F);
    EXPECT_TRUE(p.timed_out);
    end.stuck = true;
    ProgramResult q;
    q.tests = {{"t", P, "", {}, {}}};
    judge_program(q, end);
    EXPECT_NE(q.reason.find("hangs in the kernel"), std::string::npos);
}

Outcome outcome_of(std::vector<ProgramResult> programs, const std::vector<Splat> &splats = {}) {
    MachineResult m;
    m.programs = std::move(programs);
    judge_machine(m, splats);
    return m.outcome;
}

TEST(Judge, Machines) {
    ProgramResult slow = program("slow", {F});
    slow.timed_out = true;
    EXPECT_EQ(outcome_of({program("a", {P})}), Outcome::passed);
    EXPECT_EQ(outcome_of({program("a", {P}), program("b", {F})}), Outcome::failed);
    EXPECT_EQ(outcome_of({program("a", {P}), slow}), Outcome::timeout);
    EXPECT_EQ(outcome_of({program("a", {S}, 4)}), Outcome::skipped);
    EXPECT_EQ(outcome_of({}), Outcome::failed);
    // The kernel's health alone is no test.
    EXPECT_EQ(outcome_of({program("boot-checks", {P})}), Outcome::failed);
    EXPECT_EQ(outcome_of({program("a", {S}, 4), program("boot-checks", {P})}), Outcome::skipped);
}

TEST(Judge, ASplatOutweighsPassedTests) {
    EXPECT_EQ(outcome_of({program("a", {P})}, {{Outcome::warning, "WARNING: x", {}}}),
              Outcome::warning);
    EXPECT_EQ(outcome_of({program("a", {P})},
                         {{Outcome::kasan, "BUG: KASAN", {}}, {Outcome::oops, "Oops", {}}}),
              Outcome::kasan);
}

TEST(Judge, ChecksOfTheKernelHaveTheirOwnOutcomes) {
    ProgramResult checks = program("boot-checks", {F});
    checks.tests[0].name = "kmemleak_finds_no_leak";
    EXPECT_EQ(outcome_of({program("a", {P}), checks}), Outcome::kmemleak);
    checks.tests[0].name = "lockdep_is_still_on";
    EXPECT_EQ(outcome_of({program("a", {P}), checks}), Outcome::lockdep);
}

RunResult run_of(const std::vector<Outcome> &outcomes) {
    RunResult run;
    for (Outcome o : outcomes) {
        MachineResult m;
        m.name = std::string("m") + std::to_string(run.machines.size());
        m.outcome = o;
        m.message = "why <&\" \x01";
        m.programs.push_back(program("prog", {P, F, S}));
        run.machines.push_back(m);
    }
    return run;
}

TEST(RunOutcome, TheWorstDecides) {
    EXPECT_EQ(run_of({Outcome::passed, Outcome::skipped}).outcome(), Outcome::passed);
    EXPECT_EQ(run_of({Outcome::skipped}).outcome(), Outcome::skipped);
    EXPECT_EQ(run_of({Outcome::panic, Outcome::failed}).outcome(), Outcome::panic);
    EXPECT_EQ(run_of({}).outcome(), Outcome::failed);
}

TEST(RunOutcome, ExitCodes) {
    EXPECT_EQ(outcome_exit_code(Outcome::passed), 0);
    EXPECT_EQ(outcome_exit_code(Outcome::failed), 1);
    EXPECT_EQ(outcome_exit_code(Outcome::vm_lost), 3);
    EXPECT_EQ(outcome_exit_code(Outcome::skipped), 4);
    // As documented: scripts rely on them.
    const std::pair<const char *, int> codes[] = {
        {"host-error", 3}, {"panic", 10},     {"oops", 11},    {"bug", 12},
        {"warning", 13},   {"lockdep", 14},   {"kasan", 15},   {"ubsan", 16},
        {"kmemleak", 17},  {"hung-task", 18}, {"timeout", 19}, {"interrupted", 130},
    };
    for (const auto &[name, code] : codes) {
        std::optional<Outcome> outcome = outcome_from_name(name);
        ASSERT_TRUE(outcome) << name;
        EXPECT_EQ(outcome_exit_code(*outcome), code) << name;
        EXPECT_STREQ(outcome_name(*outcome), name);
    }
    EXPECT_FALSE(outcome_from_name("panicked"));
    EXPECT_EQ(outcome_from_name("hung-task"), Outcome::hung_task);
    EXPECT_FALSE(outcome_from_name("nothing"));
    EXPECT_NE(exit_code_help().find("kasan"), std::string::npos);
}

TEST(Reports, JUnitCountsWhatItContains) {
    std::string xml = junit_xml(run_of({Outcome::passed, Outcome::kasan}));
    auto occurrences = [&](const std::string &what) {
        size_t n = 0;
        for (size_t at = xml.find(what); at != std::string::npos; at = xml.find(what, at + 1))
            n++;
        return n;
    };
    // Three tests and the machine itself, twice.
    EXPECT_NE(xml.find("<testsuites tests=\"8\" failures=\"3\" skipped=\"2\""), std::string::npos)
        << xml;
    EXPECT_EQ(occurrences("<testcase "), 8U);
    EXPECT_EQ(occurrences("<failure"), 3U);
    EXPECT_EQ(occurrences("<skipped"), 2U);
    EXPECT_NE(xml.find("type=\"kasan\" message=\"why &lt;&amp;&quot; ?\""), std::string::npos);
}

TEST(Reports, JsonHoldsEverything) {
    RunResult run = run_of({Outcome::hung_task});
    run.machines[0].programs[0].duration = Milliseconds(1234);
    run.machines[0].programs[0].tests[0].diagnostics = {"not \xff UTF-8"};
    std::string text = results_json(run);
    nlohmann::json j = nlohmann::json::parse(text);
    EXPECT_EQ(j["outcome"], "hung-task");
    EXPECT_EQ(j["exit_code"], 18);
    EXPECT_EQ(j["machines"][0]["programs"][0]["tests"][1]["status"], "fail");
    EXPECT_EQ(durations_from_json(text).at("m0/prog"), Milliseconds(1234));
    EXPECT_TRUE(durations_from_json("{}").empty());
    EXPECT_TRUE(durations_from_json("junk").empty());
}

TEST(Reports, FilesSayFailedUntilProvenPassed) {
    std::string directory = testing::TempDir() + "reports-" + std::to_string(getpid());
    {
        FileReporter reporter(directory);
        RunResult run;
        run.machines.resize(1);
        run.machines[0].name = "m0";
        reporter.run_begin(run);
        nlohmann::json j = nlohmann::json::parse(*read_file(directory + "/results.json"));
        EXPECT_EQ(j["outcome"], "failed");
        EXPECT_EQ(j["machines"][0]["message"], "it has not finished");
        run.machines[0].outcome = Outcome::passed;
        reporter.machine_end(run.machines[0]);
        j = nlohmann::json::parse(*read_file(directory + "/results.json"));
        EXPECT_EQ(j["outcome"], "passed");
        EXPECT_TRUE(static_cast<bool>(read_file(directory + "/m0/junit.xml")));
        EXPECT_TRUE(static_cast<bool>(reporter.status()));
    }
    std::filesystem::remove_all(directory);
}

TEST(Terminal, PlainLinesInAPipe) {
    std::FILE *file = std::tmpfile();
    {
        RunResult run = run_of({Outcome::panic});
        TerminalReporter reporter(file, {{"m0/prog", Milliseconds(2000)}});
        reporter.run_begin(run);
        reporter.machine_begin(run.machines[0]);
        reporter.program_begin("m0", "prog");
        reporter.progress("m0", "t0", 1);
        reporter.program_end("m0", run.machines[0].programs[0]);
        run.machines[0].notes = {"this host has no `lvm`"};
        reporter.machine_end(run.machines[0]);
        reporter.run_end(run);
    }
    std::string text(static_cast<size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    ASSERT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
    std::fclose(file);
    EXPECT_EQ(text.find('\033'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_NE(text.find("FAIL  prog"), std::string::npos) << text;
    EXPECT_NE(text.find("not ok t1"), std::string::npos);
    EXPECT_NE(text.find("skip t2: no drive"), std::string::npos);
    EXPECT_NE(text.find("(last 2.0 s)"), std::string::npos);
    EXPECT_NE(text.find("panic"), std::string::npos);
    EXPECT_NE(text.find("this host has no `lvm`"), std::string::npos);
    EXPECT_NE(text.find("\n1 passed, 1 failed, 1 skipped\n"), std::string::npos);
}

TEST(Terminal, ColoursAndLiveLine) {
    std::FILE *file = std::tmpfile();
    {
        LinePrinter printer(file, true, true);
        EXPECT_EQ(printer.paint(Colour::red, "x"), "\033[31mx\033[0m");
        printer.live("working");
        printer.line("done");
    }
    {
        LinePrinter printer(file, true, false);
        EXPECT_EQ(printer.paint(Colour::red, "x"), "x");
    }
    EXPECT_GT(std::ftell(file), 0);
    std::fclose(file);
    EXPECT_EQ(elide("abcdefghij", 8), "abcde...");
    EXPECT_EQ(elide("abc", 8), "abc");
    EXPECT_EQ(format_duration(Milliseconds(1234)), "1.2 s");
    EXPECT_EQ(format_duration(Milliseconds(123000)), "2 min 03 s");
}

} // namespace
} // namespace kit
