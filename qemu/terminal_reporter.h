// SPDX-License-Identifier: GPL-2.0-only
// Tells a person.
#pragma once

#include "line_printer.h"
#include "report.h"

#include <map>
#include <string>

namespace kit {

class TerminalReporter : public Reporter {
public:
    // `last_times`: "MACHINE/PROGRAM" -> how long it took the last time.
    TerminalReporter(std::FILE *file, std::map<std::string, Milliseconds> last_times)
        : printer_(file), last_times_(std::move(last_times)) {}

    void run_begin(const RunResult &run) override;
    void machine_begin(const MachineResult &machine) override;
    void machine_ready(const MachineResult &machine) override;
    void program_begin(const std::string &machine, const std::string &program) override;
    void progress(const std::string &machine, const std::string &test, unsigned results) override;
    void program_end(const std::string &machine, const ProgramResult &program) override;
    void machine_end(const MachineResult &machine) override;
    void run_end(const RunResult &run) override;

private:
    void show_live();
    void show_failures(const std::vector<TestResult> &tests, const std::string &indent);
    void show_skips(const std::vector<TestResult> &tests);

    LinePrinter printer_;
    std::map<std::string, Milliseconds> last_times_;
    std::map<std::string, std::string> running_; // machine -> what it does
    size_t machines_ = 0;
    size_t finished_ = 0;
};

// "1.2 s", "2 min 03 s"
std::string format_duration(Milliseconds duration);

} // namespace kit
