// SPDX-License-Identifier: GPL-2.0-only
#include "job.h"

#include "fd.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kit {
namespace {

Machine machine(const char *name) {
    Machine m;
    m.name = name;
    m.drives.push_back({"disk0", 1 << 20, {}, {}, {}});
    return m;
}

TEST(Jobs, FiltersChooseMachinesAndTests) {
    std::vector<Machine> machines = {machine("one"), machine("two")};
    machines[1].golden = GoldenPlan{"/dev/x", 0, 4096, 4096, 512, 1, 1};
    Suite suite;
    suite.programs = {{"one", {"limits", "extents"}}, {"two", {"limits"}}};

    Result<std::vector<Job>> all = plan_jobs(machines, suite, {});
    ASSERT_EQ(all->size(), 3U);
    EXPECT_EQ((*all)[2].name, "two/golden");
    EXPECT_EQ((*all)[2].machine.drives[0].bytes, 4096U);
    EXPECT_EQ(plan_jobs(machines, suite, {"extents"})->size(), 1U);
    EXPECT_EQ(plan_jobs(machines, suite, {"two/"})->size(), 2U);
    EXPECT_EQ(plan_jobs(machines, suite, {"*/limits"})->size(), 2U);
    EXPECT_EQ(plan_jobs(machines, suite, {"limits", "golden"})->size(), 3U);
    EXPECT_TRUE(plan_jobs(machines, suite, {"nothing"})->empty());
}

TEST(Jobs, AMachineWithNothingToRunIsNoJob) {
    std::vector<Machine> machines = {machine("one"), machine("new"), machine("golden")};
    machines[2].golden = GoldenPlan{"/dev/x", 0, 4096, 4096, 512, 1, 1};
    Suite suite;
    suite.programs = {{"one", {"limits"}}};

    EXPECT_EQ(plan_jobs(machines, suite, {"new"})->size(), 0U);
    for (const char *filter : {"ne", "new/", "new/*"}) {
        ASSERT_EQ(without_tests(machines, suite, {filter}).size(), 1U) << filter;
        EXPECT_EQ(without_tests(machines, suite, {filter})[0].name, "new");
    }
    EXPECT_EQ(without_tests(machines, suite, {}).size(), 1U);
    EXPECT_TRUE(without_tests(machines, suite, {"one"}).empty());
}

TEST(Jobs, SettingsGiveTheTimeout) {
    EXPECT_EQ(parse_timeout("timeout=300\n")->count(), 300);
    EXPECT_EQ(parse_timeout("")->count(), 45);
    EXPECT_FALSE(static_cast<bool>(parse_timeout("timeout=soon")));
    EXPECT_FALSE(static_cast<bool>(parse_timeout("timeout=45s")));
}

// Folders as the repository has them: sources with machines.json and settings.
class SuiteTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/blkcopy-suite-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        put("tests/machines.json", R"({"one": ["limits"], "two": ["limits", "extents"]})");
        put("tests/settings", "timeout=7\n");
        put("tool/machines.json", R"({"two": ["tool_test"], "three": ["tool_test"]})");
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    void put(const std::string &path, const std::string &text) {
        std::filesystem::path file = std::filesystem::path(directory_) / path;
        std::filesystem::create_directories(file.parent_path());
        ASSERT_TRUE(static_cast<bool>(write_file(file.string(), text)));
    }

    Result<Suite> load() { return Suite::load(directory_ + "/tests", "/built"); }

    std::string directory_;
};

using Names = std::vector<std::string>;

TEST_F(SuiteTest, IsReadFromItsFolder) {
    Result<Suite> suite = load();
    ASSERT_TRUE(static_cast<bool>(suite)) << suite.error().message;
    EXPECT_EQ(suite->programs["two"], (Names{"limits", "extents"}));
    EXPECT_EQ(suite->timeout.count(), 7);
    EXPECT_EQ(suite->files_of("limits"), (Names{"/built/limits"}));
}

TEST_F(SuiteTest, ProgramsFromElsewhereComeBehindWithWhatTheyNeed) {
    Result<Suite> suite = load();
    ASSERT_TRUE(static_cast<bool>(suite));
    Status status = suite->add(directory_ + "/tool", "/elsewhere", {"tool", "data"}, {"/x/plain"});
    ASSERT_TRUE(static_cast<bool>(status)) << status.error().message;
    EXPECT_EQ(suite->programs["one"], (Names{"limits"}));
    EXPECT_EQ(suite->programs["two"], (Names{"limits", "extents", "tool_test"}));
    EXPECT_EQ(suite->programs["three"], (Names{"tool_test"}));
    EXPECT_EQ(suite->files_of("tool_test"),
              (Names{"/elsewhere/tool_test", "/elsewhere/tool", "/elsewhere/data"}));
    EXPECT_EQ(suite->files_of("limits"), (Names{"/built/limits"}));
    EXPECT_EQ(suite->plain_files_of("tool_test"), (Names{"/x/plain"}));
    EXPECT_EQ(suite->plain_files_of("limits"), (Names{}));
}

TEST_F(SuiteTest, AMachineThatIsNotThereIsNamedWithItsFile) {
    Result<Suite> suite = load();
    ASSERT_TRUE(static_cast<bool>(suite));
    ASSERT_TRUE(static_cast<bool>(suite->add(directory_ + "/tests/../tool", "/elsewhere", {})));
    Result<std::vector<Job>> jobs = plan_jobs({machine("one"), machine("two")}, *suite, {});
    ASSERT_FALSE(static_cast<bool>(jobs));
    EXPECT_EQ(jobs.error().message, directory_ + "/tool/machines.json names a machine 'three', "
                                                 "which is not in qemu/machines.json");
    jobs = plan_jobs({machine("two"), machine("three")}, *suite, {});
    ASSERT_FALSE(static_cast<bool>(jobs));
    EXPECT_EQ(jobs.error().message, directory_ + "/tests/machines.json names a machine 'one', "
                                                 "which is not in qemu/machines.json");
}

TEST_F(SuiteTest, AProgramThatIsNotThereIsExplained) {
    put("built/extents", "");
    Result<Suite> suite = Suite::load(directory_ + "/tests", directory_ + "/built");
    ASSERT_TRUE(static_cast<bool>(suite));
    ASSERT_TRUE(static_cast<bool>(suite->add(directory_ + "/tool", "/elsewhere", {})));
    EXPECT_EQ(suite->missing("extents"), "");
    EXPECT_EQ(suite->missing("limits"), "machines.json names `limits`; is it in TEST_GEN_PROGS of "
                                        "selftests/block_copy/Makefile?");
    EXPECT_EQ(suite->missing("tool_test"),
              "there is no /elsewhere/tool_test: `make tools examples` builds what machines.json "
              "names");
    EXPECT_EQ(load()->missing("limits"), "there is no /built: `make selftests` builds the tests");
}

TEST_F(SuiteTest, FilesThatAreWrongAreNamed) {
    Result<Suite> suite = load();
    ASSERT_TRUE(static_cast<bool>(suite));
    Status status = suite->add(directory_ + "/nowhere", "/elsewhere", {});
    ASSERT_FALSE(static_cast<bool>(status));
    EXPECT_NE(status.error().message.find("nowhere/machines.json"), std::string::npos);
    put("tool/machines.json", R"(["tool_test"])");
    EXPECT_FALSE(static_cast<bool>(suite->add(directory_ + "/tool", "/elsewhere", {})));
    put("tests/settings", "timeout=never\n");
    EXPECT_NE(load().error().message.find("tests/settings"), std::string::npos);
}

} // namespace
} // namespace kit
