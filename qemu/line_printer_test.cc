// SPDX-License-Identifier: GPL-2.0-only
#include "line_printer.h"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>

namespace kit {
namespace {

// What a printer wrote to its file.
class LinePrinterTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_NE(file_ = std::tmpfile(), nullptr); }
    void TearDown() override { std::fclose(file_); }

    std::string written() {
        std::string text(static_cast<size_t>(std::ftell(file_)), '\0');
        std::rewind(file_);
        EXPECT_EQ(std::fread(text.data(), 1, text.size(), file_), text.size());
        return text;
    }

    std::FILE *file_ = nullptr;
};

TEST_F(LinePrinterTest, TheLiveLineStaysBelowTheOthers) {
    {
        LinePrinter printer(file_, true, false);
        printer.live("working");
        printer.line("one done");
    }
    EXPECT_EQ(written(), "\r\033[Kworking\r\033[Kone done\n\r\033[Kworking\r\033[K");
}

TEST_F(LinePrinterTest, APipeGetsLinesOnly) {
    {
        LinePrinter printer(file_, false, true);
        printer.live("working");
        printer.line("one " + printer.paint(Colour::red, "done"));
    }
    EXPECT_EQ(written(), "one done\n");
}

TEST_F(LinePrinterTest, ColoursEnd) {
    LinePrinter printer(file_, true, true);
    EXPECT_EQ(printer.paint(Colour::red, "bad"), "\033[31mbad\033[0m");
    EXPECT_EQ(printer.paint(Colour::green, "good"), "\033[32mgood\033[0m");
    EXPECT_EQ(printer.paint(Colour::plain, "text"), "text");
}

TEST(WantsColours, ObeysTheEnvironment) {
    const auto with = [](const char *no_color, const char *term) {
        ::setenv("NO_COLOR", no_color, 1);
        ::setenv("TERM", term, 1);
        return wants_colours();
    };
    EXPECT_TRUE(with("", "xterm"));
    EXPECT_FALSE(with("1", "xterm"));
    EXPECT_FALSE(with("", "dumb"));
    ::unsetenv("TERM");
    EXPECT_FALSE(wants_colours());
    ::unsetenv("NO_COLOR");
}

TEST(Elide, KeepsTheWidth) {
    EXPECT_EQ(elide("12345", 5), "12345");
    EXPECT_EQ(elide("123456", 5), "12...");
    EXPECT_EQ(elide("123456", 3), "123");
}

} // namespace
} // namespace kit
