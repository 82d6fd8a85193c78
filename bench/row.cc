// SPDX-License-Identifier: GPL-2.0-only
#include "row.h"

#include <fmt/format.h>

namespace bench {

using Json = nlohmann::json;

// Of one range in the list that a copy command points to.
static constexpr double kRangeBytes = 32;

std::string Row::key() const {
    return fmt::format("{}/{}/{}/{}/{}x{}/{}", flavour, machine, bench, method, extents, bytes,
                       depth);
}

std::optional<double> Row::host_bytes() const {
    if (!device || !ops)
        return std::nullopt;
    return (static_cast<double>(device->ranges) * kRangeBytes +
            static_cast<double>(device->read_bytes + device->write_bytes)) /
           static_cast<double>(ops);
}

std::optional<double> Row::commands() const {
    if (!device || !ops)
        return std::nullopt;
    return static_cast<double>(device->copies + device->reads + device->writes) /
           static_cast<double>(ops);
}

namespace {

// Reads the fields of an object, and keeps the first complaint.
class Fields {
public:
    explicit Fields(const Json &object) : object_(object) {}

    std::string text(const char *name, bool required) {
        auto at = object_.find(name);
        if (at == object_.end())
            return required ? complain(name, "is missing") : "";
        return at->is_string() ? at->get<std::string>() : complain(name, "must be a string");
    }

    uint64_t count(const char *name, uint64_t fallback) {
        auto at = object_.find(name);
        if (at == object_.end())
            return fallback;
        if (at->is_number_integer() && *at >= 0)
            return at->get<uint64_t>();
        complain(name, "must be a whole number that is not negative");
        return fallback;
    }

    std::optional<double> number(const char *name) {
        auto at = object_.find(name);
        if (at == object_.end())
            return std::nullopt;
        if (at->is_number() && at->get<double>() >= 0)
            return at->get<double>();
        complain(name, "must be a number that is not negative");
        return std::nullopt;
    }

    std::vector<double> numbers(const char *name) {
        std::vector<double> list;
        auto at = object_.find(name);
        if (at == object_.end())
            return list;
        for (const Json &value : *at) {
            if (value.is_number())
                list.push_back(value.get<double>());
            else
                complain(name, "must be a list of numbers");
        }
        return list;
    }

    std::string complain(const char *name, const char *what) {
        if (error_.empty())
            error_ = fmt::format("\"{}\" {}", name, what);
        return "";
    }
    const std::string &error() const { return error_; }

private:
    const Json &object_;
    std::string error_;
};

} // namespace

kit::Result<Row> parse_row(const Json &object) {
    if (!object.is_object())
        return kit::Error{"a measurement must be a JSON object"};
    Row row;
    Fields fields(object);
    row.bench = fields.text("bench", true);
    row.method = fields.text("method", true);
    row.machine = fields.text("machine", false);
    row.flavour = fields.text("flavour", false);
    row.bytes = fields.count("bytes", 0);
    row.extents = fields.count("extents", 1);
    row.depth = fields.count("depth", 1);
    row.ops = fields.count("ops", 1);
    row.instructions = fields.number("instructions");
    row.wall_ns = fields.number("wall_ns");
    row.p50_ns = fields.number("p50_ns");
    row.p99_ns = fields.number("p99_ns");
    row.samples = fields.numbers("samples");
    auto verified = object.find("verified");
    row.verified = verified != object.end() && verified->is_boolean() && verified->get<bool>();
    std::string error = fields.error();
    auto device = object.find("device");
    if (error.empty() && device != object.end()) {
        if (!device->is_object())
            return kit::Error{"\"device\" must be the witness's answer"};
        Fields counts(*device);
        DeviceWork work;
        work.copies = counts.count("copies", 0);
        work.ranges = counts.count("ranges", 0);
        work.reads = counts.count("reads", 0);
        work.read_bytes = counts.count("read_bytes", 0);
        work.writes = counts.count("writes", 0);
        work.write_bytes = counts.count("write_bytes", 0);
        row.device = work;
        error = counts.error();
    }
    if (!error.empty())
        return kit::Error{error + ", in " + object.dump()};
    row.all = object;
    return row;
}

Json to_json(const Row &row) {
    Json object = row.all;
    object["machine"] = row.machine;
    object["flavour"] = row.flavour;
    return object;
}

std::string size_text(uint64_t bytes) {
    if (bytes && bytes % (1 << 20) == 0)
        return fmt::format("{} MiB", bytes >> 20);
    if (bytes && bytes % (1 << 10) == 0)
        return fmt::format("{} KiB", bytes >> 10);
    return fmt::format("{} B", bytes);
}

std::string shape_text(const Row &row) {
    return row.extents <= 1 ? size_text(row.bytes)
                            : fmt::format("{} x {}", row.extents, size_text(row.each()));
}

} // namespace bench
