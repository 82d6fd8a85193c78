// SPDX-License-Identifier: GPL-2.0-only
// What `run` will boot: which programs on which machine.
#pragma once

#include "machine.h"
#include "result.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace kit {

// One boot.
struct Job {
    std::string name; // the machine's, or MACHINE/golden
    Machine machine;
    std::vector<std::string> programs; // names of selftests
    bool golden = false;
};

// The selftests: which programs run on which machine, and for how long.
struct Suite {
    std::string directory;                                    // of the built programs
    std::map<std::string, std::vector<std::string>> programs; // by machine
    std::chrono::seconds timeout{45};                         // per program; kselftest's default

    // `sources` has machines.json and settings, `built` the programs.
    static Result<Suite> load(const std::string &sources, const std::string &built);

    // Adds programs that are elsewhere: `sources` has another machines.json,
    // `built` the programs and the `helpers` that they expect beside them, and
    // files that go there as they are, if they exist: their programs skip
    // tests for want of what could not be built.
    Status add(const std::string &sources, const std::string &built,
               const std::vector<std::string> &helpers,
               const std::vector<std::string> &plain_files = {});

    // Why a program cannot be run, as a sentence; empty if it is there.
    std::string missing(const std::string &program) const;

    // The machines.json that names programs for a machine.
    std::string named_in(const std::string &machine) const;

    // Built files that a program needs in its directory, itself first.
    std::vector<std::string> files_of(const std::string &program) const;
    // The plain files among them, whether they exist or not.
    std::vector<std::string> plain_files_of(const std::string &program) const;

private:
    std::map<std::string, std::vector<std::string>> elsewhere_; // by program
    std::map<std::string, std::vector<std::string>> plain_;     // by program
    std::map<std::string, std::string> named_in_;               // by machine
};

// "timeout=N" of a kselftest settings file; 0 means none.
Result<std::chrono::seconds> parse_timeout(const std::string &settings);

// All boots whose "MACHINE/PROGRAM" names match a filter. A filter with *, ?
// or [ is a glob for the whole name, any other a part of it. No filter: all.
// A suite that names a machine that is not there is an error.
Result<std::vector<Job>> plan_jobs(const std::vector<Machine> &machines, const Suite &suite,
                                   const std::vector<std::string> &filters);

// The machines that have nothing to run, of those whose name a filter has.
std::vector<Machine> without_tests(const std::vector<Machine> &machines, const Suite &suite,
                                   const std::vector<std::string> &filters);

bool filter_matches(const std::vector<std::string> &filters, const std::string &name);

} // namespace kit
