// SPDX-License-Identifier: GPL-2.0-only
#include "demo_vm.h"

#include "demo.h"
#include "elf_closure.h"

#include <cstdio>
#include <fmt/format.h>

namespace kit {

namespace {

// The drive: limits as a roomy device would state them. QEMU's own (128 blocks per command) make
// the host send a command for every 64 KiB.
constexpr uint64_t kRangeBlocks = 2048; // MSSRL
constexpr uint64_t kCopyBlocks = 32768; // MCL
constexpr uint64_t kRanges = 128;       // MSRC + 1
constexpr const char *kDisk = "/dev/nvme0n1";

Machine demo_machine(const DemoLayout &layout) {
    Machine machine;
    machine.name = "demo";
    machine.description = "one namespace with three partitions";
    Drive drive;
    drive.id = "disk0";
    drive.bytes = layout.disk_bytes();
    drive.partitions = layout.partitions();
    machine.drives = {drive};
    machine.devices = {"nvme,id=nvme0,serial=copy0",
                       fmt::format("nvme-ns,drive=disk0,bus=nvme0,nsid=1,mssrl={},mcl={},msrc={}",
                                   kRangeBlocks, kCopyBlocks, kRanges - 1)};
    return machine;
}

} // namespace

std::string DemoVm::limits() {
    return fmt::format(
        "The drive copies up to {} MiB per command, in up to {} ranges of up to {} MiB.",
        kCopyBlocks * kBlock >> 20, kRanges, kRangeBlocks * kBlock >> 20);
}

std::string DemoVm::partition(size_t index) {
    return fmt::format("{}p{}", kDisk, index + 1);
}

Status DemoVm::add_programs(Initramfs &initramfs, const Setting &setting,
                            const DemoOptions &options) {
    const std::string &build = setting.build_directory;
    const std::string tool =
        options.blkcopy.empty() ? build + "/tools/blkcopy/blkcopy" : options.blkcopy;
    const std::pair<std::string, std::string> programs[] = {
        {tool, kTool}, {build + "/qemu/demo-guest", kHands}, {"e2fsck", ""}};
    for (const auto &[program, target] : programs) {
        Result<std::string> added = initramfs.add_program(program, target);
        if (!added)
            return added.error();
        if (target.empty())
            e2fsck_ = *added;
    }
    return {};
}

Result<DemoVm> DemoVm::start(const Setting &setting, const DemoOptions &options,
                             const DemoFileSystem &file_system, const DemoLayout &layout) {
    DemoVm demo;
    const Result<Host> host = Host::find(setting);
    if (!host)
        return host.error();
    demo.accelerator_ = host->accelerator.name;
    Result<Initramfs> initramfs = Initramfs::with_init(setting.guest_init);
    if (!initramfs)
        return initramfs.error();
    if (Status status = demo.add_programs(*initramfs, setting, options); !status)
        return status.error();
    const Machine machine = demo_machine(layout);
    Vm::Options vm_opts = vm_options(setting, *host, machine, options.kernel, options.flavour);
    vm_opts.env = {library_path_variable(*initramfs)};
    if (options.console)
        vm_opts.on_console = [](const std::string &line) { fmt::print(stderr, "{}\n", line); };
    Result<Fd> archive = initramfs->finish();
    if (!archive)
        return archive.error();
    vm_opts.initramfs = std::move(*archive);
    Result<Fd> disk = make_demo_disk(file_system, layout);
    if (!disk)
        return disk.error();
    vm_opts.images.push_back(std::move(*disk));
    Result<std::unique_ptr<Vm>> vm = Vm::start(machine, std::move(vm_opts));
    if (!vm)
        return vm.error();
    demo.vm_ = std::move(*vm);
    return demo;
}

std::optional<DemoVm::Captured> DemoVm::run(std::vector<std::string> argv,
                                            std::chrono::seconds limit) {
    Captured captured;
    std::optional<ProgramEnd> end = vm_->run({.argv = std::move(argv), .timeout = limit},
                                             [&](std::string_view bytes, bool error) {
                                                 (error ? captured.err : captured.out) += bytes;
                                             });
    if (!end)
        return std::nullopt;
    captured.end = *end;
    return captured;
}

} // namespace kit
