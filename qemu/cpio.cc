// SPDX-License-Identifier: GPL-2.0-only
#include "cpio.h"

#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

namespace kit {

std::string normalise_path(std::string_view path) {
    std::filesystem::path p = (std::filesystem::path("/") / path).lexically_normal();
    std::string s = p.string();

    while (s.size() > 1 && s.back() == '/')
        s.pop_back();
    return s;
}

void CpioWriter::pad() {
    while (archive_.size() % 4)
        archive_.push_back('\0');
}

void CpioWriter::append(const std::string &name, const Entry &entry) {
    uint32_t links = S_ISDIR(entry.mode) ? 2 : 1;

    // magic, inode, mode, uid, gid, nlink, mtime, size, dev major/minor,
    // rdev major/minor, name size with NUL, checksum
    archive_ += fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}"
                            "{:08X}{:08X}{:08X}{:08X}",
                            inode_++, entry.mode, 0, 0, links, 0, entry.data.size(), 0, 0,
                            entry.major, entry.minor, name.size() + 1, 0);
    archive_ += name;
    archive_.push_back('\0');
    pad();
    archive_ += entry.data;
    pad();
}

// Adds the parents; false if the path is there already.
bool CpioWriter::begin(const std::string &path) {
    if (path == "/" || !seen_.insert(path).second)
        return false;
    std::string parent = path.substr(0, path.rfind('/'));
    if (!parent.empty())
        add_directory(parent);
    return true;
}

void CpioWriter::add_directory(const std::string &path, unsigned mode) {
    std::string name = normalise_path(path);

    if (begin(name))
        append(name.substr(1), {S_IFDIR | mode, 0, 0, {}});
}

void CpioWriter::add_file(const std::string &path, std::string_view contents, unsigned mode) {
    std::string name = normalise_path(path);

    if (begin(name))
        append(name.substr(1), {S_IFREG | mode, 0, 0, contents});
}

void CpioWriter::add_symlink(const std::string &path, const std::string &target) {
    std::string name = normalise_path(path);

    if (begin(name))
        append(name.substr(1), {S_IFLNK | 0777, 0, 0, target});
}

void CpioWriter::add_char_device(const std::string &path, unsigned major, unsigned minor,
                                 unsigned mode) {
    std::string name = normalise_path(path);

    if (begin(name))
        append(name.substr(1), {S_IFCHR | mode, major, minor, {}});
}

std::string CpioWriter::finish() {
    inode_ = 0;
    append("TRAILER!!!", {});
    seen_.clear();
    inode_ = 1;
    return std::exchange(archive_, {});
}

} // namespace kit
