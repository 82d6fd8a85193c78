// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include "bound.h"
#include "moved_table.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace bench {

std::string number_text(double value) {
    if (value != 0 && value < 99.95)
        return std::floor(value) == value ? fmt::format("{:.0f}", value)
                                          : fmt::format("{:.{}f}", value, value < 0.1 ? 3 : 1);
    std::string digits = fmt::format("{:.0f}", value);
    for (size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

static std::string optional_text(const std::optional<double> &value) {
    return value ? number_text(*value) : "";
}

std::vector<std::string> machines_of(const Results &results, const std::string &bench) {
    std::vector<std::string> names;
    for (const Row &row : results.rows)
        if (row.bench == bench && std::find(names.begin(), names.end(), row.machine) == names.end())
            names.push_back(row.machine);
    return names;
}

static std::string description(const std::string &name, const std::vector<kit::Machine> &machines) {
    const kit::Machine *machine = kit::find_machine(machines, name);
    return machine ? machine->description : name;
}

static bool is_brief(const Row &row) {
    return (row.extents == 1 &&
            (row.bytes == 64 << 10 || row.bytes == 2 << 20 || row.bytes == 64 << 20)) ||
           (row.extents == 127 && row.each() == 4096);
}

static std::optional<double> over(std::optional<double> a, std::optional<double> b) {
    if (!a || !b || *b <= 0)
        return std::nullopt;
    return *a / *b;
}

std::vector<Table> sweep_tables(const Results &results, const std::vector<kit::Machine> &machines,
                                bool brief) {
    std::vector<Table> tables;

    for (const std::string &name : machines_of(results, "sweep")) {
        const kit::Machine *machine = kit::find_machine(machines, name);
        std::optional<Limits> limits = machine ? limits_of(*machine) : std::nullopt;
        Table table;
        table.title = "A drive that takes " + description(name, machines);
        table.head = {"copy",     "method", "instructions",   "per MiB",   "r+w / it",
                      "cmds/MiB", "bound",  "host bytes/MiB", "time / r+w"};
        std::string shape;
        for (const Row &row : results.rows) {
            if (row.bench != "sweep" || row.machine != name || (brief && !is_brief(row)))
                continue;
            auto same = [&](const char *bench, const std::string &method) {
                return results.find(bench, name, method, row.extents, row.each());
            };
            const Row *plain = same("sweep", "read+write");
            const Row *time = same("times", row.method), *plain_time = same("times", "read+write");
            std::optional<double> gain =
                over(plain ? plain->instructions : std::nullopt, row.instructions);
            std::optional<double> wall =
                time && plain_time ? over(time->wall_ns, plain_time->wall_ns) : std::nullopt;
            std::string bound;
            if (limits && is_offload(row.method))
                bound = number_text(
                    static_cast<double>(bound_of(*limits, row.extents, row.each()).commands) /
                    row.mib());
            table.rows.push_back(
                {shape_text(row) == shape ? "" : shape_text(row), row.method,
                 optional_text(row.instructions), optional_text(over(row.instructions, row.mib())),
                 optional_text(gain), optional_text(over(row.commands(), row.mib())), bound,
                 optional_text(over(row.host_bytes(), row.mib())),
                 wall ? fmt::format("{:.2f}", *wall) : ""});
            shape = shape_text(row);
        }
        if (!table.rows.empty())
            tables.push_back(table);
    }
    return tables;
}

std::vector<Table> reader_tables(const Results &results) {
    Table table;
    table.title = "4 KiB random reads beside copies of 2 MiB, one after the other";
    table.head = {"", "beside", "p50 µs", "p99 µs", "reads/s", "copied MiB/s"};
    for (const Row &row : results.rows) {
        if (row.bench != "reader" || !row.p50_ns || !row.p99_ns || !row.wall_ns)
            continue;
        const double seconds = *row.wall_ns / 1e9;
        const double reads = row.all.value("reads", 0.0);
        table.rows.push_back(
            {"", row.method == "none" ? "nothing" : row.method,
             number_text(std::round(*row.p50_ns / 1000)),
             number_text(std::round(*row.p99_ns / 1000)), number_text(std::round(reads / seconds)),
             row.method == "none"
                 ? ""
                 : number_text(std::round(static_cast<double>(row.ops) * row.mib() / seconds))});
    }
    return table.rows.empty() ? std::vector<Table>() : std::vector<Table>{table};
}

// The size where two curves cross, between the sizes that were measured, on scales of powers.
static std::string crossing(const Results &results, const char *bench, const std::string &machine,
                            const char *method, std::optional<double> Row::*value) {
    std::vector<std::pair<double, double>> points; // size, log of ratio
    for (const Row &row : results.rows) {
        if (row.bench != bench || row.machine != machine || row.method != method ||
            row.extents != 1)
            continue;
        const Row *plain = results.find(bench, machine, "read+write", 1, row.bytes);
        std::optional<double> ratio = plain ? over(row.*value, plain->*value) : std::nullopt;
        if (ratio && *ratio > 0)
            points.emplace_back(static_cast<double>(row.bytes), std::log(*ratio));
    }
    std::sort(points.begin(), points.end());
    if (points.empty())
        return "";
    size_t i = points.size();
    while (i && points[i - 1].second < 0)
        i--;
    if (i == points.size())
        return "none up to " + size_text(static_cast<uint64_t>(points.back().first));
    if (i == 0)
        return "below " + size_text(static_cast<uint64_t>(points.front().first));
    auto [x0, y0] = points[i - 1];
    auto [x1, y1] = points[i];
    double size = std::exp(std::log(x0) + (std::log(x1) - std::log(x0)) * y0 / (y0 - y1));
    return fmt::format("{:.0f} KiB", size / 1024);
}

std::vector<Table> break_even_tables(const Results &results,
                                     const std::vector<kit::Machine> &machines) {
    Table table;
    table.title = "From which size on a copy is cheaper than read and write at depth 1";
    table.head = {"drive", "method", "instructions", "time"};
    for (const std::string &machine : machines_of(results, "sweep")) {
        std::string name = description(machine, machines);
        for (const char *method : {"ioctl", "uring"}) {
            std::string instructions =
                crossing(results, "sweep", machine, method, &Row::instructions);
            std::string time = crossing(results, "times", machine, method, &Row::wall_ns);
            if (!instructions.empty())
                table.rows.push_back({name.substr(0, name.find(',')), method, instructions, time});
            name.clear();
        }
    }
    return table.rows.empty() ? std::vector<Table>() : std::vector<Table>{table};
}

std::vector<Table> other_tables(const Results &results) {
    std::vector<Table> tables;
    std::vector<std::string> names;

    for (const Row &row : results.rows)
        if (row.bench != "sweep" && row.bench != "times" && row.bench != "reader" &&
            !is_moved(row.bench) && std::find(names.begin(), names.end(), row.bench) == names.end())
            names.push_back(row.bench);
    for (const std::string &name : names) {
        Table table;
        table.title = name;
        table.head = {"operation", "method", "drive", "kernel", "instructions", "commands", "µs"};
        for (const Row &row : results.rows) {
            if (row.bench != name)
                continue;
            table.rows.push_back({row.bytes ? shape_text(row) : "", row.method, row.machine,
                                  row.flavour, optional_text(row.instructions),
                                  optional_text(row.commands()),
                                  row.wall_ns ? number_text(*row.wall_ns / 1000) : ""});
        }
        tables.push_back(table);
    }
    return tables;
}

// Columns of a terminal, not bytes.
static size_t columns(const std::string &text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

static std::string padded(const std::string &text, size_t width, bool right) {
    std::string space(width - std::min(width, columns(text)), ' ');
    return right ? space + text : text + space;
}

std::string table_text(const Table &table, bool colour) {
    std::vector<size_t> widths;
    for (const std::string &head : table.head)
        widths.push_back(columns(head));
    for (const auto &row : table.rows)
        for (size_t i = 0; i < row.size(); i++)
            widths[i] = std::max(widths[i], columns(row[i]));
    auto line = [&](const std::vector<std::string> &cells) {
        std::string text;
        for (size_t i = 0; i < cells.size(); i++)
            if (widths[i])
                text += (text.empty() ? "" : "  ") + padded(cells[i], widths[i], i >= 2);
        while (!text.empty() && text.back() == ' ')
            text.pop_back();
        return text + "\n";
    };
    std::string text = colour ? "\x1b[1m" + table.title + "\x1b[0m\n" : table.title + "\n";
    text += line(table.head);
    for (const auto &row : table.rows)
        text += line(row);
    return text;
}

std::string headline_text(const std::vector<Headline> &headlines, bool colour) {
    size_t width = 0, number = 0, wanted = 0;
    std::string text;

    for (const Headline &line : headlines) {
        if (line.measured.empty())
            continue;
        width = std::max(width, line.what.size());
        number = std::max(number, line.measured.size());
        wanted = std::max(wanted, line.wanted.size());
    }
    for (const Headline &line : headlines) {
        if (line.measured.empty())
            continue;
        std::string verdict = line.reached ? *line.reached ? "reached" : "missed" : "";
        if (colour && line.reached)
            verdict = (*line.reached ? "\x1b[32m" : "\x1b[31m") + verdict + "\x1b[0m";
        text += fmt::format("{}  {}  {}  {}", padded(line.what, width, false),
                            padded(line.measured, number, true), padded(line.wanted, wanted, false),
                            verdict);
        while (text.back() == ' ')
            text.pop_back();
        text += "\n";
    }
    return text;
}

} // namespace bench
