// SPDX-License-Identifier: GPL-2.0-only
#include "arguments.h"

#include "outcome.h"

#include <CLI/CLI.hpp>

namespace kit {

// A list would take all words that follow, and the `--` in front of a program.
static void one_each(CLI::Option *list) {
    list->allow_extra_args(false);
}

std::optional<int> parse_arguments(int argc, const char *const *argv, Arguments &arguments) {
    CLI::App app{"Boots kernels in virtual machines whose drives can copy, and tests them there."};
    app.require_subcommand(1);
    app.footer(exit_code_help());

    ExecOptions &exec_options = arguments.exec;
    auto add_exec_options = [&](CLI::App *command) {
        command->add_option("--machine", exec_options.machine, "machine to boot")
            ->capture_default_str();
        command->add_option("--kernel", exec_options.kernel, "bzImage to boot");
        command->add_option("--modules", exec_options.modules, "directory of its modules");
        command->add_option("--flavour", exec_options.flavour, "kernel flavour")
            ->check(CLI::IsMember({"plain", "debug", "unpatched", "mutants"}))
            ->capture_default_str();
        command->add_option("--append", exec_options.append, "more kernel command line");
        one_each(command->add_option(
            "--file", exec_options.files,
            "HOST[:GUEST]: put this file into the guest, too; may be repeated"));
        one_each(command->add_option("--env", exec_options.env,
                                     "NAME=VALUE for the program; may be repeated"));
        command->add_flag("--console", exec_options.console, "show the kernel's console");
        command->add_flag("--icount", exec_options.icount,
                          "one CPU, and a clock that counts its instructions: 1 ns each");
    };
    CLI::App *exec = app.add_subcommand("exec", "run one program of this host in a machine");
    add_exec_options(exec);
    exec->add_option("--timeout", exec_options.timeout, "seconds; 0 for none");
    exec->add_flag("--tty", exec_options.tty, "give the program a terminal");
    exec->add_option("program", exec_options.argv, "program and arguments, after --")->required();
    CLI::App *shell = app.add_subcommand("shell", "a shell in a machine");
    add_exec_options(shell);

    DemoOptions &demo_options = arguments.demo;
    CLI::App *demo =
        app.add_subcommand("demo", "copy a real file system inside an emulated drive, with proof");
    demo->add_option("--kernel", demo_options.kernel, "bzImage to boot");
    demo->add_option("--flavour", demo_options.flavour, "kernel flavour")
        ->check(CLI::IsMember({"plain", "debug", "unpatched"}))
        ->capture_default_str();
    demo->add_option("--blkcopy", demo_options.blkcopy, "the tool to use");
    demo->add_option("--source", demo_options.source, "directory whose files are copied");
    demo->add_option("--spoil", demo_options.spoil,
                     "damage one byte of this copy, to see the proof fail")
        ->check(CLI::IsMember({"offloaded", "read-write"}));
    demo->add_flag("--json", demo_options.json, "one JSON object on standard output");
    demo->add_flag("--console", demo_options.console, "show the kernel's console");

    RunOptions &run_options = arguments.run;
    CLI::App *run = app.add_subcommand("run", "boot machines and run their tests");
    CLI::App *list = app.add_subcommand("list", "show machines and their tests");
    for (CLI::App *command : {run, list})
        one_each(
            command->add_option("--filter", run_options.filters,
                                "part of MACHINE/TEST, or a glob for all of it; may be repeated"));
    run->add_option("--flavour", run_options.flavour, "kernel flavour")
        ->check(CLI::IsMember({"plain", "debug"}))
        ->capture_default_str();
    run->add_option("--kernel", run_options.kernel, "bzImage to boot");
    run->add_option("--modules", run_options.modules, "directory of its modules");
    run->add_option("--append", run_options.append, "more kernel command line");
    run->add_option("--results", run_options.results, "directory for logs, JUnit and JSON");
    run->add_option("--tests", run_options.tests, "directory of the built selftests");
    run->add_option("-j,--jobs", run_options.jobs, "machines at a time")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    run->add_option("--seed", run_options.seed, "of the golden images")->capture_default_str();
    run->add_flag("--full", run_options.full,
                  "let tests that come in two lengths take the long one");
    run->add_flag("--dry-run", run_options.dry_run, "print the QEMU commands instead");
    list->add_flag("--json", arguments.list_json, "as JSON");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        int code = app.exit(error);
        return code == 0 ? 0 : kExitUsage;
    }
    arguments.command = app.get_subcommands().front()->get_name();
    return std::nullopt;
}

} // namespace kit
