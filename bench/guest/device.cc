// SPDX-License-Identifier: GPL-2.0-only
#include "device.h"

#include "queue.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace bench {

uint64_t Copy::bytes() const {
    uint64_t sum = 0;
    for (const Extent &extent : from)
        sum += extent.length;
    return sum;
}

Buffer::Buffer(size_t bytes) : bytes_(bytes) {
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        throw std::bad_alloc();
    data_ = static_cast<char *>(memory);
}

Buffer::~Buffer() {
    if (data_)
        munmap(data_, bytes_);
}

// Identify Namespace, NVM Command Set: bytes 74, 76 and 80.
static kit::Status read_limits(Device &device) {
    Buffer answer(4096);
    nvme_admin_cmd command = {};
    command.opcode = 0x06;
    command.nsid = device.nsid;
    command.addr = reinterpret_cast<uintptr_t>(answer.data());
    command.data_len = 4096;
    if (ioctl(device.disk.get(), NVME_IOCTL_ADMIN_CMD, &command) != 0)
        return kit::errno_error("the drive does not identify its namespace");
    uint16_t range = 0;
    uint32_t copy = 0;
    std::memcpy(&range, answer.data() + 74, sizeof(range));
    std::memcpy(&copy, answer.data() + 76, sizeof(copy));
    device.max_range = range;
    device.max_copy = copy;
    device.max_ranges = static_cast<unsigned char>(answer.data()[80]) + 1U;
    if (!range || !copy)
        return kit::Error{"the drive offers no copies: its MSSRL or MCL is 0"};
    return {};
}

kit::Result<Device> Device::open(const std::string &path) {
    Device device;
    device.disk = kit::Fd(::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    if (!device.disk)
        return kit::errno_error("cannot open " + path);
    int block = 0;
    int nsid = ioctl(device.disk.get(), NVME_IOCTL_ID);
    if (ioctl(device.disk.get(), BLKSSZGET, &block) != 0 ||
        ioctl(device.disk.get(), BLKGETSIZE64, &device.bytes) != 0 || nsid <= 0)
        return kit::errno_error(path + " is no NVMe namespace");
    device.block = static_cast<unsigned>(block);
    device.nsid = static_cast<unsigned>(nsid);
    kit::Status status = read_limits(device);
    if (!status)
        return status.error();

    status = without_scheduler(path);
    if (!status)
        return status.error();
    kit::Result<uint64_t> largest = largest_io(path);
    if (!largest)
        return largest.error();
    device.max_io = *largest;
    const std::string name = path.substr(path.rfind('/') + 1);
    unsigned controller = 0, number = 0;
    if (std::sscanf(name.c_str(), "nvme%un%u", &controller, &number) == 2)
        device.generic = kit::Fd(
            ::open(fmt::format("/dev/ng{}n{}", controller, number).c_str(), O_RDWR | O_CLOEXEC));
    return device;
}

} // namespace bench
