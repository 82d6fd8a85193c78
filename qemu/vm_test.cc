// SPDX-License-Identifier: GPL-2.0-only
// Boots real machines. Skipped where no kernel has been built yet.
#include "vm.h"

#include "initramfs.h"
#include "setting.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kit {
namespace {

using namespace std::chrono_literals;

class VmTest : public testing::Test {
protected:
    void SetUp() override {
        Result<Setting> setting = Setting::load();
        ASSERT_TRUE(static_cast<bool>(setting)) << setting.error().message;
        setting_.emplace(std::move(*setting));
        if (access(setting_->kernel_path("", "plain").c_str(), R_OK) != 0)
            GTEST_SKIP() << "no kernel has been built (make kernel)";
        Result<Host> host = Host::find(*setting_);
        if (!host)
            GTEST_SKIP() << host.error().message;
        host_.emplace(std::move(*host));
    }

    std::unique_ptr<Vm> boot(const std::string &file = "") {
        Result<Initramfs> initramfs = Initramfs::with_init(setting_->guest_init);
        EXPECT_TRUE(static_cast<bool>(initramfs)) << initramfs.error().message;
        EXPECT_TRUE(static_cast<bool>(initramfs->add_program("/bin/sh")));
        EXPECT_TRUE(static_cast<bool>(initramfs->add_program("/bin/sleep")));
        if (!file.empty())
            initramfs->add_contents(file, "hello\n");
        const Machine *machine = find_machine(setting_->machines, "default");
        Vm::Options options = vm_options(*setting_, *host_, *machine, "", "plain");
        options.initramfs = std::move(*initramfs->finish());
        Result<std::unique_ptr<Vm>> vm = Vm::start(*machine, std::move(options));
        EXPECT_TRUE(static_cast<bool>(vm)) << vm.error().message;
        EXPECT_TRUE((*vm)->wait_ready(120s)) << (*vm)->trouble()->message;
        return std::move(*vm);
    }

    std::optional<ProgramEnd> sh(Vm &vm, const std::string &script,
                                 std::chrono::seconds timeout = 60s) {
        RunRequest request;
        request.argv = {"/bin/sh", "-c", script};
        request.timeout = timeout;
        text_.clear();
        return vm.run(request, [&](std::string_view bytes, bool) {
            text_ += bytes;
            if (on_output_)
                on_output_();
        });
    }

    static Outcome outcome_of(const Vm &vm) {
        EXPECT_TRUE(vm.trouble().has_value());
        return vm.trouble() ? vm.trouble()->outcome : Outcome::passed;
    }

    std::optional<Setting> setting_;
    std::optional<Host> host_;
    std::string text_;
    std::function<void()> on_output_;
};

TEST_F(VmTest, RunsProgramsAndKeepsWhatTheyWrote) {
    std::unique_ptr<Vm> vm = boot();
    std::optional<ProgramEnd> end = sh(*vm, "echo $COPY_MACHINE; exit 3");
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status.code, 3);
    EXPECT_EQ(text_, "default\n");

    end = sh(*vm, "kill -SEGV $$");
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status.signal, SIGSEGV);

    // A program over its time ends alone; the machine goes on.
    end = sh(*vm, "sleep 100", 1s);
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->timed_out);
    EXPECT_FALSE(end->stuck);

    vm->mark_trace();
    end = sh(*vm, "echo hello > /dev/nvme0n1");
    ASSERT_TRUE(end);
    EXPECT_TRUE(vm->finish()) << vm->trouble()->message;
    EXPECT_TRUE(vm->splats().empty());
    EXPECT_GT(vm->trace_counts().write_bytes, 0U);
    char buffer[6] = {};
    ASSERT_EQ(pread(vm->image(0), buffer, 5, 0), 5);
    EXPECT_STREQ(buffer, "hello");
}

TEST_F(VmTest, WhatWasPutIntoTmpIsThere) {
    for (const char *file : {"/tmp/deep/word", "/run/word"}) {
        std::unique_ptr<Vm> vm = boot(file);
        ASSERT_TRUE(sh(*vm, "read x < " + std::string(file) + "; echo $x; echo y > /tmp/y"));
        EXPECT_EQ(text_, "hello\n");
        EXPECT_TRUE(vm->finish());
    }
}

TEST_F(VmTest, APanicIsAPanic) {
    std::unique_ptr<Vm> vm = boot();
    EXPECT_FALSE(sh(*vm, "echo c > /proc/sysrq-trigger"));
    EXPECT_EQ(outcome_of(*vm), Outcome::panic);
    EXPECT_NE(vm->trouble()->message.find("sysrq triggered crash"), std::string::npos);
    EXPECT_GT(vm->trouble()->console.size(), 3U);
}

TEST_F(VmTest, AWarningIsSeenAndTheMachineGoesOn) {
    std::unique_ptr<Vm> vm = boot();
    ASSERT_TRUE(sh(*vm, "echo '<3>WARNING: CPU: 0 PID: 1 at invented' > /dev/kmsg"));
    EXPECT_TRUE(vm->finish());
    ASSERT_EQ(vm->splats().size(), 1U);
    EXPECT_EQ(vm->splats()[0].outcome, Outcome::warning);
}

TEST_F(VmTest, AHungTaskEndsTheMachine) {
    std::unique_ptr<Vm> vm = boot();
    EXPECT_FALSE(sh(*vm, "echo '<3>INFO: task x:1 blocked for more than 60 seconds.' > /dev/kmsg;"
                         " sleep 100"));
    EXPECT_EQ(outcome_of(*vm), Outcome::hung_task);
}

TEST_F(VmTest, AMachineThatVanishesIsLost) {
    std::unique_ptr<Vm> vm = boot();
    on_output_ = [&] { ::kill(vm->qemu_pid(), SIGKILL); };
    EXPECT_FALSE(sh(*vm, "echo up; sleep 100"));
    EXPECT_EQ(outcome_of(*vm), Outcome::vm_lost);
}

TEST_F(VmTest, SilenceIsNoSuccess) {
    // The guest resets itself: QEMU exits with 0, but the last word is missing.
    std::unique_ptr<Vm> vm = boot();
    EXPECT_FALSE(sh(*vm, "echo b > /proc/sysrq-trigger; sleep 100"));
    EXPECT_EQ(outcome_of(*vm), Outcome::vm_lost);
}

TEST_F(VmTest, DiesWithAKilledHarness) {
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::unique_ptr<Vm> vm = boot();
        pid_t pid = vm->qemu_pid();
        ssize_t ignored = write(fds[1], &pid, sizeof(pid));
        (void)ignored;
        pause();
        _exit(0);
    }
    pid_t qemu = -1;
    ASSERT_EQ(read(fds[0], &qemu, sizeof(qemu)), static_cast<ssize_t>(sizeof(qemu)));
    ASSERT_GT(qemu, 0);
    ::kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    std::string state = "R";
    for (int i = 0; i < 500 && !state.empty() && state != "Z"; i++) {
        usleep(10000);
        Result<std::string> stat = read_file("/proc/" + std::to_string(qemu) + "/stat");
        state = stat ? stat->substr(stat->rfind(')') + 2, 1) : "";
    }
    EXPECT_TRUE(state.empty() || state == "Z") << state;
    close(fds[0]);
    close(fds[1]);
}

} // namespace
} // namespace kit
