// SPDX-License-Identifier: GPL-2.0-only
// What programs read: JUnit for CI systems, JSON for everything else.
#pragma once

#include "report.h"
#include "result.h"

#include <map>
#include <string>

namespace kit {

// JUnit XML: one <testsuite> per machine, one <testcase> per innermost test,
// classname MACHINE.PROGRAM. How a machine ended is a test case of its own.
std::string junit_xml(const RunResult &run);

// All that is known, one object per run.
std::string results_json(const RunResult &run);

// "MACHINE/PROGRAM" -> duration, from a results.json of an earlier run; empty
// when there is none.
std::map<std::string, Milliseconds> durations_from_json(const std::string &text);

// Writes junit.xml and results.json to `directory`, and those of a single
// machine to `directory`/MACHINE. They are written before anything runs, with
// every machine failed, and again after each machine: whatever happens to
// this process, what is there never says more than was proven.
class FileReporter : public Reporter {
public:
    explicit FileReporter(std::string directory) : directory_(std::move(directory)) {}

    void run_begin(const RunResult &run) override;
    void machine_end(const MachineResult &machine) override;
    void run_end(const RunResult &run) override;

    // What could not be written, if anything.
    const Status &status() const { return status_; }

private:
    void write(const std::string &directory, const RunResult &run);

    std::string directory_;
    RunResult run_;
    Status status_;
};

} // namespace kit
