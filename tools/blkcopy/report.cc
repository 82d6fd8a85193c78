// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bytes.h"

namespace blkcopy {

namespace {

std::string way(const Summary &summary) {
    const CopyReport &copy = summary.copy;
    if (copy.method() == "offload")
        return fmt::format("inside the device ({})", copy.interface());
    if (copy.method() == "mixed")
        return fmt::format("{} inside the device ({}), {} by reading and writing",
                           format_bytes(copy.offloaded), copy.interface(),
                           format_bytes(copy.read_written));
    if (copy.fell_back)
        return "by reading and writing (the device does not offer to copy)";
    return "by reading and writing";
}

nlohmann::ordered_json or_null(const std::string &text) {
    return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

} // namespace

std::string to_text(const Summary &summary) {
    if (summary.dry_run)
        return fmt::format("would copy {} ({} bytes, {} extent{}) from {} to offset {} of {}; {}",
                           format_bytes(summary.bytes), summary.bytes, summary.extents.size(),
                           summary.extents.size() == 1 ? "" : "s", summary.source,
                           summary.destination_offset, summary.destination,
                           summary.copy_max_bytes > 0
                               ? fmt::format("the destination offers copies of up to {}",
                                             format_bytes(summary.copy_max_bytes))
                               : "the destination offers no copy");
    std::string text = fmt::format(
        "copied {} in {:.2f} s ({}) {}", format_bytes(summary.copy.copied()), summary.seconds,
        format_rate(summary.copy.copied(), summary.seconds), way(summary));
    if (summary.verified == true)
        text += "; verified equal";
    return text;
}

std::string to_json(const Summary &summary) {
    nlohmann::ordered_json extents = nlohmann::ordered_json::array();
    for (const Extent &extent : summary.extents)
        extents.push_back({{"offset", extent.offset}, {"length", extent.length}});
    nlohmann::ordered_json json;
    json["source"] = summary.source;
    json["destination"] = summary.destination;
    json["destination_offset"] = summary.destination_offset;
    json["extents"] = std::move(extents);
    json["bytes"] = summary.bytes;
    json["dry_run"] = summary.dry_run;
    json["copy_max_bytes"] = summary.copy_max_bytes;
    json["copied"] = summary.copy.copied();
    json["method"] = summary.copy.method();
    json["offloaded"] = summary.copy.offloaded;
    json["read_written"] = summary.copy.read_written;
    json["offload_interface"] = or_null(summary.copy.interface());
    json["offload_calls"] = summary.copy.offload_calls;
    json["offload_in_flight"] = summary.copy.most_in_flight;
    json["fallback"] = or_null(summary.fallback);
    json["seconds"] = summary.seconds;
    json["verified"] = summary.verified ? nlohmann::ordered_json(*summary.verified)
                                        : nlohmann::ordered_json(nullptr);
    json["verify_seconds"] = summary.verify_seconds;
    json["interrupted"] = summary.copy.interrupted;
    json["exit_code"] = summary.exit_code;
    json["error"] =
        summary.error ? nlohmann::ordered_json(*summary.error) : nlohmann::ordered_json(nullptr);
    // Paths need not be UTF-8; a program that asked for JSON gets JSON all the same.
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace blkcopy
