// SPDX-License-Identifier: GPL-2.0-only
#include "interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace kit {

static std::atomic<int> event_fd = -1;
static std::atomic<bool> was_interrupted = false;

static void on_signal(int) {
    int saved = errno;
    uint64_t one = 1;

    if (was_interrupted.exchange(true))
        _exit(130);
    ssize_t ignored = ::write(event_fd.load(), &one, sizeof(one));
    (void)ignored;
    errno = saved;
}

void catch_interrupts() {
    if (event_fd.load() >= 0)
        return;
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction action = {};
    action.sa_handler = on_signal;
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaction(signal, &action, nullptr);
    signal(SIGPIPE, SIG_IGN);
}

bool interrupted() {
    return was_interrupted.load();
}

int interrupt_fd() {
    return event_fd.load();
}

} // namespace kit
