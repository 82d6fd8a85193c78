// SPDX-License-Identifier: GPL-2.0-only
#include "moves.h"

#include "comparison.h"
#include "guest/say.h"
#include "mover.h"

#include <algorithm>

namespace bench {

namespace {

kit::Status measure(const MoverKind &kind, OffloadSwitch &drive, Scale &scale,
                    const MovesPlan &plan) {
    const uint64_t bytes = plan.mib << 20;
    MoverResult mover = kind.make(drive, bytes, scale.nap());
    if (!mover)
        return mover.error();
    std::vector<uint64_t> samples[2];
    Json seen[2] = {Json::object(), Json::object()};

    // The first round warms up; in it, too, everything is compared.
    for (unsigned round = 0; round <= plan.rounds; round++) {
        for (bool on : {false, true}) {
            kit::Status status = drive.set(on);
            if (status)
                status = (*mover)->prepare();
            if (status)
                status = scale.mark();
            if (!status)
                return status;
            scale.begin();
            status = (*mover)->run();
            const uint64_t cost = scale.end();
            Json work = Json::object();
            if (status)
                status = scale.count(round ? seen[on] : work);
            if (status)
                status = (*mover)->verify();
            if (!status)
                return status;
            if (round)
                samples[on].push_back(cost);
        }
    }
    for (bool on : {false, true}) {
        say({{"bench", scale.bench("mapper")},
             {"method", kind.name + (on ? ", copied" : ", read+write")},
             {"user", kind.name},
             {"offload", on},
             {"bytes", bytes},
             {"ops", plan.rounds},
             {scale.unit(), scale.usual(samples[on])},
             {"samples", samples[on]},
             {"device", seen[on]},
             {"verified", true}});
    }
    return {};
}

} // namespace

const std::vector<MoverKind> &mover_kinds() {
    static const std::vector<MoverKind> kinds = {
        {"mirror", make_mirror}, {"clone", make_clone}, {"pvmove", make_pvmove}};
    return kinds;
}

kit::Status moves(const MovesPlan &plan) {
    kit::Result<Comparison> comparison = Comparison::open(plan.path, plan.times);
    if (!comparison)
        return comparison.error();
    kit::Status status;
    for (const MoverKind &kind : mover_kinds())
        if (status && (plan.movers.empty() || std::find(plan.movers.begin(), plan.movers.end(),
                                                        kind.name) != plan.movers.end()))
            status = measure(kind, comparison->drive, comparison->scale, plan);
    return status;
}

} // namespace bench
