// SPDX-License-Identifier: GPL-2.0-only
#include "drives.h"

#include "setup.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <unistd.h>
#include <vector>

namespace kit {

using Clock = std::chrono::steady_clock;

// The attributes are padded with spaces, and end with a newline.
static std::string trimmed(const std::string &text) {
    return text.substr(0, text.find_last_not_of(" \n") + 1);
}

struct Namespace {
    std::string serial;
    std::string nsid;
    std::string node;
};

// Of a namespace with several paths, the paths are listed too: they have no node in /dev.
static std::vector<Namespace> find_namespaces(const std::string &root) {
    std::vector<Namespace> found;
    std::error_code ignored;

    for (const auto &entry : std::filesystem::directory_iterator(root + "/sys/block", ignored)) {
        const std::string &sys = entry.path();
        std::string node = "/dev/" + entry.path().filename().string();
        std::string nsid = trimmed(read_text(sys + "/nsid"));
        if (!nsid.empty() && access((root + node).c_str(), F_OK) == 0)
            found.push_back({trimmed(read_text(sys + "/device/serial")), nsid, node});
    }
    return found;
}

std::string resolve_drive(const std::string &value, std::chrono::milliseconds limit,
                          std::string &problem, const std::string &root) {
    static const std::string prefix = "nvme:";
    size_t colon = value.rfind(':');

    if (!value.starts_with(prefix) || colon < prefix.size())
        return value;
    std::string serial = value.substr(prefix.size(), colon - prefix.size());
    std::string nsid = value.substr(colon + 1);
    std::vector<Namespace> there;
    for (Clock::time_point end = Clock::now() + limit;;) {
        there = find_namespaces(root);
        for (const Namespace &each : there)
            if (each.serial == serial && each.nsid == nsid)
                return each.node;
        if (Clock::now() > end)
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::vector<std::string> names;
    names.reserve(there.size());
    for (const Namespace &each : there)
        names.push_back(prefix + each.serial + ":" + each.nsid);
    std::sort(names.begin(), names.end());
    problem = "no namespace " + nsid + " of a controller with serial " + serial + "; there ";
    problem += names.empty() ? "are none" : "are:";
    for (const std::string &name : names)
        problem += " " + name;
    return value;
}

} // namespace kit
