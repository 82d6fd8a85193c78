// SPDX-License-Identifier: GPL-2.0-only
// The demo's virtual machine: a drive that copies, with three partitions.
#pragma once

#include "demo_image.h"
#include "initramfs.h"
#include "setting.h"
#include "vm.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kit {

struct DemoOptions;

class DemoVm {
public:
    static constexpr uint64_t kBlock = 512;
    // Where programs are in the guest.
    static constexpr const char *kHands = "/demo/demo-guest";
    static constexpr const char *kTool = "/demo/blkcopy";

    // Boots; the guest is there after wait_ready() of vm().
    static Result<DemoVm> start(const Setting &setting, const DemoOptions &options,
                                const DemoFileSystem &file_system, const DemoLayout &layout);

    // What the drive may be asked for, in words.
    static std::string limits();
    // The node of a partition, as DemoLayout counts them.
    static std::string partition(size_t index);

    struct Captured {
        ProgramEnd end;
        std::string out;
        std::string err;
    };
    // Nothing if the machine was lost meanwhile.
    std::optional<Captured> run(std::vector<std::string> argv, std::chrono::seconds limit);

    Vm &vm() { return *vm_; }
    const std::string &e2fsck() const { return e2fsck_; }
    const std::string &accelerator() const { return accelerator_; }

private:
    DemoVm() = default;
    // Puts the programs into the archive, and remembers where e2fsck is.
    Status add_programs(Initramfs &initramfs, const Setting &setting, const DemoOptions &options);

    std::unique_ptr<Vm> vm_;
    std::string e2fsck_;
    std::string accelerator_;
};

} // namespace kit
