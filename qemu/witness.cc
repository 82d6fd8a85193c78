// SPDX-License-Identifier: GPL-2.0-only
#include "witness.h"

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

std::string Witness::answer_line(const std::string &line) {
    if (!unsupported_.empty())
        return "{\"error\":\"" + unsupported_ + "\"}";
    if (line == "mark") {
        update_();
        counter_.mark();
        return "ok";
    }
    if (line == "count") {
        update_();
        return counter_.counts().to_json();
    }
    return "{\"error\":\"the witness knows 'mark' and 'count'\"}";
}

} // namespace kit
