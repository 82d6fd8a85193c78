// SPDX-License-Identifier: GPL-2.0-only
#include "judge.h"

#include <fmt/format.h>

namespace kit {

void judge_program(ProgramResult &program, const ProgramEnd &end) {
    TestCounts counts = count_tests(program.tests);

    program.timed_out = end.timed_out;
    if (end.stuck)
        program.reason = "it hangs in the kernel: SIGKILL did not end it";
    else if (end.timed_out)
        program.reason =
            fmt::format("it was still running after {} s", end.duration.count() / 1000);
    else if (end.status.signal)
        program.reason = "it " + end.status.describe();
    else if (counts.fail)
        program.reason = fmt::format("{} of {} tests failed", counts.fail, counts.total());
    else if (end.status.code != 0 && end.status.code != 4 &&
             (end.status.code != 2 || !counts.xfail))
        program.reason = "no test failed, but it " + end.status.describe();
    else if (counts.skip == counts.total())
        program.status = TestStatus::skip;
    else
        program.status = TestStatus::pass;

    if (program.status == TestStatus::skip && !program.tests.empty())
        program.reason = program.tests.front().reason;
    // A program that died after its last result has still failed.
    if (program.status == TestStatus::fail && !counts.fail)
        program.tests.push_back({"exit", TestStatus::fail, program.reason, {}, {}});
}

// The guest's own checks say what kind of trouble it is.
static Outcome outcome_of_check(const std::string &test) {
    if (test == "kmemleak_finds_no_leak")
        return Outcome::kmemleak;
    if (test == "lockdep_is_still_on")
        return Outcome::lockdep;
    return Outcome::failed;
}

void judge_machine(MachineResult &machine, const std::vector<Splat> &splats) {
    TestCounts counts = machine.counts();
    machine.message.clear();

    if (!splats.empty()) {
        machine.outcome = splats.front().outcome;
        machine.message = splats.front().message;
        machine.console = splats.front().lines;
        return;
    }
    machine.outcome = Outcome::passed;
    for (const ProgramResult &program : machine.programs) {
        if (program.status != TestStatus::fail)
            continue;
        Outcome outcome = program.timed_out ? Outcome::timeout : Outcome::failed;
        if (program.name == "boot-checks")
            for (const TestResult &test : program.tests)
                if (test.status == TestStatus::fail)
                    outcome = std::max(outcome, outcome_of_check(test.name));
        machine.outcome = std::max(machine.outcome, outcome);
    }
    if (machine.outcome != Outcome::passed) {
        machine.message = fmt::format("{} of {} tests failed", counts.fail, counts.total());
        return;
    }
    // The checks of the kernel's health alone are no test of anything.
    unsigned tests = 0, ran = 0;
    std::string reason;
    for (const ProgramResult &program : machine.programs) {
        if (program.name == "boot-checks")
            continue;
        TestCounts c = count_tests(program.tests);
        tests += c.total();
        ran += c.total() - c.skip;
        if (reason.empty())
            reason = program.reason;
    }
    if (!tests) {
        machine.outcome = Outcome::failed;
        machine.message = "no test ran";
    } else if (!ran) {
        machine.outcome = Outcome::skipped;
        machine.message = reason.empty() ? "every test was skipped" : reason;
    }
}

} // namespace kit
