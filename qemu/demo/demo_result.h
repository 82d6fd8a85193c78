// SPDX-License-Identifier: GPL-2.0-only
// What the demo has found out, and how it is told.
#pragma once

#include "trace_counter.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kit {

// What the drive was asked to do, summed up.
struct DeviceWork {
    uint64_t copies = 0; // commands
    uint64_t copied_bytes = 0;
    uint64_t reads = 0;
    uint64_t read_bytes = 0;
    uint64_t writes = 0;
    uint64_t write_bytes = 0;
    uint64_t write_zeroes = 0;

    void add(const TraceCounts &counts, uint64_t block_size);
    uint64_t through_host() const { return read_bytes + write_bytes; }
};

// One way of copying the file system: what it cost and what became of it. Costs are sums over all
// rounds; what is looked at afterwards is what the last one left.
struct DemoCopy {
    unsigned rounds = 0;
    std::string error;            // why there is no copy; empty if all rounds ended well
    std::string method;           // what blkcopy says it did
    uint64_t copied = 0;          // bytes
    double seconds = 0;           // of copying, flush included, as blkcopy reports it
    double program_seconds = 0;   // CPU time of the programs, in user and kernel mode
    double busy_seconds = 0;      // work of all of the guest's CPUs meanwhile
    DeviceWork device;            // what the drive was asked to do meanwhile
    std::string fsck;             // what e2fsck found; empty if the file system is clean
    size_t files_right = 0;       // files whose checksum is the host's
    std::string wrong_file;       // the first other one
    bool equals_original = false; // byte by byte, compared on the host
};

struct DemoResult {
    std::string origin; // where the files come from
    uint64_t bytes = 0; // of the file system
    uint64_t files = 0;
    uint64_t file_bytes = 0;
    std::string kernel; // release
    std::string accelerator;
    std::string drive; // its limits, in words
    DemoCopy offloaded;
    DemoCopy read_written;
    bool source_unchanged = false;
    bool surroundings_unchanged = false;
    std::string trouble; // of the machine or its kernel; empty if there was none

    // Every proof that failed, as a sentence; nothing when all held.
    std::vector<std::string> failures() const;
    bool passed() const { return failures().empty(); }
};

// The table and the verdict. Colour is only ever added; the words are the same.
std::string demo_table(const DemoResult &result, bool colour);

// One object, for programs.
std::string demo_json(const DemoResult &result);

} // namespace kit
