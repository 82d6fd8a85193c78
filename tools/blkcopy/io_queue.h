// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Reads and writes in flight. The copying and comparing loops know only this interface, so that
// tests can put a fake device behind it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "completion.h"

namespace blkcopy {

struct Io {
    bool write = false;
    int fd = -1;
    unsigned slot = 0;          // which buffer
    uint32_t buffer_offset = 0; // bytes into that buffer
    uint64_t offset = 0;        // bytes on the device
    uint32_t length = 0;        // bytes
};

// Owns a fixed number of equal buffers ("slots"), each good for one I/O at a time.
class IoQueue : public Completions {
public:
    [[nodiscard]] virtual unsigned slots() const = 0;
    [[nodiscard]] virtual uint32_t slot_bytes() const = 0;
    [[nodiscard]] virtual std::byte *buffer(unsigned slot) = 0;
    // Starts an I/O, at once or with the next wait().
    virtual void submit(const Io &io) = 0;
    // How it works, for reports: "io_uring, registered buffers".
    [[nodiscard]] virtual std::string description() const = 0;
};

// io_uring where the kernel allows it (registered buffers where RLIMIT_MEMLOCK allows them), else
// one pread(2) or pwrite(2) after the other. Null without memory.
std::unique_ptr<IoQueue> make_io_queue(unsigned slots, uint32_t slot_bytes);

// The second of the two, for machines without io_uring and for tests.
std::unique_ptr<IoQueue> make_synchronous_queue(unsigned slots, uint32_t slot_bytes);

} // namespace blkcopy
