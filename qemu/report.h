// SPDX-License-Identifier: GPL-2.0-only
// What a run found out, and who is told as it goes.
#pragma once

#include "ktap.h"
#include "outcome.h"
#include "subprocess.h"
#include "trace_counter.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace kit {

using Milliseconds = std::chrono::milliseconds;

// One test program in one machine.
struct ProgramResult {
    std::string name;
    TestStatus status = TestStatus::fail; // until proven otherwise
    std::string reason;                   // why it failed or was skipped, if a sentence can say it
    bool timed_out = false;
    Milliseconds duration{0};
    std::vector<TestResult> tests;
};

// One boot.
struct MachineResult {
    std::string name; // the machine's, or MACHINE/golden
    std::string description;
    Outcome outcome = Outcome::failed; // until proven otherwise
    std::string message = "it has not finished";
    std::vector<std::string> console; // lines that explain the outcome
    std::vector<std::string> notes;   // what a reader should know, whatever the outcome
    std::string kernel;               // release
    Milliseconds boot{0};
    Milliseconds duration{0};
    TraceCounts trace;
    std::vector<ProgramResult> programs;

    TestCounts counts() const;
};

struct RunResult {
    std::string qemu;        // version
    std::string accelerator; // name
    std::string accelerator_reason;
    std::string flavour;
    std::string kernel_file;
    Milliseconds duration{0};
    std::vector<MachineResult> machines;

    // That of the machine that says most; passed if any passed and none failed.
    Outcome outcome() const;
    TestCounts counts() const;
};

// Consumers of a run's events. They know nothing of QEMU. Calls come from
// several threads, one at a time.
class Reporter {
public:
    virtual ~Reporter() = default;

    // `run` has all machines, none of them finished.
    virtual void run_begin(const RunResult & /*run*/) {}
    virtual void machine_begin(const MachineResult & /*machine*/) {}
    virtual void machine_ready(const MachineResult & /*machine*/) {}
    virtual void program_begin(const std::string & /*machine*/, const std::string & /*program*/) {}
    // `test` was the last to report, as number `results` of the program.
    virtual void progress(const std::string & /*machine*/, const std::string & /*test*/,
                          unsigned /*results*/) {}
    virtual void program_end(const std::string & /*machine*/, const ProgramResult & /*program*/) {}
    virtual void machine_end(const MachineResult & /*machine*/) {}
    virtual void run_end(const RunResult & /*run*/) {}
};

// Passes each event on to several reporters, one thread at a time.
class ReporterGroup : public Reporter {
public:
    void add(std::unique_ptr<Reporter> reporter);

    void run_begin(const RunResult &run) override;
    void machine_begin(const MachineResult &machine) override;
    void machine_ready(const MachineResult &machine) override;
    void program_begin(const std::string &machine, const std::string &program) override;
    void progress(const std::string &machine, const std::string &test, unsigned results) override;
    void program_end(const std::string &machine, const ProgramResult &program) override;
    void machine_end(const MachineResult &machine) override;
    void run_end(const RunResult &run) override;

private:
    template <typename Call>
    void each(Call call) {
        std::lock_guard<std::mutex> lock(mutex_);
        for (const std::unique_ptr<Reporter> &reporter : reporters_)
            call(*reporter);
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<Reporter>> reporters_;
};

} // namespace kit
