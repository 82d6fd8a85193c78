// SPDX-License-Identifier: GPL-2.0-only
// bench-guest: measures ways to copy on an NVMe drive. Overwrites the drive.
#include "clock.h"
#include "method.h"
#include "sweep.h"

#include <CLI/CLI.hpp>
#include <cstdio>

using namespace bench;

int main(int argc, char **argv) {
    CLI::App app{"Measures ways to copy on an NVMe drive, which is overwritten."};
    app.require_subcommand(1);
    std::string path = "/dev/nvme0n1";
    bool smoke = false;
    Plan plan;
    CLI::App *commands[] = {
        app.add_subcommand("sweep", "instructions and commands; in a boot under icount"),
        app.add_subcommand("times", "wall times"),
        app.add_subcommand("reader", "latency of reads beside copies"),
    };
    for (CLI::App *command : commands) {
        command->add_option("--device", path, "the drive")->capture_default_str();
        command->add_flag("--smoke", smoke, "a few sizes only");
        command->add_option("--method", plan.methods, "only this one; may be repeated");
        command->add_option("--rounds", plan.rounds, "repetitions of times")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str();
        command->add_option("--ms", plan.reader_ms, "of reader, for each method")
            ->check(CLI::Range(10, 600000))
            ->capture_default_str();
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    for (const std::string &name : plan.methods) {
        bool known = false;
        for (const MethodKind &kind : method_kinds())
            known |= kind.name == name;
        if (!known) {
            std::fprintf(stderr, "bench-guest: there is no method '%s'\n", name.c_str());
            return 2;
        }
    }
    plan.shapes = shapes(smoke);
    kit::Result<Device> device = Device::open(path);
    kit::Status status = device ? kit::Status() : kit::Status(device.error());
    if (status)
        status = commands[0]->parsed()   ? sweep(*device, plan)
                 : commands[1]->parsed() ? times(*device, plan)
                                         : reader(*device, plan);
    if (status)
        return 0;
    std::fprintf(stderr, "bench-guest: %s\n", status.error().message.c_str());
    return 1;
}
