// SPDX-License-Identifier: GPL-2.0-only
// What the demo is doing, for whoever waits.
#pragma once

#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <unistd.h>

namespace kit {

// Tells what is being done: one line that is rewritten on a terminal, lines elsewhere.
class DemoTeller {
public:
    explicit DemoTeller(bool json)
        : terminal_(::isatty(STDERR_FILENO)), quiet_(json && !terminal_) {}
    DemoTeller(const DemoTeller &) = delete;
    DemoTeller &operator=(const DemoTeller &) = delete;
    ~DemoTeller() { clear(); }

    void say(const std::string &what) {
        if (quiet_)
            return;
        if (terminal_)
            fmt::print(stderr, "\r\x1b[K... {}", what);
        else
            fmt::print(stderr, "... {}\n", what);
        std::fflush(stderr);
        open_ = terminal_;
    }

    void clear() {
        if (open_)
            fmt::print(stderr, "\r\x1b[K");
        open_ = false;
    }

private:
    bool terminal_;
    bool quiet_;
    bool open_ = false;
};

} // namespace kit
