// SPDX-License-Identifier: GPL-2.0-only
// What is measured by the clock, in a boot without icount: only of use as ratios within one boot.
#include "clock.h"

#include "golden.h"
#include "say.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <unistd.h>

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;

uint64_t nanoseconds_since(Clock::time_point start) {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

uint64_t quantile(const std::vector<uint64_t> &sorted, double q) {
    size_t at = static_cast<size_t>(q * static_cast<double>(sorted.size()));
    return sorted[std::min(at, sorted.size() - 1)];
}

struct Contender {
    std::string name;
    std::unique_ptr<Method> method;
    std::vector<uint64_t> samples; // nanoseconds
};

// Reads at random places of the sources until it is told to stop.
class Reader {
public:
    explicit Reader(const Device &device) : device_(device), buffer_(4096) {}

    void run() {
        std::minstd_rand random(1);
        std::uniform_int_distribution<uint64_t> place(0, kSourcesBytes / 4096 - 1);
        while (!stop_.load(std::memory_order_relaxed)) {
            off_t at = static_cast<off_t>(kSources + 4096 * place(random));
            Clock::time_point start = Clock::now();
            if (::pread(device_.disk.get(), buffer_.data(), 4096, at) != 4096) {
                failed_ = true;
                return;
            }
            latencies_.push_back(nanoseconds_since(start));
        }
    }

    void stop() { stop_ = true; }
    bool failed() const { return failed_; }
    std::vector<uint64_t> latencies() const { return latencies_; }

private:
    const Device &device_;
    Buffer buffer_;
    std::vector<uint64_t> latencies_;
    std::atomic<bool> stop_{false};
    bool failed_ = false;
};

// A method that has made the copy once, and right.
MethodResult make_verified(const MethodKind &kind, const Device &device, Golden &golden,
                           const Copy &copy) {
    MethodResult method = kind.make(device);
    if (!method)
        return method;
    kit::Status status = golden.verify(**method, copy);
    if (!status)
        return kit::Error{kind.name + ": " + status.error().message};
    return method;
}

kit::Result<Json> beside(const Device &device, const std::string &name, Method *method,
                         unsigned milliseconds) {
    const Shape shape{1, 2 << 20};
    Reader reader(device);
    std::thread thread([&] { reader.run(); });
    Clock::time_point start = Clock::now();
    uint64_t copies = 0;
    kit::Status status;
    while (status && nanoseconds_since(start) < milliseconds * uint64_t{1000000}) {
        if (method) {
            status = method->run();
            copies++;
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    uint64_t took = nanoseconds_since(start);
    reader.stop();
    thread.join();
    if (!status)
        return status.error();
    std::vector<uint64_t> latencies = reader.latencies();
    if (reader.failed() || latencies.empty())
        return kit::Error{"the reader beside the copies got no data"};
    std::sort(latencies.begin(), latencies.end());
    return Json{{"bench", "reader"},
                {"method", name},
                {"bytes", shape.bytes()},
                {"extents", 1},
                {"ops", copies},
                {"wall_ns", took},
                {"reads", latencies.size()},
                {"p50_ns", quantile(latencies, 0.50)},
                {"p99_ns", quantile(latencies, 0.99)},
                {"verified", true}};
}

} // namespace

kit::Status times(const Device &device, const Plan &plan) {
    Golden golden(device);
    kit::Status status = golden.fill_sources();

    if (!status)
        return status;
    plan.announce();
    for (const Shape &shape : plan.shapes) {
        const Copy copy = scattered(shape.extents, shape.each);
        std::vector<Contender> contenders;
        for (const MethodKind &kind : plan.kinds()) {
            MethodResult method = make_verified(kind, device, golden, copy);
            if (!method)
                return method.error();
            contenders.push_back({kind.name, std::move(*method), {}});
        }
        const unsigned rounds = shape.bytes() > 4 << 20 ? (plan.rounds + 1) / 2 : plan.rounds;
        // Short ones are repeated within a sample: the clock of a guest is coarse for them.
        const unsigned repeats = shape.bytes() <= 256 << 10 ? 4 : 1;
        for (unsigned round = 0; round < rounds; round++) {
            for (Contender &contender : contenders) {
                Clock::time_point start = Clock::now();
                for (unsigned i = 0; status && i < repeats; i++)
                    status = contender.method->run();
                contender.samples.push_back(nanoseconds_since(start) / repeats);
                if (!status)
                    return kit::Error{contender.name + ": " + status.error().message};
            }
        }
        for (Contender &contender : contenders) {
            std::vector<uint64_t> sorted = contender.samples;
            std::sort(sorted.begin(), sorted.end());
            say({{"bench", "times"},
                 {"method", contender.name},
                 {"bytes", shape.bytes()},
                 {"extents", shape.extents},
                 {"depth", contender.name == "read+write uring" ? 32 : 1},
                 {"ops", rounds * repeats},
                 {"wall_ns", quantile(sorted, 0.5)},
                 {"samples", contender.samples},
                 {"verified", true}});
        }
    }
    return golden.check_sources();
}

kit::Status reader(const Device &device, const Plan &plan) {
    Golden golden(device);
    kit::Status status = golden.fill_sources();
    const Copy copy = scattered(1, 2 << 20);

    if (!status)
        return status;
    kit::Result<Json> row = beside(device, "none", nullptr, plan.reader_ms);
    if (!row)
        return row.error();
    say(*row);
    for (const MethodKind &kind : plan.kinds()) {
        MethodResult method = make_verified(kind, device, golden, copy);
        if (!method)
            return method.error();
        row = beside(device, kind.name, method->get(), plan.reader_ms);
        if (!row)
            return row.error();
        say(*row);
    }
    return golden.check_sources();
}

} // namespace bench
