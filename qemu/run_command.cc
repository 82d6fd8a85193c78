// SPDX-License-Identifier: GPL-2.0-only
#include "run_command.h"

#include "boot.h"
#include "file_reporters.h"
#include "terminal_reporter.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <thread>

namespace kit {

// How much longer a program may take when it is asked to do all that it can.
static constexpr int kFullSlowdown = 6;

static int complain(const std::string &sentence,
                    int code = outcome_exit_code(Outcome::host_error)) {
    fmt::print(stderr, "blkcopy-vm: {}\n", sentence);
    return code;
}

static Result<std::vector<Job>> plan(const Setting &setting, const RunOptions &options,
                                     Suite &suite) {
    std::string built =
        options.tests.empty() ? setting.build_directory + "/selftests/block_copy" : options.tests;
    Result<Suite> loaded = Suite::load(setting.data_directory + "/../selftests/block_copy", built);
    if (!loaded)
        return loaded.error();
    suite = *loaded;
    // The tool's own tests want the tool beside them.
    Status status = suite.add(setting.data_directory + "/../tools/blkcopy",
                              setting.build_directory + "/tools/blkcopy", {"blkcopy"});
    // The examples of docs/ have tests, and the program of a manual page.
    if (status)
        status = suite.add(setting.data_directory + "/../docs/examples",
                           setting.build_directory + "/examples", {"blkcopy_example"});
    if (!status)
        return status.error();
    // fio is not made here, and its engine only where fio's source can be had.
    std::string fio = setting.data_directory + "/../bench/fio";
    std::string engine = setting.build_directory + "/bench/fio";
    std::vector<std::string> files = {engine + "/blkcopy-fio.so"};
    std::error_code none;
    for (const auto &entry : std::filesystem::directory_iterator(fio + "/jobs", none))
        files.push_back(entry.path().string());
    status = suite.add(fio, engine, {}, files);
    if (!status)
        return status.error();
    std::vector<Machine> machines = setting.machines;
    if (options.full) {
        suite.timeout *= kFullSlowdown;
        for (Machine &machine : machines)
            machine.env["COPY_FULL"] = "1";
    }
    return plan_jobs(machines, suite, options.filters);
}

// As plan(), with the machines that have no tests; where there is neither, says so and returns
// what to exit with.
static int choose(const Setting &setting, const RunOptions &options, Suite &suite,
                  std::vector<Job> &jobs, std::vector<Machine> &idle) {
    Result<std::vector<Job>> planned = plan(setting, options, suite);
    if (!planned)
        return complain(planned.error().message);
    idle = without_tests(setting.machines, suite, options.filters);
    if (planned->empty() && idle.empty())
        return complain(fmt::format("no machine and no test matches '{}'; `blkcopy-vm list` shows "
                                    "what there is",
                                    fmt::join(options.filters, "', '")),
                        kExitUsage);
    jobs = std::move(*planned);
    return 0;
}

// What would be run, as a shell could run it: the images are made first, and
// three sockets wait in the current directory for whoever wants to listen.
static int dry_run(const Setting &setting, const Host &host, const RunOptions &options,
                   const std::vector<Job> &jobs) {
    for (const Job &job : jobs) {
        Vm::Options vm = vm_options(setting, host, job.machine, options.kernel, options.flavour);
        vm.launch.append = options.append;
        LaunchFiles files;
        fmt::print("# {}: {}\n", job.name, fmt::join(job.programs, " "));
        for (const Drive &drive : job.machine.drives) {
            files.images.push_back(drive.id + ".img");
            fmt::print("truncate -s {} {}.img\n", drive.bytes, drive.id);
        }
        files.kernel = vm.kernel;
        files.initramfs = "initramfs.cpio";
        files.trace = "trace.log";
        files.console_chardev = "stdio";
        files.qmp_chardev = "socket,path=qmp.sock,server=on,wait=off";
        files.results_chardev = "socket,path=results.sock,server=on,wait=off";
        files.witness_chardev = "socket,path=witness.sock,server=on,wait=off";
        fmt::print("{}\n", quote_command(qemu_command(job.machine, vm.launch, files)));
    }
    return 0;
}

static void run_all(const Setting &setting, const Host &host, const Suite &suite,
                    const std::vector<Job> &jobs, const RunOptions &options, Reporter &reporter,
                    RunResult &run) {
    std::atomic<size_t> next = 0;
    auto worker = [&] {
        Host own = host; // it remembers what it has asked QEMU
        for (size_t i; (i = next++) < jobs.size();) {
            BootOptions boot;
            boot.kernel = options.kernel;
            boot.modules = options.modules;
            boot.flavour = options.flavour;
            boot.append = options.append;
            boot.seed = options.seed;
            if (!options.results.empty())
                boot.results = options.results + "/" + jobs[i].name;
            run.machines[i] = Boot(setting, own, suite, jobs[i], boot, reporter).run();
        }
    };
    // A virtual machine dies with the thread that started it, so each thread
    // stays until its last machine has gone.
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < options.jobs && i < jobs.size(); i++)
        threads.emplace_back(worker);
    worker();
    for (std::thread &thread : threads)
        thread.join();
}

int run_command(const Setting &setting, const RunOptions &options) {
    Suite suite;
    std::vector<Job> jobs;
    std::vector<Machine> idle;
    if (int code = choose(setting, options, suite, jobs, idle))
        return code;
    if (jobs.empty())
        return complain("machine '" + idle.front().name +
                            "' has no tests: name some in selftests/block_copy/machines.json",
                        kExitUsage);
    Result<Host> host = Host::find(setting);
    if (!host)
        return complain(host.error().message);
    if (options.dry_run)
        return dry_run(setting, *host, options, jobs);

    RunResult run;
    run.qemu = host->qemu.version();
    run.accelerator = host->accelerator.name;
    run.accelerator_reason = host->accelerator.reason;
    run.flavour = options.flavour;
    run.kernel_file = setting.kernel_path(options.kernel, options.flavour);
    for (const Job &job : jobs) {
        MachineResult machine;
        machine.name = job.name;
        machine.description = job.machine.description;
        run.machines.push_back(machine);
    }

    std::map<std::string, Milliseconds> last_times;
    ReporterGroup reporters;
    FileReporter *files = nullptr;
    if (!options.results.empty()) {
        if (Result<std::string> old = read_file(options.results + "/results.json"))
            last_times = durations_from_json(*old);
        auto reporter = std::make_unique<FileReporter>(options.results);
        files = reporter.get();
        reporters.add(std::move(reporter));
    }
    reporters.add(std::make_unique<TerminalReporter>(stdout, std::move(last_times)));

    auto begin = std::chrono::steady_clock::now();
    reporters.run_begin(run);
    run_all(setting, *host, suite, jobs, options, reporters, run);
    run.duration =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
    reporters.run_end(run);
    if (files && !files->status())
        return complain(files->status().error().message);
    return outcome_exit_code(run.outcome());
}

int list_command(const Setting &setting, const RunOptions &options, bool json) {
    Suite suite;
    std::vector<Job> jobs;
    std::vector<Machine> idle;
    if (int code = choose(setting, options, suite, jobs, idle))
        return code;
    if (json) {
        nlohmann::json list = nlohmann::json::array();
        for (const Job &job : jobs)
            list.push_back({{"name", job.name},
                            {"machine", job.machine.name},
                            {"description", job.machine.description},
                            {"yields", job.machine.yields},
                            {"programs", job.programs}});
        for (const Machine &machine : idle)
            list.push_back({{"name", machine.name},
                            {"machine", machine.name},
                            {"description", machine.description},
                            {"yields", machine.yields},
                            {"programs", nlohmann::json::array()}});
        fmt::print("{}\n", list.dump(2));
        return 0;
    }
    LinePrinter printer(stdout);
    auto machine_lines = [&](const Machine &machine, const std::string &tests) {
        printer.line(printer.paint(Colour::bold, machine.name) + ": " + machine.description);
        for (const std::string &node : machine.yields)
            printer.line("  " + node);
        printer.line("  " + tests);
    };
    for (const Job &job : jobs) {
        if (job.golden) {
            printer.line(fmt::format("  {}: the same copies computed here, compared with the "
                                     "whole drive afterwards",
                                     job.name));
            continue;
        }
        machine_lines(job.machine, fmt::format("tests: {}", fmt::join(job.programs, " ")));
    }
    for (const Machine &machine : idle)
        machine_lines(machine, "no tests");
    return 0;
}

} // namespace kit
