// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <algorithm>

namespace kit {

TestCounts MachineResult::counts() const {
    TestCounts counts;

    for (const ProgramResult &program : programs)
        counts += count_tests(program.tests);
    return counts;
}

TestCounts RunResult::counts() const {
    TestCounts counts;

    for (const MachineResult &machine : machines)
        counts += machine.counts();
    return counts;
}

Outcome RunResult::outcome() const {
    Outcome worst = Outcome::passed;
    bool passed = false;

    for (const MachineResult &machine : machines) {
        worst = std::max(worst, machine.outcome);
        passed = passed || machine.outcome == Outcome::passed;
    }
    if (machines.empty())
        return Outcome::failed;
    return worst == Outcome::skipped && passed ? Outcome::passed : worst;
}

void ReporterGroup::add(std::unique_ptr<Reporter> reporter) {
    reporters_.push_back(std::move(reporter));
}

void ReporterGroup::run_begin(const RunResult &run) {
    each([&](Reporter &r) { r.run_begin(run); });
}

void ReporterGroup::machine_begin(const MachineResult &machine) {
    each([&](Reporter &r) { r.machine_begin(machine); });
}

void ReporterGroup::machine_ready(const MachineResult &machine) {
    each([&](Reporter &r) { r.machine_ready(machine); });
}

void ReporterGroup::program_begin(const std::string &machine, const std::string &program) {
    each([&](Reporter &r) { r.program_begin(machine, program); });
}

void ReporterGroup::progress(const std::string &machine, const std::string &test,
                             unsigned results) {
    each([&](Reporter &r) { r.progress(machine, test, results); });
}

void ReporterGroup::program_end(const std::string &machine, const ProgramResult &program) {
    each([&](Reporter &r) { r.program_end(machine, program); });
}

void ReporterGroup::machine_end(const MachineResult &machine) {
    each([&](Reporter &r) { r.machine_end(machine); });
}

void ReporterGroup::run_end(const RunResult &run) {
    each([&](Reporter &r) { r.run_end(run); });
}

} // namespace kit
