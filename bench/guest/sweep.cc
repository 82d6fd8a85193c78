// SPDX-License-Identifier: GPL-2.0-only
#include "sweep.h"

#include "golden.h"
#include "guest/witness_client.h"
#include "meter.h"
#include "say.h"

#include <algorithm>
#include <map>
#include <sys/resource.h>

namespace bench {

// Enough for a median, and yet the large ones don't take all day.
static unsigned operations(const Shape &shape) {
    if (shape.bytes() <= 512 << 10)
        return shape.extents > 16 ? 9 : 21;
    return shape.bytes() <= 4 << 20 ? 15 : 3;
}

// Completions come at the host's time: some are there before the task would have slept for them,
// as they never are with a real drive. That is worth some thousand instructions, so only
// operations that slept equally often are compared. And the longer the host takes, the more ticks
// of the timer come meanwhile, which an idle CPU would not have: so the cheapest of them counts.
struct Sample {
    uint64_t instructions = 0;
    long sleeps = 0;
};

// The most sleeps that at least `need` samples have; -1 if there are none.
static long common_sleeps(const std::vector<Sample> &samples, size_t need) {
    std::map<long, size_t> classes;
    long most = -1;
    for (const Sample &sample : samples)
        if (++classes[sample.sleeps] >= need)
            most = std::max(most, sample.sleeps);
    return most;
}

static long sleeps_so_far() {
    rusage usage = {};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static kit::Error about(const std::string &method, const Shape &shape, const kit::Error &error) {
    return {method + ", " + std::to_string(shape.extents) + " x " + std::to_string(shape.each) +
            " bytes: " + error.message};
}

static kit::Result<Json> measure(const Device &device, const MethodKind &kind, const Shape &shape,
                                 Meter &meter, guest::WitnessClient &witness, Golden &golden) {
    MethodResult method = kind.make(device);
    if (!method)
        return method.error();
    const Copy copy = scattered(shape.extents, shape.each);
    kit::Status status = golden.verify(**method, copy);
    if (!status)
        return status.error();
    // The verification was one operation, whose first touches should not count.
    status = (*method)->run();
    const size_t count = operations(shape);
    const size_t need = std::max<size_t>(2, count / 3);
    std::vector<Sample> samples;
    if (status)
        status = witness.mark();
    while (status && samples.size() < 4 * count) {
        Sample sample;
        sample.sleeps = -sleeps_so_far();
        meter.begin();
        status = (*method)->run();
        sample.instructions = meter.end();
        sample.sleeps += sleeps_so_far();
        samples.push_back(sample);
        long most = 0;
        for (const Sample &each : samples)
            most = std::max(most, each.sleeps);
        if (samples.size() >= count && (most == common_sleeps(samples, need) || count < 5))
            break;
    }
    if (!status)
        return status.error();
    kit::Result<Json> seen = witness.count();
    if (!seen)
        return seen.error();
    const long sleeps = common_sleeps(samples, need);
    std::vector<uint64_t> costs;
    for (const Sample &sample : samples)
        if (sleeps < 0 || sample.sleeps == sleeps)
            costs.push_back(sample.instructions);
    std::vector<uint64_t> sorted = costs;
    std::sort(sorted.begin(), sorted.end());
    return Json{{"bench", "sweep"},
                {"method", kind.name},
                {"bytes", shape.bytes()},
                {"extents", shape.extents},
                {"depth", kind.name == "read+write uring" ? 32 : 1},
                {"ops", samples.size()},
                {"instructions", sorted[sleeps < 0 ? sorted.size() / 2 : 0]},
                {"samples", costs},
                {"sleeps", sleeps},
                {"device", *seen},
                {"verified", true}};
}

kit::Status sweep(const Device &device, const Plan &plan) {
    guest::WitnessClient witness(guest::WitnessClient::kForEver);
    kit::Result<std::unique_ptr<Meter>> meter = Meter::start();
    if (!meter)
        return meter.error();
    Golden golden(device);
    kit::Status status = golden.fill_sources();
    if (!status)
        return status;
    plan.announce();
    for (const Shape &shape : plan.shapes) {
        for (const MethodKind &kind : plan.kinds()) {
            kit::Result<Json> row = measure(device, kind, shape, **meter, witness, golden);
            if (!row)
                return about(kind.name, shape, row.error());
            say(*row);
        }
    }
    return golden.check_sources();
}

} // namespace bench
