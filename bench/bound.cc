// SPDX-License-Identifier: GPL-2.0-only
#include "bound.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

namespace bench {

std::optional<Limits> limits_of(const kit::Machine &machine) {
    for (const std::string &device : machine.devices) {
        if (!device.starts_with("nvme-ns,"))
            continue;
        std::map<std::string, uint64_t> values;
        std::istringstream options(device);
        for (std::string option; std::getline(options, option, ',');) {
            size_t equals = option.find('=');
            if (equals != std::string::npos)
                values[option.substr(0, equals)] =
                    std::strtoull(option.c_str() + equals + 1, nullptr, 0);
        }
        if (!values.count("mssrl") || !values.count("mcl") || !values.count("msrc"))
            return std::nullopt;
        uint64_t block = values.count("logical_block_size") ? values["logical_block_size"] : 512;
        return Limits{values["mssrl"] * block, values["mcl"] * block, values["msrc"] + 1};
    }
    return std::nullopt;
}

Bound bound_of(const Limits &limits, uint64_t extents, uint64_t each) {
    Bound bound;
    uint64_t room = 0, places = 0;

    if (!limits.range || !limits.copy || !limits.ranges)
        return bound;
    for (uint64_t i = 0; i < extents; i++) {
        for (uint64_t left = each; left;) {
            if (!room || !places) {
                bound.commands++;
                room = limits.copy;
                places = limits.ranges;
            }
            uint64_t now = std::min({left, room, limits.range});
            bound.ranges++;
            left -= now;
            room -= now;
            places--;
        }
    }
    return bound;
}

} // namespace bench
