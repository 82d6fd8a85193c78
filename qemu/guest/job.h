// SPDX-License-Identifier: GPL-2.0-only
// One program under init's watch.
#pragma once

#include "protocol.h"

#include <chrono>
#include <functional>
#include <poll.h>
#include <string>
#include <sys/types.h>
#include <vector>

namespace kit {

// Runs a program in a session of its own, passes on what it prints, ends it
// when its time is over. A program that cannot be killed is given up as stuck,
// after the kernel has been asked to show where it hangs.
class Job {
public:
    using Clock = std::chrono::steady_clock;
    using Send = std::function<void(std::string_view type, unsigned id, std::string_view)>;

    Job(unsigned id, Send send) : id_(id), send_(std::move(send)) {}
    ~Job();
    Job(const Job &) = delete;
    Job &operator=(const Job &) = delete;

    unsigned id() const { return id_; }

    // Fields of a `run` frame. Reports the failure itself and returns
    // false when the program cannot be started.
    bool start(const Fields &fields);

    void add_poll_fds(std::vector<pollfd> &fds) const;
    void handle_output();
    void input(std::string_view bytes);
    void resize(const Fields &fields);

    // Called when `pid` was reaped. True if it was this job's program.
    bool reaped(pid_t pid, int wait_status);

    // Escalates when time is over; to be called a few times per second.
    void tick();

    // The `exit` frame was sent.
    bool done() const { return done_; }

private:
    void finish(int code, int signal, bool stuck);
    bool drain(int &fd, const char *type);
    std::string with_drive(const std::string &variable) const;

    unsigned id_;
    Send send_;
    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    bool tty_ = false;
    bool timed_out_ = false;
    bool done_ = false;
    int stage_ = 0; // of the escalation: 0 running, 1 SIGTERM sent, 2 SIGKILL sent
    Clock::time_point started_{};
    Clock::time_point deadline_ = Clock::time_point::max();
};

} // namespace kit
