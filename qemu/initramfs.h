// SPDX-License-Identifier: GPL-2.0-only
// The guest's whole root file system: the init program and what it is to run.
#pragma once

#include "cpio.h"
#include "fd.h"
#include "result.h"

#include <string>
#include <vector>

namespace kit {

class Initramfs {
public:
    // `init` is the static program that becomes /init.
    static Result<Initramfs> with_init(const std::string &init);

    // Puts a host file (followed through symlinks, mode kept) at `guest_path`.
    Status add_host_file(const std::string &host_path, const std::string &guest_path);
    void add_contents(const std::string &guest_path, std::string_view contents,
                      unsigned mode = 0644);
    void add_symlink(const std::string &guest_path, const std::string &target);

    // A host program with its libraries. Libraries keep their paths; the
    // program keeps its own unless `guest_path` says otherwise. Returns the
    // guest path.
    Result<std::string> add_program(const std::string &program, const std::string &guest_path = "");

    // Directories of all libraries added, for LD_LIBRARY_PATH.
    const std::vector<std::string> &library_paths() const { return library_paths_; }

    // Writes the archive to a file in memory.
    Result<Fd> finish();

private:
    CpioWriter cpio_;
    std::vector<std::string> library_paths_;
};

} // namespace kit
