// SPDX-License-Identifier: GPL-2.0-only
#include "bound.h"
#include "check.h"
#include "page.h"
#include "table.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

constexpr uint64_t k4K = 4 << 10, k64K = 64 << 10, k2M = 2 << 20;

kit::Machine drive(const char *limits) {
    kit::Machine machine;
    machine.name = "bench-2m";
    machine.description = "2 MiB per command, in up to 128 ranges of up to 64 KiB";
    machine.devices = {"nvme,id=nvme0", std::string("nvme-ns,drive=disk0,") + limits};
    return machine;
}

const char *const k2MLimits = "mssrl=128,mcl=4096,msrc=127";

TEST(Bound, LimitsAreTheMachines) {
    std::optional<Limits> limits = limits_of(drive(k2MLimits));
    ASSERT_TRUE(limits.has_value());
    EXPECT_EQ(limits->range, k64K);
    EXPECT_EQ(limits->copy, k2M);
    EXPECT_EQ(limits->ranges, 128U);
    EXPECT_EQ(limits_of(drive("mssrl=1,mcl=1,msrc=0,logical_block_size=4096"))->range, 4096U);
    EXPECT_FALSE(limits_of(drive("mcl=4096")).has_value());
}

TEST(Bound, EachLimitDecidesOnce) {
    Limits limits{k64K, k2M, 128};
    EXPECT_EQ(bound_of(limits, 1, k4K), (Bound{1, 1}));
    EXPECT_EQ(bound_of(limits, 1, k2M), (Bound{1, 32}));
    EXPECT_EQ(bound_of(limits, 1, k2M + 512), (Bound{2, 33}));
    EXPECT_EQ(bound_of(limits, 127, k4K), (Bound{1, 127}));
    EXPECT_EQ(bound_of(limits, 129, k4K), (Bound{2, 129}));
    EXPECT_EQ(bound_of(limits, 127, k64K), (Bound{4, 127}));
    // A command ends within an extent.
    EXPECT_EQ(bound_of({1000, 1500, 10}, 2, 1000), (Bound{2, 3}));
    EXPECT_EQ(bound_of({0, 0, 0}, 2, 1000), (Bound{0, 0}));
}

Row row(const std::string &method, uint64_t extents, uint64_t each, double instructions,
        DeviceWork work) {
    Row r;
    r.bench = "sweep";
    r.machine = "bench-2m";
    r.method = method;
    r.extents = extents;
    r.bytes = extents * each;
    r.ops = 1;
    r.instructions = instructions;
    r.device = work;
    r.verified = true;
    return r;
}

TEST(Check, ASoundRun) {
    Results results;
    results.rows = {row("ioctl", 1, k2M, 20000, {.copies = 1, .ranges = 32}),
                    row("copy_file_range", 127, k4K, 1, {.copies = 127, .ranges = 127}),
                    row("read+write", 1, k2M, 700000,
                        {.reads = 4, .read_bytes = k2M, .writes = 4, .write_bytes = k2M})};
    EXPECT_TRUE(violations(results, {drive(k2MLimits)}).empty());
}

TEST(Check, WhatIsNotSoundIsTold) {
    auto sentence = [](Row r) {
        Results results;
        results.rows = {std::move(r)};
        std::vector<std::string> list = violations(results, {drive(k2MLimits)});
        return list.size() == 1 ? list[0] : std::to_string(list.size());
    };
    EXPECT_EQ(sentence(row("ioctl", 1, k2M, 1, {.copies = 2, .ranges = 32})),
              "bench-2m: ioctl of 2 MiB: 2 commands, 1 is what the limits allow");
    EXPECT_EQ(
        sentence(row("uring", 1, k2M, 1, {.copies = 1, .ranges = 33})),
        "bench-2m: uring of 2 MiB: 1056 bytes through host memory, 1024 is right (32 a range)");
    EXPECT_EQ(sentence(row("ioctl", 1, k4K, 1, {.copies = 1, .ranges = 1, .write_bytes = k4K})),
              "bench-2m: ioctl of 4 KiB: 4128 bytes through host memory, 32 is right (32 a range)");
    Row nobody = row("read+write", 1, k4K, 1, {});
    nobody.verified = false;
    EXPECT_EQ(sentence(nobody),
              "bench-2m: read+write of 4 KiB: nobody has verified what was copied");
}

TEST(Check, KernelUsersDoAsTheyWereTold) {
    auto sentence = [](bool offload, DeviceWork work) {
        Row r = row(offload ? "copied" : "read+write", 1, k2M, 1, work);
        r.bench = "mapper";
        r.all = {{"user", "mirror"}, {"offload", offload}};
        Results results;
        results.rows = {r};
        std::vector<std::string> list = violations(results, {});
        return list.empty() ? "" : list[0];
    };
    EXPECT_EQ(sentence(false, {.reads = 4, .read_bytes = k2M, .writes = 4, .write_bytes = k2M}),
              "");
    EXPECT_EQ(sentence(true, {.copies = 1, .ranges = 32, .write_bytes = k4K}), "");
    EXPECT_EQ(sentence(false, {.copies = 1, .ranges = 32}),
              "bench-2m: read+write of 2 MiB: copied 1 times, though it was to read and write");
    EXPECT_EQ(sentence(true, {.reads = 4, .read_bytes = k2M}),
              "bench-2m: copied of 2 MiB: the drive copied nothing");
    EXPECT_EQ(sentence(true, {.copies = 1, .ranges = 16, .read_bytes = k2M / 2}),
              "bench-2m: copied of 2 MiB: 1048576 bytes of data went through the host, 524288 "
              "would be many");
}

Results ratios(double ioctl) {
    Results results;
    results.rows = {row("ioctl", 1, k2M, ioctl, {.copies = 1, .ranges = 32}),
                    row("passthrough", 1, k2M, 10000, {.copies = 1, .ranges = 32}),
                    row("read+write", 1, k2M, 800000, {})};
    return results;
}

const Headline *line(const std::vector<Headline> &list, const std::string &what) {
    for (const Headline &headline : list)
        if (headline.what.starts_with(what))
            return &headline;
    return nullptr;
}

TEST(Headlines, ReachedAndMissed) {
    std::vector<Headline> list = headlines(ratios(10000), {drive(k2MLimits)});
    const Headline *floor = line(list, "ioctl / passthrough ioctl, 2 MiB");
    ASSERT_NE(floor, nullptr);
    EXPECT_EQ(floor->measured, "1.00");
    EXPECT_EQ(floor->reached, true);
    const Headline *gain = line(list, "read+write / ioctl, 2 MiB, 2 MiB per command");
    ASSERT_NE(gain, nullptr);
    EXPECT_EQ(gain->measured, "80.0");
    EXPECT_EQ(gain->reached, true);
    EXPECT_EQ(line(list, "ioctl / passthrough ioctl, 64 KiB")->reached, std::nullopt);

    list = headlines(ratios(10100), {drive(k2MLimits)});
    EXPECT_EQ(line(list, "ioctl / passthrough ioctl, 2 MiB")->reached, false);
    EXPECT_EQ(line(list, "read+write / ioctl, 2 MiB")->reached, false);
    EXPECT_EQ(line(list, "measurements whose commands")->measured, "2 of 2");
    std::string text = headline_text(list, false);
    EXPECT_NE(text.find("1.01  at most 1.00  missed"), std::string::npos) << text;
    EXPECT_EQ(text.find("64 KiB"), std::string::npos) << text;
}

TEST(Headlines, WaysAndWhatIsUnused) {
    Results results;
    for (const char *flavour : {"plain", "unpatched"}) {
        Row unused = row("read, nvme", 1, k4K, flavour == std::string("plain") ? 10005 : 10000, {});
        unused.bench = "unused";
        unused.flavour = flavour;
        results.rows.push_back(unused);
    }
    for (const auto &[method, cost] : {std::pair{"one", 40000.0}, std::pair{"plug", 160000.0}}) {
        Row way = row(method, 128, k4K, cost, {});
        way.bench = "ways";
        results.rows.push_back(way);
    }
    std::vector<Headline> list = headlines(results, {});
    const Headline *reads = line(list, "4 KiB read, nvme where nobody copies");
    ASSERT_NE(reads, nullptr);
    EXPECT_EQ(reads->measured, "1.0005");
    EXPECT_EQ(reads->wanted, "at most 1.0010");
    EXPECT_EQ(reads->reached, true);
    EXPECT_EQ(line(list, "4 KiB write, nvme where nobody copies")->measured, "");
    EXPECT_EQ(line(list, "128 bios merged")->measured, "4.0");
    EXPECT_EQ(line(list, "128 bios that nothing merges")->measured, "");

    results.rows[0].instructions = 10011;
    EXPECT_EQ(line(headlines(results, {}), "4 KiB read, nvme")->reached, false);
}

TEST(Tables, Numbers) {
    EXPECT_EQ(number_text(0), "0");
    EXPECT_EQ(number_text(1.25), "1.2");
    EXPECT_EQ(number_text(32), "32");
    EXPECT_EQ(number_text(0.0156), "0.016");
    EXPECT_EQ(number_text(999), "999");
    EXPECT_EQ(number_text(1234567), "1,234,567");
}

TEST(Tables, ASweepAndWhereItBreaksEven) {
    Results results = ratios(10000);
    results.rows.push_back(row("ioctl", 1, k4K, 20000, {.copies = 1, .ranges = 1}));
    results.rows.push_back(row("read+write", 1, k4K, 10000, {}));
    std::vector<kit::Machine> machines = {drive(k2MLimits)};
    std::string text = table_text(sweep_tables(results, machines, false).at(0), false);
    EXPECT_NE(text.find("2 MiB  ioctl              10,000      5,000"), std::string::npos) << text;
    std::string even = table_text(break_even_tables(results, machines).at(0), false);
    // On a scale of powers, log(80) : log(2) of the way from 2 MiB down to 4 KiB.
    EXPECT_NE(even.find("9 KiB"), std::string::npos) << even;
    results.rows.back().instructions = 30000;
    even = table_text(break_even_tables(results, machines).at(0), false);
    EXPECT_NE(even.find("below 4 KiB"), std::string::npos) << even;
}

TEST(Tables, RowsOfOtherPrograms) {
    Results results;
    Row other;
    other.bench = "question";
    other.method = "n bios";
    other.instructions = 7;
    results.rows = {other};
    ASSERT_EQ(other_tables(results).size(), 1U);
    EXPECT_NE(table_text(other_tables(results)[0], false).find("n bios"), std::string::npos);
}

TEST(Page, TellsEverythingAndEscapesIt) {
    Results results = ratios(10000);
    results.command = "make bench FILTER='<&>'";
    std::vector<kit::Machine> machines = {drive(k2MLimits)};
    std::string html = page(results, headlines(results, machines), {"a <sentence>"},
                            {{"Picture", "<svg></svg>"}}, sweep_tables(results, machines, false));
    EXPECT_NE(html.find("&lt;&amp;&gt;"), std::string::npos);
    EXPECT_NE(html.find("a &lt;sentence&gt;"), std::string::npos);
    EXPECT_NE(html.find("<svg></svg>"), std::string::npos);
    EXPECT_NE(html.find("class=good>reached"), std::string::npos);
    EXPECT_EQ(html.find("http"), std::string::npos);
}

} // namespace
} // namespace bench
