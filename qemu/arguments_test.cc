// SPDX-License-Identifier: GPL-2.0-only
#include "arguments.h"

#include <gtest/gtest.h>

namespace kit {
namespace {

using Words = std::vector<std::string>;

// The exit code, if the words were not taken.
std::optional<int> parse(const Words &words, Arguments &arguments) {
    std::vector<const char *> argv = {"blkcopy-vm"};
    for (const std::string &word : words)
        argv.push_back(word.c_str());
    return parse_arguments(static_cast<int>(argv.size()), argv.data(), arguments);
}

TEST(Arguments, AListDoesNotSwallowTheProgram) {
    for (const char *list : {"--file", "--env"}) {
        Arguments arguments;
        ASSERT_FALSE(parse({"exec", list, "A=1", list, "B=2", "--", "busybox", "sh", "-c", "exit"},
                           arguments))
            << list;
        EXPECT_EQ(arguments.command, "exec");
        EXPECT_EQ(arguments.exec.argv, (Words{"busybox", "sh", "-c", "exit"}));
        const Words &both =
            arguments.exec.files.empty() ? arguments.exec.env : arguments.exec.files;
        EXPECT_EQ(both, (Words{"A=1", "B=2"}));
    }
}

TEST(Arguments, FiltersTakeOneWordEach) {
    Arguments arguments;
    ASSERT_FALSE(parse({"list", "--filter", "a", "--filter", "b", "--json"}, arguments));
    EXPECT_EQ(arguments.command, "list");
    EXPECT_EQ(arguments.run.filters, (Words{"a", "b"}));
    EXPECT_TRUE(arguments.list_json);
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse({"run", "--filter", "a", "b"}, arguments), 2);
    EXPECT_NE(testing::internal::GetCapturedStderr().find('b'), std::string::npos);
}

TEST(Arguments, HelpIsNoMistakeAndNothingIs) {
    Arguments arguments;
    testing::internal::CaptureStdout();
    EXPECT_EQ(parse({"--help"}, arguments), 0);
    EXPECT_NE(testing::internal::GetCapturedStdout().find("Exit"), std::string::npos);
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse({}, arguments), 2);
    testing::internal::GetCapturedStderr();
}

} // namespace
} // namespace kit
