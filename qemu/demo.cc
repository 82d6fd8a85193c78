// SPDX-License-Identifier: GPL-2.0-only
#include "demo.h"

#include "demo_image.h"
#include "demo_result.h"
#include "elf_closure.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace kit {

namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

// The drive: limits as a roomy device would state them. QEMU's own (128 blocks per command) make
// the host send a command for every 64 KiB.
constexpr uint64_t kBlock = 512;
constexpr uint64_t kRangeBlocks = 2048; // MSSRL
constexpr uint64_t kCopyBlocks = 32768; // MCL
constexpr uint64_t kRanges = 128;       // MSRC + 1
constexpr const char *kDisk = "/dev/nvme0n1";
constexpr const char *kGuestProgram = "/demo/demo-guest";
// A copy takes so little time that one alone could not be measured.
constexpr unsigned kTurns = 2;
constexpr unsigned kRoundsPerTurn = 5;
constexpr const char *kGuestTool = "/demo/blkcopy";

// Tells what is being done: one line that is rewritten on a terminal, lines elsewhere.
class Teller {
public:
    explicit Teller(bool json) : terminal_(::isatty(STDERR_FILENO)), quiet_(json && !terminal_) {}
    Teller(const Teller &) = delete;
    Teller &operator=(const Teller &) = delete;
    ~Teller() { clear(); }

    void say(const std::string &what) {
        if (quiet_)
            return;
        if (terminal_)
            fmt::print(stderr, "\r\x1b[K... {}", what);
        else
            fmt::print(stderr, "... {}\n", what);
        std::fflush(stderr);
        open_ = terminal_;
    }

    void clear() {
        if (open_)
            fmt::print(stderr, "\r\x1b[K");
        open_ = false;
    }

private:
    bool terminal_;
    bool quiet_;
    bool open_ = false;
};

std::string partition(size_t index) {
    return fmt::format("{}p{}", kDisk, index + 1);
}

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

struct Captured {
    ProgramEnd end;
    std::string out;
    std::string err;
};

class Demo {
public:
    Demo(const Setting &setting, const DemoOptions &options)
        : setting_(setting), options_(options), teller_(options.json) {}

    int run() {
        Status status = prepare();
        if (!status)
            return complain(status.error().message);
        status = start();
        if (!status)
            return complain(status.error().message);
        if (!vm_->wait_ready(options_.flavour == "debug" ? 240s : 120s))
            return report_trouble();
        result_.kernel = vm_->kernel_release();
        result_.drive = fmt::format(
            "The drive copies up to {} MiB per command, in up to {} ranges of up to {} MiB.",
            kCopyBlocks * kBlock >> 20, kRanges, kRangeBlocks * kBlock >> 20);
        warm_up();
        // In turns, so that a busy host disturbs both alike.
        for (unsigned i = 0; i < kTurns; i++) {
            copy(DemoLayout::kOffloaded, result_.offloaded, "--offload-only", "inside the drive");
            copy(DemoLayout::kReadWritten, result_.read_written, "--no-offload",
                 "by reading and writing");
        }
        spoil();
        check(DemoLayout::kOffloaded, result_.offloaded);
        check(DemoLayout::kReadWritten, result_.read_written);
        digest();
        if (!vm_->finish())
            return report_trouble();
        if (!vm_->splats().empty())
            result_.trouble = "the kernel complained: " + vm_->splats().front().message;
        return conclude();
    }

private:
    int complain(const std::string &sentence, Outcome outcome = Outcome::host_error) {
        teller_.clear();
        fmt::print(stderr, "blkcopy-vm: {}\n", sentence);
        return outcome_exit_code(outcome);
    }

    int report_trouble() {
        const Trouble &trouble = *vm_->trouble();
        teller_.clear();
        for (const std::string &line : trouble.console)
            fmt::print(stderr, "  | {}\n", line);
        return complain(fmt::format("{}: {}", outcome_name(trouble.outcome), trouble.message),
                        trouble.outcome);
    }

    Status prepare() {
        const std::string &build = setting_.build_directory;
        source_ = options_.source;
        if (source_.empty()) {
            Result<std::string> found =
                choose_source({build + "/linux-6.12/Documentation", "/usr/share/doc",
                               "/usr/include", "/usr/share"});
            if (!found)
                return found.error();
            source_ = *found;
        }
        Result<DemoFileSystem> made = make_demo_file_system(
            source_, build + "/demo", [this](const std::string &what) { teller_.say(what); });
        if (!made)
            return made.error();
        file_system_.emplace(std::move(*made));
        layout_.emplace(file_system_->bytes);
        // Within the repository a short name says more than this machine's paths.
        result_.origin =
            source_.starts_with(build + "/") ? source_.substr(build.size() + 1) : source_;
        result_.bytes = file_system_->bytes;
        result_.files = file_system_->manifest.files().size();
        result_.file_bytes = file_system_->manifest.bytes();
        return {};
    }

    Status start() {
        teller_.say("booting");
        const Result<Host> host = Host::find(setting_);
        if (!host)
            return host.error();
        result_.accelerator = host->accelerator.name;
        Result<Initramfs> initramfs = Initramfs::with_init(setting_.guest_init);
        if (!initramfs)
            return initramfs.error();
        const std::string &build = setting_.build_directory;
        const std::string tool =
            options_.blkcopy.empty() ? build + "/tools/blkcopy/blkcopy" : options_.blkcopy;
        const std::pair<std::string, std::string> programs[] = {
            {tool, kGuestTool}, {build + "/qemu/demo-guest", kGuestProgram}, {"e2fsck", ""}};
        for (const auto &[program, target] : programs) {
            Result<std::string> added = initramfs->add_program(program, target);
            if (!added)
                return added.error();
            if (target.empty())
                e2fsck_ = *added;
        }
        const Machine machine = demo_machine(*layout_);
        Vm::Options vm_opts =
            vm_options(setting_, *host, machine, options_.kernel, options_.flavour);
        vm_opts.env = {library_path_variable(*initramfs)};
        if (options_.console)
            vm_opts.on_console = [](const std::string &line) { fmt::print(stderr, "{}\n", line); };
        Result<Fd> archive = initramfs->finish();
        if (!archive)
            return archive.error();
        vm_opts.initramfs = std::move(*archive);
        Result<Fd> disk = make_demo_disk(*file_system_, *layout_);
        if (!disk)
            return disk.error();
        vm_opts.images.push_back(std::move(*disk));
        Result<std::unique_ptr<Vm>> vm = Vm::start(machine, std::move(vm_opts));
        if (!vm)
            return vm.error();
        vm_ = std::move(*vm);
        return {};
    }

    std::optional<Captured> in_guest(std::vector<std::string> argv, std::chrono::seconds limit) {
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

    // Neither way of copying should pay for code and metadata that are used for the first time.
    void warm_up() {
        for (const auto &[way, index] : {std::pair("--offload-only", DemoLayout::kOffloaded),
                                         std::pair("--no-offload", DemoLayout::kReadWritten)})
            in_guest({kGuestTool, way, "-q", "-l", "1M", partition(0), partition(index)}, 60s);
    }

    void copy(size_t index, DemoCopy &copy, const std::string &way, const std::string &words) {
        teller_.say(fmt::format("copying {:.0f} MiB {}, {} times",
                                static_cast<double>(result_.bytes) / (1 << 20), words,
                                kRoundsPerTurn));
        vm_->mark_trace();
        const std::optional<Captured> done =
            in_guest({kGuestProgram, "measure", std::to_string(kRoundsPerTurn), kGuestTool,
                      "--json", way, partition(0), partition(index)},
                     300s);
        copy.device.add(vm_->trace_counts(), kBlock);
        const Json measured = done ? Json::parse(done->out, nullptr, false) : Json();
        if (!measured.is_object() ||
            measured.value("runs", Json::array()).size() != kRoundsPerTurn) {
            copy.error = "it was not made: " + (done ? done->err : "the machine was lost");
            return;
        }
        copy.program_seconds += measured.value("program_seconds", 0.0);
        copy.busy_seconds += measured.value("busy_seconds", 0.0);
        for (const Json &run : measured["runs"])
            take_run(copy, run);
    }

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

    // --spoil: one byte of one file, to see that the proofs can fail.
    void spoil() {
        if (options_.spoil.empty())
            return;
        const size_t index =
            options_.spoil == "offloaded" ? DemoLayout::kOffloaded : DemoLayout::kReadWritten;
        teller_.say("damaging one byte of a copy");
        const Result<uint64_t> place = find_file_block(*file_system_, source_);
        const std::optional<Captured> done =
            place
                ? in_guest({kGuestProgram, "spoil", partition(index), std::to_string(*place)}, 60s)
                : std::nullopt;
        if (!done || done->end.status.code != 0)
            result_.trouble =
                "the copy could not be damaged: " +
                (place ? done ? done->err : "the machine was lost" : place.error().message);
    }

    void check(size_t index, DemoCopy &copy) {
        teller_.say("checking " + partition(index) + " with e2fsck");
        const std::optional<Captured> done = in_guest({e2fsck_, "-fn", partition(index)}, 120s);
        if (!done)
            copy.fsck = "it could not be run";
        else if (!done->end.status.success())
            copy.fsck =
                fmt::format("it {}: {}", done->end.status.describe(), done->out + done->err);
    }

    void digest() {
        teller_.say(fmt::format("mounting both copies and reading {} files", 2 * result_.files));
        const std::optional<Captured> done =
            in_guest({kGuestProgram, "digest", partition(DemoLayout::kOffloaded),
                      partition(DemoLayout::kReadWritten)},
                     600s);
        compare(done, DemoLayout::kOffloaded, result_.offloaded);
        compare(done, DemoLayout::kReadWritten, result_.read_written);
    }

    void compare(const std::optional<Captured> &done, size_t index, DemoCopy &copy) {
        copy.wrong_file = "every file";
        const std::string head = fmt::format("device {}\n", partition(index));
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
        copy.files_right = file_system_->manifest.matching(*manifest);
        copy.wrong_file = file_system_->manifest.first_difference(*manifest);
    }

    int conclude() {
        teller_.say("comparing the drive's image with the original");
        const Result<DiskVerdict> verdict =
            examine_demo_disk(vm_->image(0), *file_system_, *layout_);
        if (!verdict)
            return complain(verdict.error().message);
        result_.source_unchanged = verdict->source;
        result_.surroundings_unchanged = verdict->surroundings;
        result_.offloaded.equals_original = verdict->copies[0];
        result_.read_written.equals_original = verdict->copies[1];
        teller_.clear();
        const char *const no_color = std::getenv("NO_COLOR");
        const bool colour = ::isatty(STDOUT_FILENO) && !(no_color && *no_color);
        fmt::print("{}", options_.json ? demo_json(result_) + "\n" : demo_table(result_, colour));
        if (std::fflush(stdout) != 0)
            return complain("the result could not be written");
        return outcome_exit_code(result_.passed() ? Outcome::passed : Outcome::failed);
    }

    const Setting &setting_;
    const DemoOptions &options_;
    Teller teller_;
    std::string source_;
    std::string e2fsck_;
    std::optional<DemoFileSystem> file_system_;
    std::optional<DemoLayout> layout_;
    std::unique_ptr<Vm> vm_;
    DemoResult result_;
};

} // namespace

int demo_command(const Setting &setting, const DemoOptions &options) {
    return Demo(setting, options).run();
}

} // namespace kit
