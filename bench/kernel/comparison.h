// SPDX-License-Identifier: GPL-2.0-only
// What is measured with copies and without, and by what.
#pragma once

#include "offload.h"
#include "scale.h"

namespace bench {

struct Comparison {
    OffloadSwitch drive;
    Scale scale;

    // The drive at `path` has to offer copies. `times`: nanoseconds, not instructions, which need
    // a boot under icount.
    static kit::Result<Comparison> open(const std::string &path, bool times) {
        kit::Result<OffloadSwitch> drive = OffloadSwitch::open(path);
        if (!drive)
            return drive.error();
        kit::Result<Scale> scale = Scale::make(!times);
        if (!scale)
            return scale.error();
        return Comparison{std::move(*drive), std::move(*scale)};
    }
};

} // namespace bench
