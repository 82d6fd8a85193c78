// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace blkcopy {
namespace {

Summary example() {
    Summary summary;
    summary.source = "/dev/nvme0n1p1";
    summary.destination = "/dev/nvme0n1p2";
    summary.extents = {{4096, 1 << 20}};
    summary.destination_offset = 8192;
    summary.bytes = 1 << 20;
    summary.copy.offloaded = 1 << 20;
    summary.copy.offload_calls = 1;
    summary.seconds = 0.5;
    return summary;
}

TEST(Report, SaysWhoCopied) {
    Summary summary = example();
    EXPECT_EQ(to_text(summary), "copied 1 MiB in 0.50 s (2 MiB/s) inside the device (ioctl)");
    summary.copy.queued = 1 << 20;
    EXPECT_TRUE(to_text(summary).ends_with("inside the device (io_uring)"));
    summary.verified = true;
    EXPECT_TRUE(to_text(summary).ends_with("; verified equal"));
    summary.copy.offloaded = summary.copy.queued = 0;
    summary.copy.read_written = 1 << 20;
    summary.copy.fell_back = true;
    EXPECT_NE(to_text(summary).find("does not offer to copy"), std::string::npos);
}

TEST(Report, ADryRunSaysWhatWouldBe) {
    Summary summary = example();
    summary.dry_run = true;
    EXPECT_TRUE(to_text(summary).starts_with("would copy 1 MiB (1048576 bytes, 1 extent)"));
}

TEST(Report, JsonCanBeReadBack) {
    Summary summary = example();
    summary.error = "a \"quoted\" sentence\nof two lines";
    summary.exit_code = 1;
    const nlohmann::json json = nlohmann::json::parse(to_json(summary));
    EXPECT_EQ(json["copied"], 1 << 20);
    EXPECT_EQ(json["method"], "offload");
    EXPECT_EQ(json["offload_interface"], "ioctl");
    EXPECT_EQ(json["extents"][0]["offset"], 4096);
    EXPECT_EQ(json["destination_offset"], 8192);
    EXPECT_TRUE(json["verified"].is_null());
    EXPECT_TRUE(json["fallback"].is_null());
    EXPECT_EQ(json["exit_code"], 1);
    EXPECT_EQ(json["error"], *summary.error);
}

TEST(Report, JsonSurvivesAPathThatIsNotText) {
    Summary summary = example();
    summary.source = "/dev/\xff\xfe";
    EXPECT_TRUE(nlohmann::json::accept(to_json(summary)));
}

} // namespace
} // namespace blkcopy
