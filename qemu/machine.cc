// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include "fd.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace kit {

using nlohmann::json;

Result<uint64_t> parse_size(const std::string &text) {
    char *end = nullptr;

    errno = 0;
    unsigned long long value = std::strtoull(text.c_str(), &end, 10);
    if (end == text.c_str() || errno)
        return Error{"'" + text + "' is not a size (write 4096, 512M, 2G or 3T)"};
    std::string suffix = end;
    unsigned shift = 0;
    if (suffix == "K")
        shift = 10;
    else if (suffix == "M")
        shift = 20;
    else if (suffix == "G")
        shift = 30;
    else if (suffix == "T")
        shift = 40;
    else if (!suffix.empty())
        return Error{"'" + text + "' has an unknown suffix (K, M, G and T are known)"};
    if (shift && value >> (64 - shift))
        return Error{"'" + text + "' is too large"};
    return value << shift;
}

// Thrown inside this file only; parse_machines() turns it into an Error.
struct BadRow {
    std::string message;
};

static void allow_only(const json &object, std::initializer_list<const char *> keys) {
    for (const auto &[key, value] : object.items()) {
        bool known = false;
        for (const char *k : keys)
            known = known || key == k;
        if (!known)
            throw BadRow{"unknown key '" + key + "'"};
    }
}

// What a value has to be, in words and in truth.
template <typename T>
struct Kind;
template <>
struct Kind<std::string> {
    static constexpr const char *name = "a string";
    static bool is(const json &value) { return value.is_string(); }
};
template <>
struct Kind<unsigned> {
    static constexpr const char *name = "a whole number";
    static bool is(const json &value) {
        return value.is_number_unsigned() && value.get<uint64_t>() <= UINT32_MAX;
    }
};
template <>
struct Kind<uint64_t> {
    static constexpr const char *name = "a whole number";
    static bool is(const json &value) { return value.is_number_unsigned(); }
};
template <>
struct Kind<std::vector<std::string>> {
    static constexpr const char *name = "a list of strings";
    static bool is(const json &value) {
        return value.is_array() && std::all_of(value.begin(), value.end(), Kind<std::string>::is);
    }
};
template <>
struct Kind<std::map<std::string, std::string>> {
    static constexpr const char *name = "an object whose values are strings";
    static bool is(const json &value) {
        return value.is_object() && std::all_of(value.begin(), value.end(), Kind<std::string>::is);
    }
};

static const json &value_of(const json &object, const char *key) {
    auto found = object.find(key);

    if (found == object.end())
        throw BadRow{fmt::format("'{}' is missing", key)};
    return *found;
}

template <typename T>
static T get(const json &object, const char *key) {
    const json &value = value_of(object, key);

    if (!Kind<T>::is(value))
        throw BadRow{fmt::format("'{}' must be {}", key, Kind<T>::name)};
    return value.get<T>();
}

template <typename T>
static T get(const json &object, const char *key, const T &otherwise) {
    return object.contains(key) ? get<T>(object, key) : otherwise;
}

static const json &objects(const json &object, const char *key) {
    const json &value = value_of(object, key);

    if (!value.is_array() ||
        !std::all_of(value.begin(), value.end(), [](const json &each) { return each.is_object(); }))
        throw BadRow{fmt::format("'{}' must be a list of objects", key)};
    return value;
}

static const json &object_of(const json &object, const char *key) {
    const json &value = value_of(object, key);

    if (!value.is_object())
        throw BadRow{fmt::format("'{}' must be an object", key)};
    return value;
}

static uint64_t get_size(const json &object, const char *key) {
    const json &value = value_of(object, key);

    if (value.is_number_unsigned())
        return value.get<uint64_t>();
    if (!value.is_string())
        throw BadRow{fmt::format("'{}' must be a size (4096, \"512M\")", key)};
    Result<uint64_t> bytes = parse_size(value.get<std::string>());
    if (!bytes)
        throw BadRow{fmt::format("'{}': {}", key, bytes.error().message)};
    return *bytes;
}

// What goes wrong in a part of a row says in which.
template <typename Read>
static auto in_part(const std::string &part, Read read) {
    try {
        return read();
    } catch (const BadRow &bad) {
        throw BadRow{part + ": " + bad.message};
    }
}

static Drive parse_drive(const json &row) {
    Drive drive;

    allow_only(row, {"id", "size", "partitions", "fail_offset", "limits"});
    drive.id = get<std::string>(row, "id");
    drive.bytes = get_size(row, "size");
    if (drive.bytes == 0 || drive.bytes % 512)
        throw BadRow{"the size is not a multiple of 512"};
    if (row.contains("partitions"))
        for (const json &p : objects(row, "partitions")) {
            allow_only(p, {"start", "sectors"});
            drive.partitions.push_back({get<uint64_t>(p, "start"), get<uint64_t>(p, "sectors")});
        }
    if (drive.partitions.size() > 4)
        throw BadRow{"an MBR table has four partitions"};
    if (row.contains("fail_offset"))
        drive.fail_offset = get_size(row, "fail_offset");
    if (row.contains("limits"))
        for (const auto &[key, value] : object_of(row, "limits").items())
            drive.limits[key] = get_size(row.at("limits"), key.c_str());
    return drive;
}

static GoldenPlan parse_golden(const json &row) {
    GoldenPlan plan;

    allow_only(row, {"device", "offset", "bytes", "image", "block", "copies", "max_extent"});
    plan.device = get<std::string>(row, "device");
    plan.offset = row.contains("offset") ? get_size(row, "offset") : 0;
    plan.image = get_size(row, "image");
    if (plan.offset > plan.image)
        throw BadRow{"the device does not fit into the image"};
    plan.bytes = row.contains("bytes") ? get_size(row, "bytes") : plan.image - plan.offset;
    plan.block = get(row, "block", 512U);
    plan.copies = get<unsigned>(row, "copies");
    plan.max_extent = get<unsigned>(row, "max_extent");
    if (plan.bytes > plan.image - plan.offset)
        throw BadRow{"the device does not fit into the image"};
    if (plan.block < 512 || plan.block % 512)
        throw BadRow{"'block' must be a multiple of 512"};
    return plan;
}

// All that the tests look at, and a row may say; selftests/block_copy/README.md tells of each.
static const std::set<std::string> kVariables = {
    "COPY_DEV",
    "COPY_DEV2",
    "COPY_PART1",
    "COPY_PART2",
    "COPY_FAIL_OFFSET",
    "COPY_OTHER",
    "COPY_FAIL_BYTES",
    "COPY_EXPECT",
    "COPY_PLUG",
    "COPY_MODULES",
    "COPY_SEED",
    "COPY_RANDOM_OPS",
    "COPY_PARALLEL_SECONDS",
    "COPY_FULL",
    "COPY_VERBOSE",
    "COPY_MACHINE",
    "COPY_BOOT",
};

const std::set<std::string> &known_variables() {
    return kVariables;
}

static void check_env(const Machine &m) {
    for (const auto &[name, value] : m.env)
        if (name.starts_with("COPY_") && !kVariables.count(name))
            throw BadRow{fmt::format("no test knows '{}'; selftests/block_copy/README.md has the "
                                     "variables that they know",
                                     name)};
    auto expect = m.env.find("COPY_EXPECT");
    if (expect != m.env.end() && expect->second != "offered" && expect->second != "absent")
        throw BadRow{fmt::format("'COPY_EXPECT' must be \"offered\" or \"absent\", not \"{}\"",
                                 expect->second)};
}

static Machine parse_machine(const json &row) {
    Machine m;

    m.name = get<std::string>(row, "name");
    allow_only(row, {"name", "description", "yields", "cpus", "memory_mib", "append", "drives",
                     "devices", "env", "modules", "programs", "golden"});
    m.description = get<std::string>(row, "description");
    m.yields = get<std::vector<std::string>>(row, "yields");
    m.cpus = get(row, "cpus", m.cpus);
    m.memory_mib = get(row, "memory_mib", m.memory_mib);
    m.append = get(row, "append", m.append);
    std::set<std::string> ids;
    for (const json &d : objects(row, "drives")) {
        std::string part = d.contains("id") && d.at("id").is_string()
                               ? "drive '" + d.at("id").get<std::string>() + "'"
                               : fmt::format("drive {}", m.drives.size() + 1);
        m.drives.push_back(in_part(part, [&] { return parse_drive(d); }));
        if (!ids.insert(m.drives.back().id).second)
            throw BadRow{"two drives are called '" + m.drives.back().id + "'"};
    }
    m.devices = get<std::vector<std::string>>(row, "devices");
    for (const std::string &device : m.devices) {
        size_t at = device.find("drive=");
        if (at == std::string::npos)
            continue;
        std::string id = device.substr(at + 6, device.find(',', at) - at - 6);
        if (!ids.count(id))
            throw BadRow{"device '" + device + "' uses a drive that is not there"};
    }
    m.env = get<std::map<std::string, std::string>>(row, "env");
    in_part("env", [&] { check_env(m); });
    m.env["COPY_MACHINE"] = m.name;
    m.modules = get(row, "modules", m.modules);
    m.programs = get(row, "programs", m.programs);
    if (row.contains("golden")) {
        m.golden = in_part("golden", [&] { return parse_golden(object_of(row, "golden")); });
        if (m.drives.empty())
            throw BadRow{"golden: there is no drive whose image could be compared"};
    }
    return m;
}

Result<std::vector<Machine>> parse_machines(const std::string &text) {
    std::vector<Machine> machines;
    std::string label = "the file";

    try {
        std::set<std::string> names;
        const json rows = json::parse(text, nullptr, true, true);
        if (!rows.is_array())
            throw BadRow{"must be a list of machines"};
        for (const json &row : rows) {
            label = fmt::format("row {}", machines.size() + 1);
            if (!row.is_object())
                throw BadRow{"must be an object"};
            if (row.contains("name") && row.at("name").is_string())
                label = "machine '" + row.at("name").get<std::string>() + "'";
            machines.push_back(parse_machine(row));
            if (!names.insert(machines.back().name).second)
                throw BadRow{"there are two of it"};
        }
    } catch (const BadRow &bad) {
        return Error{label + ": " + bad.message};
    } catch (const json::exception &bad) {
        return Error{label + ": " + bad.what()};
    }
    if (machines.empty())
        return Error{"there is no machine in it"};
    return machines;
}

Result<std::vector<Machine>> load_machines(const std::string &path) {
    Result<std::string> text = read_file(path);
    if (!text)
        return text.error();
    Result<std::vector<Machine>> machines = parse_machines(*text);
    if (!machines)
        return Error{"'" + path + "': " + machines.error().message};
    return machines;
}

Result<std::map<std::string, std::string>> device_properties(const Machine &machine,
                                                             const std::string &id) {
    for (const std::string &device : machine.devices) {
        std::map<std::string, std::string> properties;
        std::istringstream words(device);
        std::string word;

        std::getline(words, properties["driver"], ',');
        while (std::getline(words, word, ',')) {
            size_t equals = word.find('=');
            // What has no value is a switch.
            properties[word.substr(0, equals)] =
                equals == std::string::npos ? "on" : word.substr(equals + 1);
        }
        if (properties.count("id") && properties["id"] == id)
            return properties;
    }
    return Error{"machine '" + machine.name + "' has no device '" + id + "'"};
}

const Machine *find_machine(const std::vector<Machine> &machines, const std::string &name) {
    for (const Machine &m : machines)
        if (m.name == name)
            return &m;
    return nullptr;
}

} // namespace kit
