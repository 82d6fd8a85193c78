// SPDX-License-Identifier: GPL-2.0-only
// What a block of fio's is made of: commands, some of which wait for others.
#pragma once

#include "nvme_copy.h"

#include <cstddef>
#include <span>
#include <vector>

namespace blkcopy {

struct Files {
    int source = -1;
    int destination = -1;
    int nvme = -1; // where NVMe commands go: the character device, or the block device
    uint32_t nsid = 0;
};

struct Task;

struct Command {
    enum class Kind { read, write, copy, copy_file_range, nvme_copy };

    Kind kind = Kind::read;
    bool on_source = false;               // read, write: not on the destination
    uint64_t offset = 0;                  // bytes, there; of copies, in the destination
    std::byte *buffer = nullptr;          // read, write
    uint64_t left = 0;                    // bytes
    std::span<blk_copy_extent> sources{}; // of copies; copy_file_range has one
    NvmeCopy nvme{};
    Task *task = nullptr;

    // Filled in by who runs it, and good until it has ended.
    blk_copy_arg argument{};
};

// Commands of one phase may run together; the next phase waits for all of them.
struct Task {
    void *tag = nullptr; // whose it is
    std::vector<blk_copy_extent> sources;
    std::vector<NvmeRange> ranges;
    std::vector<Command> commands;
    std::vector<size_t> phases; // where each of them ends in `commands`
    size_t phase = 0;
    size_t pending = 0; // commands of this phase
    int error = 0;      // errno of the first that failed
    unsigned nvme_status = 0;

    void clear(void *whose);
    void end_phase() { phases.push_back(commands.size()); }
};

// Takes note of `result`, which is bytes, or -errno, or the status of an NVMe command. True if a
// part of it is left, as `command` says now.
bool again(Command &command, long result);

} // namespace blkcopy
