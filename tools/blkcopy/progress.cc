// SPDX-License-Identifier: GPL-2.0-only
#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "bytes.h"

namespace blkcopy {

namespace {

constexpr unsigned kLeastBar = 10;
constexpr unsigned kMostBar = 40;
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kNormal = "\x1b[m";
constexpr std::string_view kStartOfLine = "\r";
constexpr std::string_view kClearToEnd = "\x1b[K";

double fraction(const Moment &moment) {
    return std::clamp(static_cast<double>(moment.done) / static_cast<double>(moment.total), 0.0,
                      1.0);
}

// 100 is only ever shown for a job that is done.
unsigned percent(const Moment &moment) {
    return static_cast<unsigned>(fraction(moment) * 100);
}

std::string remaining(const Moment &moment) {
    if (moment.done == 0 || moment.done > moment.total)
        return format_duration(-1);
    return format_duration(moment.seconds * static_cast<double>(moment.total - moment.done) /
                           static_cast<double>(moment.done));
}

std::string bar(const Moment &moment, unsigned width, bool colour) {
    const auto filled = static_cast<unsigned>(fraction(moment) * width);
    std::string text(filled, '=');
    if (filled < width)
        text += '>';
    text.resize(width, ' ');
    return colour ? fmt::format(" [{}{}{}]", kGreen, text, kNormal) : fmt::format(" [{}]", text);
}

unsigned columns_of(std::FILE *stream) {
    winsize size{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

bool colour_wanted() {
    const char *const no_color = std::getenv("NO_COLOR");
    return !no_color || !*no_color;
}

} // namespace

std::string render_bar(const Moment &moment, unsigned columns, bool colour) {
    const std::string head = fmt::format("{:<7}{:>3}%", moment.label, percent(moment));
    const std::string amount =
        fmt::format(" {} of {}", format_bytes(moment.done), format_bytes(moment.total));
    const std::string speed =
        fmt::format("  {}  ETA {}", format_rate(moment.done, moment.seconds), remaining(moment));
    const size_t frame = 3; // blank and brackets of the bar
    const size_t all = head.size() + amount.size() + speed.size();
    if (all + frame + kLeastBar <= columns) {
        const auto width = static_cast<unsigned>(std::min<size_t>(columns - all - frame, kMostBar));
        return head + bar(moment, width, colour) + amount + speed;
    }
    if (all <= columns)
        return head + amount + speed;
    if (head.size() + amount.size() <= columns)
        return head + amount;
    return head.substr(0, columns);
}

std::string render_plain(const Moment &moment) {
    return fmt::format("{}: {} % ({} of {}), {}, ETA {}", moment.label, percent(moment),
                       format_bytes(moment.done), format_bytes(moment.total),
                       format_rate(moment.done, moment.seconds), remaining(moment));
}

Progress::Style Progress::style_for(std::FILE *stream) {
    const char *const terminal = std::getenv("TERM");
    const bool dumb = !terminal || !*terminal || std::string_view(terminal) == "dumb";
    return ::isatty(::fileno(stream)) && !dumb ? Style::kTerminal : Style::kPlain;
}

void Progress::start(std::string label, uint64_t total) {
    finish();
    label_ = std::move(label);
    total_ = total;
    start_ = shown_ = Clock::now();
    if (style_ == Style::kTerminal)
        update(0);
}

void Progress::update(uint64_t done) {
    if (style_ == Style::kNone || total_ == 0)
        return;
    const Clock::time_point now = Clock::now();
    const auto pause = style_ == Style::kTerminal ? std::chrono::milliseconds(100)
                                                  : std::chrono::milliseconds(5000);
    if (now - shown_ < pause && now != start_ && line_open_ == (style_ == Style::kTerminal))
        return;
    shown_ = now;
    const Moment moment{label_, done, total_, seconds()};
    if (style_ == Style::kPlain) {
        fmt::print(stream_, "{}\n", render_plain(moment));
    } else {
        // One column is left free: a line that fills the last one wraps on some terminals.
        const unsigned columns = std::max(columns_of(stream_), 2u) - 1;
        fmt::print(stream_, "{}{}{}", kStartOfLine, render_bar(moment, columns, colour_wanted()),
                   kClearToEnd);
        line_open_ = true;
    }
    std::fflush(stream_);
}

void Progress::finish() {
    if (!line_open_)
        return;
    fmt::print(stream_, "{}{}", kStartOfLine, kClearToEnd);
    std::fflush(stream_);
    line_open_ = false;
}

double Progress::seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
}

} // namespace blkcopy
