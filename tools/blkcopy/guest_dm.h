// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// A dm-linear device over a part of a drive, as the guest test makes it: without dmsetup.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "common/fd.h"

namespace blkcopy {

class LinearDevice {
public:
    // Offset and length in bytes. Throws, like all that prepares a test.
    LinearDevice(std::string name, const std::string &drive, uint64_t offset, uint64_t length)
        : name_(std::move(name)), control_(::open("/dev/mapper/control", O_RDWR | O_CLOEXEC)) {
        Request create;
        call(DM_DEV_CREATE, create);
        path_ = fmt::format("/dev/dm-{}", minor(create.io.dev));
        Request load;
        const std::string arguments = fmt::format("{} {}", drive, offset / 512);
        load.io.target_count = 1;
        load.target.length = length / 512;
        load.target.next = sizeof(load.target) + sizeof(load.text);
        std::strcpy(load.target.target_type, "linear");
        arguments.copy(load.text, sizeof(load.text) - 1);
        call(DM_TABLE_LOAD, load);
        resume();
    }
    LinearDevice(const LinearDevice &) = delete;
    LinearDevice &operator=(const LinearDevice &) = delete;
    ~LinearDevice() {
        Request resumed;
        Request removed;
        (void)try_call(DM_DEV_SUSPEND, resumed);
        (void)try_call(DM_DEV_REMOVE, removed);
    }

    [[nodiscard]] const std::string &path() const { return path_; }

    void suspend() {
        Request request;
        request.io.flags = DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG;
        call(DM_DEV_SUSPEND, request);
    }
    void resume() {
        Request request;
        call(DM_DEV_SUSPEND, request);
    }

    [[nodiscard]] static bool possible() { return ::access("/dev/mapper/control", W_OK) == 0; }

private:
    struct Request {
        dm_ioctl io{};
        dm_target_spec target{};
        char text[512] = {};
    };

    bool try_call(unsigned long command, Request &request) {
        request.io.version[0] = DM_VERSION_MAJOR;
        request.io.data_size = sizeof(request);
        request.io.data_start = offsetof(Request, target);
        name_.copy(request.io.name, sizeof(request.io.name) - 1);
        return ::ioctl(control_.get(), command, &request) == 0;
    }
    void call(unsigned long command, Request &request) {
        if (!try_call(command, request))
            throw std::runtime_error(name_ + ": device mapper: " + std::strerror(errno));
    }

    std::string name_;
    std::string path_;
    common::Fd control_;
};

} // namespace blkcopy
