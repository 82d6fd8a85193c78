// SPDX-License-Identifier: GPL-2.0-only
#include "plan.h"

#include <nlohmann/json.hpp>
#include <set>

namespace bench {

using Json = nlohmann::json;

static kit::Result<Bench> parse_bench(const Json &row, const std::string &label) {
    static const std::set<std::string> known = {"name",      "machine", "program",
                                                "arguments", "smoke",   "icount",
                                                "flavour",   "modules", "timeout"};
    if (!row.is_object())
        return kit::Error{label + ": must be an object"};
    for (const auto &[key, value] : row.items())
        if (!known.count(key))
            return kit::Error{label + ": unknown key '" + key + "'"};
    for (const char *key : {"name", "machine", "program"})
        if (!row.contains(key))
            return kit::Error{label + ": '" + key + "' is missing"};
    Bench bench;
    try {
        bench.name = row.at("name").get<std::string>();
        bench.machine = row.at("machine").get<std::string>();
        bench.program = row.at("program").get<std::string>();
        bench.arguments = row.value("arguments", bench.arguments);
        bench.has_smoke = row.contains("smoke");
        bench.smoke = row.value("smoke", bench.smoke);
        bench.icount = row.value("icount", false);
        bench.flavour = row.value("flavour", bench.flavour);
        bench.modules = row.value("modules", bench.modules);
        bench.timeout = row.value("timeout", bench.timeout);
    } catch (const Json::exception &error) {
        return kit::Error{label + ": a value is of the wrong kind: " + error.what()};
    }
    return bench;
}

kit::Result<std::vector<Bench>> parse_benches(const std::string &json) {
    Json rows = Json::parse(json, nullptr, false);
    if (!rows.is_array() || rows.empty())
        return kit::Error{"benches.json must be a JSON array with at least one row"};
    std::vector<Bench> benches;
    std::set<std::string> names;
    for (size_t i = 0; i < rows.size(); i++) {
        std::string label = "row " + std::to_string(i + 1);
        if (rows[i].is_object() && rows[i].contains("name") && rows[i]["name"].is_string())
            label = "bench '" + rows[i]["name"].get<std::string>() + "'";
        kit::Result<Bench> bench = parse_bench(rows[i], label);
        if (!bench)
            return bench.error();
        if (!names.insert(bench->name).second)
            return kit::Error{label + ": there are two of it"};
        benches.push_back(*bench);
    }
    return benches;
}

std::vector<Bench> select(const std::vector<Bench> &benches, const std::string &filter) {
    std::vector<Bench> chosen;
    for (Bench bench : benches) {
        if (filter == "smoke") {
            if (!bench.has_smoke)
                continue;
            bench.arguments = bench.smoke;
        } else if (bench.name.find(filter) == std::string::npos) {
            continue;
        }
        chosen.push_back(bench);
    }
    return chosen;
}

} // namespace bench
