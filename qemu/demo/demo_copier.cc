// SPDX-License-Identifier: GPL-2.0-only
#include "demo_copier.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kit {

using namespace std::chrono_literals;
using Json = nlohmann::json;

// A copy takes so little time that one alone could not be measured.
static constexpr unsigned kTurns = 2;
static constexpr unsigned kRoundsPerTurn = 5;

// One run's exit code and the tool's own report.
static void take_run(DemoCopy &copy, const Json &run) {
    const Json report = Json::parse(run.value("output", ""), nullptr, false);
    if (run.value("exit_code", -1) != 0)
        copy.error = run.value("errors", "blkcopy failed");
    else if (!report.is_object())
        copy.error = "blkcopy made no report";
    if (!report.is_object())
        return;
    const std::string method = report.value("method", "none");
    copy.method = copy.rounds == 0 || copy.method == method ? method : "mixed";
    copy.copied += report.value("copied", uint64_t{0});
    copy.seconds += report.value("seconds", 0.0);
    copy.rounds++;
}

void DemoCopier::run() {
    warm_up();
    // In turns, so that a busy host disturbs both alike.
    for (unsigned i = 0; i < kTurns; i++) {
        copy(DemoLayout::kOffloaded, result_.offloaded, "--offload-only", "inside the drive");
        copy(DemoLayout::kReadWritten, result_.read_written, "--no-offload",
             "by reading and writing");
    }
}

// Neither way of copying should pay for code and metadata that are used for the first time.
void DemoCopier::warm_up() {
    for (const auto &[way, index] : {std::pair("--offload-only", DemoLayout::kOffloaded),
                                     std::pair("--no-offload", DemoLayout::kReadWritten)})
        vm_.run(
            {DemoVm::kTool, way, "-q", "-l", "1M", DemoVm::partition(0), DemoVm::partition(index)},
            60s);
}

void DemoCopier::copy(size_t index, DemoCopy &copy, const std::string &way,
                      const std::string &words) {
    teller_.say(fmt::format("copying {:.0f} MiB {}, {} times",
                            static_cast<double>(result_.bytes) / (1 << 20), words, kRoundsPerTurn));
    vm_.vm().mark_trace();
    const std::optional<DemoVm::Captured> done =
        vm_.run({DemoVm::kHands, "measure", std::to_string(kRoundsPerTurn), DemoVm::kTool, "--json",
                 way, DemoVm::partition(0), DemoVm::partition(index)},
                300s);
    copy.device.add(vm_.vm().trace_counts(), DemoVm::kBlock);
    const Json measured = done ? Json::parse(done->out, nullptr, false) : Json();
    if (!measured.is_object() || measured.value("runs", Json::array()).size() != kRoundsPerTurn) {
        copy.error = "it was not made: " + (done ? done->err : "the machine was lost");
        return;
    }
    copy.program_seconds += measured.value("program_seconds", 0.0);
    copy.busy_seconds += measured.value("busy_seconds", 0.0);
    for (const Json &run : measured["runs"])
        take_run(copy, run);
}

} // namespace kit
