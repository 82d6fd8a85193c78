// SPDX-License-Identifier: GPL-2.0-only
// The guest's init. It does what the harness asks for over the results port
// and nothing by itself: it runs programs, checks the kernel's health at the
// end, and says the agreed word only when everything was done.
#include "checks.h"
#include "job.h"
#include "modules.h"
#include "protocol.h"
#include "setup.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace {

using namespace kit;

class Init {
public:
    Init(int port, std::string problem) : port_(port), problem_(std::move(problem)) {}
    [[noreturn]] void serve();

private:
    void send(std::string_view type, unsigned id, std::string_view payload);
    void say_hello();
    void handle(const Frame &frame);
    void run(const Frame &frame);
    void checks(const Frame &frame);
    void reap();

    int port_;
    std::string problem_; // why this guest is of no use; empty: it is
    FrameReader reader_;
    std::unique_ptr<Job> job_;
};

void Init::send(std::string_view type, unsigned id, std::string_view payload) {
    std::string bytes = encode_frame(type, id, payload);
    std::string_view left = bytes;

    while (!left.empty()) {
        ssize_t n = write(port_, left.data(), left.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            std::fprintf(stderr, "init: the results port failed: %s\n", std::strerror(errno));
            power_off();
        }
        left.remove_prefix(static_cast<size_t>(n));
    }
}

void Init::say_hello() {
    utsname names;

    uname(&names);
    send("hello", 0,
         encode_fields({{"kernel", names.release},
                        {"version", names.version},
                        {"cpus", std::to_string(sysconf(_SC_NPROCESSORS_ONLN))},
                        {"problem", problem_}}));
}

void Init::run(const Frame &frame) {
    if (job_) {
        send("log", 0, "a program is running already");
        return;
    }
    job_ = std::make_unique<Job>(frame.id, [this](auto... args) { send(args...); });
    if (!job_->start(decode_fields(frame.payload))) {
        send("exit", frame.id, encode_fields({{"code", "126"}}));
        job_.reset();
    }
}

void Init::checks(const Frame &frame) {
    bool required = number_or(decode_fields(frame.payload), "required") != 0;

    send("out", frame.id, end_of_boot_checks(required));
    send("exit", frame.id, encode_fields({{"code", "0"}}));
}

void Init::handle(const Frame &frame) {
    if (frame.type == "run") {
        run(frame);
    } else if (frame.type == "input") {
        if (job_)
            job_->input(frame.payload);
    } else if (frame.type == "resize") {
        if (job_)
            job_->resize(decode_fields(frame.payload));
    } else if (frame.type == "checks") {
        checks(frame);
    } else if (frame.type == "dump") {
        dump_blocked_tasks();
    } else if (frame.type == "finish") {
        sync();
        send("end", 0, frame.payload);
        // The host closes its end once it has read the word.
        usleep(50000);
        power_off();
    } else {
        send("log", 0, "unknown frame '" + frame.type + "'");
    }
}

void Init::reap() {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        if (job_)
            job_->reaped(pid, status);
    }
}

void Init::serve() {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    clear_kmemleak();
    say_hello();
    for (;;) {
        std::vector<pollfd> fds = {{port_, POLLIN, 0}, {signals, POLLIN, 0}};
        if (job_)
            job_->add_poll_fds(fds);
        if (poll(fds.data(), fds.size(), 200) < 0 && errno != EINTR)
            std::perror("init: poll");
        if (job_)
            job_->handle_output();
        if (fds[1].revents) {
            signalfd_siginfo info;
            while (read(signals, &info, sizeof(info)) > 0)
                ;
            reap();
        }
        if (job_)
            job_->tick();
        if (job_ && job_->done())
            job_.reset();
        if (fds[0].revents & POLLIN) {
            char buffer[65536];
            ssize_t n = read(port_, buffer, sizeof(buffer));
            if (n > 0)
                reader_.feed({buffer, static_cast<size_t>(n)});
            while (std::optional<Frame> frame = reader_.next())
                handle(*frame);
        } else if (fds[0].revents & POLLHUP) {
            std::fprintf(stderr, "init: the host has closed the results port\n");
            power_off();
        }
    }
}

} // namespace

int main() {
    mount_filesystems();
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    signal(SIGPIPE, SIG_IGN);
    int port = open_port(kResultsPort, 60);
    if (port < 0) {
        std::fprintf(stderr,
                     "init: no virtio-serial port '%s' (CONFIG_VIRTIO_CONSOLE, "
                     "CONFIG_VIRTIO_PCI)\n",
                     kResultsPort);
        power_off();
    }
    Init(port, load_modules(kModuleList)).serve();
}
