// SPDX-License-Identifier: GPL-2.0-only
#include "modules.h"

#include "fd.h"
#include "guest/protocol.h"
#include "setting.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {
namespace {

using namespace std::chrono_literals;

class ModulesTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/blkcopy-modules-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        for (const char *file : {"first.ko", "second.ko", "second.o"})
            ASSERT_TRUE(static_cast<bool>(
                write_file(directory_ + "/" + file, std::string("no module: ") + file)));
        machine_.name = "m";
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    // The archive, or the error's sentence. Any file will do as init.
    std::string archive_with(const std::string &directory) {
        Result<Initramfs> initramfs = Initramfs::with_init(directory_ + "/second.o");
        EXPECT_TRUE(static_cast<bool>(initramfs));
        Status status = add_modules(*initramfs, directory, machine_);
        if (!status)
            return status.error().message;
        Result<Fd> file = initramfs->finish();
        EXPECT_TRUE(static_cast<bool>(file));
        return *read_file("/proc/self/fd/" + std::to_string(file->get()));
    }

    std::string directory_;
    Machine machine_;
};

bool has(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

TEST_F(ModulesTest, ProgramsOfTheHostGoIntoThePath) {
    Result<Initramfs> initramfs = Initramfs::with_init(directory_ + "/second.o");
    ASSERT_TRUE(static_cast<bool>(initramfs));
    machine_.programs = {"true", "there-is-no-such-program"};
    Result<std::vector<std::string>> lacking = add_programs(*initramfs, machine_);
    ASSERT_TRUE(static_cast<bool>(lacking));
    EXPECT_EQ(*lacking, std::vector<std::string>{"there-is-no-such-program"});
    Result<Fd> file = initramfs->finish();
    ASSERT_TRUE(static_cast<bool>(file));
    std::string archive = *read_file("/proc/self/fd/" + std::to_string(file->get()));
    EXPECT_TRUE(has(archive, std::string("usr/bin/true") + '\0'));
    EXPECT_TRUE(has(archive, "libc.so.6"));
    EXPECT_FALSE(has(archive, "there-is-no-such-program"));
}

TEST_F(ModulesTest, AllThatAreThereGoIntoTheGuest) {
    std::string archive = archive_with(directory_);
    for (const char *file : {"first.ko", "second.ko"}) {
        EXPECT_TRUE(has(archive, std::string("lib/modules/") + file + '\0'));
        EXPECT_TRUE(has(archive, std::string("no module: ") + file));
    }
    EXPECT_FALSE(has(archive, std::string("modules/second.o") + '\0'));
    // Nobody wants one of them loaded.
    EXPECT_FALSE(has(archive, std::string("etc/modules") + '\0'));
}

TEST_F(ModulesTest, TheRowsOrderIsInitsOrder) {
    machine_.modules = {"second", "first"};
    EXPECT_TRUE(has(archive_with(directory_), "/lib/modules/second.ko\n/lib/modules/first.ko\n"));
}

TEST_F(ModulesTest, WhatARowWantsHasToBeThere) {
    EXPECT_TRUE(has(archive_with("/nonexistent"), "TRAILER!!!"));
    machine_.modules = {"first", "third"};
    std::string error = archive_with(directory_);
    EXPECT_TRUE(has(error, "machine 'm' loads the module 'third'")) << error;
    EXPECT_TRUE(has(error, directory_ + "/third.ko")) << error;
    EXPECT_TRUE(has(archive_with(""), "none are known for this kernel"));
    EXPECT_TRUE(has(archive_with("/nonexistent"), "/nonexistent/first.ko"));
}

TEST_F(ModulesTest, AKernelThatIsNamedHasNoModulesUnlessTheyAre) {
    Setting setting;
    setting.build_directory = "/b";
    EXPECT_EQ(setting.module_directory("", "", "debug"), "/b/kmod/debug");
    EXPECT_EQ(setting.module_directory("", "/bzImage", "debug"), "");
    EXPECT_EQ(setting.module_directory("/m", "/bzImage", "debug"), "/m");
    EXPECT_EQ(setting.module_directory("/m", "", "debug"), "/m");
}

// Boots; skipped where no kernel has been built yet.
TEST_F(ModulesTest, AGuestThatCannotLoadThemIsOfNoUse) {
    Result<Setting> setting = Setting::load();
    ASSERT_TRUE(static_cast<bool>(setting)) << setting.error().message;
    if (access(setting->kernel_path("", "plain").c_str(), R_OK) != 0)
        GTEST_SKIP() << "no kernel has been built (make kernel)";
    Result<Host> host = Host::find(*setting);
    if (!host)
        GTEST_SKIP() << host.error().message;

    Machine machine = *find_machine(setting->machines, "default");
    machine.modules = {"first"};
    Result<Initramfs> initramfs = Initramfs::with_init(setting->guest_init);
    ASSERT_TRUE(static_cast<bool>(initramfs)) << initramfs.error().message;
    ASSERT_TRUE(static_cast<bool>(add_modules(*initramfs, directory_, machine)));
    Vm::Options options = vm_options(*setting, *host, machine, "", "plain");
    options.initramfs = std::move(*initramfs->finish());
    Result<std::unique_ptr<Vm>> vm = Vm::start(machine, std::move(options));
    ASSERT_TRUE(static_cast<bool>(vm)) << vm.error().message;
    EXPECT_FALSE((*vm)->wait_ready(120s));
    ASSERT_TRUE((*vm)->trouble().has_value());
    EXPECT_EQ((*vm)->trouble()->outcome, Outcome::host_error);
    EXPECT_TRUE(has((*vm)->trouble()->message, "cannot load /lib/modules/first.ko"))
        << (*vm)->trouble()->message;
}

} // namespace
} // namespace kit
