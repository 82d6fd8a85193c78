// SPDX-License-Identifier: GPL-2.0-only
#include "trace_counter.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kit {

static constexpr size_t kEndedKept = 32;

std::string TraceCounts::to_json() const {
    return fmt::format("{{\"copies\":{},\"ranges\":{},\"blocks\":{},\"max_ranges\":{},"
                       "\"max_blocks\":{},\"max_range_blocks\":{},\"reads\":{},"
                       "\"read_bytes\":{},\"writes\":{},\"write_bytes\":{},"
                       "\"write_zeroes\":{},\"flushes\":{},\"other\":{},\"nsids\":[{}]}}",
                       copies, ranges, blocks, max_ranges, max_blocks, max_range_blocks, reads,
                       read_bytes, writes, write_bytes, write_zeroes, flushes, other,
                       fmt::join(nsids, ","));
}

const std::vector<std::string> &TraceCounter::events() {
    static const std::vector<std::string> events = {
        "pci_nvme_io_cmd", "pci_nvme_copy",  "pci_nvme_copy_source_range",      "pci_nvme_copy_out",
        "pci_nvme_read",   "pci_nvme_write", "pci_nvme_enqueue_req_completion",
    };
    return events;
}

// The number after "KEY ", decimal or 0x.
static uint64_t number_after(std::string_view line, std::string_view key) {
    for (size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
        size_t end = at + key.size();
        bool starts = at == 0 || line[at - 1] == ' ';
        if (starts && end < line.size() && line[end] == ' ')
            return std::strtoull(std::string(line.substr(end + 1, 24)).c_str(), nullptr, 0);
    }
    return 0;
}

void TraceCounter::extend(Copy &copy, uint64_t lba, uint64_t blocks) {
    copy.done++;
    copy.blocks += blocks;
    copy.next = lba + blocks;
    counts_.max_blocks = std::max(counts_.max_blocks, copy.blocks);
}

void TraceCounter::copy_out(uint64_t lba, uint64_t blocks) {
    // Concurrent copies have disjoint destinations, so a command that
    // still has ranges to write here is the one.
    for (Copy &copy : copies_)
        if (!copy.ended && copy.next == lba && copy.done < copy.ranges)
            return extend(copy, lba, blocks);
    for (Copy &copy : copies_)
        if (!copy.ended && !copy.next && copy.first_blocks == blocks)
            return extend(copy, lba, blocks);
    // Two commands whose first ranges were equally long had been mixed up:
    // this one goes on here, so it is the one with more ranges.
    for (Copy &mine : copies_) {
        if (mine.next != lba)
            continue;
        for (Copy &other : copies_) {
            if (!other.ended && other.ranges > mine.done &&
                other.first_blocks == mine.first_blocks && other.done < other.ranges) {
                std::swap(other.ranges, mine.ranges);
                std::swap(other.cid, mine.cid);
                std::swap(other.queue, mine.queue);
                std::swap(other.ended, mine.ended);
                return extend(mine, lba, blocks);
            }
        }
    }
}

void TraceCounter::completed(uint64_t cid, uint64_t queue) {
    // Kept for a while: it may turn out that another one has ended.
    size_t ended = 0;
    for (Copy &copy : copies_) {
        if (copy.cid == cid && copy.queue == queue)
            copy.ended = true;
        ended += copy.ended;
    }
    if (ended <= kEndedKept)
        return;
    auto oldest = std::find_if(copies_.begin(), copies_.end(), [](auto &c) { return c.ended; });
    copies_.erase(oldest);
}

void TraceCounter::feed(std::string_view line) {
    // "pci_nvme_io_cmd cid 4 ...", or with "PID@SECONDS:" in front of it.
    size_t at = line.find("pci_nvme_");
    if (at == std::string_view::npos)
        return;
    line.remove_prefix(at);
    size_t space = line.find(' ');
    std::string_view event = line.substr(0, space);

    if (event == "pci_nvme_io_cmd") {
        counts_.nsids.insert(static_cast<unsigned>(number_after(line, "nsid")));
        queue_ = number_after(line, "sqid");
        // NVM Command Set specification, figure "Opcodes for NVM Commands".
        switch (number_after(line, "opc")) {
        case 0x00:
            counts_.flushes++;
            break;
        case 0x01:
            counts_.writes++;
            break;
        case 0x02:
            counts_.reads++;
            break;
        case 0x08:
            counts_.write_zeroes++;
            break;
        case 0x19:
            counts_.copies++;
            break;
        default:
            counts_.other++;
            break;
        }
    } else if (event == "pci_nvme_copy") {
        Copy copy;
        copy.cid = number_after(line, "cid");
        copy.queue = queue_;
        copy.ranges = number_after(line, "nr");
        counts_.ranges += copy.ranges;
        counts_.max_ranges = std::max(counts_.max_ranges, copy.ranges);
        copies_.push_back(copy);
        first_range_next_ = true;
    } else if (event == "pci_nvme_copy_source_range") {
        uint64_t blocks = number_after(line, "nlb");
        counts_.blocks += blocks;
        counts_.max_range_blocks = std::max(counts_.max_range_blocks, blocks);
        if (first_range_next_ && !copies_.empty())
            copies_.back().first_blocks = blocks;
        first_range_next_ = false;
    } else if (event == "pci_nvme_copy_out") {
        copy_out(number_after(line, "slba"), number_after(line, "nlb"));
    } else if (event == "pci_nvme_read") {
        counts_.read_bytes += number_after(line, "count");
    } else if (event == "pci_nvme_write") {
        if (line.find("ZEROES") == std::string_view::npos)
            counts_.write_bytes += number_after(line, "count");
    } else if (event == "pci_nvme_enqueue_req_completion") {
        completed(number_after(line, "cid"), number_after(line, "cqid"));
    }
}

} // namespace kit
