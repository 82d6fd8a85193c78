// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Shows how far a copy is: one line that is rewritten on a terminal, a plain line now and then
// elsewhere.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace blkcopy {

// A moment of a job.
struct Moment {
    std::string_view label; // "copy", "verify"
    uint64_t done = 0;      // bytes
    uint64_t total = 0;     // bytes, not 0
    double seconds = 0;     // since the job began
};

// " 42% [====>     ] 430 MiB of 1 GiB  512 MiB/s  ETA 0:03" for a terminal that many columns wide:
// never wider than that. The bar goes first when it is narrow, then the rate. Colour only in the
// bar.
std::string render_bar(const Moment &moment, unsigned columns, bool colour);

// "copy: 42 % (430 MiB of 1 GiB), 512 MiB/s, ETA 0:03", for logs.
std::string render_plain(const Moment &moment);

class Progress {
public:
    enum class Style { kNone, kPlain, kTerminal };

    // What suits a stream: kTerminal for a terminal that is not "dumb". Colour unless NO_COLOR is
    // set.
    static Style style_for(std::FILE *stream);

    Progress(std::FILE *stream, Style style) : stream_(stream), style_(style) {}
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;
    ~Progress() { finish(); }

    // Begins a job of that many bytes; ends the one before.
    void start(std::string label, uint64_t total);
    // Shows it when the last time is long enough ago (0.1 s on a terminal, 5 s elsewhere).
    void update(uint64_t done);
    // Removes the terminal's line. Safe to call twice.
    void finish();
    // Seconds since start().
    [[nodiscard]] double seconds() const;

private:
    using Clock = std::chrono::steady_clock;

    std::FILE *stream_;
    Style style_;
    std::string label_;
    uint64_t total_ = 0;
    Clock::time_point start_{};
    Clock::time_point shown_{};
    bool line_open_ = false;
};

} // namespace blkcopy
