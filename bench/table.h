// SPDX-License-Identifier: GPL-2.0-only
// Results as tables, which the terminal and the page share.
#pragma once

#include "check.h"
#include "results.h"

#include <string>
#include <vector>

namespace bench {

struct Table {
    std::string title;
    std::string note; // what the columns are; may be empty
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows; // the first two columns are words, the rest numbers
};

// Each machine's methods. `brief`: a few sizes.
std::vector<Table> sweep_tables(const Results &results, const std::vector<kit::Machine> &machines,
                                bool brief);
// Reads beside copies; nothing if they were not measured.
std::vector<Table> reader_tables(const Results &results);
// From which size on a copy takes fewer instructions than reading and writing, and less time.
std::vector<Table> break_even_tables(const Results &results,
                                     const std::vector<kit::Machine> &machines);
// What other programs measured, by bench.
std::vector<Table> other_tables(const Results &results);

// For a terminal or a pipe.
std::string table_text(const Table &table, bool colour);
std::string headline_text(const std::vector<Headline> &headlines, bool colour);

// 1234567 -> "1,234,567"; small numbers with a decimal.
std::string number_text(double value);

// In the order in which they are first met.
std::vector<std::string> machines_of(const Results &results, const std::string &bench);

} // namespace bench
