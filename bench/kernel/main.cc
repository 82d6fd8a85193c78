// SPDX-License-Identifier: GPL-2.0-only
// bench-kernel: what the series costs and saves inside the kernel. Overwrites the drive.
#include "moves.h"
#include "snapshot.h"
#include "unused.h"
#include "ways.h"
#include "wire.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

using namespace bench;

int main(int argc, char **argv) {
    CLI::App app{
        "Measures the kernel's own side of copies, on an NVMe drive, which is overwritten."};
    app.require_subcommand(1, 0);
    UnusedPlan unused_plan;
    kit::Status status;
    CLI::App *command = app.add_subcommand("unused", "reads and writes where nobody copies");
    command->add_option("--device", unused_plan.path, "the drive")->capture_default_str();
    command->add_option("--ops", unused_plan.ops, "I/Os of each kind")
        ->check(CLI::Range(100, 1000000))
        ->capture_default_str();
    command->callback([&] { status = status ? unused(unused_plan) : status; });
    WaysPlan ways_plan;
    command = app.add_subcommand("ways", "one bio with many extents, or many bios");
    command->add_option("--device", ways_plan.path, "the drive")->capture_default_str();
    command->add_option("--extents", ways_plan.extents, "how many; may be repeated")
        ->check(CLI::Range(1, 256));
    command->add_option("--rounds", ways_plan.rounds, "copies of each")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command->callback([&] { status = status ? ways(ways_plan) : status; });
    MovesPlan moves_plan;
    command = app.add_subcommand("moves", "what moves much with dm-kcopyd, offloaded and not");
    command->add_option("--device", moves_plan.path, "the drive")->capture_default_str();
    command->add_option("--mover", moves_plan.movers, "mirror, clone, pvmove; may be repeated")
        ->check(CLI::IsMember({"mirror", "clone", "pvmove"}));
    command->add_option("--mib", moves_plan.mib, "how much; a multiple of 4")
        ->check(CLI::Range(4, 384))
        ->check([](const std::string &text) {
            // Of that size are LVM's extents.
            return std::strtoul(text.c_str(), nullptr, 10) % 4 ? "not a multiple of 4" : "";
        })
        ->capture_default_str();
    command->add_option("--rounds", moves_plan.rounds, "moves of each")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--times", moves_plan.times, "nanoseconds, not instructions");
    command->callback([&] { status = status ? moves(moves_plan) : status; });
    SnapshotPlan snapshot_plan;
    command = app.add_subcommand("snapshot", "first writes to chunks, offloaded and not");
    command->add_option("--device", snapshot_plan.path, "the drive")->capture_default_str();
    command->add_option("--chunk", snapshot_plan.chunks, "KiB; may be repeated")
        ->check(CLI::Range(4, 512));
    command->add_option("--rounds", snapshot_plan.rounds, "rounds of 128 writes")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--times", snapshot_plan.times, "nanoseconds, not instructions");
    command->callback([&] { status = status ? snapshot(snapshot_plan) : status; });
    WirePlan wire_plan;
    command = app.add_subcommand("wire", "bytes between an NVMe/TCP target and its host");
    command->add_option("--device", wire_plan.path, "behind the target")->capture_default_str();
    command->add_option("--mib", wire_plan.mib, "of each length")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    command->callback([&] { status = status ? wire(wire_plan) : status; });
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
