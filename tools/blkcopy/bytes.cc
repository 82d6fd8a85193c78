// SPDX-License-Identifier: GPL-2.0-only
#include "bytes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "plan.h"

namespace blkcopy {

namespace {

constexpr std::string_view kLetters = "KMGTPE";

// The number of bytes that a suffix stands for, 0 for one that is not known.
uint64_t suffix_factor(std::string_view suffix) {
    if (suffix.empty() || suffix == "B")
        return 1;
    const char letter = static_cast<char>(suffix[0] >= 'a' ? suffix[0] - 'a' + 'A' : suffix[0]);
    const size_t power = kLetters.find(letter);
    if (power == std::string_view::npos)
        return 0;
    const std::string_view rest = suffix.substr(1);
    uint64_t base = 0;
    if (rest.empty() || rest == "iB")
        base = 1024;
    else if (rest == "B")
        base = 1000;
    else
        return 0;
    uint64_t factor = 1;
    for (size_t i = 0; i <= power; i++)
        factor *= base;
    return factor;
}

} // namespace

Result<uint64_t> parse_bytes(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return Error{ExitCode::kUsage,
                     fmt::format("\"{}\" is not a number of bytes: {}; write for example "
                                 "4096, 64KiB or 1G",
                                 text, why)};
    };
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hex ? text.substr(2) : text;
    uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
    if (error == std::errc::result_out_of_range)
        return bad("it does not fit in 64 bits");
    if (error != std::errc{})
        return bad("it does not start with a number");
    const std::string_view suffix = digits.substr(static_cast<size_t>(end - digits.data()));
    if (hex && !suffix.empty())
        return bad("a hexadecimal number takes no suffix");
    const uint64_t factor = suffix_factor(suffix);
    if (factor == 0)
        return bad(fmt::format("\"{}\" is not a unit", suffix));
    if (number > std::numeric_limits<uint64_t>::max() / factor)
        return bad("it does not fit in 64 bits");
    return number * factor;
}

Result<Extent> parse_extent(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return Error{
            ExitCode::kUsage,
            fmt::format("\"{}\" is not an extent; write OFFSET:LENGTH, for example 1M:64K", text)};
    const Result<uint64_t> offset = parse_bytes(text.substr(0, colon));
    if (!offset)
        return offset.error();
    const Result<uint64_t> length = parse_bytes(text.substr(colon + 1));
    if (!length)
        return length.error();
    return Extent{*offset, *length};
}

std::string format_bytes(uint64_t bytes) {
    if (bytes < 1024)
        return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    size_t power = 0;
    // 1023.95 would print as "1024": take the next unit a little early.
    for (value /= 1024; value >= 1023.5 && power + 1 < kLetters.size(); value /= 1024)
        power++;
    std::string number = fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
    if (number.find('.') != std::string::npos) {
        number.erase(number.find_last_not_of('0') + 1);
        if (number.back() == '.')
            number.pop_back();
    }
    return fmt::format("{} {}iB", number, kLetters[power]);
}

std::string format_rate(uint64_t bytes, double seconds) {
    if (!(seconds > 0))
        return "-";
    const double rate = static_cast<double>(bytes) / seconds;
    if (rate >= 0x1p63)
        return "-";
    return format_bytes(static_cast<uint64_t>(rate)) + "/s";
}

std::string format_duration(double seconds) {
    if (!(seconds >= 0) || seconds > 3600.0 * 1000 * 1000)
        return "-:--";
    const auto whole = static_cast<uint64_t>(std::llround(seconds));
    const uint64_t hours = whole / 3600;
    const uint64_t minutes = whole / 60 % 60;
    if (hours > 0)
        return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
    return fmt::format("{}:{:02}", minutes, whole % 60);
}

} // namespace blkcopy
