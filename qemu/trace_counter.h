// SPDX-License-Identifier: GPL-2.0-only
// The device's own word: what QEMU's NVMe model was asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

// All I/O commands since the last mark, over all namespaces.
struct TraceCounts {
    uint64_t copies = 0;
    uint64_t ranges = 0;           // source ranges named by the copy commands
    uint64_t blocks = 0;           // logical blocks that were copied
    uint64_t max_ranges = 0;       // of one command
    uint64_t max_blocks = 0;       // of one command
    uint64_t max_range_blocks = 0; // of one range
    uint64_t reads = 0;
    uint64_t read_bytes = 0;
    uint64_t writes = 0;
    uint64_t write_bytes = 0;
    uint64_t write_zeroes = 0;
    uint64_t flushes = 0;
    uint64_t other = 0;
    std::set<unsigned> nsids;

    std::string to_json() const; // one line, without newline
};

// Reads QEMU's trace log, line by line. QEMU writes each line before it
// completes the command, so what a guest has seen completed has been counted
// once the log is read to its end.
class TraceCounter {
public:
    void feed(std::string_view line);
    void mark() { counts_ = {}; }
    const TraceCounts &counts() const { return counts_; }

    // The events that have to be enabled.
    static const std::vector<std::string> &events();

private:
    // A copy command in flight. The trace names the command once and then
    // its ranges without saying whose they are, so ranges are attributed
    // by destination: a command writes its ranges one after the other.
    struct Copy {
        uint64_t cid = 0;
        uint64_t queue = 0;
        uint64_t ranges = 0;
        uint64_t done = 0; // ranges seen going out
        uint64_t blocks = 0;
        bool ended = false;                   // completed, or failed
        std::optional<uint64_t> first_blocks; // length of the first range
        std::optional<uint64_t> next;         // where its next range goes
    };
    void copy_out(uint64_t lba, uint64_t blocks);
    void extend(Copy &copy, uint64_t lba, uint64_t blocks);
    void completed(uint64_t cid, uint64_t queue);

    TraceCounts counts_;
    std::vector<Copy> copies_;
    uint64_t queue_ = 0; // of the last I/O command
    bool first_range_next_ = false;
};

} // namespace kit
