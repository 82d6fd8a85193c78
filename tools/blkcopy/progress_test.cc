// SPDX-License-Identifier: GPL-2.0-only
#include "progress.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace blkcopy {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(RenderBar, ShowsEverythingOnAWideTerminal) {
    EXPECT_EQ(render_bar({"copy", 25 * kMiB, 100 * kMiB, 0.5}, 75, false),
              "copy    25% [=====>                 ] 25 MiB of 100 MiB  50 MiB/s  ETA 0:02");
}

TEST(RenderBar, LeavesOutTheBarAndThenTheRateWhenNarrow) {
    const Moment moment{"copy", 25 * kMiB, 100 * kMiB, 0.5};
    EXPECT_EQ(render_bar(moment, 60, false), "copy    25% 25 MiB of 100 MiB  50 MiB/s  ETA 0:02");
    EXPECT_EQ(render_bar(moment, 40, false), "copy    25% 25 MiB of 100 MiB");
    EXPECT_EQ(render_bar(moment, 11, false), "copy    25%");
    EXPECT_EQ(render_bar(moment, 4, false), "copy");
}

TEST(RenderBar, NeverIsWiderThanTheTerminal) {
    for (unsigned columns = 1; columns < 200; columns++) {
        for (const uint64_t done : {uint64_t{0}, uint64_t{1}, 999 * kMiB, 1000 * kMiB})
            EXPECT_LE(render_bar({"verify", done, 1000 * kMiB, 12345}, columns, false).size(),
                      columns);
    }
}

TEST(RenderBar, HasBothEnds) {
    EXPECT_EQ(render_bar({"copy", 0, kMiB, 0}, 55, false),
              "copy     0% [>              ] 0 B of 1 MiB  -  ETA -:--");
    EXPECT_EQ(render_bar({"copy", kMiB, kMiB, 1}, 60, false),
              "copy   100% [============] 1 MiB of 1 MiB  1 MiB/s  ETA 0:00");
    EXPECT_NE(render_bar({"copy", kMiB - 1, kMiB, 1}, 60, false).find(" 99%"), std::string::npos)
        << "100 % only when it is done";
}

TEST(RenderBar, ColourIsOnlyAddedOnDemand) {
    const Moment moment{"copy", 1, 2, 1};
    EXPECT_EQ(render_bar(moment, 80, false).find('\x1b'), std::string::npos);
    EXPECT_NE(render_bar(moment, 80, true).find("\x1b[32m"), std::string::npos);
}

TEST(RenderPlain, IsOneReadableLine) {
    EXPECT_EQ(render_plain({"copy", 430 * kMiB, 1024 * kMiB, 2}),
              "copy: 41 % (430 MiB of 1 GiB), 215 MiB/s, ETA 0:03");
}

std::string shown(Progress::Style style) {
    char *text = nullptr;
    size_t size = 0;
    std::FILE *const stream = ::open_memstream(&text, &size);
    {
        Progress progress(stream, style);
        progress.start("copy", 10);
        progress.update(5);
        progress.update(10);
    }
    std::fclose(stream);
    std::string result(text, size);
    std::free(text);
    return result;
}

TEST(Progress, SaysNothingWhenToldSoAndWhenItIsQuick) {
    EXPECT_EQ(shown(Progress::Style::kNone), "");
    EXPECT_EQ(shown(Progress::Style::kPlain), "") << "a quick job needs no line";
}

TEST(Progress, TheTerminalLineIsRemoved) {
    const std::string text = shown(Progress::Style::kTerminal);
    EXPECT_NE(text.find("\rcopy "), std::string::npos);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_TRUE(text.ends_with("\r\x1b[K"));
}

TEST(Progress, APipeIsPlain) {
    std::FILE *const pipe = ::popen("cat", "w");
    EXPECT_EQ(Progress::style_for(pipe), Progress::Style::kPlain);
    ::pclose(pipe);
}

} // namespace
} // namespace blkcopy
