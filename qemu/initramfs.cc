// SPDX-License-Identifier: GPL-2.0-only
#include "initramfs.h"

#include "elf_closure.h"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

Result<Initramfs> Initramfs::with_init(const std::string &init) {
    Initramfs fs;

    // The kernel opens /dev/console for init before devtmpfs is mounted.
    for (const char *directory : {"/dev", "/proc", "/sys", "/tmp", "/run", "/mnt", "/root"})
        fs.cpio_.add_directory(directory);
    fs.cpio_.add_char_device("/dev/console", 5, 1);
    fs.cpio_.add_char_device("/dev/null", 1, 3, 0666);
    Status status = fs.add_host_file(init, "/init");
    if (!status)
        return status.error();
    return fs;
}

Status Initramfs::add_host_file(const std::string &host_path, const std::string &guest_path) {
    struct stat st;

    if (::stat(host_path.c_str(), &st) < 0)
        return errno_error("cannot find '" + host_path + "'");
    Result<std::string> contents = read_file(host_path);
    if (!contents)
        return contents.error();
    cpio_.add_file(guest_path, *contents, st.st_mode & 0777);
    return {};
}

void Initramfs::add_contents(const std::string &guest_path, std::string_view contents,
                             unsigned mode) {
    cpio_.add_file(guest_path, contents, mode);
}

void Initramfs::add_symlink(const std::string &guest_path, const std::string &target) {
    cpio_.add_symlink(guest_path, target);
}

Result<std::string> Initramfs::add_program(const std::string &program,
                                           const std::string &guest_path) {
    Result<ElfClosure> closure = resolve_elf(program);
    if (!closure)
        return closure.error();

    std::string target = guest_path.empty() ? closure->program : guest_path;
    Status status = add_host_file(closure->program, target);
    if (!status)
        return status.error();
    for (const std::string &file : closure->files) {
        status = add_host_file(file, file);
        if (!status)
            return status.error();
    }
    for (const std::string &directory : closure->lib_paths) {
        if (std::find(library_paths_.begin(), library_paths_.end(), directory) ==
            library_paths_.end())
            library_paths_.push_back(directory);
    }
    return target;
}

Result<Fd> Initramfs::finish() {
    Result<Fd> file = make_memory_file("initramfs");
    if (!file)
        return file.error();
    Status status = write_all(file->get(), cpio_.finish());
    if (!status)
        return status.error();
    return file;
}

} // namespace kit
