// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include "fd.h"

#include <cstdlib>
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

static uint64_t size_of(const json &value) {
    if (value.is_number_unsigned())
        return value.get<uint64_t>();
    Result<uint64_t> bytes = parse_size(value.get<std::string>());
    if (!bytes)
        throw BadRow{bytes.error().message};
    return *bytes;
}

static Drive parse_drive(const json &row) {
    Drive drive;

    allow_only(row, {"id", "size", "partitions", "fail_offset", "limits"});
    drive.id = row.at("id").get<std::string>();
    drive.bytes = size_of(row.at("size"));
    if (drive.bytes == 0 || drive.bytes % 512)
        throw BadRow{"drive '" + drive.id + "': the size is not a multiple of 512"};
    for (const json &p : row.value("partitions", json::array())) {
        allow_only(p, {"start", "sectors"});
        drive.partitions.push_back(
            {p.at("start").get<uint64_t>(), p.at("sectors").get<uint64_t>()});
    }
    if (drive.partitions.size() > 4)
        throw BadRow{"drive '" + drive.id + "': an MBR table has four partitions"};
    if (row.contains("fail_offset"))
        drive.fail_offset = size_of(row.at("fail_offset"));
    const json limits = row.value("limits", json::object());
    for (const auto &[key, value] : limits.items())
        drive.limits[key] = size_of(value);
    return drive;
}

static GoldenPlan parse_golden(const json &row) {
    GoldenPlan plan;

    allow_only(row, {"device", "offset", "bytes", "image", "block", "copies", "max_extent"});
    plan.device = row.at("device").get<std::string>();
    plan.offset = row.contains("offset") ? size_of(row.at("offset")) : 0;
    plan.image = size_of(row.at("image"));
    plan.bytes = row.contains("bytes") ? size_of(row.at("bytes")) : plan.image - plan.offset;
    plan.block = row.value("block", 512U);
    plan.copies = row.at("copies").get<unsigned>();
    plan.max_extent = row.at("max_extent").get<unsigned>();
    if (plan.offset + plan.bytes > plan.image)
        throw BadRow{"golden: the device does not fit into the image"};
    return plan;
}

static Machine parse_machine(const json &row) {
    Machine m;

    m.name = row.at("name").get<std::string>();
    allow_only(row, {"name", "description", "yields", "cpus", "memory_mib", "append", "drives",
                     "devices", "env", "modules", "programs", "golden"});
    m.description = row.at("description").get<std::string>();
    m.yields = row.at("yields").get<std::vector<std::string>>();
    m.cpus = row.value("cpus", m.cpus);
    m.memory_mib = row.value("memory_mib", m.memory_mib);
    m.append = row.value("append", "");
    std::set<std::string> ids;
    for (const json &d : row.at("drives")) {
        m.drives.push_back(parse_drive(d));
        if (!ids.insert(m.drives.back().id).second)
            throw BadRow{"two drives are called '" + m.drives.back().id + "'"};
    }
    m.devices = row.at("devices").get<std::vector<std::string>>();
    for (const std::string &device : m.devices) {
        size_t at = device.find("drive=");
        if (at == std::string::npos)
            continue;
        std::string id = device.substr(at + 6, device.find(',', at) - at - 6);
        if (!ids.count(id))
            throw BadRow{"device '" + device + "' uses a drive that is not there"};
    }
    m.env = row.at("env").get<std::map<std::string, std::string>>();
    m.env["COPY_MACHINE"] = m.name;
    m.modules = row.value("modules", m.modules);
    m.programs = row.value("programs", m.programs);
    if (row.contains("golden"))
        m.golden = parse_golden(row.at("golden"));
    return m;
}

Result<std::vector<Machine>> parse_machines(const std::string &text) {
    std::vector<Machine> machines;
    std::string name = "the file";

    try {
        std::set<std::string> names;
        for (const json &row : json::parse(text, nullptr, true, true)) {
            name = "machine '" + row.value("name", "?") + "'";
            machines.push_back(parse_machine(row));
            if (!names.insert(machines.back().name).second)
                throw BadRow{"there are two of it"};
        }
    } catch (const BadRow &bad) {
        return Error{name + ": " + bad.message};
    } catch (const json::exception &bad) {
        return Error{name + ": " + bad.what()};
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
