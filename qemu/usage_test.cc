// SPDX-License-Identifier: GPL-2.0-only
// What is asked for and is not there: a sentence on standard error, and exit code 2.
#include "exec_command.h"
#include "run_command.h"

#include <functional>
#include <gtest/gtest.h>

namespace kit {
namespace {

class UsageTest : public testing::Test {
protected:
    void SetUp() override {
        Result<Setting> setting = Setting::load();
        ASSERT_TRUE(static_cast<bool>(setting)) << setting.error().message;
        setting_ = std::move(*setting);
    }

    void expect_refusal(const std::function<int()> &command, const std::string &part) {
        testing::internal::CaptureStderr();
        testing::internal::CaptureStdout();
        const int code = command();
        const std::string output = testing::internal::GetCapturedStdout();
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_EQ(code, 2) << said;
        EXPECT_EQ(output, "");
        EXPECT_NE(said.find(part), std::string::npos) << said;
    }

    Setting setting_;
};

TEST_F(UsageTest, AFilterThatNothingMatches) {
    RunOptions options;
    options.filters = {"nosuch", "*/neither"};
    const std::string said = "matches 'nosuch', '*/neither'";
    expect_refusal([&] { return run_command(setting_, options); }, said);
    for (bool json : {false, true})
        expect_refusal([&] { return list_command(setting_, options, json); }, said);
}

TEST_F(UsageTest, WhatExecCannotFind) {
    ExecOptions options;
    options.argv = {"/bin/true"};
    options.machine = "nosuch";
    expect_refusal([&] { return exec_command(setting_, options); }, "no machine 'nosuch'");
    if (!Host::find(setting_))
        GTEST_SKIP() << "there is no QEMU";
    options.machine = "default";
    options.files = {"/nonexist/file"};
    expect_refusal([&] { return exec_command(setting_, options); }, "'/nonexist/file'");
    options.argv = {"/nonexist/program"};
    expect_refusal([&] { return exec_command(setting_, options); }, "'/nonexist/program'");
}

} // namespace
} // namespace kit
