// SPDX-License-Identifier: GPL-2.0-only
// The only place that knows about terminals, their width and colours.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace kit {

enum class Colour { plain, green, red, yellow, blue, dim, bold };

class LinePrinter {
public:
    // On a terminal: colours (unless NO_COLOR is set or TERM is dumb) and a
    // live line. Elsewhere: plain lines only.
    explicit LinePrinter(std::FILE *file);
    LinePrinter(std::FILE *file, bool terminal, bool colours);
    ~LinePrinter();
    LinePrinter(const LinePrinter &) = delete;
    LinePrinter &operator=(const LinePrinter &) = delete;

    // A line that stays.
    void line(std::string_view text);
    // The last line of the screen, replaced by the next one; nothing in a pipe.
    void live(std::string_view text);
    void clear_live();

    std::string paint(Colour colour, std::string_view text) const;
    bool terminal() const { return terminal_; }

private:
    std::FILE *file_;
    bool terminal_;
    bool colours_;
    std::string live_;
};

// What the environment says: NO_COLOR, TERM.
bool wants_colours();

// Cuts text to `width` columns, with "..." where something is missing.
std::string elide(std::string_view text, size_t width);

} // namespace kit
