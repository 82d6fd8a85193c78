// SPDX-License-Identifier: GPL-2.0-only
// The demo's drive: an ext4 file system made of real files, on the first of
// three partitions.
#pragma once

#include "demo_manifest.h"
#include "fd.h"
#include "machine.h"
#include "result.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kit {

// A file system image on the host, and what is in it.
struct DemoFileSystem {
    std::string path;   // of the image
    std::string origin; // where its files come from
    uint64_t bytes = 0; // size of the image
    Manifest manifest;
    bool cached = false; // nothing had to be made
};

// Makes directory/fs.ext4 with mke2fs -d, without mounting anything and
// without privileges, unless it is there already and made of the same files.
// `say` gets a sentence when something takes time.
Result<DemoFileSystem> make_demo_file_system(const std::string &source,
                                             const std::string &directory,
                                             const std::function<void(const std::string &)> &say);

// The first of the candidates that has enough files to be worth looking at.
Result<std::string> choose_source(const std::vector<std::string> &candidates);

// Where the three partitions lie on the drive.
class DemoLayout {
public:
    static constexpr size_t kSource = 0;
    static constexpr size_t kOffloaded = 1;
    static constexpr size_t kReadWritten = 2;

    explicit DemoLayout(uint64_t file_system_bytes); // a multiple of 512

    const std::vector<Partition> &partitions() const { return partitions_; }
    uint64_t offset(size_t partition) const { return partitions_[partition].start * 512; }
    uint64_t bytes() const; // of one partition
    uint64_t disk_bytes() const;

private:
    std::vector<Partition> partitions_;
};

// The drive's image: partition table, the file system, and everywhere else a
// pattern, so that what was not copied does not look like a copy.
Result<Fd> make_demo_disk(const DemoFileSystem &file_system, const DemoLayout &layout);

// What the drive holds after the run, compared on the host.
struct DiskVerdict {
    bool source = false;             // the first partition is what it was
    bool copies[2] = {false, false}; // the second, the third equals the file system
    bool surroundings = false;       // nothing else has changed
};
Result<DiskVerdict> examine_demo_disk(int disk, const DemoFileSystem &file_system,
                                      const DemoLayout &layout);

// A place within the image whose block belongs to a file, as far into the
// image as possible: where a test damages a copy.
Result<uint64_t> find_file_block(const DemoFileSystem &file_system, const std::string &source);

} // namespace kit
