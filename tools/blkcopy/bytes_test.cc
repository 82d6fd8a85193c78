// SPDX-License-Identifier: GPL-2.0-only
#include "bytes.h"

#include <gtest/gtest.h>

#include "plan.h"

namespace blkcopy {
namespace {

TEST(ParseBytes, TakesNumbersWithAndWithoutUnits) {
    const std::pair<const char *, uint64_t> cases[] = {
        {"0", 0},
        {"4096", 4096},
        {"512B", 512},
        {"0x1000", 4096},
        {"1K", 1024},
        {"1k", 1024},
        {"64KiB", 65536},
        {"3KB", 3000},
        {"1M", 1 << 20},
        {"2GiB", uint64_t{2} << 30},
        {"1TB", 1000ULL * 1000 * 1000 * 1000},
        {"15E", uint64_t{15} << 60},
        {"18446744073709551615", UINT64_MAX},
    };
    for (const auto &[text, value] : cases) {
        const Result<uint64_t> parsed = parse_bytes(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(*parsed, value) << text;
    }
}

TEST(ParseBytes, RefusesEverythingElse) {
    for (const char *text :
         {"", " 1", "1 K", "-1", "+1", "K", "1.5M", "1X", "1KiBs", "1Ki", "0x", "0xfK", "16E",
          "18446744073709551616", "99999999999999999999", "18014398509481984K", "1,000"}) {
        const Result<uint64_t> parsed = parse_bytes(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ExitCode::kUsage);
        EXPECT_NE(parsed.error().message.find(text), std::string::npos)
            << "the sentence names what was written";
    }
}

TEST(ParseExtent, NeedsBothHalves) {
    const Result<Extent> extent = parse_extent("1M:64K");
    ASSERT_TRUE(extent);
    EXPECT_EQ(*extent, (Extent{1 << 20, 64 << 10}));
    for (const char *text : {"", "1M", ":", "1M:", ":1M", "1:2:3"})
        EXPECT_FALSE(parse_extent(text)) << text;
}

TEST(FormatBytes, IsShort) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1023), "1023 B");
    EXPECT_EQ(format_bytes(1024), "1 KiB");
    EXPECT_EQ(format_bytes(1536), "1.5 KiB");
    EXPECT_EQ(format_bytes(10 << 20), "10 MiB");
    EXPECT_EQ(format_bytes((1 << 20) - 1), "1 MiB") << "not 1024 KiB";
    EXPECT_EQ(format_bytes(uint64_t{1} << 40), "1 TiB");
    EXPECT_EQ(format_bytes(UINT64_MAX), "16 EiB");
}

TEST(FormatRate, HasNoRateWithoutTime) {
    EXPECT_EQ(format_rate(1 << 20, 0), "-");
    EXPECT_EQ(format_rate(1 << 20, -1), "-");
    EXPECT_EQ(format_rate(UINT64_MAX, 1e-9), "-");
    EXPECT_EQ(format_rate(1 << 20, 0.5), "2 MiB/s");
}

TEST(FormatDuration, CountsInSixties) {
    EXPECT_EQ(format_duration(0), "0:00");
    EXPECT_EQ(format_duration(7.4), "0:07");
    EXPECT_EQ(format_duration(59.6), "1:00");
    EXPECT_EQ(format_duration(3 * 3600 + 4 * 60 + 5), "3:04:05");
    EXPECT_EQ(format_duration(-1), "-:--");
    EXPECT_EQ(format_duration(1e300), "-:--");
    EXPECT_EQ(format_duration(0.0 / 0.0), "-:--");
}

} // namespace
} // namespace blkcopy
