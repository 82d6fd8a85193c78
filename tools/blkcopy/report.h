// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// What the program says at the end: a sentence for people, an object for programs.

#include <optional>
#include <string>

#include "copier.h"
#include "plan.h"

namespace blkcopy {

struct Summary {
    std::string source;
    std::string destination;
    std::vector<Extent> extents;
    uint64_t destination_offset = 0;
    uint64_t bytes = 0; // asked for
    bool dry_run = false;
    uint64_t copy_max_bytes = 0; // what the kernel offers on the destination, 0 for nothing
    CopyReport copy;
    std::string fallback; // how reads and writes were done, empty when there were none
    double seconds = 0;   // of copying and flushing
    std::optional<bool> verified;
    double verify_seconds = 0;
    int exit_code = 0;
    std::optional<std::string> error;
};

// One line, without the newline.
std::string to_text(const Summary &summary);

// One object with stable names, documented in blkcopy(8); without the newline.
std::string to_json(const Summary &summary);

} // namespace blkcopy
