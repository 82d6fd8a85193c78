// SPDX-License-Identifier: GPL-2.0-only
// QEMU's machine protocol (docs/interop/qmp-spec) over a socket pair.
#pragma once

#include "fd.h"
#include "result.h"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
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

    // Sends a command and waits for QEMU's answer to it.
    using Arguments = std::map<std::string, std::string>;
    Status call(const std::string &command, const Arguments &arguments,
                std::chrono::milliseconds limit);

    // Error replies, and names of events, since the last call.
    std::vector<std::string> take_errors() { return std::exchange(errors_, {}); }
    std::vector<std::string> take_events() { return std::exchange(events_, {}); }

private:
    void handle(const std::string &line);
    void send(const std::string &message);
    void send_or_keep(const std::string &message);

    Fd socket_;
    std::string buffer_;
    bool negotiated_ = false;
    std::deque<std::string> waiting_;
    std::vector<std::string> errors_;
    std::vector<std::string> events_;
    unsigned calls_ = 0;           // the last one's id
    std::optional<Status> answer_; // to it
};

} // namespace kit
