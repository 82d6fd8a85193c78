// SPDX-License-Identifier: GPL-2.0-only
#include "unused.h"

#include "fd.h"
#include "guest/linear.h"
#include "guest/meter.h"
#include "guest/queue.h"
#include "guest/ring.h"
#include "guest/say.h"

#include <algorithm>
#include <fcntl.h>
#include <numeric>
#include <random>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace bench {

namespace {

constexpr uint64_t kBlock = 4096;
constexpr uint64_t kWindow = 64 << 20; // bytes of the device that are used
constexpr unsigned kBatch = 32;

// Anonymous memory that is there already, aligned for direct I/O.
class Pages {
public:
    explicit Pages(size_t bytes) : bytes_(bytes) {
        memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory_ == MAP_FAILED)
            throw std::bad_alloc();
    }
    ~Pages() { munmap(memory_, bytes_); }
    Pages(const Pages &) = delete;
    Pages &operator=(const Pages &) = delete;

    char *block(size_t i) const { return static_cast<char *>(memory_) + i * kBlock; }

private:
    void *memory_;
    size_t bytes_;
};

// What a block at `place` holds: it is written before it is read.
uint64_t stamp(off_t place) {
    return static_cast<uint64_t>(place) * 0xff51afd7ed558ccd + 1;
}

// The same places in every boot.
std::vector<off_t> random_places(unsigned count) {
    std::minstd_rand random(1);
    std::uniform_int_distribution<uint64_t> block(0, kWindow / kBlock - 1);
    std::vector<off_t> places(count);

    for (off_t &place : places)
        place = static_cast<off_t>(block(random) * kBlock);
    return places;
}

void tell(const char *method, const char *device, unsigned depth, std::vector<uint64_t> costs) {
    std::sort(costs.begin(), costs.end());
    // A tick of the clock, or a thread of the kernel's, is in some of them and not in others.
    const auto middle = costs.size() / 4;
    const double mean = static_cast<double>(std::accumulate(costs.begin() + middle,
                                                            costs.end() - middle, uint64_t{0})) /
                        static_cast<double>(costs.size() - 2 * middle);
    say({{"bench", "unused"},
         {"method", std::string(method) + ", " + device},
         {"bytes", kBlock},
         {"depth", depth},
         {"ops", costs.size() * depth},
         {"instructions", costs[costs.size() / 2] / depth},
         {"instructions_middle", mean / depth},
         {"instructions_least", costs.front() / depth},
         {"verified", true}});
}

kit::Status one_by_one(int fd, bool write, const char *device, unsigned ops, Meter &meter) {
    Pages buffer(kBlock);
    auto *word = reinterpret_cast<uint64_t *>(buffer.block(0));
    std::vector<uint64_t> costs;
    const std::vector<off_t> places = random_places(ops);

    costs.reserve(ops);
    for (unsigned i = 0; i < ops; i++) {
        *word = write ? stamp(places[i]) : 0;
        meter.begin();
        ssize_t n = write ? ::pwrite(fd, buffer.block(0), kBlock, places[i])
                          : ::pread(fd, buffer.block(0), kBlock, places[i]);
        costs.push_back(meter.end());
        if (n != static_cast<ssize_t>(kBlock))
            return kit::errno_error(std::string(device) + ": an I/O failed or was short");
        if (*word != stamp(places[i]))
            return kit::Error{std::string(device) + ": a block is not what was written there"};
    }
    // The first ones fill caches.
    costs.erase(costs.begin(), costs.begin() + ops / 10);
    tell(write ? "write" : "read", device, 1, std::move(costs));
    return {};
}

// Batches of 32, all of which are submitted by one call: what a plug makes of them is measured too.
kit::Status batches(int fd, bool write, const char *device, unsigned count, Meter &meter) {
    Pages buffers(kBatch * kBlock);
    const std::vector<off_t> places = random_places(count * kBatch);
    kit::Result<std::unique_ptr<Ring>> ring = Ring::make(2 * kBatch);
    std::vector<uint64_t> costs;

    if (!ring)
        return ring.error();
    costs.reserve(count);
    auto word = [&](unsigned j) { return reinterpret_cast<uint64_t *>(buffers.block(j)); };
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < kBatch; j++)
            *word(j) = write ? stamp(places[i * kBatch + j]) : 0;
        meter.begin();
        for (unsigned j = 0; j < kBatch; j++) {
            io_uring_sqe *sqe = io_uring_get_sqe((*ring)->get());
            const auto at = static_cast<uint64_t>(places[i * kBatch + j]);
            if (write)
                io_uring_prep_write(sqe, fd, buffers.block(j), kBlock, at);
            else
                io_uring_prep_read(sqe, fd, buffers.block(j), kBlock, at);
        }
        int error = io_uring_submit_and_wait((*ring)->get(), kBatch);
        costs.push_back(meter.end());
        if (error < 0)
            return kit::errno_error("io_uring takes no I/O", -error);
        for (unsigned j = 0; j < kBatch; j++) {
            io_uring_cqe *cqe = nullptr;
            error = io_uring_wait_cqe((*ring)->get(), &cqe);
            if (error || cqe->res != static_cast<int>(kBlock))
                return kit::errno_error(std::string(device) + ": an I/O failed or was short",
                                        error          ? -error
                                        : cqe->res < 0 ? -cqe->res
                                                       : EIO);
            io_uring_cqe_seen((*ring)->get(), cqe);
        }
        for (unsigned j = 0; j < kBatch; j++)
            if (*word(j) != stamp(places[i * kBatch + j]))
                return kit::Error{std::string(device) + ": a block is not what was written there"};
    }
    costs.erase(costs.begin(), costs.begin() + count / 10);
    tell(write ? "write" : "read", device, kBatch, std::move(costs));
    return {};
}

kit::Status device_costs(const std::string &path, const char *device, unsigned ops, Meter &meter) {
    kit::Fd fd(::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    kit::Status status;

    if (!fd)
        return kit::errno_error("cannot open " + path);
    for (bool write : {true, false}) {
        if (status)
            status = one_by_one(fd.get(), write, device, ops, meter);
        if (status)
            status = batches(fd.get(), write, device, ops / 10, meter);
    }
    return status;
}

} // namespace

kit::Status unused(const UnusedPlan &plan) {
    kit::Result<std::unique_ptr<Meter>> meter = Meter::start();
    if (!meter)
        return meter.error();
    kit::Status status = without_scheduler(plan.path);
    if (status)
        status = device_costs(plan.path, "nvme", plan.ops, **meter);
    if (!status)
        return status;
    kit::Result<guest::Linear> linear =
        guest::Linear::make("bench-linear", plan.path, 2048, kWindow / 512);
    if (!linear)
        return linear.error();
    return device_costs(linear->path(), "dm-linear", plan.ops, **meter);
}

} // namespace bench
