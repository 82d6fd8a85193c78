// SPDX-License-Identifier: GPL-2.0-only
#include "check.h"

#include "bound.h"
#include "moved_table.h"

#include <algorithm>
#include <fmt/format.h>

namespace bench {

static const char *const kDrive2M = "bench-2m";
static const char *const kDrive64M = "bench-64m";
static const char *const kDrive64K = "bench-64k";

bool is_offload(const std::string &method) {
    return method == "copy_file_range" || method == "ioctl" || method == "uring" ||
           method == "passthrough" || method == "passthrough uring";
}

// The least commands and ranges for the row; nothing where that is not known.
static std::optional<Bound> bound_for(const Row &row, const std::vector<kit::Machine> &machines) {
    const kit::Machine *machine = kit::find_machine(machines, row.machine);
    std::optional<Limits> limits = machine ? limits_of(*machine) : std::nullopt;

    if (row.bench != "sweep" || !limits || !row.bytes || !row.device || !is_offload(row.method))
        return std::nullopt;
    // copy_file_range(2) takes one extent at a time.
    if (row.method == "copy_file_range") {
        Bound one = bound_of(*limits, 1, row.each());
        return Bound{one.commands * row.extents, one.ranges * row.extents};
    }
    return bound_of(*limits, row.extents, row.each());
}

// Whether what moved data inside the kernel did as it was told: "" or what is wrong.
static std::string wrong_way(const Row &row) {
    if (!is_moved(row.bench) || !row.device)
        return "";
    if (!row.all.value("offload", false))
        return row.device->copies ? fmt::format("copied {} times, though it was to read and write",
                                                row.device->copies)
                                  : "";
    // Metadata are read and written all the same, and in front of a snapshot the data that are new.
    const uint64_t data = row.device->read_bytes + row.device->write_bytes;
    const uint64_t most =
        row.bytes * row.ops / 4 + (row.bench.starts_with("snapshot") ? row.ops * 4096 : 0);
    if (!row.device->copies)
        return "the drive copied nothing";
    return data > most
               ? fmt::format("{} bytes of data went through the host, {} would be many", data, most)
               : "";
}

std::vector<std::string> violations(const Results &results,
                                    const std::vector<kit::Machine> &machines) {
    std::vector<std::string> list;

    for (const Row &row : results.rows) {
        const std::string label =
            fmt::format("{}: {} of {}", row.machine, row.method, shape_text(row));
        if (row.bytes && !row.verified)
            list.push_back(label + ": nobody has verified what was copied");
        const std::string wrong = wrong_way(row);
        if (!wrong.empty())
            list.push_back(label + ": " + wrong);
        std::optional<Bound> bound = bound_for(row, machines);
        if (!bound)
            continue;
        const double commands = *row.commands(), bytes = *row.host_bytes();
        if (commands != static_cast<double>(bound->commands))
            list.push_back(fmt::format("{}: {} commands, {} is what the limits allow", label,
                                       commands, bound->commands));
        if (bytes != static_cast<double>(bound->ranges) * 32)
            list.push_back(fmt::format("{}: {} bytes through host memory, {} is right (32 a range)",
                                       label, bytes, bound->ranges * 32));
    }
    return list;
}

namespace {

class Headlines {
public:
    explicit Headlines(const Results &results) : results_(results) {}

    // Instructions of one copy.
    std::optional<double> cost(const char *machine, const char *method, uint64_t extents,
                               uint64_t each) const {
        const Row *row = results_.find("sweep", machine, method, extents, each);
        return row ? row->instructions : std::nullopt;
    }

    // Instructions of one copy of `extents` extents, in one of the ways of copy-ways.
    std::optional<double> way(const char *method, uint64_t extents) const {
        for (const Row &row : results_.rows)
            if (row.bench == "ways" && row.method == method && row.extents == extents)
                return row.instructions;
        return std::nullopt;
    }

    // Instructions of an I/O of 4 KiB at depth 1 that is no copy.
    std::optional<double> unused(const char *flavour, const std::string &method) const {
        for (const Row &row : results_.rows)
            if (row.bench == "unused" && row.flavour == flavour && row.method == method &&
                row.depth == 1)
                return row.instructions;
        return std::nullopt;
    }

    // `number` / `of`, which shall be at most (at least) `limit`.
    void ratio(const std::string &what, std::optional<double> number, std::optional<double> of,
               std::optional<double> limit, bool at_most) {
        Headline line;
        line.what = what;
        // 0.1 % are not to be lost.
        const int digits = !at_most ? 0 : limit && *limit > 1 && *limit < 1.01 ? 4 : 2;
        if (limit)
            line.wanted =
                fmt::format("{} {:.{}f}", at_most ? "at most" : "at least", *limit, digits);
        if (number && of && *of > 0) {
            double value = *number / *of;
            line.measured = fmt::format("{:.{}f}", value, at_most ? digits : 1);
            if (limit)
                line.reached = at_most ? value <= *limit : value >= *limit;
        }
        list.push_back(line);
    }

    std::vector<Headline> list;

private:
    const Results &results_;
};

Headline all_rows(const std::string &what, const std::vector<std::string> &broken, const char *word,
                  size_t checked) {
    Headline line{what, "", "all", std::nullopt};
    size_t wrong = static_cast<size_t>(
        std::count_if(broken.begin(), broken.end(), [&](const std::string &sentence) {
            return sentence.find(word) != std::string::npos;
        }));
    if (checked) {
        line.measured = fmt::format("{} of {}", checked - wrong, checked);
        line.reached = wrong == 0;
    }
    return line;
}

} // namespace

std::vector<Headline> headlines(const Results &results, const std::vector<kit::Machine> &machines) {
    constexpr uint64_t k4K = 4 << 10, k64K = 64 << 10, k2M = 2 << 20, k64M = 64 << 20;
    Headlines h(results);
    auto cost = [&](const char *machine, const char *method, uint64_t extents, uint64_t each) {
        return h.cost(machine, method, extents, each);
    };

    for (uint64_t size : {k64K, k2M})
        h.ratio("ioctl / passthrough ioctl, " + size_text(size), cost(kDrive2M, "ioctl", 1, size),
                cost(kDrive2M, "passthrough", 1, size), 1.0, true);
    h.ratio("ioctl / passthrough ioctl, 127 x 4 KiB", cost(kDrive2M, "ioctl", 127, k4K),
            cost(kDrive2M, "passthrough", 127, k4K), 2.0, true);
    for (uint64_t size : {k64K, k2M})
        h.ratio("io_uring copy / passthrough, " + size_text(size), cost(kDrive2M, "uring", 1, size),
                cost(kDrive2M, "passthrough uring", 1, size), 1.0, true);
    std::optional<double> part = cost(kDrive2M, "uring", 127, k4K);
    if (part)
        part = *part / 127;
    h.ratio("io_uring copy per extent of 127 / passthrough of one", part,
            cost(kDrive2M, "passthrough uring", 1, k64K), 0.5, true);

    struct Drive {
        const char *machine;
        uint64_t size;
        std::optional<double> plain, best;
    };
    for (const Drive &drive :
         {Drive{kDrive2M, k2M, 80.0, 30.0}, Drive{kDrive64M, k64M, 1000.0, 300.0},
          Drive{kDrive64K, k2M, std::nullopt, std::nullopt}}) {
        const kit::Machine *machine = kit::find_machine(machines, drive.machine);
        std::optional<Limits> limits = machine ? limits_of(*machine) : std::nullopt;
        std::string where = fmt::format("{}, {} per command", size_text(drive.size),
                                        limits ? size_text(limits->copy) : drive.machine);
        h.ratio("read+write / ioctl, " + where, cost(drive.machine, "read+write", 1, drive.size),
                cost(drive.machine, "ioctl", 1, drive.size), drive.plain, false);
        h.ratio("best read+write / ioctl, " + where,
                cost(drive.machine, "read+write uring", 1, drive.size),
                cost(drive.machine, "ioctl", 1, drive.size), drive.best, false);
    }

    // What reviewers asked: a bio that has many extents, or many bios.
    auto way = [&](const char *method) { return h.way(method, 128); };
    h.ratio("128 bios merged under a plug / one bio of 128 extents", way("plug"), way("one"),
            std::nullopt, false);
    h.ratio("128 bios that nothing merges / one bio of 128 extents", way("apart"), way("one"),
            std::nullopt, false);
    for (const char *device : {"nvme", "dm-linear"})
        for (const char *direction : {"read", "write"}) {
            const std::string method = fmt::format("{}, {}", direction, device);
            h.ratio(fmt::format("4 KiB {} where nobody copies, patched / unpatched", method),
                    h.unused("plain", method), h.unused("unpatched", method), 1.001, true);
        }

    size_t checked = 0;
    for (const Row &row : results.rows)
        checked += bound_for(row, machines).has_value();
    const std::vector<std::string> broken = violations(results, machines);
    h.list.push_back(all_rows("measurements whose commands are as few as the limits allow", broken,
                              " commands, ", checked));
    h.list.push_back(all_rows("measurements with 32 bytes a range through host memory, no more",
                              broken, "through host memory", checked));
    return h.list;
}

} // namespace bench
