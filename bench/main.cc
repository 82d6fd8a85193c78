// SPDX-License-Identifier: GPL-2.0-only
// blkcopy-bench: measures ways to copy, and compares measurements.
#include "check.h"
#include "compare.h"
#include "fd.h"
#include "interrupt.h"
#include "moved_table.h"
#include "page.h"
#include "plot.h"
#include "runner.h"
#include "table.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

using namespace bench;
using kit::Outcome;

namespace {

constexpr int kUsage = 2;
constexpr int kHost = 3;

int complain(const std::string &sentence, int code) {
    fmt::print(stderr, "blkcopy-bench: {}\n", sentence);
    return code;
}

struct Options {
    std::string filter;
    std::string data = BENCH_DATA_DIRECTORY;
    std::string output; // directory
    std::string series;
    std::string a, b;
};

// The harness's setting, seen from this program, with the machines of this folder.
kit::Result<kit::Setting> load_setting(const std::string &data) {
    kit::Result<kit::Setting> setting = kit::Setting::load();
    if (!setting)
        return setting.error();
    setting->guest_init = setting->build_directory + "/qemu/guest-init";
    kit::Result<std::vector<kit::Machine>> machines = kit::load_machines(data + "/machines.json");
    if (!machines)
        return machines.error();
    setting->machines.insert(setting->machines.begin(), machines->begin(), machines->end());
    return setting;
}

// Draws, writes the page, prints the tables. `complete`: without it there is a page all the same.
int report(const Results &results, const kit::Setting &setting, const std::string &directory,
           bool brief) {
    const bool colour = ::isatty(STDOUT_FILENO) && kit::wants_colours();
    const std::vector<std::string> broken = violations(results, setting.machines);
    const std::vector<Headline> lines = headlines(results, setting.machines);
    std::vector<Picture> pictures;
    for (const Plot &plot : plots(results, setting.machines)) {
        kit::Result<std::string> svg = draw(plot, directory);
        if (!svg)
            return complain(svg.error().message, kHost);
        pictures.push_back({plot.title, *svg});
    }
    auto all_tables = [&](bool some) {
        std::vector<Table> tables = break_even_tables(results, setting.machines);
        for (const auto &more :
             {mapper_tables(results, setting.machines), snapshot_tables(results, setting.machines),
              wire_tables(results, setting.machines), reader_tables(results), other_tables(results),
              sweep_tables(results, setting.machines, some)})
            tables.insert(tables.end(), more.begin(), more.end());
        return tables;
    };
    const std::string path = directory + "/index.html";
    kit::Status status =
        kit::write_file(path, page(results, lines, broken, pictures, all_tables(false)));
    if (!status)
        return complain(status.error().message, kHost);
    for (const Table &table : all_tables(brief))
        fmt::print("\n{}", table_text(table, colour));
    fmt::print("\n{}", headline_text(lines, colour));
    for (const std::string &sentence : broken)
        fmt::print("not sound: {}\n", sentence);
    fmt::print("\n{} has everything, {}/results.json the numbers\n", path, directory);
    // As the test suite counts; a target that is missed is no failure.
    fmt::print("{} passed, {} failed\n",
               results.rows.size() - std::min(results.rows.size(), broken.size()), broken.size());
    return broken.empty() ? 0 : 1;
}

// The benches that are asked for; else says what is wrong and returns what to exit with.
int choose(const Options &options, std::vector<Bench> &chosen) {
    kit::Result<std::string> text = kit::read_file(options.data + "/benches.json");
    if (!text)
        return complain(text.error().message, kHost);
    kit::Result<std::vector<Bench>> benches = parse_benches(*text);
    if (!benches)
        return complain("benches.json: " + benches.error().message, kUsage);
    chosen = select(*benches, options.filter);
    if (chosen.empty())
        return complain("no bench has '" + options.filter +
                            "' in its name; `blkcopy-bench list` shows what there is",
                        kUsage);
    return 0;
}

int list(const Options &options) {
    std::vector<Bench> chosen;
    int code = choose(options, chosen);
    for (const Bench &bench : chosen)
        fmt::print("{}: machine {}, {} kernel\n", bench.name, bench.machine, bench.flavour);
    return code;
}

int run(const Options &options) {
    std::vector<Bench> chosen;
    if (int code = choose(options, chosen))
        return code;
    kit::Result<kit::Setting> setting = load_setting(options.data);
    if (!setting)
        return complain(setting.error().message, kHost);
    kit::Result<kit::Host> host = kit::Host::find(*setting);
    if (!host)
        return complain(host.error().message, kHost);
    const std::string directory =
        options.output.empty() ? setting->build_directory + "/bench" : options.output;
    kit::Status status = kit::make_directories(directory);
    if (!status)
        return complain(status.error().message, kHost);

    Results results;
    std::time_t now = std::time(nullptr);
    results.created = fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(now));
    results.series = options.series;
    results.qemu = host->qemu.version();
    results.command =
        options.filter.empty() ? "make bench" : "make bench FILTER='" + options.filter + "'";
    results.smoke = options.filter == "smoke";
    kit::LinePrinter printer(stderr);
    Outcome worst = Outcome::passed;
    for (size_t i = 0; i < chosen.size() && !kit::interrupted(); i++) {
        Runner runner(*setting, *host, printer);
        worst = std::max(worst, runner.run(chosen[i], i + 1, chosen.size(), results));
    }
    printer.clear_live();
    if (kit::interrupted())
        return complain("interrupted; nothing was written",
                        kit::outcome_exit_code(Outcome::interrupted));
    if (results.rows.empty())
        return kit::outcome_exit_code(worst);
    status = kit::write_file(directory + "/results.json", results_text(results));
    if (!status)
        return complain(status.error().message, kHost);
    int code = report(results, *setting, directory, true);
    return worst == Outcome::passed ? code : kit::outcome_exit_code(worst);
}

int compare_files(const Options &options) {
    kit::Result<Results> a = load_results(options.a), b = load_results(options.b);
    if (!a || !b)
        return complain((a ? b : a).error().message, kUsage);
    Comparison comparison = compare(*a, *b);
    if (comparison.changes.empty())
        return complain("the two files have no measurement in common", kUsage);
    fmt::print("{}", comparison_text(comparison, ::isatty(STDOUT_FILENO) && kit::wants_colours()));
    return std::any_of(comparison.changes.begin(), comparison.changes.end(),
                       [](const Change &change) { return change.verdict == Verdict::worse; })
               ? 1
               : 0;
}

int report_file(const Options &options) {
    kit::Result<Results> results = load_results(options.a);
    if (!results)
        return complain(results.error().message, kUsage);
    kit::Result<kit::Setting> setting = load_setting(options.data);
    if (!setting)
        return complain(setting.error().message, kHost);
    size_t slash = options.a.rfind('/');
    return report(*results, *setting, slash == std::string::npos ? "." : options.a.substr(0, slash),
                  false);
}

} // namespace

int main(int argc, char **argv) {
    CLI::App app{"Measures ways to copy in emulated drives, and compares measurements."};
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 all well, 1 a run is not sound (or B is worse than A), 2 used wrongly,\n"
        "3 the machine or the host failed, 10 and up what the kernel did (blkcopy-vm --help).");
    Options options;
    CLI::App *run_it = app.add_subcommand("run", "boot, measure, report");
    run_it->add_option("--output", options.output, "directory for results.json and index.html");
    run_it->add_option("--series", options.series, "what was measured, for the report");
    CLI::App *list_it = app.add_subcommand("list", "the benches that `run` would run");
    for (CLI::App *command : {run_it, list_it})
        command->add_option("--filter", options.filter, "part of a bench's name, or `smoke`");
    CLI::App *comparison = app.add_subcommand("compare", "two results files");
    comparison->add_option("A", options.a, "before")->required();
    comparison->add_option("B", options.b, "after")->required();
    CLI::App *again = app.add_subcommand("report", "the report of a results file once more");
    again->add_option("RESULTS", options.a, "results.json")->required();
    for (CLI::App *command : {run_it, list_it, again})
        command->add_option("--data", options.data, "directory of benches.json and machines.json");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : kUsage;
    }
    kit::catch_interrupts();
    if (run_it->parsed())
        return run(options);
    if (list_it->parsed())
        return list(options);
    if (comparison->parsed())
        return compare_files(options);
    return report_file(options);
}
