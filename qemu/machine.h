// SPDX-License-Identifier: GPL-2.0-only
// Machines are data: one row of machines.json per topology.
#pragma once

#include "result.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kit {

struct Partition {
    uint64_t start = 0;   // in 512-byte sectors
    uint64_t sectors = 0; // in 512-byte sectors
};

// A backing image and what QEMU puts between it and the device.
struct Drive {
    std::string id;                         // QEMU node name, used by the devices' drive=
    uint64_t bytes = 0;                     // size of the sparse raw image
    std::vector<Partition> partitions;      // written as an MBR table before boot
    std::optional<uint64_t> fail_offset;    // writes that touch this sector fail (blkdebug)
    std::map<std::string, uint64_t> limits; // throttle-group properties, e.g. bps-total
};

// A host-side comparison: the copies are made in [offset, offset + bytes) of
// the first drive, through the guest's block device `device`.
struct GoldenPlan {
    std::string device;      // value for the guest, e.g. /dev/nvme0n1
    uint64_t offset = 0;     // of `device` within the image, bytes
    uint64_t bytes = 0;      // size of `device` that is used, bytes
    uint64_t image = 0;      // size of the image for this boot, bytes
    unsigned block = 512;    // logical block size, bytes
    unsigned copies = 0;     // calls per interface
    unsigned max_extent = 0; // blocks
};

struct Machine {
    std::string name;
    std::string description;
    std::vector<std::string> yields; // the /dev nodes, for people
    unsigned cpus = 2;
    unsigned memory_mib = 512;
    std::string append; // kernel command line
    std::vector<Drive> drives;
    std::vector<std::string> devices;       // -device arguments
    std::map<std::string, std::string> env; // for the tests
    std::vector<std::string> modules;       // loaded before the tests, in this order
    std::vector<std::string> programs;      // of the host, that tests may run in the guest
    std::optional<GoldenPlan> golden;
};

// Reads the rows. A key that is unknown or missing, a value of the wrong type,
// a duplicate name, a device that refers to a drive that is not there: each is
// an error that names the row and the key.
Result<std::vector<Machine>> parse_machines(const std::string &json);
Result<std::vector<Machine>> load_machines(const std::string &path);

// The variables COPY_* that a row's env may have.
const std::set<std::string> &known_variables();

const Machine *find_machine(const std::vector<Machine> &machines, const std::string &name);

// The QEMU -device option of the device that is called `id`, taken apart; what
// kind of device it is stands under "driver".
Result<std::map<std::string, std::string>> device_properties(const Machine &machine,
                                                             const std::string &id);

// "2G", "512M", "3T", "4096" -> bytes.
Result<uint64_t> parse_size(const std::string &text);

} // namespace kit
