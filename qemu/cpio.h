// SPDX-License-Identifier: GPL-2.0-only
// Writes a cpio archive in the "newc" format, the one the kernel unpacks as
// initramfs (Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace kit {

// Paths are absolute guest paths; missing parent directories are added.
// Adding the same path twice keeps the first entry.
class CpioWriter {
public:
    void add_directory(const std::string &path, unsigned mode = 0755);
    void add_file(const std::string &path, std::string_view contents, unsigned mode = 0644);
    void add_symlink(const std::string &path, const std::string &target);
    void add_char_device(const std::string &path, unsigned major, unsigned minor,
                         unsigned mode = 0600);

    // Closes the archive and returns it. The writer is empty afterwards.
    std::string finish();

private:
    struct Entry {
        unsigned mode = 0;
        unsigned major = 0;
        unsigned minor = 0;
        std::string_view data;
    };
    bool begin(const std::string &path);
    void append(const std::string &name, const Entry &entry);
    void pad();

    std::string archive_;
    std::set<std::string> seen_;
    uint32_t inode_ = 1;
};

// "/a//b/./c/../d" -> "/a/b/d". Relative paths are taken from "/".
std::string normalise_path(std::string_view path);

} // namespace kit
