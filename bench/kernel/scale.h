// SPDX-License-Identifier: GPL-2.0-only
// What something costs: instructions in a boot under icount, else time; and what the drive saw.
#pragma once

#include "guest/meter.h"
#include "guest/witness_client.h"
#include "result.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class Scale {
public:
    // `counts`: instructions, which needs a boot under icount; else nanoseconds.
    static kit::Result<Scale> make(bool counts);

    // The drive's counters, around any number of begin() and end().
    kit::Status mark() { return witness_.mark(); }
    // Adds what the drive has seen since mark() to `sum`, number by number.
    kit::Status count(nlohmann::json &sum);

    void begin();
    uint64_t end();

    bool counts() const { return meter_ != nullptr; }
    // How long to sleep before something is looked at again: looking costs something, too.
    std::chrono::microseconds nap() const;
    // What a row calls the unit, and what a bench of `name` is called.
    const char *unit() const { return counts() ? "instructions" : "wall_ns"; }
    std::string bench(const std::string &name) const { return counts() ? name : name + " times"; }
    // The number for a row: of instructions the least of few and long samples, of times the median.
    uint64_t usual(std::vector<uint64_t> samples) const;

private:
    Scale() = default;

    guest::WitnessClient witness_{guest::WitnessClient::kForEver};
    std::unique_ptr<Meter> meter_;
    std::chrono::steady_clock::time_point start_;
};

} // namespace bench
