// SPDX-License-Identifier: GPL-2.0-only
#include "qmp.h"

#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

namespace kit {

using nlohmann::json;

bool Qmp::read_available() {
    return kit::read_available(socket_.get(), [this](std::string_view bytes) {
        buffer_ += bytes;
        for (size_t end; (end = buffer_.find('\n')) != std::string::npos;) {
            handle(buffer_.substr(0, end));
            buffer_.erase(0, end + 1);
        }
    });
}

void Qmp::handle(const std::string &line) {
    json message = json::parse(line, nullptr, false);

    if (!message.is_object())
        return;
    if (message.contains("QMP")) {
        send(json{{"execute", "qmp_capabilities"}}.dump());
        negotiated_ = true;
        while (!waiting_.empty()) {
            send(waiting_.front());
            waiting_.pop_front();
        }
    } else if (message.contains("event")) {
        events_.push_back(message["event"].get<std::string>());
    } else {
        Status status;
        if (message.contains("error"))
            status = Error{message["error"].value("desc", "error without a text")};
        if (message.value("id", 0U) == calls_ && calls_)
            answer_ = status;
        else if (!status)
            errors_.push_back(status.error().message);
    }
}

void Qmp::send(const std::string &message) {
    // A failure means that QEMU is gone, which its exit will tell better.
    Status ignored = write_all(socket_.get(), message + "\n");
    (void)static_cast<bool>(ignored);
}

void Qmp::send_or_keep(const std::string &message) {
    if (negotiated_)
        send(message);
    else
        waiting_.push_back(message);
}

void Qmp::execute(const std::string &command) {
    send_or_keep(json{{"execute", command}}.dump());
}

Status Qmp::call(const std::string &command, const Arguments &arguments,
                 std::chrono::milliseconds limit) {
    auto end = std::chrono::steady_clock::now() + limit;

    answer_.reset();
    send_or_keep(json{{"execute", command}, {"arguments", arguments}, {"id", ++calls_}}.dump());
    while (!answer_) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        pollfd monitor = {fd(), POLLIN, 0};

        if (left.count() <= 0)
            return Error{"QEMU does not answer '" + command + "'"};
        if (::poll(&monitor, 1, static_cast<int>(left.count()) + 1) > 0 && !read_available() &&
            !answer_)
            return Error{"QEMU is gone"};
    }
    return *answer_;
}

} // namespace kit
