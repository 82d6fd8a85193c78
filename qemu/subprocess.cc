// SPDX-License-Identifier: GPL-2.0-only
#include "subprocess.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kit {

std::string ExitStatus::describe() const {
    if (signal)
        return "was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
    return "exited with code " + std::to_string(code);
}

Result<Subprocess> Subprocess::start(const Options &options) {
    // Everything that allocates happens before fork(): other threads may
    // hold the allocator's lock.
    std::vector<char *> argv;
    for (const std::string &arg : options.argv)
        argv.push_back(const_cast<char *>(arg.c_str()));
    argv.push_back(nullptr);

    int status_pipe[2];
    if (pipe2(status_pipe, O_CLOEXEC) < 0)
        return errno_error("cannot make a pipe");
    Fd read_end(status_pipe[0]), write_end(status_pipe[1]);

    Result<Fd> null = open_file("/dev/null", O_RDWR);
    if (!null)
        return null.error();
    int output = options.output >= 0 ? options.output : null->get();
    pid_t parent = getpid();

    pid_t pid = fork();
    if (pid < 0)
        return errno_error("cannot fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // The parent may have died before prctl() took effect.
        if (getppid() != parent)
            _exit(127);
        // Ctrl-C goes to us alone; we end the child in our own order.
        setpgid(0, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        signal(SIGPIPE, SIG_DFL);
        dup2(null->get(), STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        for (int fd : options.inherit)
            fcntl(fd, F_SETFD, 0);
        execvp(argv[0], argv.data());
        int number = errno;
        ssize_t ignored = ::write(status_pipe[1], &number, sizeof(number));
        (void)ignored;
        _exit(127);
    }

    write_end.reset();
    Subprocess child;
    child.pid_.value = pid;
    child.pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    int number = 0;
    ssize_t n;
    do {
        n = ::read(read_end.get(), &number, sizeof(number));
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        return errno_error("cannot run '" + options.argv[0] + "'", number);
    return child;
}

Subprocess::~Subprocess() {
    if (pid_.value < 0 || ended_)
        return;
    kill(SIGKILL);
    int status;
    while (waitpid(pid_.value, &status, 0) < 0 && errno == EINTR)
        ;
}

void Subprocess::kill(int signal) const {
    if (pid_.value > 0 && !ended_)
        ::kill(pid_.value, signal);
}

std::optional<ExitStatus> Subprocess::wait(std::chrono::milliseconds limit) {
    if (ended_)
        return ended_;

    auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(pid_.value, &status, WNOHANG);

        if (pid == pid_.value) {
            ExitStatus e;
            if (WIFSIGNALED(status))
                e.signal = WTERMSIG(status);
            else
                e.code = WEXITSTATUS(status);
            ended_ = e;
            return ended_;
        }
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return std::nullopt;
        pollfd p{pidfd_.get(), POLLIN, 0};
        // Without a pidfd (old kernel, sandbox) look every 20 ms.
        int ms = pidfd_ ? static_cast<int>(left.count()) : 20;
        ::poll(&p, pidfd_ ? 1 : 0, ms);
    }
}

Result<CommandOutput> run_command(const std::vector<std::string> &argv,
                                  std::chrono::milliseconds limit) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return errno_error("cannot make a pipe");
    Fd read_end(fds[0]), write_end(fds[1]);

    Subprocess::Options options;
    options.argv = argv;
    options.output = write_end.get();
    Result<Subprocess> child = Subprocess::start(options);
    if (!child)
        return child.error();
    write_end.reset();

    CommandOutput out;
    auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd p{read_end.get(), POLLIN, 0};
        int ready = left.count() > 0 ? ::poll(&p, 1, static_cast<int>(left.count())) : 0;
        if (ready == 0) {
            out.timed_out = true;
            child->kill(SIGKILL);
            break;
        }
        char buffer[65536];
        ssize_t n = ::read(read_end.get(), buffer, sizeof(buffer));
        if (n == 0)
            break;
        if (n > 0)
            out.text.append(buffer, static_cast<size_t>(n));
        else if (errno != EINTR)
            break;
    }
    std::optional<ExitStatus> status = child->wait(std::chrono::seconds(5));
    if (status)
        out.status = *status;
    else
        out.timed_out = true;
    return out;
}

} // namespace kit
