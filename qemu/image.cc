// SPDX-License-Identifier: GPL-2.0-only
#include "image.h"

#include <unistd.h>

namespace kit {

static void put32(std::string &sector, size_t at, uint64_t value) {
    for (int i = 0; i < 4; i++)
        sector[at + static_cast<size_t>(i)] = static_cast<char>(value >> (8 * i));
}

Result<std::string> make_partition_table(const std::vector<Partition> &partitions) {
    std::string sector(512, '\0');
    size_t at = 446; // four entries of 16 bytes, then the signature

    for (const Partition &p : partitions) {
        if (p.start > UINT32_MAX || p.sectors > UINT32_MAX || !p.start || !p.sectors)
            return Error{"a partition does not fit into an MBR table"};
        sector[at + 4] = '\x83'; // Linux; CHS fields stay 0, nobody reads them
        put32(sector, at + 8, p.start);
        put32(sector, at + 12, p.sectors);
        at += 16;
    }
    sector[510] = '\x55';
    sector[511] = '\xaa';
    return sector;
}

Result<Fd> make_image(const Drive &drive) {
    Result<Fd> image = make_nameless_file();
    if (!image)
        return image.error();
    if (ftruncate(image->get(), static_cast<off_t>(drive.bytes)) < 0)
        return errno_error("cannot make a sparse file of " + std::to_string(drive.bytes) +
                           " bytes (set TMPDIR to a file system that takes it)");
    if (drive.partitions.empty())
        return image;
    Result<std::string> table = make_partition_table(drive.partitions);
    if (!table)
        return table.error();
    Status status = pwrite_all(image->get(), std::as_bytes(std::span(*table)), 0);
    if (!status)
        return status.error();
    return image;
}

} // namespace kit
