// SPDX-License-Identifier: GPL-2.0-only
#include "demo.h"

#include "demo_copier.h"
#include "demo_image.h"
#include "demo_proofs.h"
#include "demo_result.h"
#include "demo_teller.h"
#include "demo_vm.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace kit {

namespace {

using namespace std::chrono_literals;

class Demo {
public:
    Demo(const Setting &setting, const DemoOptions &options)
        : setting_(setting), options_(options), teller_(options.json) {}

    int run() {
        Status status = prepare();
        if (!status)
            return complain(status.error().message);
        teller_.say("booting");
        Result<DemoVm> started = DemoVm::start(setting_, options_, *file_system_, *layout_);
        if (!started)
            return complain(started.error().message);
        Vm &vm = started->vm();
        if (!vm.wait_ready(options_.flavour == "debug" ? 240s : 120s))
            return report_trouble(vm);
        result_.accelerator = started->accelerator();
        result_.kernel = vm.kernel_release();
        result_.drive = DemoVm::limits();
        DemoCopier(*started, teller_, result_).run();
        DemoProofs proofs(*started, *file_system_, teller_, result_);
        if (!options_.spoil.empty())
            proofs.spoil(options_.spoil, source_);
        proofs.run();
        if (!vm.finish())
            return report_trouble(vm);
        if (!vm.splats().empty())
            result_.trouble = "the kernel complained: " + vm.splats().front().message;
        return conclude(vm);
    }

private:
    int complain(const std::string &sentence, Outcome outcome = Outcome::host_error) {
        teller_.clear();
        fmt::print(stderr, "blkcopy-vm: {}\n", sentence);
        return outcome_exit_code(outcome);
    }

    int report_trouble(Vm &vm) {
        const Trouble &trouble = *vm.trouble();
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

    int conclude(Vm &vm) {
        teller_.say("comparing the drive's image with the original");
        const Result<DiskVerdict> verdict = examine_demo_disk(vm.image(0), *file_system_, *layout_);
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
    DemoTeller teller_;
    std::string source_;
    std::optional<DemoFileSystem> file_system_;
    std::optional<DemoLayout> layout_;
    DemoResult result_;
};

} // namespace

int demo_command(const Setting &setting, const DemoOptions &options) {
    return Demo(setting, options).run();
}

} // namespace kit
