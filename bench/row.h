// SPDX-License-Identifier: GPL-2.0-only
// One measurement: a line of a guest program, and what the runner knows besides.
#pragma once

#include "result.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What the drive did during `ops` operations, in its own words (QEMU's trace).
struct DeviceWork {
    uint64_t copies = 0; // commands
    uint64_t ranges = 0; // of all copy commands
    uint64_t reads = 0;  // commands
    uint64_t read_bytes = 0;
    uint64_t writes = 0; // commands
    uint64_t write_bytes = 0;
};

struct Row {
    std::string bench;   // "sweep", "times", "reader", or what another program calls it
    std::string method;  // "ioctl", ...
    std::string machine; // where: a row of machines.json
    std::string flavour; // of the kernel
    uint64_t bytes = 0;  // of one operation
    uint64_t extents = 1;
    uint64_t depth = 1;
    uint64_t ops = 0;
    std::optional<double> instructions; // of one operation
    std::optional<double> wall_ns;      // of one operation; of `reader`: of all
    std::optional<double> p50_ns;       // latency of reads beside
    std::optional<double> p99_ns;
    std::vector<double> samples; // single operations, in the unit of instructions or wall_ns
    std::optional<DeviceWork> device;
    bool verified = false;
    nlohmann::json all; // everything the program said; other programs have columns of their own

    // What makes two rows of different files the same measurement.
    std::string key() const;
    uint64_t each() const { return extents ? bytes / extents : bytes; } // bytes of one extent
    double mib() const { return static_cast<double>(bytes) / (1 << 20); }
    // Data and lists of ranges that crossed the host's memory in one operation, bytes.
    std::optional<double> host_bytes() const;
    // Commands of any kind that one operation took.
    std::optional<double> commands() const;
};

// From an object of a guest program or of a results file. An error names the field.
kit::Result<Row> parse_row(const nlohmann::json &object);
nlohmann::json to_json(const Row &row);

// "64 KiB", "2 MiB", "508 KiB"; "1000 B" where it is no multiple.
std::string size_text(uint64_t bytes);
// "64 KiB", or "127 x 4 KiB".
std::string shape_text(const Row &row);

} // namespace bench
