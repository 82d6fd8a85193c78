// SPDX-License-Identifier: GPL-2.0-only
#include "runner.h"

namespace bench {

void RowReader::feed(std::string_view bytes) {
    partial_ += bytes;
    for (size_t end; (end = partial_.find('\n')) != std::string::npos;) {
        line(partial_.substr(0, end));
        partial_.erase(0, end + 1);
    }
}

void RowReader::line(const std::string &text) {
    // A terminal's line ends are not the program's.
    std::string trimmed = text;
    while (!trimmed.empty() && trimmed.back() == '\r')
        trimmed.pop_back();
    if (!trimmed.starts_with('{')) {
        if (!trimmed.empty())
            other_ += trimmed + "\n";
        return;
    }
    nlohmann::json object = nlohmann::json::parse(trimmed, nullptr, false);
    if (object.is_object() && object.value("bench", "") == "plan") {
        promised_ = object.value("rows", size_t{0});
        return;
    }
    kit::Result<Row> row = object.is_discarded()
                               ? kit::Result<Row>(kit::Error{"no JSON: " + trimmed})
                               : parse_row(object);
    if (!row) {
        if (error_.empty())
            error_ = row.error().message;
        return;
    }
    rows_++;
    take_(std::move(*row));
}

} // namespace bench
