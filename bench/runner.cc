// SPDX-License-Identifier: GPL-2.0-only
#include "runner.h"

#include "initramfs.h"
#include "interrupt.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>

namespace bench {

using namespace std::chrono_literals;
using kit::Colour;
using kit::Outcome;

// In a pipe, a line for so many measurements.
static constexpr size_t kLinesEvery = 10;

Outcome Runner::complain(const Bench &bench, const std::string &sentence, Outcome outcome) {
    printer_.line(
        fmt::format("{}: {}: {}", printer_.paint(Colour::red, "failed"), bench.name, sentence));
    return outcome;
}

Outcome Runner::report_trouble(const Bench &bench, const kit::Trouble &trouble) {
    for (const std::string &line : trouble.console)
        printer_.line("  | " + line);
    return complain(bench, trouble.message, trouble.outcome);
}

kit::Result<kit::Fd> Runner::initramfs(const Bench &bench, const kit::Machine &machine,
                                       std::string &program, std::string &libraries) {
    kit::Result<kit::Initramfs> archive = kit::Initramfs::with_init(setting_.guest_init);
    if (!archive)
        return archive.error();
    const std::string path = setting_.build_directory + "/" + bench.program;
    // Not where it lies here: the guest mounts file systems over some of our directories.
    program = "/bench/" + std::filesystem::path(path).filename().string();
    kit::Result<std::string> added = archive->add_program(path, program);
    if (!added)
        return added.error();
    libraries = kit::library_path_variable(*archive);
    const std::string modules = setting_.build_directory + "/kmod/" + bench.flavour + "/";
    for (const std::string &module : bench.modules) {
        kit::Status status =
            archive->add_host_file(modules + module + ".ko", "/lib/modules/" + module + ".ko");
        if (!status)
            return kit::Error{status.error().message + " (`make kmod FLAVOUR=" + bench.flavour +
                              "` makes it)"};
    }
    for (const std::string &name : machine.programs) {
        added = archive->add_program(name);
        if (!added)
            return added.error();
    }
    return archive->finish();
}

Outcome Runner::run(const Bench &bench, size_t number, size_t of, Results &results) {
    const kit::Machine *machine = kit::find_machine(setting_.machines, bench.machine);
    if (!machine)
        return complain(bench, "there is no machine '" + bench.machine + "'");
    std::string missing = host_.qemu.missing_for(*machine);
    if (!missing.empty())
        return complain(bench, missing, Outcome::skipped);
    std::string program, libraries;
    kit::Result<kit::Fd> archive = initramfs(bench, *machine, program, libraries);
    if (!archive)
        return complain(bench, archive.error().message);

    const std::string title = fmt::format("[{}/{}] {}", number, of, bench.name);
    const auto started = std::chrono::steady_clock::now();
    if (printer_.terminal())
        printer_.live(title + ": booting");
    else
        printer_.line(title);
    kit::Vm::Options options = kit::vm_options(setting_, host_, *machine, "", bench.flavour);
    options.launch.icount = bench.icount;
    options.env = {libraries};
    options.initramfs = std::move(*archive);
    kit::Result<std::unique_ptr<kit::Vm>> vm = kit::Vm::start(*machine, std::move(options));
    if (!vm)
        return complain(bench, vm.error().message);
    if (!(*vm)->wait_ready(240s))
        return report_trouble(bench, *(*vm)->trouble());
    results.kernel = (*vm)->kernel_release();

    RowReader *self = nullptr;
    RowReader reader([&](Row row) {
        row.machine = bench.machine;
        row.flavour = bench.flavour;
        std::string count = self->promised()
                                ? fmt::format("{} of {}", self->rows(), self->promised())
                                : std::to_string(self->rows());
        printer_.live(fmt::format("{}: {}: {} of {}", title, count, row.method, shape_text(row)));
        // Nobody should have to wonder whether it goes on.
        if (!printer_.terminal() && self->rows() % kLinesEvery == 0)
            printer_.line(fmt::format("{}: {}", title, count));
        results.rows.push_back(std::move(row));
    });
    self = &reader;
    std::string errors;
    kit::RunRequest request;
    request.argv = {program};
    request.argv.insert(request.argv.end(), bench.arguments.begin(), bench.arguments.end());
    request.timeout = std::chrono::seconds(bench.timeout);
    std::optional<kit::ProgramEnd> end =
        (*vm)->run(request, [&](std::string_view bytes, bool error) {
            if (error)
                errors += bytes;
            else
                reader.feed(bytes);
        });
    if (std::optional<kit::Trouble> trouble = (*vm)->finish_after(end))
        return report_trouble(bench, *trouble);
    while (!errors.empty() && errors.back() == '\n')
        errors.pop_back();
    if (!end->status.success())
        return complain(bench, end->status.describe() + (errors.empty() ? "" : ": " + errors),
                        Outcome::failed);
    if (!reader.error().empty())
        return complain(bench, "a line that nobody can read: " + reader.error(), Outcome::failed);
    if (reader.rows() == 0 || (reader.promised() && reader.rows() != reader.promised()))
        return complain(
            bench, fmt::format("{} measurements came, not {}", reader.rows(), reader.promised()),
            Outcome::failed);
    auto took = std::chrono::steady_clock::now() - started;
    printer_.line(fmt::format("{} {}: {} measurements, {} s", printer_.paint(Colour::green, "done"),
                              bench.name, reader.rows(),
                              std::chrono::duration_cast<std::chrono::seconds>(took).count()));
    return Outcome::passed;
}

} // namespace bench
