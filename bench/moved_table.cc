// SPDX-License-Identifier: GPL-2.0-only
#include "moved_table.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

namespace bench {

namespace {

constexpr char kPlain[] = "read+write", kCopied[] = "copied";

std::string text_of(const std::optional<double> &value) {
    return value ? number_text(*value) : "";
}

std::string ratio_text(std::optional<double> a, std::optional<double> b, int decimals) {
    return a && b && *b > 0 ? fmt::format("{:.{}f}", *a / *b, decimals) : "";
}

std::optional<double> value_of(const Row *row, std::optional<double> Row::*value) {
    return row ? row->*value : std::nullopt;
}

// A whole number of units, from a field of a program's own.
std::string field_text(const Row *row, const char *name, double unit) {
    if (!row || !row->all.contains(name) || !row->all[name].is_number())
        return "";
    return number_text(row->all[name].get<double>() / unit);
}

std::string drive_text(const std::string &name, const std::vector<kit::Machine> &machines) {
    const kit::Machine *machine = kit::find_machine(machines, name);
    return machine ? "a drive that takes " + machine->description : name;
}

// One thing that was done in both ways, counted in one boot, and by the clock in another.
struct Pair {
    std::string machine, what;
    uint64_t bytes = 0;
    const Row *counted[2] = {}; // by offload
    const Row *timed[2] = {};

    // Words for one of the two.
    const Row *any(bool on) const { return counted[on] ? counted[on] : timed[on]; }
};

std::vector<Pair> pairs_of(const Results &results, const std::string &bench) {
    std::vector<Pair> pairs;

    for (const Row &row : results.rows) {
        const bool timed = row.bench == bench + " times";
        if (!timed && row.bench != bench)
            continue;
        const std::string what = row.all.value("user", "");
        auto same = [&](const Pair &pair) {
            return pair.machine == row.machine && pair.what == what && pair.bytes == row.bytes;
        };
        auto at = std::find_if(pairs.begin(), pairs.end(), same);
        if (at == pairs.end())
            at = pairs.insert(pairs.end(), Pair{row.machine, what, row.bytes, {}, {}});
        (timed ? at->timed : at->counted)[row.all.value("offload", false)] = &row;
    }
    return pairs;
}

// A table for each machine, of what `line` makes of each pair in each of the two ways.
std::vector<Table>
tables_of(const Results &results, const std::vector<kit::Machine> &machines,
          const std::string &bench, const std::string &title, const std::vector<std::string> &head,
          const std::function<std::vector<std::string>(const Pair &pair, bool on)> &line) {
    std::vector<Table> tables;
    std::string machine;

    for (const Pair &pair : pairs_of(results, bench)) {
        if (tables.empty() || machine != pair.machine) {
            Table table;
            table.title = title + drive_text(pair.machine, machines);
            table.head = head;
            tables.push_back(table);
            machine = pair.machine;
        }
        for (bool on : {false, true})
            if (pair.any(on))
                tables.back().rows.push_back(line(pair, on));
    }
    return tables;
}

} // namespace

std::vector<Table> mapper_tables(const Results &results,
                                 const std::vector<kit::Machine> &machines) {
    return tables_of(
        results, machines, "mapper", "dm-kcopyd: ",
        {"moved by", "method", "instructions", "r+w / it", "commands", "host MiB", "time / r+w"},
        [](const Pair &pair, bool on) -> std::vector<std::string> {
            const Row *row = pair.counted[on];
            const std::optional<double> cost = value_of(row, &Row::instructions);
            std::optional<double> host = pair.any(on)->host_bytes();
            if (host)
                *host /= 1 << 20;
            return {on ? "" : pair.what + ", " + size_text(pair.bytes),
                    on ? kCopied : kPlain,
                    text_of(cost),
                    ratio_text(value_of(pair.counted[0], &Row::instructions), cost, 2),
                    text_of(pair.any(on)->commands()),
                    text_of(host),
                    ratio_text(value_of(pair.timed[on], &Row::wall_ns),
                               value_of(pair.timed[0], &Row::wall_ns), 2)};
        });
}

std::vector<Table> snapshot_tables(const Results &results,
                                   const std::vector<kit::Machine> &machines) {
    return tables_of(results, machines, "snapshot",
                     "The first write of 4 KiB to a chunk of which there is a snapshot: ",
                     {"chunk", "method", "instructions", "r+w / it", "commands", "µs, 10 %",
                      "median", "90 %", "time / r+w"},
                     [](const Pair &pair, bool on) -> std::vector<std::string> {
                         const std::optional<double> cost =
                             value_of(pair.counted[on], &Row::instructions);
                         const Row *timed = pair.timed[on];
                         return {on ? "" : size_text(pair.bytes),
                                 on ? kCopied : kPlain,
                                 text_of(cost),
                                 ratio_text(value_of(pair.counted[0], &Row::instructions), cost, 2),
                                 text_of(pair.any(on)->commands()),
                                 field_text(timed, "tenth", 1000),
                                 field_text(timed, "wall_ns", 1000),
                                 field_text(timed, "nine_tenths", 1000),
                                 ratio_text(value_of(timed, &Row::wall_ns),
                                            value_of(pair.timed[0], &Row::wall_ns), 2)};
                     });
}

std::vector<Table> wire_tables(const Results &results, const std::vector<kit::Machine> &machines) {
    auto on_the_wire = [](const Row *row) -> std::optional<double> {
        if (!row || !row->all.contains("wire_bytes") || !row->all["wire_bytes"].is_number())
            return std::nullopt;
        const double mib = row->mib() * static_cast<double>(row->ops);
        return mib > 0 ? std::optional(row->all["wire_bytes"].get<double>() / mib) : std::nullopt;
    };
    return tables_of(
        results, machines, "wire", "NVMe/TCP, target and host in one kernel, behind the target ",
        {"at a time", "method", "bytes on the wire/MiB", "r+w / it", "instructions/MiB", "r+w / it",
         "cmds/MiB"},
        [&](const Pair &pair, bool on) -> std::vector<std::string> {
            const Row *row = pair.any(on);
            auto per_mib = [&](std::optional<double> value) {
                if (value && row->mib() > 0)
                    *value /= row->mib();
                return text_of(value);
            };
            return {on ? "" : size_text(pair.bytes),
                    on ? kCopied : kPlain,
                    text_of(on_the_wire(row)),
                    ratio_text(on_the_wire(pair.any(false)), on_the_wire(row), 0),
                    per_mib(row->instructions),
                    ratio_text(value_of(pair.any(false), &Row::instructions), row->instructions, 1),
                    per_mib(row->commands())};
        });
}

bool is_moved(const std::string &bench) {
    for (const char *name : {"mapper", "mapper times", "snapshot", "snapshot times", "wire"})
        if (bench == name)
            return true;
    return false;
}

} // namespace bench
