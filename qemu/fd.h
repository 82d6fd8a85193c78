// SPDX-License-Identifier: GPL-2.0-only
// The few helpers for files and descriptors that everything else needs.
#pragma once

#include "common/fd.h"
#include "result.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace kit {

using common::Fd;

struct SocketPair {
    Fd ours;   // non-blocking
    Fd theirs; // blocking; handed to the child
};

Result<SocketPair> make_socket_pair();

// Opens with O_CLOEXEC. The error names the path.
Result<Fd> open_file(const std::string &path, int flags, unsigned mode = 0644);

// A file without a name in $TMPDIR (or /var/tmp): it is gone when the last
// descriptor is, whatever happens to this process.
Result<Fd> make_nameless_file();

// The same in memory, for small things (initramfs, list files).
Result<Fd> make_memory_file(const std::string &label);

Result<std::string> read_file(const std::string &path);
Status write_file(const std::string &path, std::string_view contents);

// Hands over everything that a non-blocking descriptor has. False once the other side has closed.
bool read_available(int fd, const std::function<void(std::string_view)> &take);

// Writes all of `data` at the current position, waiting when it has to.
Status write_all(int fd, std::string_view data);

// Reads or writes all of the buffer at `offset` (bytes); a short file is an error.
Status pread_all(int fd, std::span<std::byte> buffer, uint64_t offset);
Status pwrite_all(int fd, std::span<const std::byte> buffer, uint64_t offset);

// mkdir -p.
Status make_directories(const std::string &path);

} // namespace kit
