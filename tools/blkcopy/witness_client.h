// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Asks the virtual machine's host which commands the emulated drive received, over a virtio-serial
// port: "mark" starts counting, "count" is answered by one line of JSON. For programs that run in
// the guest.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/fd.h"

namespace blkcopy {

using common::Fd;

class WitnessClient {
public:
    static constexpr const char *kPath = "/dev/virtio-ports/org.blkcopy.witness";

    // How long to wait for an answer, in milliseconds; -1: for ever, as a guest has to whose clock
    // counts instructions and jumps while nothing is executed.
    explicit WitnessClient(int patience = 20000) : patience_(patience) {}

    [[nodiscard]] static bool present() { return ::access(kPath, F_OK) == 0; }

    // False, with a sentence in error(), when there is no answer.
    bool mark() {
        const std::string answer = ask("mark\n");
        if (answer != "ok" && error_.empty())
            error_ = "it answered " + answer;
        return answer == "ok";
    }

    // Counts since the last mark; nothing, with a sentence in error(), when there are none.
    std::optional<nlohmann::json> count() {
        const std::string answer = ask("count\n");
        if (!nlohmann::json::accept(answer)) {
            if (error_.empty())
                error_ = "the witness answered \"" + answer + "\"";
            return std::nullopt;
        }
        nlohmann::json counts = nlohmann::json::parse(answer);
        if (counts.contains("error")) {
            error_ = counts["error"].get<std::string>();
            return std::nullopt;
        }
        return counts;
    }

    [[nodiscard]] const std::string &error() const { return error_; }

private:
    // The port can be open only once, and another program may just be letting go of it.
    bool open_port() {
        for (int tries = 0; !port_ && tries < 100; tries++) {
            port_ = Fd(::open(kPath, O_RDWR | O_CLOEXEC));
            if (port_ || errno != EBUSY)
                break;
            ::usleep(20000);
        }
        if (!port_)
            error_ = std::string("the witness port cannot be opened: ") + std::strerror(errno);
        return static_cast<bool>(port_);
    }

    std::string ask(const std::string &question) {
        error_.clear();
        if (!open_port())
            return "";
        if (::write(port_.get(), question.data(), question.size()) !=
            static_cast<ssize_t>(question.size())) {
            error_ = "the witness takes no question";
            return "";
        }
        std::string answer;
        while (answer.find('\n') == std::string::npos) {
            pollfd ready{port_.get(), POLLIN, 0};
            char buffer[1024];
            ssize_t n = ::poll(&ready, 1, patience_);
            if (n > 0)
                n = ::read(port_.get(), buffer, sizeof(buffer));
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0) {
                error_ = "the witness does not answer";
                return "";
            }
            answer.append(buffer, static_cast<size_t>(n));
        }
        return answer.substr(0, answer.find('\n'));
    }

    int patience_;
    Fd port_;
    std::string error_;
};

} // namespace blkcopy
