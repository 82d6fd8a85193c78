// SPDX-License-Identifier: GPL-2.0-only
// The files that come along, and how wrong ones are told.
#include "bound.h"
#include "fd.h"
#include "machine.h"
#include "plan.h"
#include "plot.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

std::string error_of(const std::string &json) {
    kit::Result<std::vector<Bench>> benches = parse_benches(json);
    return benches ? "" : benches.error().message;
}

TEST(Shipped, BenchesAndMachinesFitTogether) {
    const std::string data = BENCH_DATA_DIRECTORY;
    kit::Result<std::vector<kit::Machine>> machines = kit::load_machines(data + "/machines.json");
    ASSERT_TRUE(static_cast<bool>(machines)) << machines.error().message;
    for (const kit::Machine &machine : *machines)
        EXPECT_TRUE(limits_of(machine).has_value()) << machine.name;
    kit::Result<std::string> text = kit::read_file(data + "/benches.json");
    ASSERT_TRUE(static_cast<bool>(text));
    kit::Result<std::vector<Bench>> benches = parse_benches(*text);
    ASSERT_TRUE(static_cast<bool>(benches)) << benches.error().message;
    EXPECT_FALSE(select(*benches, "smoke").empty());
    EXPECT_EQ(select(*benches, "").size(), benches->size());
    EXPECT_TRUE(select(*benches, "no such bench").empty());
}

TEST(Benches, ErrorsNameTheRow) {
    const std::string good = R"({"name": "n", "machine": "m", "program": "p"})";
    EXPECT_EQ(error_of("[" + good + "]"), "");
    EXPECT_EQ(error_of("[" + good + "," + good + "]"), "bench 'n': there are two of it");
    EXPECT_EQ(error_of(R"([{"name": "n", "machine": "m"}])"), "bench 'n': 'program' is missing");
    EXPECT_EQ(error_of(R"([{"name": "n", "colour": 1}])"), "bench 'n': unknown key 'colour'");
    EXPECT_TRUE(error_of(R"([{"name": "n", "machine": "m", "program": "p", "timeout": "x"}])")
                    .starts_with("bench 'n': a value is of the wrong kind"));
    EXPECT_NE(error_of("{"), "");
    EXPECT_NE(error_of("[]"), "");
    EXPECT_EQ(error_of("[3]"), "row 1: must be an object");
}

TEST(Plots, TwoSizesMakeALine) {
    Results results;
    for (uint64_t bytes : {4096, 65536}) {
        Row row;
        row.bench = "sweep";
        row.machine = "m";
        row.method = "ioctl";
        row.bytes = bytes;
        row.instructions = 1000;
        results.rows.push_back(row);
    }
    ASSERT_EQ(plots(results, {}).size(), 1U);
    EXPECT_NE(plots(results, {})[0].script.find("4096 1000\n65536 1000\n"), std::string::npos);
    results.rows.pop_back();
    EXPECT_TRUE(plots(results, {}).empty());
}

} // namespace
} // namespace bench
