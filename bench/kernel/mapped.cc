// SPDX-License-Identifier: GPL-2.0-only
#include "mapped.h"

#include <cstdio>
#include <fmt/format.h>
#include <sstream>
#include <thread>

extern "C" {
#include "stack.h"
}

namespace bench {

using namespace std::chrono_literals;

struct Mapped::Stack {
    bc_stack devices = {};

    Stack() { devices.top.fd = devices.top.bfd = -1; }
    ~Stack() { bc_stack_remove(&devices); }
};

Mapped::Mapped(const bc_dev &drive) : drive_(&drive), stack_(std::make_unique<Stack>()) {}
Mapped::~Mapped() = default;
Mapped::Mapped(Mapped &&) noexcept = default;

kit::Status Mapped::add(const std::string &table) {
    if (bc_stack_add(&stack_->devices, table.c_str(), drive_, nullptr))
        return kit::Error{"cannot make the device-mapper table '" + table + "': " + bc_reason()};
    return {};
}

kit::Status Mapped::message(unsigned device, const std::string &text) {
    int error = bc_dm_message(&stack_->devices.dm[device], text.c_str());
    if (error)
        return kit::errno_error("the device-mapper target takes no message '" + text + "'", -error);
    return {};
}

kit::Status Mapped::await_all(unsigned device, unsigned nth, std::chrono::microseconds nap) {
    const auto limit = std::chrono::steady_clock::now() + 300s;
    char line[512] = "";

    while (std::chrono::steady_clock::now() < limit) {
        int error = bc_dm_status_line(&stack_->devices.dm[device], line, sizeof(line));
        if (error)
            return kit::errno_error("a device-mapper device has no status", -error);
        std::istringstream words(line);
        unsigned number = 0;
        for (std::string word; words >> word;) {
            unsigned long long have = 0, want = 0;
            if (std::sscanf(word.c_str(), "%llu/%llu", &have, &want) == 2 && number++ == nth &&
                have == want)
                return {};
        }
        std::this_thread::sleep_for(nap);
    }
    return kit::Error{fmt::format("a device-mapper device does not get further than '{}'", line)};
}

kit::Status Mapped::remove() {
    if (bc_stack_remove(&stack_->devices))
        return kit::Error{"device-mapper devices cannot be removed"};
    return {};
}

std::string Mapped::path(unsigned device) const {
    return stack_->devices.dm[device].path;
}

} // namespace bench
