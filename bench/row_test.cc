// SPDX-License-Identifier: GPL-2.0-only
#include "results.h"
#include "row.h"
#include "runner.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

using Json = nlohmann::json;

const char *const kLine =
    R"({"bench":"sweep","method":"ioctl","bytes":520192,"extents":127,"ops":2,"instructions":61000,)"
    R"("samples":[61000,61002],"device":{"copies":2,"ranges":254,"read_bytes":0},"verified":true})";

TEST(Row, AGuestsLine) {
    kit::Result<Row> row = parse_row(Json::parse(kLine));
    ASSERT_TRUE(static_cast<bool>(row)) << row.error().message;
    EXPECT_EQ(row->method, "ioctl");
    EXPECT_EQ(row->each(), 4096U);
    EXPECT_EQ(row->instructions, 61000);
    EXPECT_EQ(row->samples.size(), 2U);
    EXPECT_EQ(row->commands(), 1);
    EXPECT_EQ(row->host_bytes(), 127 * 32);
    EXPECT_TRUE(row->verified);
    EXPECT_FALSE(row->wall_ns.has_value());
    EXPECT_EQ(shape_text(*row), "127 x 4 KiB");
}

TEST(Row, ErrorsNameTheField) {
    auto error = [](const char *text) {
        kit::Result<Row> row = parse_row(Json::parse(text));
        return row ? std::string() : row.error().message;
    };
    EXPECT_TRUE(error(R"({"method":"m"})").starts_with("\"bench\" is missing"));
    EXPECT_TRUE(error(R"({"bench":"b","method":1})").starts_with("\"method\" must be"));
    EXPECT_TRUE(error(R"({"bench":"b","method":"m","bytes":-1})").starts_with("\"bytes\" must"));
    EXPECT_TRUE(error(R"({"bench":"b","method":"m","wall_ns":"x"})").starts_with("\"wall_ns\""));
    EXPECT_TRUE(error(R"({"bench":"b","method":"m","samples":["x"]})").starts_with("\"samples\""));
    EXPECT_NE(error(R"([1])"), "");
    EXPECT_NE(error(R"({"bench":"b","method":"m","device":3})"), "");
    EXPECT_EQ(error(R"({"bench":"b","method":"m"})"), "");
}

TEST(Row, SizesAsPeopleSayThem) {
    EXPECT_EQ(size_text(64 << 20), "64 MiB");
    EXPECT_EQ(size_text(508 << 10), "508 KiB");
    EXPECT_EQ(size_text(1000), "1000 B");
    EXPECT_EQ(size_text(0), "0 B");
}

TEST(RowReader, LinesComeInPieces) {
    std::vector<Row> rows;
    RowReader reader([&](const Row &row) { rows.push_back(row); });
    std::string text = "{\"bench\":\"plan\",\"rows\":1}\nhello\n" + std::string(kLine) + "\r\n";
    for (char c : text)
        reader.feed(std::string_view(&c, 1));
    EXPECT_EQ(reader.promised(), 1U);
    EXPECT_EQ(reader.rows(), 1U);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].extents, 127U);
    EXPECT_EQ(reader.other(), "hello\n");
    EXPECT_EQ(reader.error(), "");
    reader.feed("{\"bench\":\n");
    EXPECT_NE(reader.error(), "");
}

TEST(Results, TheSameAfterAFile) {
    Results results;
    results.kernel = "6.12.1";
    results.smoke = true;
    results.rows.push_back(*parse_row(Json::parse(kLine)));
    results.rows[0].machine = "bench-2m";
    results.rows[0].flavour = "plain";
    kit::Result<Results> back = parse_results(results_text(results), "a.json");
    ASSERT_TRUE(static_cast<bool>(back)) << back.error().message;
    EXPECT_EQ(back->kernel, "6.12.1");
    EXPECT_TRUE(back->smoke);
    ASSERT_EQ(back->rows.size(), 1U);
    EXPECT_EQ(back->rows[0].key(), results.rows[0].key());
    EXPECT_EQ(results_text(*back), results_text(results));
    EXPECT_NE(back->find("sweep", "bench-2m", "ioctl", 127, 4096), nullptr);
    EXPECT_EQ(back->find("sweep", "bench-2m", "ioctl", 1, 4096), nullptr);
}

TEST(Results, OtherFilesAreNamed) {
    for (const char *text : {"", "[]", "{}", R"({"format":2,"rows":[]})", R"({"format":1})"}) {
        kit::Result<Results> results = parse_results(text, "x.json");
        ASSERT_FALSE(static_cast<bool>(results)) << text;
        EXPECT_TRUE(results.error().message.starts_with("x.json is no results file"));
    }
}

} // namespace
} // namespace bench
