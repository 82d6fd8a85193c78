// SPDX-License-Identifier: GPL-2.0-only
#include "demo_proofs.h"

#include <fmt/format.h>

namespace kit {

using namespace std::chrono_literals;

void DemoProofs::spoil(const std::string &which, const std::string &source) {
    const size_t index = which == "offloaded" ? DemoLayout::kOffloaded : DemoLayout::kReadWritten;
    teller_.say("damaging one byte of a copy");
    const Result<uint64_t> place = find_file_block(file_system_, source);
    const std::optional<DemoVm::Captured> done =
        place ? vm_.run({DemoVm::kHands, "spoil", DemoVm::partition(index), std::to_string(*place)},
                        60s)
              : std::nullopt;
    if (!done || done->end.status.code != 0)
        result_.trouble =
            "the copy could not be damaged: " +
            (place ? done ? done->err : "the machine was lost" : place.error().message);
}

void DemoProofs::run() {
    check(DemoLayout::kOffloaded, result_.offloaded);
    check(DemoLayout::kReadWritten, result_.read_written);
    digest();
}

void DemoProofs::check(size_t index, DemoCopy &copy) {
    teller_.say("checking " + DemoVm::partition(index) + " with e2fsck");
    const std::optional<DemoVm::Captured> done =
        vm_.run({vm_.e2fsck(), "-fn", DemoVm::partition(index)}, 120s);
    if (!done)
        copy.fsck = "it could not be run";
    else if (!done->end.status.success())
        copy.fsck = fmt::format("it {}: {}", done->end.status.describe(), done->out + done->err);
}

void DemoProofs::digest() {
    teller_.say(fmt::format("mounting both copies and reading {} files", 2 * result_.files));
    const std::optional<DemoVm::Captured> done =
        vm_.run({DemoVm::kHands, "digest", DemoVm::partition(DemoLayout::kOffloaded),
                 DemoVm::partition(DemoLayout::kReadWritten)},
                600s);
    compare(done, DemoLayout::kOffloaded, result_.offloaded);
    compare(done, DemoLayout::kReadWritten, result_.read_written);
}

void DemoProofs::compare(const std::optional<DemoVm::Captured> &done, size_t index,
                         DemoCopy &copy) {
    copy.wrong_file = "every file";
    const std::string head = fmt::format("device {}\n", DemoVm::partition(index));
    const size_t at = done ? done->out.find(head) : std::string::npos;
    if (at == std::string::npos) {
        if (copy.error.empty())
            copy.error = "it could not be read: " + (done ? done->err : "no answer");
        return;
    }
    const std::string rest = done->out.substr(at + head.size());
    const size_t next = rest.find("\ndevice ");
    const Result<Manifest> manifest =
        Manifest::from_text(next == std::string::npos ? rest : rest.substr(0, next + 1));
    if (!manifest)
        return;
    copy.files_right = file_system_.manifest.matching(*manifest);
    copy.wrong_file = file_system_.manifest.first_difference(*manifest);
}

} // namespace kit
