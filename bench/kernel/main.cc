// SPDX-License-Identifier: GPL-2.0-only
// bench-kernel: what the series costs and saves inside the kernel. Overwrites the drive.
#include "unused.h"
#include "ways.h"

#include <CLI/CLI.hpp>
#include <cstdio>

using namespace bench;

int main(int argc, char **argv) {
    CLI::App app{
        "Measures the kernel's own side of copies, on an NVMe drive, which is overwritten."};
    app.require_subcommand(1);
    UnusedPlan unused_plan;
    kit::Status status;
    CLI::App *command = app.add_subcommand("unused", "reads and writes where nobody copies");
    command->add_option("--device", unused_plan.path, "the drive")->capture_default_str();
    command->add_option("--ops", unused_plan.ops, "I/Os of each kind")
        ->check(CLI::Range(100, 1000000))
        ->capture_default_str();
    command->callback([&] { status = unused(unused_plan); });
    WaysPlan ways_plan;
    command = app.add_subcommand("ways", "one bio with many extents, or many bios");
    command->add_option("--device", ways_plan.path, "the drive")->capture_default_str();
    command->add_option("--extents", ways_plan.extents, "how many; may be repeated")
        ->check(CLI::Range(1, 256));
    command->add_option("--rounds", ways_plan.rounds, "copies of each")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command->callback([&] { status = ways(ways_plan); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (status)
        return 0;
    std::fprintf(stderr, "bench-kernel: %s\n", status.error().message.c_str());
    return 1;
}
