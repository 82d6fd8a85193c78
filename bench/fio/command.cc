// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

#include <algorithm>
#include <cerrno>

namespace blkcopy {

namespace {

void consume(std::span<blk_copy_extent> &sources, uint64_t bytes) {
    while (!sources.empty() && bytes >= sources[0].length) {
        bytes -= sources[0].length;
        sources = sources.subspan(1);
    }
    if (bytes && !sources.empty()) {
        sources[0].offset += bytes;
        sources[0].length -= bytes;
    }
}

} // namespace

void Task::clear(void *whose) {
    tag = whose;
    sources.clear();
    ranges.clear();
    commands.clear();
    phases.clear();
    phase = pending = 0;
    error = 0;
    nvme_status = 0;
}

bool again(Command &command, long result) {
    Task &task = *command.task;
    int error = result < 0 ? static_cast<int>(-result) : 0;

    if (command.kind == Command::Kind::nvme_copy) {
        if (result > 0) {
            task.nvme_status = static_cast<unsigned>(result);
            error = EIO;
        }
        if (!task.error)
            task.error = error;
        return false;
    }
    // Nothing at all was moved, and nobody said why.
    if (result == 0)
        error = EIO;
    if (error) {
        if (!task.error)
            task.error = error;
        return false;
    }
    uint64_t done = std::min(static_cast<uint64_t>(result), command.left);
    command.offset += done;
    command.left -= done;
    if (command.buffer)
        command.buffer += done;
    consume(command.sources, done);
    return command.left > 0;
}

} // namespace blkcopy
