// SPDX-License-Identifier: GPL-2.0-only
#include "ways.h"

#include "guest/device.h"
#include "guest/golden.h"
#include "guest/meter.h"
#include "guest/method.h"
#include "guest/say.h"
#include "guest/witness_client.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

extern "C" {
#include "blkcopy_lib.h"
#include "module.h"
}

namespace bench {

namespace {

constexpr char kFiles[] = "/sys/kernel/debug/copy-ways/";
constexpr uint64_t kExtentBytes = 4096;

// One of the ways of the module, which kmod/README.md describes.
class Way : public Method {
public:
    Way(std::string path, std::string name)
        : path_(std::move(path)), name_(std::move(name)),
          run_(::open((std::string(kFiles) + "run").c_str(), O_WRONLY | O_CLOEXEC)) {}

    kit::Status prepare(const Copy &copy) override {
        std::string text = fmt::format("{} {}", path_, copy.to / BC_SECTOR);
        for (const Extent &extent : copy.from)
            text += fmt::format(" {}+{}", extent.offset / BC_SECTOR, extent.length / BC_SECTOR);
        kit::Fd file(::open((std::string(kFiles) + "copy").c_str(), O_WRONLY | O_CLOEXEC));
        if (!file || !run_)
            return kit::errno_error("the module copy-ways has no files in " + std::string(kFiles));
        if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            return why();
        return {};
    }

    kit::Status run() override {
        if (::write(run_.get(), name_.data(), name_.size()) != static_cast<ssize_t>(name_.size()))
            return why();
        return {};
    }

private:
    kit::Error why() const {
        std::ifstream file(std::string(kFiles) + "error");
        std::string sentence;
        std::getline(file, sentence);
        return {"copy-ways, " + name_ + ": " + sentence};
    }

    std::string path_, name_;
    kit::Fd run_;
};

struct Cost {
    uint64_t usual = 0; // instructions of one copy: the median
    uint64_t least = 0; // without a tick of the clock, and with the shortest way to sleep and wake
    Json device;        // what the drive saw of all of them
};

kit::Result<Cost> measure(Way &way, unsigned rounds, Meter &meter, guest::WitnessClient &witness) {
    std::vector<uint64_t> costs;
    kit::Status status = way.run(); // what is touched for the first time should not count

    if (status)
        status = witness.mark();
    for (unsigned i = 0; status && i < rounds; i++) {
        meter.begin();
        status = way.run();
        costs.push_back(meter.end());
    }
    if (!status)
        return status.error();
    kit::Result<Json> seen = witness.count();
    if (!seen)
        return seen.error();
    std::sort(costs.begin(), costs.end());
    return Cost{costs[costs.size() / 2], costs.front(), *seen};
}

} // namespace

kit::Status ways(const WaysPlan &plan) {
    if (bc_load_module("copy-ways"))
        return kit::Error{bc_reason()};
    kit::Result<Device> device = Device::open(plan.path);
    if (!device)
        return device.error();
    guest::WitnessClient witness(guest::WitnessClient::kForEver);
    kit::Result<std::unique_ptr<Meter>> meter = Meter::start();
    if (!meter)
        return meter.error();
    Golden golden(*device);
    kit::Status status = golden.fill_sources();
    std::vector<unsigned> numbers = plan.extents;
    if (numbers.empty())
        numbers = {1, 2, 4, 8, 16, 32, 64, 127, 128};

    for (unsigned extents : numbers) {
        Cost asking;
        for (const char *name : {"none", "one", "plug", "apart", "turns", "call"}) {
            const bool copies = std::string(name) != "none";
            const Copy copy = scattered(extents, kExtentBytes);
            Way way(plan.path, name);
            if (status)
                status = copies ? golden.verify(way, copy) : way.prepare(copy);
            if (!status)
                return status;
            kit::Result<Cost> cost = measure(way, plan.rounds, **meter, witness);
            if (!cost)
                return cost.error();
            // To ask for nothing is what asking costs.
            if (!copies)
                asking = *cost;
            else
                say({{"bench", "ways"},
                     {"method", name},
                     {"bytes", copy.bytes()},
                     {"extents", extents},
                     {"depth", 1},
                     {"ops", plan.rounds},
                     {"instructions", cost->usual - asking.usual},
                     {"instructions_least", cost->least - asking.least},
                     {"device", cost->device},
                     {"verified", true}});
        }
    }
    return status ? golden.check_sources() : status;
}

} // namespace bench
