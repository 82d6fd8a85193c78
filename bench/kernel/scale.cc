// SPDX-License-Identifier: GPL-2.0-only
#include "scale.h"

#include <algorithm>

namespace bench {

using namespace std::chrono_literals;

kit::Result<Scale> Scale::make(bool counts) {
    Scale scale;
    if (counts) {
        kit::Result<std::unique_ptr<Meter>> meter = Meter::start();
        if (!meter)
            return meter.error();
        scale.meter_ = std::move(*meter);
    }
    return scale;
}

kit::Status Scale::count(nlohmann::json &sum) {
    kit::Result<nlohmann::json> seen = witness_.count();
    if (!seen)
        return seen.error();
    for (const auto &[name, value] : seen->items())
        if (value.is_number_unsigned())
            sum[name] = sum.value(name, uint64_t{0}) + value.get<uint64_t>();
    return {};
}

void Scale::begin() {
    if (meter_)
        meter_->begin();
    else
        start_ = std::chrono::steady_clock::now();
}

uint64_t Scale::end() {
    if (meter_)
        return meter_->end();
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now() - start_)
                                     .count());
}

std::chrono::microseconds Scale::nap() const {
    // Half a second of the host's, or so.
    return counts() ? 30ms : 2ms;
}

uint64_t Scale::usual(std::vector<uint64_t> samples) const {
    std::sort(samples.begin(), samples.end());
    return samples[counts() ? 0 : samples.size() / 2];
}

} // namespace bench
