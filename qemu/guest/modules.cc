// SPDX-License-Identifier: GPL-2.0-only
#include "modules.h"

#include "setup.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <sys/syscall.h>
#include <unistd.h>

namespace kit {

static int load_module(const std::string &path) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno;
    int error = syscall(SYS_finit_module, fd, "", 0) < 0 ? errno : 0;
    close(fd);
    return error;
}

std::string load_modules(const std::string &list) {
    std::istringstream paths(read_text(list));
    std::string path;

    while (std::getline(paths, path)) {
        int error = load_module(path);
        if (error == ENOEXEC)
            return "cannot load " + path + ": it was built for another kernel";
        if (error == ENOSYS)
            return "cannot load " + path + ": this kernel has no modules (CONFIG_MODULES)";
        if (error)
            return "cannot load " + path + ": " + std::strerror(error);
    }
    return "";
}

} // namespace kit
