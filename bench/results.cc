// SPDX-License-Identifier: GPL-2.0-only
#include "results.h"

#include "fd.h"

namespace bench {

using Json = nlohmann::json;

static constexpr int kFormat = 1;

const Row *Results::find(const std::string &bench, const std::string &machine,
                         const std::string &method, uint64_t extents, uint64_t each) const {
    for (const Row &row : rows)
        if (row.bench == bench && row.machine == machine && row.method == method &&
            row.extents == extents && row.each() == each)
            return &row;
    return nullptr;
}

std::string results_text(const Results &results) {
    Json rows = Json::array();
    for (const Row &row : results.rows)
        rows.push_back(to_json(row));
    Json object = {{"format", kFormat},        {"created", results.created},
                   {"series", results.series}, {"kernel", results.kernel},
                   {"qemu", results.qemu},     {"command", results.command},
                   {"smoke", results.smoke},   {"rows", rows}};
    // One row a line, so that files can be compared with diff as well.
    std::string text = "{\n";
    for (const auto &[key, value] : object.items())
        if (key != "rows")
            text += Json(key).dump() + ": " + value.dump() + ",\n";
    text += "\"rows\": [";
    for (size_t i = 0; i < rows.size(); i++)
        text += (i ? ",\n" : "\n") + rows[i].dump();
    return text + "\n]}\n";
}

kit::Result<Results> parse_results(const std::string &text, const std::string &label) {
    Json object = Json::parse(text, nullptr, false);
    if (!object.is_object() || object.value("format", Json()) != kFormat ||
        !object.contains("rows") || !object["rows"].is_array())
        return kit::Error{label + " is no results file of `make bench` (build/bench/results.json)"};
    Results results;
    auto word = [&](const char *key) {
        return object.contains(key) && object[key].is_string() ? object[key].get<std::string>()
                                                               : std::string();
    };
    results.created = word("created");
    results.series = word("series");
    results.kernel = word("kernel");
    results.qemu = word("qemu");
    results.command = word("command");
    results.smoke = object.value("smoke", Json()) == true;
    for (const Json &each : object["rows"]) {
        kit::Result<Row> row = parse_row(each);
        if (!row)
            return kit::Error{label + ": " + row.error().message};
        results.rows.push_back(*row);
    }
    return results;
}

kit::Result<Results> load_results(const std::string &path) {
    kit::Result<std::string> text = kit::read_file(path);
    if (!text)
        return text.error();
    return parse_results(*text, path);
}

} // namespace bench
