// SPDX-License-Identifier: GPL-2.0-only
// Which files a program needs to start: its interpreter and shared libraries.
#pragma once

#include "result.h"

#include <string>
#include <vector>

namespace kit {

struct ElfClosure {
    std::string program;                // absolute path
    std::vector<std::string> files;     // interpreter and libraries, absolute paths
    std::vector<std::string> lib_paths; // their directories, each once, for LD_LIBRARY_PATH
};

// Finds `program` (a path, or a name looked up in PATH) and everything it is
// linked with. The libraries are resolved by the program's own interpreter
// (PT_INTERP, `ld.so --list`), so RPATH, ld.so.conf and hwcaps are followed
// exactly as when it runs here. Libraries that it dlopen()s are not found.
Result<ElfClosure> resolve_elf(const std::string &program);

// PT_INTERP of an ELF image; empty for a static program; an Error when the
// bytes are not an ELF program for this machine.
Result<std::string> elf_interpreter(const std::string &image);

// Parses the output of `ld.so --list`.
Result<std::vector<std::string>> parse_loader_list(const std::string &text);

} // namespace kit
