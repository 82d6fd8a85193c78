// SPDX-License-Identifier: GPL-2.0-only
#include "modules.h"

#include "elf_closure.h"
#include "guest/protocol.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>

namespace kit {

namespace fs = std::filesystem;

Status add_modules(Initramfs &initramfs, const std::string &directory, const Machine &machine) {
    std::set<std::string> there;
    std::error_code code;

    if (!directory.empty()) {
        for (const fs::directory_entry &entry : fs::directory_iterator(directory, code)) {
            const fs::path &file = entry.path();
            if (file.extension() != ".ko")
                continue;
            Status status = initramfs.add_host_file(
                file.string(), fmt::format("{}/{}", kModuleDirectory, file.filename().string()));
            if (!status)
                return status;
            there.insert(file.stem().string());
        }
    }
    std::string list;
    for (const std::string &name : machine.modules) {
        if (!there.count(name))
            return Error{fmt::format("machine '{}' loads the module '{}', and {}: `make kmod` "
                                     "builds it, --modules says where it is",
                                     machine.name, name,
                                     directory.empty()
                                         ? "none are known for this kernel"
                                         : fmt::format("there is no {}/{}.ko", directory, name))};
        list += fmt::format("{}/{}.ko\n", kModuleDirectory, name);
    }
    if (!list.empty())
        initramfs.add_contents(kModuleList, list);
    return {};
}

Result<std::vector<std::string>> add_programs(Initramfs &initramfs, const Machine &machine) {
    std::vector<std::string> lacking;

    for (const std::string &program : machine.programs) {
        if (!resolve_elf(program)) {
            lacking.push_back(program);
            continue;
        }
        Result<std::string> added =
            initramfs.add_program(program, "/usr/bin/" + fs::path(program).filename().string());
        if (!added)
            return added.error();
    }
    return lacking;
}

} // namespace kit
