// SPDX-License-Identifier: GPL-2.0-only
#include "demo_result.h"

#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kit {
namespace {

constexpr uint64_t kBytes = 96 << 20;

DemoResult good() {
    DemoResult result;
    result.origin = "linux-6.12/Documentation";
    result.bytes = kBytes;
    result.files = 1234;
    result.file_bytes = 50 << 20;
    result.kernel = "6.12.1";
    result.drive = "The drive copies up to 16 MiB per command.";
    result.accelerator = "tcg";
    for (DemoCopy *copy : {&result.offloaded, &result.read_written}) {
        copy->rounds = 10;
        copy->copied = 10 * kBytes;
        copy->files_right = 1234;
        copy->equals_original = true;
    }
    DemoCopy &a = result.offloaded;
    a.method = "offload";
    a.seconds = 0.5;
    a.program_seconds = 0.0001;
    a.busy_seconds = 0.4;
    a.device.copies = 60;
    a.device.copied_bytes = 10 * kBytes;
    DemoCopy &b = result.read_written;
    b.method = "read-write";
    b.seconds = 1.5;
    b.program_seconds = 1;
    b.busy_seconds = 1.2;
    b.device.reads = b.device.writes = 3840;
    b.device.read_bytes = b.device.write_bytes = 10 * kBytes;
    result.source_unchanged = result.surroundings_unchanged = true;
    return result;
}

TEST(DemoResult, PassesWhenEveryProofHolds) {
    EXPECT_EQ(good().failures(), std::vector<std::string>());
}

// Takes each proof away, one after the other: none of them may be there for show only.
TEST(DemoResult, FailsWhenOneProofDoesNotHold) {
    const std::pair<const char *, std::function<void(DemoResult &)>> cases[] = {
        {"trouble", [](DemoResult &r) { r.trouble = "a warning"; }},
        {"no files", [](DemoResult &r) { r.files = 0; }},
        {"source", [](DemoResult &r) { r.source_unchanged = false; }},
        {"surroundings", [](DemoResult &r) { r.surroundings_unchanged = false; }},
        {"a error", [](DemoResult &r) { r.offloaded.error = "exit 1"; }},
        {"b error", [](DemoResult &r) { r.read_written.error = "exit 1"; }},
        {"a rounds", [](DemoResult &r) { r.offloaded.rounds = 0; }},
        {"a short", [](DemoResult &r) { r.offloaded.copied -= 512; }},
        {"b short", [](DemoResult &r) { r.read_written.copied -= 512; }},
        {"a method", [](DemoResult &r) { r.offloaded.method = "read-write"; }},
        {"b method", [](DemoResult &r) { r.read_written.method = "offload"; }},
        {"a fsck", [](DemoResult &r) { r.offloaded.fsck = "dirty"; }},
        {"b fsck", [](DemoResult &r) { r.read_written.fsck = "dirty"; }},
        {"a files", [](DemoResult &r) { r.offloaded.files_right--; }},
        {"b files", [](DemoResult &r) { r.read_written.files_right--; }},
        {"a extra file", [](DemoResult &r) { r.offloaded.wrong_file = "more"; }},
        {"a image", [](DemoResult &r) { r.offloaded.equals_original = false; }},
        {"b image", [](DemoResult &r) { r.read_written.equals_original = false; }},
        {"a saw nothing", [](DemoResult &r) { r.offloaded.device = {}; }},
        {"a too little", [](DemoResult &r) { r.offloaded.device.copied_bytes -= 512; }},
        {"a reads", [](DemoResult &r) { r.offloaded.device.reads = 1; }},
        {"a writes", [](DemoResult &r) { r.offloaded.device.writes = 1; }},
        {"a zeroes", [](DemoResult &r) { r.offloaded.device.write_zeroes = 1; }},
        {"b copies", [](DemoResult &r) { r.read_written.device.copies = 1; }},
        {"b reads", [](DemoResult &r) { r.read_written.device.read_bytes--; }},
        {"b writes", [](DemoResult &r) { r.read_written.device.write_bytes++; }},
    };
    for (const auto &[name, spoil] : cases) {
        DemoResult result = good();
        spoil(result);
        EXPECT_FALSE(result.passed()) << name;
        EXPECT_NE(demo_table(result, false).find("FAILED"), std::string::npos) << name;
        EXPECT_EQ(nlohmann::json::parse(demo_json(result))["passed"], false) << name;
    }
}

TEST(DemoTable, ShowsMeansAndRatios) {
    const std::string table = demo_table(good(), false);
    for (const char *words : {"96.0 MiB", "1,234 files", "50 ms", "150 ms   3.0 x faster", "6 copy",
                              "768 read/write", "0.0 MiB          192.0 MiB",
                              "more than 200 x less", "3.0 x less", "1234/1234", "PASSED"})
        EXPECT_NE(table.find(words), std::string::npos) << words << "\n" << table;
    EXPECT_EQ(table.find("FAILED"), std::string::npos);
    EXPECT_EQ(table.find(" \n"), std::string::npos) << "no blanks at the end of a line";
}

TEST(DemoTable, LongNumbersDoNotTouch) {
    DemoResult result = good();
    result.offloaded.device.reads = 123450;
    result.offloaded.device.copies = 0;
    result.read_written.device.reads = 678900;
    result.read_written.device.writes = 0;
    EXPECT_NE(demo_table(result, false).find("  12,345 read/write  67,890 read/write\n"),
              std::string::npos)
        << demo_table(result, false);
}

TEST(DemoTable, DoesNotFlatter) {
    DemoResult result = good();
    result.offloaded.seconds = 3;
    EXPECT_NE(demo_table(result, false).find("2.0 x slower"), std::string::npos);
}

TEST(DemoTable, ColourChangesNoWord) {
    std::string coloured = demo_table(good(), true);
    EXPECT_NE(coloured.find('\x1b'), std::string::npos);
    for (size_t at; (at = coloured.find('\x1b')) != std::string::npos;)
        coloured.erase(at, coloured.find('m', at) - at + 1);
    EXPECT_EQ(coloured, demo_table(good(), false));
}

TEST(DemoJson, HasTheNumbers) {
    const nlohmann::json json = nlohmann::json::parse(demo_json(good()));
    EXPECT_EQ(json["passed"], true);
    EXPECT_EQ(json["offloaded"]["device"]["copies"], 60);
    EXPECT_EQ(json["offloaded"]["bytes_through_host_memory"], 0);
    EXPECT_EQ(json["read_written"]["bytes_through_host_memory"], 20 * kBytes);
    EXPECT_EQ(json["offloaded"]["fsck"], "clean");
}

} // namespace
} // namespace kit
