// SPDX-License-Identifier: GPL-2.0-only
#include "job.h"

#include "drives.h"
#include "setup.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kit {

Job::~Job() {
    if (out_ >= 0)
        close(out_);
    if (err_ >= 0)
        close(err_);
}

[[noreturn]] static void become_program(const std::vector<char *> &argv,
                                        const std::vector<char *> &envp) {
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    (void)!chdir("/tmp");
    environ = const_cast<char **>(envp.data());
    execvp(argv[0], argv.data());
    dprintf(STDERR_FILENO, "cannot run '%s': %s\n", argv[0], std::strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

// NAME=VALUE, with the path of the drive that VALUE may stand for.
std::string Job::with_drive(const std::string &variable) const {
    size_t value = variable.find('=') + 1;
    std::string problem;
    std::string path = resolve_drive(variable.substr(value), std::chrono::seconds(10), problem);

    // Where whoever reads of the program's failure will see it.
    if (!problem.empty())
        send_("err", id_, variable + ": " + problem + "\n");
    return variable.substr(0, value) + path;
}

bool Job::start(const Fields &fields) {
    std::vector<std::string> args, env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                                          "/usr/bin:/sbin:/bin",
                                          "HOME=/root", "TMPDIR=/tmp"};
    std::vector<char *> argv, envp;

    for (const auto &[key, value] : fields) {
        if (key == "arg")
            args.push_back(value);
        else if (key == "env")
            env.push_back(with_drive(value));
    }
    if (args.empty()) {
        send_("log", 0, "a run frame without a program");
        return false;
    }
    for (std::string &s : args)
        argv.push_back(s.data());
    for (std::string &s : env)
        envp.push_back(s.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);

    tty_ = number_or(fields, "tty") != 0;
    long seconds = number_or(fields, "timeout");
    started_ = Clock::now();
    if (seconds > 0)
        deadline_ = started_ + std::chrono::seconds(seconds);

    if (tty_) {
        pid_ = forkpty(&out_, nullptr, nullptr, nullptr);
        if (pid_ == 0)
            become_program(argv, envp);
        if (pid_ > 0)
            fcntl(out_, F_SETFD, FD_CLOEXEC);
    } else {
        int out[2], err[2];
        if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
            send_("log", 0, std::string("cannot make a pipe: ") + std::strerror(errno));
            return false;
        }
        pid_ = fork();
        if (pid_ == 0) {
            setsid();
            int null = open("/dev/null", O_RDONLY);
            dup2(null, STDIN_FILENO);
            dup2(out[1], STDOUT_FILENO);
            dup2(err[1], STDERR_FILENO);
            close(null);
            become_program(argv, envp);
        }
        close(out[1]);
        close(err[1]);
        out_ = out[0];
        err_ = err[0];
        fcntl(err_, F_SETFL, O_NONBLOCK);
    }
    if (pid_ < 0) {
        send_("log", 0, std::string("cannot fork: ") + std::strerror(errno));
        return false;
    }
    fcntl(out_, F_SETFL, O_NONBLOCK);
    resize(fields);
    return true;
}

void Job::add_poll_fds(std::vector<pollfd> &fds) const {
    for (int fd : {out_, err_})
        if (fd >= 0)
            fds.push_back({fd, POLLIN, 0});
}

// Passes on what is there; false at the end of the stream.
bool Job::drain(int &fd, const char *type) {
    char buffer[32768];

    while (fd >= 0) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n > 0) {
            send_(type, id_, std::string_view(buffer, static_cast<size_t>(n)));
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        // End of file; a terminal whose last user is gone says EIO.
        close(fd);
        fd = -1;
    }
    return false;
}

void Job::handle_output() {
    drain(out_, "out");
    drain(err_, "err");
}

void Job::input(std::string_view bytes) {
    if (tty_ && out_ >= 0)
        (void)!write(out_, bytes.data(), bytes.size());
}

void Job::resize(const Fields &fields) {
    winsize size = {};

    size.ws_row = static_cast<unsigned short>(number_or(fields, "rows"));
    size.ws_col = static_cast<unsigned short>(number_or(fields, "cols"));
    if (tty_ && out_ >= 0 && size.ws_row && size.ws_col)
        ioctl(out_, TIOCSWINSZ, &size);
}

bool Job::reaped(pid_t pid, int wait_status) {
    if (pid != pid_ || done_)
        return false;
    if (WIFSIGNALED(wait_status))
        finish(0, WTERMSIG(wait_status), false);
    else
        finish(WEXITSTATUS(wait_status), 0, false);
    return true;
}

void Job::tick() {
    if (done_ || Clock::now() < deadline_)
        return;

    timed_out_ = true;
    switch (stage_++) {
    case 0:
        send_("log", 0, "time is over: asking the kernel for blocked tasks, then SIGTERM");
        dump_blocked_tasks();
        ::kill(-pid_, SIGTERM);
        deadline_ = Clock::now() + std::chrono::seconds(3);
        break;
    case 1:
        ::kill(-pid_, SIGKILL);
        deadline_ = Clock::now() + std::chrono::seconds(10);
        break;
    default:
        send_("log", 0, "SIGKILL did not end the program: it hangs in the kernel");
        dump_blocked_tasks();
        finish(0, 0, true);
        break;
    }
}

void Job::finish(int code, int signal, bool stuck) {
    // As init, -1 is everything else: whatever the program left running
    // must not disturb the next one.
    ::kill(-1, SIGKILL);
    handle_output();
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
    send_("exit", id_,
          encode_fields({{"code", std::to_string(code)},
                         {"signal", std::to_string(signal)},
                         {"timeout", timed_out_ ? "1" : "0"},
                         {"stuck", stuck ? "1" : "0"},
                         {"ms", std::to_string(ms.count())}}));
    done_ = true;
}

} // namespace kit
