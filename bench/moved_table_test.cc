// SPDX-License-Identifier: GPL-2.0-only
#include "moved_table.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

Row row(const char *bench, bool offload, uint64_t bytes, double value) {
    Row r;
    r.bench = bench;
    r.machine = "m";
    r.method = offload ? "copied" : "read+write";
    r.bytes = bytes;
    r.ops = 2;
    r.all = {{"offload", offload}};
    (r.bench.ends_with(" times") ? r.wall_ns : r.instructions) = value;
    return r;
}

TEST(MovedTables, CountsAndTimesMeet) {
    Results results;
    for (const char *bench : {"mapper", "mapper times"})
        for (bool on : {false, true}) {
            results.rows.push_back(row(bench, on, 256 << 20, on ? 25 : 100));
            results.rows.back().all["user"] = "mirror";
        }
    results.rows[0].device = DeviceWork{.reads = 2, .read_bytes = 1 << 20, .writes = 2};
    std::vector<Table> tables = mapper_tables(results, {});
    ASSERT_EQ(tables.size(), 1U);
    ASSERT_EQ(tables[0].rows.size(), 2U);
    EXPECT_EQ(tables[0].rows[0], (std::vector<std::string>{"mirror, 256 MiB", "read+write", "100",
                                                           "1.00", "2", "0.5", "1.00"}));
    EXPECT_EQ(tables[0].rows[1],
              (std::vector<std::string>{"", "copied", "25", "4.00", "", "", "0.25"}));
    // Of one boot only: what the other one would say is empty.
    results.rows.erase(results.rows.begin(), results.rows.begin() + 2);
    tables = mapper_tables(results, {});
    ASSERT_EQ(tables.size(), 1U);
    EXPECT_EQ(tables[0].rows[1], (std::vector<std::string>{"", "copied", "", "", "", "", "0.25"}));
}

TEST(MovedTables, ChunksAndTheirSpread) {
    Results results;
    results.rows = {row("snapshot times", false, 4096, 2000),
                    row("snapshot times", true, 4096, 3000)};
    results.rows[1].all.update({{"wall_ns", 3000}, {"tenth", 1000}, {"nine_tenths", 9000}});
    std::vector<Table> tables = snapshot_tables(results, {});
    ASSERT_EQ(tables.size(), 1U);
    EXPECT_EQ(tables[0].rows[1],
              (std::vector<std::string>{"", "copied", "", "", "", "1", "3", "9", "1.50"}));
}

TEST(MovedTables, BytesOnTheWire) {
    Results results;
    results.rows = {row("wire", false, 1 << 20, 50), row("wire", true, 1 << 20, 10)};
    results.rows[0].all["wire_bytes"] = 4 << 20; // of two operations
    results.rows[1].all["wire_bytes"] = 2 << 10;
    std::vector<Table> tables = wire_tables(results, {});
    ASSERT_EQ(tables.size(), 1U);
    EXPECT_EQ(tables[0].rows[1],
              (std::vector<std::string>{"", "copied", "1,024", "2048", "10", "5.0", ""}));
}

TEST(MovedTables, OthersAreLeftAlone) {
    Results results;
    results.rows = {row("sweep", true, 4096, 1)};
    EXPECT_TRUE(mapper_tables(results, {}).empty());
    EXPECT_FALSE(is_moved("sweep"));
    EXPECT_TRUE(is_moved("snapshot times"));
}

} // namespace
} // namespace bench
