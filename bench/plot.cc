// SPDX-License-Identifier: GPL-2.0-only
#include "plot.h"

#include "fd.h"
#include "subprocess.h"
#include "table.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <unistd.h>

namespace bench {

namespace {

struct Style {
    const char *method;
    const char *name;   // what gnuplot prints
    const char *colour; // told apart by most eyes (Okabe and Ito)
    int point;
};

constexpr Style kStyles[] = {
    {"read+write", "read+write", "#d55e00", 5},
    {"read+write uring", "read+write, io_uring x 32", "#e69f00", 4},
    {"copy_file_range", "copy_file_range", "#999999", 9},
    {"ioctl", "ioctl BLKCOPY", "#0072b2", 7},
    {"uring", "io_uring copy", "#56b4e9", 6},
    {"passthrough", "passthrough ioctl", "#009e73", 11},
    {"passthrough uring", "passthrough io_uring", "#000000", 10},
};

using Points = std::vector<std::pair<double, double>>;

const char *const kHead =
    R"(set terminal svg size 820,460 dynamic noenhanced font "sans-serif,13" background "#ffffff"
set border 3 lc "#555555"
set tics nomirror
set grid lc "#dddddd" lt 1
set key outside right top Left reverse samplen 2 spacing 1.2
)";

// Lines over sizes, on scales of powers of two and ten.
std::string lines_script(const std::string &title, const std::string &x, const std::string &y,
                         bool sizes, const std::vector<std::pair<Style, Points>> &lines) {
    std::string script = kHead;
    script += fmt::format("set title \"{}\"\nset xlabel \"{}\"\nset ylabel \"{}\"\n", title, x, y);
    script += "set logscale x 2\nset logscale y 10\n";
    if (sizes)
        script += "set xtics ('4 KiB' 4096, '16 KiB' 16384, '64 KiB' 65536, '256 KiB' 262144, "
                  "'1 MiB' 1048576, '4 MiB' 4194304, '16 MiB' 16777216, '64 MiB' 67108864)\n";
    script += "set format y '%.0s%c'\n";
    std::string data, plot;
    for (size_t i = 0; i < lines.size(); i++) {
        data += fmt::format("$d{} << EOD\n", i);
        for (auto [at, value] : lines[i].second)
            data += fmt::format("{:.6g} {:.6g}\n", at, value);
        data += "EOD\n";
        plot += fmt::format("{}$d{} with linespoints lw 2 ps 0.7 pt {} lc rgb '{}' title \"{}\"",
                            i ? ", " : "plot ", i, lines[i].first.point, lines[i].first.colour,
                            lines[i].first.name);
    }
    return script + data + plot + "\n";
}

std::vector<std::pair<Style, Points>>
curves(const Results &results, const std::string &bench, const std::string &machine,
       const std::function<std::optional<double>(const Row &)> &value) {
    std::vector<std::pair<Style, Points>> lines;
    for (const Style &style : kStyles) {
        Points points;
        for (const Row &row : results.rows) {
            if (row.bench != bench || row.machine != machine || row.method != style.method ||
                row.extents != 1)
                continue;
            if (std::optional<double> y = value(row); y && *y > 0)
                points.emplace_back(static_cast<double>(row.bytes), *y);
        }
        std::sort(points.begin(), points.end());
        if (points.size() >= 2)
            lines.emplace_back(style, points);
    }
    return lines;
}

std::string per_command(const std::string &name, const std::vector<kit::Machine> &machines) {
    const kit::Machine *machine = kit::find_machine(machines, name);
    std::string text = machine ? machine->description : name;
    size_t colon = text.find(": ");
    if (colon != std::string::npos)
        text = text.substr(colon + 2);
    return text.substr(0, text.find(','));
}

std::string reader_script(const Results &results) {
    std::string data;
    for (const Row &row : results.rows) {
        if (row.bench != "reader" || !row.p50_ns || !row.p99_ns)
            continue;
        std::string name = row.method == "none" ? "nothing" : row.method;
        for (const Style &style : kStyles)
            if (row.method == style.method)
                name = style.name;
        data += fmt::format("\"{}\" {:.6g} {:.6g}\n", name, *row.p50_ns / 1000, *row.p99_ns / 1000);
    }
    if (data.empty())
        return "";
    return std::string(kHead) +
           "set title \"4 KiB reads beside copies of 2 MiB\"\nset ylabel \"latency, µs\"\n"
           "set style data histogram\nset style histogram clustered gap 1\n"
           "set style fill solid border -1\nset boxwidth 0.9\nset logscale y 10\n"
           "set yrange [10:*]\nset xtics rotate by -25\n$d << EOD\n" +
           data +
           "EOD\nplot $d using 2:xtic(1) title 'p50' lc rgb '#56b4e9', "
           "$d using 3 title 'p99' lc rgb '#d55e00'\n";
}

// A file that goes with this.
class Temporary {
public:
    explicit Temporary(std::string path) : path_(std::move(path)) {}
    ~Temporary() { ::unlink(path_.c_str()); }
    Temporary(const Temporary &) = delete;
    Temporary &operator=(const Temporary &) = delete;
    const std::string &path() const { return path_; }

private:
    std::string path_;
};

} // namespace

std::vector<Plot> plots(const Results &results, const std::vector<kit::Machine> &machines) {
    std::vector<Plot> list;

    for (const std::string &machine : machines_of(results, "sweep")) {
        const std::string limit = per_command(machine, machines);
        auto lines =
            curves(results, "sweep", machine, [](const Row &row) { return row.instructions; });
        if (!lines.empty())
            list.push_back({"Instructions of one copy, " + limit,
                            lines_script("Guest instructions of one copy; " + limit,
                                         "size of the copy", "instructions", true, lines)});
    }
    for (const std::string &machine : machines_of(results, "times")) {
        const std::string limit = per_command(machine, machines);
        auto lines =
            curves(results, "times", machine, [&](const Row &row) -> std::optional<double> {
                const Row *plain = results.find("times", machine, "read+write", 1, row.bytes);
                if (!plain || !plain->wall_ns || !row.wall_ns || *plain->wall_ns <= 0)
                    return std::nullopt;
                return *row.wall_ns / *plain->wall_ns;
            });
        if (!lines.empty()) {
            Plot plot{"Time, " + limit,
                      lines_script("Time in proportion to read+write at depth 1; " + limit,
                                   "size of the copy", "proportion", true, lines)};
            size_t at = plot.script.find("set format y '%.0s%c'");
            plot.script.replace(at, 21, "set format y '%g'");
            list.push_back(plot);
        }
    }
    if (std::string script = reader_script(results); !script.empty())
        list.push_back({"Reads beside copies", script});
    return list;
}

kit::Result<std::string> draw(const Plot &plot, const std::string &directory) {
    Temporary script(directory + "/plot." + std::to_string(::getpid()) + ".gp");
    kit::Status status = kit::write_file(script.path(), plot.script);
    if (!status)
        return status.error();
    kit::Result<kit::CommandOutput> output =
        kit::run_command({"gnuplot", script.path()}, std::chrono::seconds(60));
    if (!output)
        return kit::Error{output.error().message + " (install gnuplot-nox: `make setup`)"};
    size_t at = output->text.find("<svg");
    if (!output->status.success() || at == std::string::npos)
        return kit::Error{"gnuplot draws nothing: " + output->text.substr(0, 500)};
    return output->text.substr(at);
}

} // namespace bench
