// SPDX-License-Identifier: GPL-2.0-only
// How a machine's run can end. Each way has a name, an exit code and its own
// place in every report.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kit {

// In order of how much they say about the code under test: when several
// machines ended differently, the exit code is that of the highest.
enum class Outcome {
    passed,
    skipped, // everything was skipped
    failed,  // a test failed, or nothing ran
    kmemleak,
    ubsan,
    warning,
    lockdep,
    kasan,
    bug,
    hung_task,
    timeout, // a program or the boot took too long
    oops,
    panic,
    vm_lost,     // QEMU went away without a word
    host_error,  // the host could not do its part
    interrupted, // Ctrl-C or SIGTERM
};

const char *outcome_name(Outcome outcome);
std::optional<Outcome> outcome_from_name(std::string_view name);

// One sentence for people.
const char *outcome_meaning(Outcome outcome);

// 0 passed, 1 failed, 4 skipped, 3 host or VM trouble, 10... kernel trouble,
// 130 interrupted.
int outcome_exit_code(Outcome outcome);
// Of who asked for what is not there.
constexpr int kExitUsage = 2;

// The table for --help.
std::string exit_code_help();

} // namespace kit
