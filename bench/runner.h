// SPDX-License-Identifier: GPL-2.0-only
// Boots a machine for each bench and collects what its program measures.
#pragma once

#include "line_printer.h"
#include "outcome.h"
#include "plan.h"
#include "results.h"
#include "setting.h"

#include <string>
#include <vector>

namespace bench {

class Runner {
public:
    Runner(const kit::Setting &setting, kit::Host &host, kit::LinePrinter &printer)
        : setting_(setting), host_(host), printer_(printer) {}

    // Adds the rows of one bench to `results`. Anything that went wrong, also a kernel that
    // complained, is an error that has been told; returns its outcome, or `passed`.
    kit::Outcome run(const Bench &bench, size_t number, size_t of, Results &results);

private:
    kit::Result<kit::Fd> initramfs(const Bench &bench, const kit::Machine &machine,
                                   std::string &program, std::string &libraries);
    kit::Outcome complain(const Bench &bench, const std::string &sentence,
                          kit::Outcome outcome = kit::Outcome::host_error);
    kit::Outcome report_trouble(const Bench &bench, const kit::Trouble &trouble);

    const kit::Setting &setting_;
    kit::Host &host_;
    kit::LinePrinter &printer_;
};

// Takes the lines of a guest program apart.
class RowReader {
public:
    // `take` gets each row; what is no JSON object is kept for people.
    explicit RowReader(std::function<void(Row)> take) : take_(std::move(take)) {}

    void feed(std::string_view bytes);
    // How many rows the program has promised; 0 if it did not say.
    size_t promised() const { return promised_; }
    size_t rows() const { return rows_; }
    const std::string &error() const { return error_; } // of the first bad line
    const std::string &other() const { return other_; } // lines that are no rows

private:
    void line(const std::string &text);

    std::function<void(Row)> take_;
    std::string partial_, other_, error_;
    size_t promised_ = 0, rows_ = 0;
};

} // namespace bench
