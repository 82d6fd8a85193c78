// SPDX-License-Identifier: GPL-2.0-only
// The drive that copies are measured on.
#pragma once

#include "fd.h"
#include "result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Extent {
    uint64_t offset = 0; // bytes
    uint64_t length = 0; // bytes
};

// One copy: extents of the drive, to one place on it, one after the other.
struct Copy {
    std::vector<Extent> from;
    uint64_t to = 0; // bytes

    uint64_t bytes() const;
};

struct Device {
    kit::Fd disk;            // /dev/nvme0n1, O_DIRECT
    kit::Fd generic;         // /dev/ng0n1; may be missing
    uint64_t bytes = 0;      // size
    unsigned block = 0;      // logical block, bytes
    unsigned nsid = 0;       // of the namespace
    uint64_t max_io = 0;     // the largest read or write the drive takes, bytes
    uint64_t max_range = 0;  // MSSRL, blocks; the drive's own words, from Identify Namespace
    uint64_t max_copy = 0;   // MCL, blocks
    uint64_t max_ranges = 0; // MSRC + 1

    // Sets the drive's queue as well, see queue.h.
    static kit::Result<Device> open(const std::string &path);
};

// A buffer whose address direct I/O takes; its memory is there already.
class Buffer {
public:
    explicit Buffer(size_t bytes);
    ~Buffer();
    Buffer(Buffer &&o) noexcept : data_(o.data_), bytes_(o.bytes_) { o.data_ = nullptr; }
    Buffer &operator=(Buffer &&) = delete;

    char *data() const { return data_; }
    size_t size() const { return bytes_; }

private:
    char *data_;
    size_t bytes_;
};

} // namespace bench
