// SPDX-License-Identifier: GPL-2.0-only
#include "outcome.h"

#include <fmt/format.h>

namespace kit {

namespace {

struct Row {
    Outcome outcome;
    int exit_code;
    const char *name;
    const char *meaning;
};

constexpr Row kRows[] = {
    {Outcome::passed, 0, "passed", "every test passed"},
    {Outcome::failed, 1, "failed", "a test failed, or no test ran"},
    {Outcome::host_error, 3, "host-error", "the host could not do its part"},
    {Outcome::vm_lost, 3, "vm-lost", "the virtual machine went away without a word"},
    {Outcome::skipped, 4, "skipped", "everything was skipped"},
    {Outcome::panic, 10, "panic", "the kernel panicked"},
    {Outcome::oops, 11, "oops", "the kernel oopsed"},
    {Outcome::bug, 12, "bug", "the kernel reported a BUG"},
    {Outcome::warning, 13, "warning", "the kernel printed a WARNING"},
    {Outcome::lockdep, 14, "lockdep", "lockdep found a locking error"},
    {Outcome::kasan, 15, "kasan", "KASAN found a bad memory access"},
    {Outcome::ubsan, 16, "ubsan", "UBSAN found undefined behaviour"},
    {Outcome::kmemleak, 17, "kmemleak", "kmemleak found leaked memory"},
    {Outcome::hung_task, 18, "hung-task", "a task or a CPU hung"},
    {Outcome::timeout, 19, "timeout", "a program or the boot took too long"},
    {Outcome::interrupted, 130, "interrupted", "the run was interrupted"},
};

const Row &row_of(Outcome outcome) {
    for (const Row &row : kRows)
        if (row.outcome == outcome)
            return row;
    return kRows[1];
}

} // namespace

const char *outcome_name(Outcome outcome) {
    return row_of(outcome).name;
}

const char *outcome_meaning(Outcome outcome) {
    return row_of(outcome).meaning;
}

int outcome_exit_code(Outcome outcome) {
    return row_of(outcome).exit_code;
}

std::optional<Outcome> outcome_from_name(std::string_view name) {
    for (const Row &row : kRows)
        if (name == row.name)
            return row.outcome;
    return std::nullopt;
}

std::string exit_code_help() {
    std::string s = fmt::format("Exit codes:\n  {:<4} usage error\n", kExitUsage);

    for (const Row &row : kRows)
        s += fmt::format("  {:<4} {}: {}\n", row.exit_code, row.name, row.meaning);
    return s;
}

} // namespace kit
