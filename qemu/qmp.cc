// SPDX-License-Identifier: GPL-2.0-only
#include "qmp.h"

#include <nlohmann/json.hpp>
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
        send("qmp_capabilities");
        negotiated_ = true;
        while (!waiting_.empty()) {
            send(waiting_.front());
            waiting_.pop_front();
        }
    } else if (message.contains("event")) {
        events_.push_back(message["event"].get<std::string>());
    } else if (message.contains("error")) {
        errors_.push_back(message["error"].value("desc", "error without a text"));
    }
}

void Qmp::send(const std::string &command) {
    // A failure means that QEMU is gone, which its exit will tell better.
    Status ignored = write_all(socket_.get(), json{{"execute", command}}.dump() + "\n");
    (void)static_cast<bool>(ignored);
}

void Qmp::execute(const std::string &command) {
    if (negotiated_)
        send(command);
    else
        waiting_.push_back(command);
}

} // namespace kit
