// SPDX-License-Identifier: GPL-2.0-only
#include "elf_closure.h"

#include "fd.h"
#include "subprocess.h"

#include <algorithm>
#include <cstdlib>
#include <elf.h>
#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace kit {

namespace fs = std::filesystem;

Result<std::string> elf_interpreter(const std::string &image) {
    Elf64_Ehdr header;

    if (image.size() < sizeof(header) || image.compare(0, 4, ELFMAG) != 0)
        return Error{"it is not an ELF program (for a script, run its interpreter)"};
    std::memcpy(&header, image.data(), sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        return Error{"it is not an x86-64 ELF program, and the guest is x86-64"};
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        uint64_t at = header.e_phoff + uint64_t{i} * header.e_phentsize;

        if (at > image.size() || image.size() - at < sizeof(segment))
            return Error{"its program headers are cut off"};
        std::memcpy(&segment, image.data() + at, sizeof(segment));
        if (segment.p_type != PT_INTERP)
            continue;
        if (segment.p_offset > image.size() || image.size() - segment.p_offset < segment.p_filesz)
            return Error{"its interpreter name is cut off"};
        // The size counts the terminating NUL; c_str() drops it.
        return std::string(image.substr(segment.p_offset, segment.p_filesz).c_str());
    }
    return std::string();
}

Result<std::vector<std::string>> parse_loader_list(const std::string &text) {
    std::vector<std::string> files;
    std::istringstream in(text);
    std::string line;

    // "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f...)"
    // "\t/lib64/ld-linux-x86-64.so.2 (0x00007f...)"
    // "\tlinux-vdso.so.1 (0x00007ff...)"
    while (std::getline(in, line)) {
        size_t begin = line.find("=> ");
        begin = begin == std::string::npos ? line.find_first_not_of(" \t") : begin + 3;
        size_t end = line.rfind(" (0x");
        if (line.find("not found") != std::string::npos)
            return Error{"a library is missing on this machine:" + line};
        if (begin == std::string::npos || end == std::string::npos || end <= begin)
            continue;
        std::string path = line.substr(begin, end - begin);
        if (path.front() == '/')
            files.push_back(path);
    }
    return files;
}

static Result<std::string> find_program(const std::string &program) {
    if (program.find('/') != std::string::npos) {
        std::error_code code;
        fs::path path = fs::absolute(program, code).lexically_normal();
        if (!fs::is_regular_file(path, code))
            return Error{"'" + program + "' is not there or is not a file"};
        return path.string();
    }
    const char *variable = std::getenv("PATH");
    std::istringstream in(variable ? variable : "/usr/sbin:/usr/bin:/sbin:/bin");
    std::string directory;
    while (std::getline(in, directory, ':')) {
        std::string path = (directory.empty() ? "." : directory) + "/" + program;
        std::error_code code;
        if (fs::is_regular_file(path, code) && access(path.c_str(), X_OK) == 0)
            return fs::absolute(path).lexically_normal().string();
    }
    return Error{"there is no program '" + program + "' in PATH on this machine"};
}

Result<ElfClosure> resolve_elf(const std::string &program) {
    Result<std::string> path = find_program(program);
    if (!path)
        return path.error();
    Result<std::string> image = read_file(*path);
    if (!image)
        return image.error();
    Result<std::string> interpreter = elf_interpreter(*image);
    if (!interpreter)
        return Error{"cannot run '" + *path + "' in the guest: " + interpreter.error().message};

    ElfClosure closure;
    closure.program = *path;
    if (interpreter->empty())
        return closure;

    Result<CommandOutput> listing =
        run_command({*interpreter, "--list", *path}, std::chrono::seconds(20));
    if (!listing)
        return listing.error();
    if (!listing->status.success() || listing->timed_out)
        return Error{"'" + *interpreter + " --list " + *path + "' " + listing->status.describe() +
                     ": " + listing->text};
    Result<std::vector<std::string>> files = parse_loader_list(listing->text);
    if (!files)
        return files.error();
    closure.files = *files;
    closure.files.push_back(*interpreter);
    for (const std::string &file : closure.files) {
        std::string directory = fs::path(file).parent_path().string();
        if (std::find(closure.lib_paths.begin(), closure.lib_paths.end(), directory) ==
            closure.lib_paths.end())
            closure.lib_paths.push_back(directory);
    }
    return closure;
}

} // namespace kit
