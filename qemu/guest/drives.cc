// SPDX-License-Identifier: GPL-2.0-only
#include "drives.h"

#include "setup.h"

#include <filesystem>
#include <thread>
#include <unistd.h>

namespace kit {

using Clock = std::chrono::steady_clock;

// The attributes are padded with spaces, and end with a newline.
static std::string trimmed(const std::string &text) {
    return text.substr(0, text.find_last_not_of(" \n") + 1);
}

// Of a namespace with several paths, the paths are listed too: they have no node in /dev.
static std::string find_drive(const std::string &serial, const std::string &nsid) {
    std::error_code ignored;

    for (const auto &entry : std::filesystem::directory_iterator("/sys/block", ignored)) {
        const std::string &sys = entry.path();
        std::string node = "/dev/" + entry.path().filename().string();
        if (trimmed(read_text(sys + "/device/serial")) == serial &&
            trimmed(read_text(sys + "/nsid")) == nsid && access(node.c_str(), F_OK) == 0)
            return node;
    }
    return "";
}

std::string resolve_drive(const std::string &value, std::chrono::milliseconds limit,
                          std::string &problem) {
    static const std::string prefix = "nvme:";
    size_t colon = value.rfind(':');

    if (!value.starts_with(prefix) || colon < prefix.size())
        return value;
    std::string serial = value.substr(prefix.size(), colon - prefix.size());
    std::string nsid = value.substr(colon + 1);
    for (Clock::time_point end = Clock::now() + limit;;) {
        if (std::string node = find_drive(serial, nsid); !node.empty())
            return node;
        if (Clock::now() > end)
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    problem = "no namespace " + nsid + " of a drive with the serial number '" + serial + "'";
    return value;
}

} // namespace kit
