// SPDX-License-Identifier: GPL-2.0-only
#include "line_printer.h"

#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace kit {

bool wants_colours() {
    const char *no_color = std::getenv("NO_COLOR"); // https://no-color.org: any non-empty value
    const char *term = std::getenv("TERM");

    return !(no_color && *no_color) && term && std::strcmp(term, "dumb") != 0;
}

LinePrinter::LinePrinter(std::FILE *file)
    : LinePrinter(file, isatty(fileno(file)) != 0, wants_colours()) {}

LinePrinter::LinePrinter(std::FILE *file, bool terminal, bool colours)
    : file_(file), terminal_(terminal), colours_(terminal && colours) {}

LinePrinter::~LinePrinter() {
    clear_live();
}

std::string elide(std::string_view text, size_t width) {
    if (text.size() <= width)
        return std::string(text);
    if (width <= 3)
        return std::string(text.substr(0, width));
    return std::string(text.substr(0, width - 3)) + "...";
}

void LinePrinter::clear_live() {
    if (live_.empty())
        return;
    std::fputs("\r\033[K", file_);
    std::fflush(file_);
    live_.clear();
}

void LinePrinter::line(std::string_view text) {
    std::string live = live_;

    clear_live();
    std::fwrite(text.data(), 1, text.size(), file_);
    std::fputc('\n', file_);
    std::fflush(file_);
    if (!live.empty())
        this->live(live);
}

void LinePrinter::live(std::string_view text) {
    if (!terminal_)
        return;
    winsize size = {};
    if (ioctl(fileno(file_), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size.ws_col = 80;
    live_ = text;
    std::string shown = elide(text, size.ws_col - 1U);
    std::fprintf(file_, "\r\033[K%s", shown.c_str());
    std::fflush(file_);
}

std::string LinePrinter::paint(Colour colour, std::string_view text) const {
    static const char *const kCodes[] = {"", "32", "31", "33", "34", "2", "1"};

    if (!colours_ || colour == Colour::plain)
        return std::string(text);
    return "\033[" + std::string(kCodes[static_cast<int>(colour)]) + "m" + std::string(text) +
           "\033[0m";
}

} // namespace kit
