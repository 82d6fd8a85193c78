// SPDX-License-Identifier: GPL-2.0-only
#include "boot.h"

#include "golden.h"
#include "image.h"
#include "interrupt.h"
#include "judge.h"
#include "modules.h"

#include <filesystem>
#include <fmt/format.h>

namespace kit {

using namespace std::chrono_literals;

// Debug kernels are several times slower, the more so under emulation.
static constexpr int kDebugSlowdown = 4;
static constexpr std::chrono::seconds kBootLimit{90};

static const char *const kInterfaces[] = {"ioctl", "copy_file_range"};

Boot::Boot(const Setting &setting, Host &host, const Suite &suite, const Job &job,
           const BootOptions &options, Reporter &reporter)
    : setting_(setting), host_(host), suite_(suite), job_(job), options_(options),
      reporter_(reporter), debug_(options.flavour == "debug") {
    result_.name = job.name;
    result_.description = job.machine.description;
}

// The initramfs, the images, and QEMU's start.
Status Boot::prepare() {
    if (!options_.results.empty()) {
        Status status = make_directories(options_.results);
        if (!status)
            return status;
    }
    Result<Initramfs> initramfs = Initramfs::with_init(setting_.guest_init);
    if (!initramfs)
        return initramfs.error();
    bool any = false;
    for (const std::string &program : job_.programs) {
        if (!suite_.missing(program).empty())
            continue;
        any = true;
        for (const std::string &file : suite_.files_of(program)) {
            std::string name = std::filesystem::path(file).filename().string();
            Result<std::string> added = initramfs->add_program(file, "/tests/" + name);
            if (!added)
                return Error{added.error().message +
                             " (build the tests with `make selftests tools examples`)"};
        }
        for (const std::string &file : suite_.plain_files_of(program)) {
            if (!std::filesystem::exists(file))
                continue;
            std::string name = std::filesystem::path(file).filename().string();
            Status added = initramfs->add_host_file(file, "/tests/" + name);
            if (!added)
                return added;
        }
    }

    if (!any)
        return Error{suite_.missing(job_.programs.at(0))};

    Status modules = add_modules(
        *initramfs, setting_.module_directory(options_.modules, options_.kernel, options_.flavour),
        job_.machine);
    if (!modules)
        return modules;
    Result<std::vector<std::string>> lacking = add_programs(*initramfs, job_.machine);
    if (!lacking)
        return lacking.error();
    for (const std::string &program : *lacking)
        result_.notes.push_back("this host has no `" + program +
                                "`: tests that need it are skipped");

    Vm::Options options =
        vm_options(setting_, host_, job_.machine, options_.kernel, options_.flavour);
    options.launch.append = options_.append;
    options.log_directory = options_.results;
    options.env = {library_path_variable(*initramfs)};
    if (job_.golden) {
        const GoldenPlan &plan = *job_.machine.golden;
        golden_image_ = make_golden_image(plan.image, options_.seed);
        Result<Fd> image = make_image(job_.machine.drives[0]);
        if (!image)
            return image.error();
        // The partition table, if there is one, stays.
        std::span<std::byte> first(golden_image_.data(), 512);
        Status status = {};
        if (!job_.machine.drives[0].partitions.empty())
            status = pread_all(image->get(), first, 0);
        if (status)
            status = pwrite_all(image->get(), golden_image_, 0);
        if (!status)
            return status;
        options.images.push_back(std::move(*image));
        for (size_t i = 0; i < std::size(kInterfaces); i++) {
            golden_copies_.push_back(make_golden_copies(plan, options_.seed + i));
            apply_golden_copies(golden_image_, plan.offset, golden_copies_.back());
            initramfs->add_contents(fmt::format("/tests/{}.list", kInterfaces[i]),
                                    format_golden_copies(golden_copies_.back()));
        }
    }
    Result<Fd> archive = initramfs->finish();
    if (!archive)
        return archive.error();
    options.initramfs = std::move(*archive);
    Result<std::unique_ptr<Vm>> vm = Vm::start(job_.machine, std::move(options));
    if (!vm)
        return vm.error();
    vm_ = std::move(*vm);
    return {};
}

void Boot::add_program(ProgramResult program) {
    reporter_.program_end(job_.name, program);
    result_.programs.push_back(std::move(program));
}

// False when the machine is of no more use.
bool Boot::run_program(const std::string &name, const std::vector<std::string> &argv,
                       const std::string &label) {
    ProgramResult program;
    KtapParser parser;
    std::string errors;
    auto begin = std::chrono::steady_clock::now();

    program.name = label;
    reporter_.program_begin(job_.name, label);
    ktap_ += fmt::format("# {}: {}\n", job_.name, label);
    RunRequest request;
    request.argv = argv;
    request.argv.insert(request.argv.begin(), "/tests/" + name);
    request.timeout = suite_.timeout * (debug_ ? kDebugSlowdown : 1);
    auto output = [&](std::string_view bytes, bool error) {
        ktap_ += bytes;
        if (error) {
            errors += bytes;
            return;
        }
        unsigned before = parser.results();
        parser.feed(bytes);
        if (parser.results() != before)
            reporter_.progress(job_.name, parser.last_name(), parser.results());
    };
    // What it has said before it cut the power doesn't count.
    std::optional<ProgramEnd> end =
        vm_->run_through_cuts(request, output, kBootLimit * (debug_ ? kDebugSlowdown : 1), [&] {
            parser = {};
            ktap_ += "\n# the power was cut\n";
        });
    if (!ktap_.empty() && ktap_.back() != '\n')
        ktap_ += '\n';
    program.duration =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);

    std::string interrupted;
    if (!end)
        interrupted = vm_->trouble() ? vm_->trouble()->message : "the machine went away";
    else if (end->timed_out || end->status.signal)
        interrupted =
            end->timed_out ? "its time was over" : "the program " + end->status.describe();
    program.tests = parser.finish(interrupted);
    if (end)
        judge_program(program, *end);
    else
        program.reason = interrupted;
    bool stuck = end && end->stuck;
    if (program.status == TestStatus::fail && !errors.empty())
        program.tests.front().diagnostics.push_back("standard error: " + errors);
    add_program(std::move(program));
    // What hangs in the kernel would hang everything after it, too.
    return end && !stuck;
}

void Boot::add_missing(const std::string &name, const std::string &why) {
    ProgramResult program;

    program.name = name;
    program.reason = why;
    program.tests.push_back({"is_there", TestStatus::fail, why, {}, {}});
    reporter_.program_begin(job_.name, name);
    add_program(std::move(program));
}

void Boot::run_programs() {
    for (const std::string &program : job_.programs) {
        std::string why = suite_.missing(program);
        if (!why.empty())
            add_missing(program, why);
        else if (!run_program(program, {}, program))
            return;
    }
}

void Boot::run_golden() {
    vm_->mark_trace();
    for (const char *interface : kInterfaces)
        if (!run_program(
                "golden",
                {job_.machine.golden->device, fmt::format("/tests/{}.list", interface), interface},
                fmt::format("golden-{}", interface)))
            return;
}

// After the machine has gone: does its drive hold what it has to?
void Boot::finish_golden() {
    ProgramResult program;
    std::vector<GoldenCopy> copies;
    uint64_t blocks = 0;

    for (const ProgramResult &earlier : result_.programs)
        if (earlier.name.starts_with("golden-") && earlier.status == TestStatus::skip)
            return; // nothing was copied, nothing can be compared
    for (const std::vector<GoldenCopy> &list : golden_copies_)
        copies.insert(copies.end(), list.begin(), list.end());
    for (const GoldenCopy &copy : copies)
        blocks += copy.length() / job_.machine.golden->block;

    program.name = "golden-image";
    reporter_.program_begin(job_.name, program.name);
    auto begin = std::chrono::steady_clock::now();
    auto test = [&](const char *name, const std::string &problem) {
        program.tests.push_back(
            {name, problem.empty() ? TestStatus::pass : TestStatus::fail, problem, {}, {}});
    };
    Status same = compare_golden_image(vm_->image(0), golden_image_, *job_.machine.golden, copies);
    test("whole_image_is_as_computed", same ? "" : same.error().message);

    const TraceCounts &trace = vm_->trace_counts();
    test("device_copied_every_block",
         trace.blocks == blocks && trace.copies
             ? ""
             : fmt::format("the device copied {} blocks in {} commands, the list has {} blocks",
                           trace.blocks, trace.copies, blocks));
    test("device_saw_no_reads_or_writes",
         !trace.reads && !trace.writes && !trace.write_zeroes
             ? ""
             : fmt::format("the device saw {} reads, {} writes, {} write-zeroes", trace.reads,
                           trace.writes, trace.write_zeroes));
    TestCounts counts = count_tests(program.tests);
    program.status = counts.fail ? TestStatus::fail : TestStatus::pass;
    program.duration =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
    add_program(std::move(program));
}

void Boot::end_checks() {
    ProgramResult program;
    auto begin = std::chrono::steady_clock::now();

    program.name = "boot-checks";
    reporter_.program_begin(job_.name, program.name);
    std::optional<std::string> text = vm_->end_checks(debug_);
    KtapParser parser;
    if (text) {
        parser.feed(*text);
        ktap_ += "# " + job_.name + ": boot-checks\n" + *text;
    }
    program.tests = parser.finish(text ? "" : "the guest did not answer");
    program.duration =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
    if (!count_tests(program.tests).fail)
        program.status = TestStatus::pass;
    add_program(std::move(program));
}

void Boot::write_ktap() const {
    if (options_.results.empty())
        return;
    Status ignored = write_file(options_.results + "/ktap.log", ktap_);
    (void)static_cast<bool>(ignored);
}

void Boot::decide() {
    if (vm_->trouble()) {
        result_.outcome = vm_->trouble()->outcome;
        result_.message = vm_->trouble()->message;
        result_.console = vm_->trouble()->console;
        return;
    }
    judge_machine(result_, vm_->splats());
}

MachineResult Boot::run() {
    auto begin = std::chrono::steady_clock::now();
    auto done = [&]() -> MachineResult {
        result_.duration =
            std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
        reporter_.machine_end(result_);
        return result_;
    };

    reporter_.machine_begin(result_);
    if (interrupted()) {
        result_.outcome = Outcome::interrupted;
        result_.message = "interrupted before it was started";
        return done();
    }
    std::string missing = host_.qemu.missing_for(job_.machine);
    if (!missing.empty()) {
        result_.outcome = Outcome::skipped;
        result_.message = missing;
        return done();
    }
    Status status = prepare();
    if (!status) {
        result_.outcome = Outcome::host_error;
        result_.message = status.error().message;
        return done();
    }
    if (vm_->wait_ready(kBootLimit * (debug_ ? kDebugSlowdown : 1))) {
        result_.boot = vm_->boot_time();
        result_.kernel = vm_->kernel_release();
        reporter_.machine_ready(result_);
        if (job_.golden)
            run_golden();
        else
            run_programs();
        bool all_well = !vm_->trouble();
        for (const ProgramResult &program : result_.programs)
            all_well = all_well && program.reason.find("hangs in the kernel") == std::string::npos;
        if (all_well) {
            end_checks();
            vm_->finish();
        }
    }
    vm_->kill();
    result_.trace = vm_->trace_counts();
    if (job_.golden && !vm_->trouble())
        finish_golden();
    write_ktap();
    decide();
    return done();
}

} // namespace kit
