// SPDX-License-Identifier: GPL-2.0-only
#include "block_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/blkzoned.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace blkcopy {

namespace {

constexpr uint64_t kSysfsSector = 512; // "start" is in these, whatever the block size

Error refused(std::string message) {
    return Error{ExitCode::kRefused, std::move(message)};
}

std::string sysfs_directory(uint64_t device) {
    return fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
}

std::optional<std::string> read_word(const std::string &path) {
    std::ifstream file(path);
    std::string word;
    if (file >> word)
        return word;
    return std::nullopt;
}

// What kind of thing a path is, when it is not a block device.
std::string_view kind_of(mode_t mode) {
    if (S_ISREG(mode))
        return "a regular file";
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISCHR(mode))
        return "a character device";
    return "something else";
}

// The kernel answers a write open of a read-only device with EACCES, EPERM or EROFS, depending on
// its age.
bool marked_read_only(const std::string &path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    int read_only = 0;
    return fd && ::ioctl(fd.get(), BLKROGET, &read_only) == 0 && read_only != 0;
}

bool is_zoned(int fd) {
    uint32_t sectors = 0;
    return ::ioctl(fd, BLKGETZONESZ, &sectors) == 0 && sectors != 0;
}

// Fills in the whole disk and the place on it. Without sysfs, or for a whole disk, the device
// stands for itself.
void locate(uint64_t device, Geometry &geometry) {
    geometry.disk = device;
    geometry.start = 0;
    const std::string directory = sysfs_directory(device);
    if (!read_word(directory + "/partition"))
        return;
    const std::optional<std::string> start = read_word(directory + "/start");
    const std::optional<std::string> disk = read_word(directory + "/../dev");
    unsigned disk_major = 0;
    unsigned disk_minor = 0;
    if (!start || !disk || std::sscanf(disk->c_str(), "%u:%u", &disk_major, &disk_minor) != 2)
        return;
    geometry.disk = makedev(disk_major, disk_minor);
    geometry.start = std::strtoull(start->c_str(), nullptr, 10) * kSysfsSector;
}

} // namespace

Result<BlockDevice> BlockDevice::open(const std::string &path, Use use) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return refused(fmt::format("{}: {}", path, std::strerror(errno)));
    // Before open(): opening a tape or a fifo can have effects.
    if (!S_ISBLK(status.st_mode)) {
        const std::string hint =
            S_ISREG(status.st_mode) ? "; copy files with cp(1), or attach it with losetup(8)" : "";
        return refused(
            fmt::format("{} is {}, not a block device{}", path, kind_of(status.st_mode), hint));
    }
    const bool writes = use == Use::kDestination || use == Use::kForcedDestination;
    const bool exclusive = use == Use::kDestination || use == Use::kLook;
    const int flags =
        (writes ? O_RDWR : O_RDONLY) | (exclusive ? O_EXCL : 0) | O_DIRECT | O_CLOEXEC;
    Fd fd(::open(path.c_str(), flags));
    if (!fd) {
        if (errno == EBUSY)
            return refused(fmt::format(
                "{} is in use (a mounted file system, LVM, RAID or swap holds it); nothing was "
                "written. Release it, or use --force",
                path));
        const int error = errno;
        if (writes && marked_read_only(path))
            return refused(fmt::format("{} is read-only", path));
        return refused(fmt::format("{}: {}", path, std::strerror(error)));
    }
    // Asked of the open file, not the path: it cannot have been exchanged in between.
    if (::fstat(fd.get(), &status) != 0 || !S_ISBLK(status.st_mode))
        return refused(fmt::format("{} is not a block device any more", path));

    Geometry geometry;
    geometry.path = path;
    int block_size = 0;
    int read_only = 0;
    uint64_t size = 0;
    if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0 ||
        ::ioctl(fd.get(), BLKSSZGET, &block_size) != 0 ||
        ::ioctl(fd.get(), BLKROGET, &read_only) != 0 || block_size <= 0)
        return refused(fmt::format("{}: its size cannot be read: {}", path, std::strerror(errno)));
    if (use != Use::kSource && read_only != 0)
        return refused(fmt::format("{} is read-only", path));
    if (use != Use::kSource && is_zoned(fd.get()))
        return refused(
            fmt::format("{} is a zoned device; its zones cannot be written in any order", path));
    geometry.size = size;
    geometry.block_size = static_cast<uint32_t>(block_size);
    locate(status.st_rdev, geometry);
    return BlockDevice(std::move(fd), std::move(geometry));
}

uint64_t BlockDevice::copy_max_bytes() const {
    const std::optional<std::string> word =
        read_word(sysfs_directory(geometry_.disk) + "/queue/copy_max_bytes");
    return word ? std::strtoull(word->c_str(), nullptr, 10) : 0;
}

bool is_held(const std::string &path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    return !fd && errno == EBUSY;
}

} // namespace blkcopy
