// SPDX-License-Identifier: GPL-2.0-only
// QEMU's machine protocol (docs/interop/qmp-spec) over a socket pair.
#pragma once

#include "fd.h"
#include "result.h"

#include <deque>
#include <string>
#include <vector>

namespace kit {

// Passive: the owner polls fd() and calls read_available().
class Qmp {
public:
    explicit Qmp(Fd socket) : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }

    // Takes in what is there. False once QEMU has closed its end.
    bool read_available();

    // Sends a command without arguments. QEMU's greeting is answered first
    // if it has arrived; commands before that are kept until it has.
    void execute(const std::string &command);

    // Error replies, and names of events, since the last call.
    std::vector<std::string> take_errors() { return std::exchange(errors_, {}); }
    std::vector<std::string> take_events() { return std::exchange(events_, {}); }

private:
    void handle(const std::string &line);
    void send(const std::string &command);

    Fd socket_;
    std::string buffer_;
    bool negotiated_ = false;
    std::deque<std::string> waiting_;
    std::vector<std::string> errors_;
    std::vector<std::string> events_;
};

} // namespace kit
