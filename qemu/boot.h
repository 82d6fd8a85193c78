// SPDX-License-Identifier: GPL-2.0-only
// Carries out one job: a boot, its programs, and the verdict.
#pragma once

#include "golden.h"
#include "job.h"
#include "report.h"
#include "setting.h"

#include <string>

namespace kit {

struct BootOptions {
    std::string kernel;  // bzImage; empty: that of the flavour
    std::string modules; // directory of its modules; empty: that of the flavour
    std::string flavour; // "plain" or "debug"
    std::string append;  // kernel command line
    std::string results; // directory for this job's files; empty: none
    uint64_t seed = 1;   // of the golden images
};

// One boot of one machine. Use once.
class Boot {
public:
    Boot(const Setting &setting, Host &host, const Suite &suite, const Job &job,
         const BootOptions &options, Reporter &reporter);

    MachineResult run();

private:
    Status prepare();
    void run_programs();
    void run_golden();
    void add_missing(const std::string &name, const std::string &why);
    bool run_program(const std::string &name, const std::vector<std::string> &argv,
                     const std::string &label);
    void finish_golden();
    void end_checks();
    void add_program(ProgramResult program);
    void decide();
    void write_ktap() const;

    const Setting &setting_;
    Host &host_;
    const Suite &suite_;
    const Job &job_;
    const BootOptions &options_;
    Reporter &reporter_;
    bool debug_;
    MachineResult result_;
    std::unique_ptr<Vm> vm_;
    std::string ktap_;
    std::vector<std::byte> golden_image_;
    std::vector<std::vector<GoldenCopy>> golden_copies_; // one list per interface
};

} // namespace kit
