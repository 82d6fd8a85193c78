// SPDX-License-Identifier: GPL-2.0-only
#include "queue.h"

#include <fstream>

namespace bench {

static std::string file_of(const std::string &path, const std::string &name) {
    return "/sys/block/" + path.substr(path.rfind('/') + 1) + "/queue/" + name;
}

static std::string line_of(const std::string &file) {
    std::string line;
    std::getline(std::ifstream(file) >> std::ws, line);
    return line;
}

kit::Status without_scheduler(const std::string &path) {
    const std::string file = file_of(path, "scheduler");
    std::ofstream(file) << "none" << std::flush;
    // One of several is in brackets.
    const std::string now = line_of(file);
    if (now != "none" && now.find("[none]") == std::string::npos)
        return kit::Error{"cannot go without I/O scheduler: " + file + " is " + now};
    return {};
}

kit::Result<uint64_t> largest_io(const std::string &path) {
    const std::string file = file_of(path, "max_sectors_kb");
    const std::string most = line_of(file_of(path, "max_hw_sectors_kb"));
    std::ofstream(file) << most << std::flush;
    if (most.empty() || line_of(file) != most)
        return kit::Error{"cannot let the kernel send the largest reads: " + file};
    return std::stoull(most) << 10;
}

} // namespace bench
