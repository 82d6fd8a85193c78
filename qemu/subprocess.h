// SPDX-License-Identifier: GPL-2.0-only
// A child process that cannot outlive us.
#pragma once

#include "fd.h"
#include "result.h"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace kit {

// How a child ended: exit code, or the signal that killed it.
struct ExitStatus {
    int code = 0;
    int signal = 0;

    bool success() const { return code == 0 && signal == 0; }
    // "exited with code 1", "was killed by signal 9 (Killed)"
    std::string describe() const;
};

// Passive: it does not wait by itself. The owner polls exit_fd(), which is
// readable once the child has ended, and then calls wait(). The destructor
// kills and reaps. The child gets PR_SET_PDEATHSIG, so a `kill -9` of this
// process takes it along; that signal is tied to the *thread* that called
// start(), which therefore has to outlive the child.
class Subprocess {
public:
    struct Options {
        std::vector<std::string> argv; // argv[0] is a path or is looked up in PATH
        std::vector<int> inherit;      // descriptors that keep their number in the child
        int output = -1;               // stdout and stderr of the child; -1: /dev/null
    };

    static Result<Subprocess> start(const Options &options);

    Subprocess(Subprocess &&) = default;
    Subprocess &operator=(Subprocess &&) = delete;
    ~Subprocess();

    pid_t pid() const { return pid_.value; }
    int exit_fd() const { return pidfd_.get(); }
    void kill(int signal) const;

    // Waits at most `limit`; nullopt if it still runs then.
    std::optional<ExitStatus> wait(std::chrono::milliseconds limit);

private:
    Subprocess() = default;

    struct MovablePid {
        pid_t value = -1;
        MovablePid() = default;
        MovablePid(MovablePid &&o) noexcept : value(std::exchange(o.value, -1)) {}
        MovablePid &operator=(MovablePid &&) = delete;
    };

    MovablePid pid_;
    Fd pidfd_;
    std::optional<ExitStatus> ended_;
};

struct CommandOutput {
    ExitStatus status;
    std::string text; // stdout and stderr together
    bool timed_out = false;
};

// Runs a short command to its end, collecting what it prints.
Result<CommandOutput> run_command(const std::vector<std::string> &argv,
                                  std::chrono::milliseconds limit);

} // namespace kit
