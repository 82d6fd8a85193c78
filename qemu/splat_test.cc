// SPDX-License-Identifier: GPL-2.0-only
#include "splat.h"

#include "fd.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <sstream>

namespace kit {
namespace {

// The lists that are really used.
const SplatRules &rules() {
    static const SplatRules loaded = [] {
        std::string directory = KIT_DATA_DIRECTORY;
        Result<SplatRules> r =
            SplatRules::load(directory + "/splat-deny.txt", directory + "/splat-allow.txt");
        EXPECT_TRUE(static_cast<bool>(r)) << (r ? "" : r.error().message);
        return r ? *r : SplatRules();
    }();
    return loaded;
}

SplatScanner scan(const std::string &name) {
    const char *directory = std::getenv("TESTDATA");
    Result<std::string> text =
        read_file(std::string(directory ? directory : "testdata") + "/" + name);
    EXPECT_TRUE(static_cast<bool>(text)) << (text ? "" : text.error().message);
    SplatScanner scanner(rules());
    std::istringstream in(text ? *text : "");
    for (std::string line; std::getline(in, line);)
        scanner.feed(line);
    return scanner;
}

struct Golden {
    const char *log;
    Outcome outcome;
    const char *message; // a part of it
};

class SplatLog : public testing::TestWithParam<Golden> {};

TEST_P(SplatLog, IsRecognised) {
    SplatScanner scanner = scan(GetParam().log);
    ASSERT_FALSE(scanner.splats().empty());
    const Splat &first = scanner.splats().front();
    EXPECT_STREQ(outcome_name(first.outcome), outcome_name(GetParam().outcome));
    EXPECT_NE(first.message.find(GetParam().message), std::string::npos) << first.message;
    ASSERT_FALSE(first.lines.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Golden, SplatLog,
    testing::Values(Golden{"console-panic.log", Outcome::panic, "Attempted to kill init"},
                    Golden{"console-oops.log", Outcome::oops, "NULL pointer"},
                    Golden{"console-gpf.log", Outcome::oops, "general protection fault"},
                    Golden{"console-bug.log", Outcome::bug, "block/blk-merge.c:407"},
                    Golden{"console-atomic-sleep.log", Outcome::bug, "sleeping function"},
                    Golden{"console-warning.log", Outcome::warning, "submit_bio"},
                    Golden{"console-lockdep.log", Outcome::lockdep, "circular locking"},
                    Golden{"console-lockdep-irq.log", Outcome::lockdep, "HARDIRQ-safe"},
                    Golden{"console-lockdep-context.log", Outcome::lockdep, "Invalid wait context"},
                    Golden{"console-kasan.log", Outcome::kasan, "use-after-free"},
                    Golden{"console-ubsan.log", Outcome::ubsan, "array-index-out-of-bounds"},
                    Golden{"console-kmemleak.log", Outcome::kmemleak, "2 new suspected"},
                    Golden{"console-hung-task.log", Outcome::hung_task, "blocked for more than"},
                    Golden{"console-soft-lockup.log", Outcome::hung_task, "soft lockup"},
                    Golden{"console-workqueue-lockup.log", Outcome::hung_task, "workqueue lockup"},
                    Golden{"console-rcu-stall.log", Outcome::hung_task, "detected stalls"}),
    [](const auto &param) {
        std::string name = param.param.log;
        name = name.substr(8, name.size() - 12);
        for (char &c : name)
            if (c == '-')
                c = '_';
        return name;
    });

TEST(Splat, AnOrdinaryConsoleIsClean) {
    EXPECT_TRUE(scan("console-clean.log").splats().empty());
}

TEST(Splat, TheCauseComesFirstAndThePanicIsSeen) {
    SplatScanner scanner = scan("console-oops.log");
    EXPECT_EQ(scanner.splats().front().outcome, Outcome::oops);
    EXPECT_TRUE(scanner.panicked());
    // One line of context before, all that follows after.
    EXPECT_NE(scanner.splats().front().lines.front().find("default/read/poll"), std::string::npos);
    EXPECT_NE(scanner.splats().front().lines.back().find("Kernel Offset"), std::string::npos);
}

TEST(Splat, AllowedMessagesNeedAReasonAndAnEnd) {
    std::string deny = "warning | ^WARNING:";
    Result<SplatRules> r =
        SplatRules::parse(deny, "^WARNING: .* old_driver | noise | fixed in 6.13");
    ASSERT_TRUE(static_cast<bool>(r));
    EXPECT_FALSE(r->match("WARNING: CPU: 1 at old_driver"));
    EXPECT_TRUE(r->match("WARNING: CPU: 1 at new_driver"));
    EXPECT_FALSE(static_cast<bool>(SplatRules::parse(deny, "^WARNING: .* old_driver")));
    EXPECT_FALSE(static_cast<bool>(SplatRules::parse(deny, "^WARNING: .* old_driver |  | ")));
}

TEST(Splat, BadListsAreErrors) {
    EXPECT_FALSE(static_cast<bool>(SplatRules::parse("", "")));
    EXPECT_FALSE(static_cast<bool>(SplatRules::parse("# only a comment\n", "")));
    EXPECT_FALSE(static_cast<bool>(SplatRules::parse("nonsense | ^x", "")));
    EXPECT_FALSE(static_cast<bool>(SplatRules::parse("bug | (", "")));
    EXPECT_FALSE(static_cast<bool>(SplatRules::load("/nonexistent/deny", "/nonexistent/allow")));
}

TEST(Splat, StripsTimeAndCaller) {
    EXPECT_EQ(strip_printk_prefix("[    1.234567] text"), "text");
    EXPECT_EQ(strip_printk_prefix("[    1.234567][   T12] text"), "text");
    EXPECT_EQ(strip_printk_prefix("[    1.2][C0]   indented"), "  indented");
    EXPECT_EQ(strip_printk_prefix("[ BUG: x ]"), "[ BUG: x ]");
    EXPECT_EQ(strip_printk_prefix("plain"), "plain");
    EXPECT_EQ(strip_printk_prefix(""), "");
}

} // namespace
} // namespace kit
