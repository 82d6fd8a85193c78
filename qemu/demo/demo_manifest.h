// SPDX-License-Identifier: GPL-2.0-only
// What a directory tree holds: every file's size and SHA-256. The host makes
// one of the original, the guest makes one of each copy.
#pragma once

#include "result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace kit {

struct FileDigest {
    uint64_t size = 0;  // bytes
    std::string sha256; // hexadecimal; of a symbolic link: of its target's text
    bool operator==(const FileDigest &) const = default;
};

// Paths are relative to the root. Only regular files and symbolic links count.
class Manifest {
public:
    // Reads a whole tree; lost+found at its root is left out.
    static Result<Manifest> of_tree(const std::string &root);

    // One "SHA256 SIZE PATH" line per file. Paths with line breaks do not fit
    // the format and are an error in of_tree().
    std::string to_text() const;
    static Result<Manifest> from_text(std::string_view text);

    const std::map<std::string, FileDigest> &files() const { return files_; }
    uint64_t bytes() const; // the sum of the sizes

    // How many files are the same in both.
    size_t matching(const Manifest &other) const;
    // The first path that differs or is missing in one of them; empty if there is none.
    std::string first_difference(const Manifest &other) const;

private:
    std::map<std::string, FileDigest> files_;
};

std::string sha256_hex(std::string_view data);

} // namespace kit
