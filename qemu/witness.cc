// SPDX-License-Identifier: GPL-2.0-only
#include "witness.h"

#include <nlohmann/json.hpp>

namespace kit {

std::string Witness::answer(std::string_view bytes) {
    std::string out;

    buffer_ += bytes;
    for (size_t end; (end = buffer_.find('\n')) != std::string::npos;) {
        out += answer_line(buffer_.substr(0, end)) + "\n";
        buffer_.erase(0, end + 1);
    }
    return out;
}

static std::string refusal(const std::string &why) {
    return nlohmann::json{{"error", why}}.dump();
}

std::string Witness::answer_line(const std::string &line) {
    if (line.starts_with("device_add ") || line.starts_with("device_del ")) {
        size_t space = line.find(' ');
        Status status = plug_(line.substr(0, space), line.substr(space + 1));
        return status ? "ok" : refusal(status.error().message);
    }
    if (line == "power_cut") {
        cut_();
        return "";
    }
    if (!unsupported_.empty())
        return refusal(unsupported_);
    if (line == "mark") {
        update_();
        counter_.mark();
        return "ok";
    }
    if (line == "count") {
        update_();
        return counter_.counts().to_json();
    }
    return refusal("the witness knows mark, count, device_del, device_add and power_cut");
}

} // namespace kit
