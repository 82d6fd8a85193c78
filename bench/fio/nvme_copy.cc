// SPDX-License-Identifier: GPL-2.0-only
#include "nvme_copy.h"

#include <algorithm>
#include <array>
#include <endian.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/ioctl.h>

namespace blkcopy {

namespace {

constexpr uint8_t kIdentify = 0x06;
constexpr uint8_t kCopy = 0x19;
constexpr unsigned kCopySupported = 1 << 8; // in ONCS

using Page = std::array<uint8_t, 4096>;

template <typename T>
T little(const Page &page, size_t at) {
    T value = 0;

    for (size_t i = sizeof(T); i-- > 0;)
        value = static_cast<T>(value << 8 | page[at + i]);
    return value;
}

bool identify_page(int fd, uint32_t nsid, uint32_t cns, Page &page) {
    nvme_admin_cmd command{};

    command.opcode = kIdentify;
    command.nsid = nsid;
    command.addr = reinterpret_cast<uintptr_t>(page.data());
    command.data_len = static_cast<uint32_t>(page.size());
    command.cdw10 = cns;
    return ::ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command) == 0;
}

} // namespace

void plan_nvme_copies(const NvmeLimits &limits, std::span<const blk_copy_extent> sources,
                      uint64_t destination, std::vector<NvmeRange> &ranges,
                      std::vector<NvmeCopy> &copies) {
    uint64_t room = 0; // blocks that the last command still takes
    uint64_t at = destination / limits.block;
    uint64_t most = std::min<uint64_t>(limits.range_blocks, 1 << 16);

    for (const blk_copy_extent &source : sources) {
        uint64_t block = source.offset / limits.block;
        uint64_t left = source.length / limits.block;
        while (left) {
            if (!room || copies.back().count == limits.ranges) {
                copies.push_back({at, ranges.size(), 0});
                room = limits.copy_blocks;
            }
            uint64_t now = std::min({left, room, most});
            NvmeRange range{};
            range.first_block = htole64(block);
            range.blocks_minus_1 = htole16(static_cast<uint16_t>(now - 1));
            ranges.push_back(range);
            copies.back().count++;
            block += now;
            at += now;
            left -= now;
            room -= now;
        }
    }
}

nvme_passthru_cmd nvme_copy_command(uint32_t nsid, const NvmeCopy &copy, const NvmeRange *ranges) {
    nvme_passthru_cmd command{};

    command.opcode = kCopy;
    command.nsid = nsid;
    command.addr = reinterpret_cast<uintptr_t>(ranges);
    command.data_len = static_cast<uint32_t>(copy.count * sizeof(NvmeRange));
    command.cdw10 = static_cast<uint32_t>(copy.destination_block);
    command.cdw11 = static_cast<uint32_t>(copy.destination_block >> 32);
    command.cdw12 = copy.count - 1; // format 0
    return command;
}

common::Result<NvmeNamespace> NvmeNamespace::identify(const std::string &path, int fd) {
    std::error_code ignored;
    std::string node = std::filesystem::canonical(path, ignored).filename();
    NvmeNamespace found;
    Page controller{}, space{};
    int block = 0;

    int nsid = ::ioctl(fd, NVME_IOCTL_ID);
    if (nsid <= 0 || !node.starts_with("nvme"))
        return common::Error{path +
                             " is no namespace of an NVMe drive: mode=passthrough needs one"};
    if (std::filesystem::exists("/sys/class/block/" + node + "/partition"))
        return common::Error{path + " is a partition: mode=passthrough needs a whole namespace"};
    found.nsid = static_cast<uint32_t>(nsid);
    if (::ioctl(fd, BLKSSZGET, &block) || !identify_page(fd, 0, 1, controller) ||
        !identify_page(fd, found.nsid, 0, space))
        return common::errno_error(path + " cannot be asked what it can copy");
    found.limits = {static_cast<uint32_t>(block), little<uint16_t>(space, 74),
                    little<uint32_t>(space, 76), space[80] + 1U};
    if (!(little<uint16_t>(controller, 520) & kCopySupported) || !found.limits.range_blocks ||
        !found.limits.copy_blocks)
        return common::Error{path + " has no Copy command"};
    found.character_device = "/dev/ng" + node.substr(4);
    return found;
}

} // namespace blkcopy
