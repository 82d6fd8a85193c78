// SPDX-License-Identifier: GPL-2.0-only
// Asks the host what the drive has seen: the port that qemu/README.md describes.
#pragma once

#include "blkcopy/witness_client.h"
#include "result.h"

#include <nlohmann/json.hpp>

namespace bench {

class WitnessPort {
public:
    // Counting starts here.
    kit::Status mark() { return client_.mark() ? kit::Status() : kit::Error{client_.error()}; }

    // What the drive has seen since then.
    kit::Result<nlohmann::json> count() {
        std::optional<nlohmann::json> seen = client_.count();
        if (!seen)
            return kit::Error{client_.error()};
        return *seen;
    }

private:
    blkcopy::WitnessClient client_{-1};
};

} // namespace bench
