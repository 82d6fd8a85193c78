// SPDX-License-Identifier: GPL-2.0-only
#include "terminal_reporter.h"

#include <fmt/format.h>

namespace kit {

static constexpr size_t kMaxDiagnostics = 25;

std::string format_duration(Milliseconds duration) {
    long long ms = duration.count();

    if (ms < 100000)
        return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
    return fmt::format("{} min {:02} s", ms / 60000, ms / 1000 % 60);
}

static Colour colour_of(TestStatus status) {
    switch (status) {
    case TestStatus::pass:
        return Colour::green;
    case TestStatus::fail:
        return Colour::red;
    default:
        return Colour::yellow;
    }
}

static const char *word_of(TestStatus status) {
    switch (status) {
    case TestStatus::pass:
        return "PASS";
    case TestStatus::fail:
        return "FAIL";
    case TestStatus::skip:
        return "SKIP";
    case TestStatus::xfail:
        return "XFAIL";
    }
    return "FAIL";
}

static std::string describe(const TestCounts &c) {
    std::string s = c.fail ? fmt::format("{} of {} tests failed", c.fail, c.total())
                           : fmt::format("{} test{}", c.total(), c.total() == 1 ? "" : "s");

    if (c.skip)
        s += fmt::format(", {} skipped", c.skip);
    if (c.xfail)
        s += fmt::format(", {} failed as expected", c.xfail);
    return s;
}

void TerminalReporter::run_begin(const RunResult &run) {
    machines_ = run.machines.size();
    printer_.line(
        fmt::format("QEMU {}, {}: {}", run.qemu, run.accelerator, run.accelerator_reason));
    printer_.line(fmt::format("{} kernel {}, {} boot{}", run.flavour, run.kernel_file, machines_,
                              machines_ == 1 ? "" : "s"));
}

void TerminalReporter::show_live() {
    std::string text = fmt::format("[{}/{}]", finished_, machines_);

    for (const auto &[machine, what] : running_)
        text += fmt::format("  {}: {}", machine, what);
    if (running_.empty())
        printer_.clear_live();
    else
        printer_.live(text);
}

void TerminalReporter::machine_begin(const MachineResult &machine) {
    running_[machine.name] = "boots";
    show_live();
}

void TerminalReporter::machine_ready(const MachineResult &machine) {
    running_[machine.name] = "is up";
    printer_.line(printer_.paint(Colour::dim,
                                 fmt::format("{:<16} up in {}: {}", machine.name,
                                             format_duration(machine.boot), machine.description)));
    show_live();
}

void TerminalReporter::program_begin(const std::string &machine, const std::string &program) {
    running_[machine] = program;
    show_live();
}

void TerminalReporter::progress(const std::string &machine, const std::string &test,
                                unsigned results) {
    running_[machine] = fmt::format("{} {}", results, test);
    show_live();
}

void TerminalReporter::show_failures(const std::vector<TestResult> &tests,
                                     const std::string &indent) {
    for (const TestResult &test : tests) {
        if (test.status != TestStatus::fail)
            continue;
        printer_.line(fmt::format("{}{} {}{}", indent, printer_.paint(Colour::red, "not ok"),
                                  test.name, test.reason.empty() ? "" : ": " + test.reason));
        // The last lines before the verdict say most.
        size_t skip = test.diagnostics.size() > kMaxDiagnostics
                          ? test.diagnostics.size() - kMaxDiagnostics
                          : 0;
        for (size_t i = skip; i < test.diagnostics.size(); i++)
            printer_.line(fmt::format("{}  | {}", indent, test.diagnostics[i]));
        show_failures(test.subtests, indent + "  ");
    }
}

void TerminalReporter::show_skips(const std::vector<TestResult> &tests) {
    for (const TestResult &test : tests) {
        if (test.status == TestStatus::skip && test.subtests.empty())
            printer_.line(fmt::format("    {} {}: {}", printer_.paint(Colour::yellow, "skip"),
                                      test.name,
                                      test.reason.empty() ? "without a reason" : test.reason));
        show_skips(test.subtests);
    }
}

void TerminalReporter::program_end(const std::string &machine, const ProgramResult &program) {
    auto last = last_times_.find(machine + "/" + program.name);
    std::string took = format_duration(program.duration);

    if (last != last_times_.end())
        took += fmt::format(" (last {})", format_duration(last->second));
    std::string verdict =
        printer_.paint(colour_of(program.status), fmt::format("{:<5}", word_of(program.status)));
    printer_.line(fmt::format("{:<16} {} {:<16} {}, {}", machine, verdict, program.name,
                              describe(count_tests(program.tests)), took));
    if (!program.reason.empty() && program.status != TestStatus::pass)
        printer_.line("    " + program.reason);
    show_failures(program.tests, "    ");
    show_skips(program.tests);
    running_[machine] = "between programs";
    show_live();
}

void TerminalReporter::machine_end(const MachineResult &machine) {
    running_.erase(machine.name);
    finished_++;
    if (machine.outcome != Outcome::passed) {
        Colour colour = machine.outcome == Outcome::skipped ? Colour::yellow : Colour::red;
        printer_.line(fmt::format("{:<16} {}: {}", machine.name,
                                  printer_.paint(colour, outcome_name(machine.outcome)),
                                  machine.message));
        for (const std::string &line : machine.console)
            printer_.line("    | " + line);
    }
    for (const std::string &note : machine.notes)
        printer_.line(fmt::format("{:<16} {}", machine.name, note));
    show_live();
}

void TerminalReporter::run_end(const RunResult &run) {
    running_.clear();
    printer_.clear_live();
    printer_.line("");
    for (const MachineResult &machine : run.machines) {
        Colour colour = machine.outcome == Outcome::passed    ? Colour::green
                        : machine.outcome == Outcome::skipped ? Colour::yellow
                                                              : Colour::red;
        printer_.line(fmt::format(
            "{:<22} {} {:<34} {:>7} copies  {}", machine.name,
            printer_.paint(colour, fmt::format("{:<11}", outcome_name(machine.outcome))),
            describe(machine.counts()), machine.trace.copies, format_duration(machine.duration)));
    }
    TestCounts counts = run.counts();
    bool passed = run.outcome() == Outcome::passed;
    printer_.line(fmt::format(
        "{}: {}, {}",
        printer_.paint(passed ? Colour::green : Colour::red, outcome_name(run.outcome())),
        outcome_meaning(run.outcome()), format_duration(run.duration)));
    std::string totals =
        fmt::format("{} passed, {} failed", counts.pass + counts.xfail, counts.fail);
    if (counts.skip)
        totals += fmt::format(", {} skipped", counts.skip);
    printer_.line(totals);
}

} // namespace kit
