// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// A dm-linear device over a part of a drive, as the selftests make it: without dmsetup.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

extern "C" {
#include "../../selftests/block_copy/stack.h"
}
#include "common/result.h"

namespace guest {

class Linear {
public:
    // `sectors` of the device at `path`, from `start` on. Goes away with the object.
    static common::Result<Linear> make(const std::string &name, const std::string &path,
                                       uint64_t start, uint64_t sectors) {
        Linear linear;
        const std::string table = fmt::format("0 {} linear {} {}", sectors, path, start);
        int error = bc_dm_create(&linear.dm_, name.c_str());
        if (error == 0)
            error = bc_dm_load(&linear.dm_, table.c_str());
        if (error == 0)
            error = bc_dm_resume(&linear.dm_);
        if (error != 0)
            return common::errno_error("cannot make the device-mapper table '" + table + "'",
                                       -error);
        return linear;
    }
    Linear(Linear &&other) noexcept : dm_(std::exchange(other.dm_, {})) {}
    Linear &operator=(Linear &&) = delete;
    ~Linear() {
        // Whoever waits for a suspended one has it open.
        if (dm_.name[0])
            bc_dm_resume(&dm_);
        bc_dm_remove(&dm_);
    }

    [[nodiscard]] std::string path() const { return dm_.path; }

    common::Status suspend() {
        return status(bc_dm_suspend(&dm_, BC_DM_NOLOCKFS), "cannot suspend ");
    }
    common::Status resume() { return status(bc_dm_resume(&dm_), "cannot resume "); }

    [[nodiscard]] static bool possible() { return bc_dm_has_target("linear"); }

private:
    Linear() = default;

    common::Status status(int error, const std::string &what) const {
        if (error == 0)
            return {};
        return common::errno_error(what + dm_.name, -error);
    }

    bc_dm dm_ = {};
};

} // namespace guest
