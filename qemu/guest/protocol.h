// SPDX-License-Identifier: GPL-2.0-only
// What the harness and the guest's init program say to each other over the
// virtio-serial port org.blkcopy.results.
//
// A frame is "TYPE ID LENGTH\n" followed by LENGTH bytes. Structured payloads
// are "key=value" fields, each ended by a NUL byte; keys may repeat.
//
//   host -> guest
//     run ID     arg=..., env=NAME=VALUE, timeout=SECONDS, tty=1
//     input ID   bytes for the terminal of a tty run
//     resize ID  rows=N, cols=N
//     checks ID  required=1 when the debug facilities must be there
//     dump 0     print blocked tasks on the console now
//     finish 0   the word that `end` has to repeat
//   guest -> host
//     hello 0    kernel=RELEASE, cpus=N, problem=SENTENCE (only of a guest that is of no use)
//     log 0      one line about the guest's own troubles
//     out ID     standard output;  err ID  standard error
//     exit ID    code=N, signal=N, timeout=0|1, stuck=0|1, ms=N
//     end 0      the word of `finish`: everything was run, the guest powers off
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kit {

inline constexpr char kResultsPort[] = "org.blkcopy.results";
inline constexpr char kWitnessPort[] = "org.blkcopy.witness";

// Where modules are in the guest, and those that init loads, a path a line.
inline constexpr char kModuleDirectory[] = "/lib/modules";
inline constexpr char kModuleList[] = "/etc/modules";

struct Frame {
    std::string type;
    unsigned id = 0;
    std::string payload;
};

inline std::string encode_frame(std::string_view type, unsigned id, std::string_view payload) {
    std::string s(type);

    s += ' ' + std::to_string(id) + ' ' + std::to_string(payload.size()) + '\n';
    s += payload;
    return s;
}

// Cuts a byte stream into frames.
class FrameReader {
public:
    void feed(std::string_view bytes) { buffer_ += bytes; }

    // The next whole frame, if there is one.
    std::optional<Frame> next() {
        size_t newline = buffer_.find('\n', at_);
        if (newline == std::string::npos)
            return std::nullopt;
        std::string header = buffer_.substr(at_, newline - at_);
        size_t first = header.find(' ');
        size_t second = header.find(' ', first + 1);
        if (first == std::string::npos || second == std::string::npos) {
            broken_ = true;
            return std::nullopt;
        }
        size_t length = std::strtoull(header.c_str() + second + 1, nullptr, 10);
        if (buffer_.size() - newline - 1 < length)
            return std::nullopt;
        Frame frame;
        frame.type = header.substr(0, first);
        frame.id = static_cast<unsigned>(std::strtoul(header.c_str() + first + 1, nullptr, 10));
        frame.payload = buffer_.substr(newline + 1, length);
        at_ = newline + 1 + length;
        if (at_ > 65536 || at_ == buffer_.size()) {
            buffer_.erase(0, at_);
            at_ = 0;
        }
        return frame;
    }

    // The stream made no sense; nothing more will come out.
    bool broken() const { return broken_; }

private:
    std::string buffer_;
    size_t at_ = 0;
    bool broken_ = false;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string encode_fields(const Fields &fields) {
    std::string s;

    for (const auto &[key, value] : fields) {
        s += key + '=' + value;
        s += '\0';
    }
    return s;
}

inline Fields decode_fields(std::string_view payload) {
    Fields fields;

    while (!payload.empty()) {
        size_t end = payload.find('\0');
        std::string_view field = payload.substr(0, end);
        size_t equals = field.find('=');
        if (equals != std::string_view::npos)
            fields.emplace_back(field.substr(0, equals), field.substr(equals + 1));
        if (end == std::string_view::npos)
            break;
        payload.remove_prefix(end + 1);
    }
    return fields;
}

// The value of the first field with this key, or `fallback`.
inline std::string field_or(const Fields &fields, std::string_view key, std::string fallback = "") {
    for (const auto &[k, value] : fields)
        if (k == key)
            return value;
    return fallback;
}

inline long number_or(const Fields &fields, std::string_view key, long fallback = 0) {
    std::string s = field_or(fields, key);

    return s.empty() ? fallback : std::strtol(s.c_str(), nullptr, 10);
}

} // namespace kit
