// SPDX-License-Identifier: GPL-2.0-only
#include "snapshot.h"

#include "comparison.h"
#include "guest/pattern.h"
#include "guest/say.h"
#include "mapped.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr uint64_t kOrigin = 16 << 20; // on the drive
constexpr uint64_t kWrite = 4096;
constexpr uint64_t kSalt = 0x27d4eb2f165667c5, kNewSalt = ~kSalt;

class Origin {
public:
    Origin(const OffloadSwitch &drive, uint64_t chunk, unsigned writes)
        : mapped_(drive.drive()), chunk_(chunk), writes_(writes), below_(drive.fd()),
          buffer_(kWrite) {}

    // With a snapshot that is not persistent: nothing but the copy is measured.
    kit::Status make() {
        const uint64_t sectors = bytes() / 512;
        kit::Status status = below_.fill(kOrigin, bytes(), kSalt);

        for (const std::string &table :
             {fmt::format("0 {} linear %a {}\n", sectors, kOrigin / 512),
              fmt::format("0 {} linear %a {}\n", 2 * sectors + 8192, (kOrigin + bytes()) / 512),
              fmt::format("0 {} snapshot-origin %0\n", sectors),
              fmt::format("0 {} snapshot %0 %1 N {}\n", sectors, chunk_ / 512)})
            if (status)
                status = mapped_.add(table);
        if (!status)
            return status;
        origin_ = kit::Fd(::open(mapped_.path(2).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
        snapshot_ = kit::Fd(::open(mapped_.path(3).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
        if (!origin_ || !snapshot_)
            return kit::errno_error("cannot open an origin and its snapshot");
        return {};
    }

    kit::Status write(Scale &scale, std::vector<uint64_t> &samples) {
        auto *words = reinterpret_cast<uint64_t *>(buffer_.data());

        for (uint64_t at = 0; at < bytes(); at += chunk_) {
            std::fill(words, words + kWrite / 8, kNewSalt ^ at);
            scale.begin();
            ssize_t n = ::pwrite(origin_.get(), words, kWrite, static_cast<off_t>(at));
            samples.push_back(scale.end());
            if (n != static_cast<ssize_t>(kWrite))
                return kit::errno_error("cannot write to an origin");
        }
        return {};
    }

    kit::Status verify() {
        auto *words = reinterpret_cast<uint64_t *>(buffer_.data());
        kit::Status status =
            Pattern(snapshot_.get()).expect(0, bytes(), kSalt, kOrigin, "the snapshot");

        for (uint64_t at = 0; status && at < bytes(); at += chunk_) {
            if (::pread(origin_.get(), words, kWrite, static_cast<off_t>(at)) !=
                static_cast<ssize_t>(kWrite))
                status = kit::errno_error("cannot read the origin");
            else if (std::any_of(words, words + kWrite / 8,
                                 [&](uint64_t word) { return word != (kNewSalt ^ at); }))
                status = kit::Error{fmt::format("the origin lacks what was written at {}", at)};
            else if (chunk_ > kWrite)
                status = below_.expect(kOrigin + at + kWrite, chunk_ - kWrite, kSalt,
                                       kOrigin + at + kWrite, "the origin");
        }
        origin_ = {};
        snapshot_ = {};
        return status ? mapped_.remove() : status;
    }

private:
    uint64_t bytes() const { return writes_ * chunk_; }

    Mapped mapped_;
    uint64_t chunk_;
    unsigned writes_;
    Pattern below_;
    Buffer buffer_;
    kit::Fd origin_, snapshot_;
};

kit::Status measure(uint64_t chunk, OffloadSwitch &drive, Scale &scale, const SnapshotPlan &plan) {
    std::vector<uint64_t> samples[2];
    Json seen[2] = {Json::object(), Json::object()};

    for (unsigned round = 0; round < plan.rounds; round++) {
        for (bool on : {false, true}) {
            Origin origin(drive, chunk, plan.writes);
            kit::Status status = drive.set(on);
            if (status)
                status = origin.make();
            if (status)
                status = scale.mark();
            if (status)
                status = origin.write(scale, samples[on]);
            if (status)
                status = scale.count(seen[on]);
            if (status)
                status = origin.verify();
            if (!status)
                return status;
        }
    }
    for (bool on : {false, true}) {
        std::vector<uint64_t> sorted = samples[on];
        std::sort(sorted.begin(), sorted.end());
        // Whether a task sleeps for its drive is up to the host's time, and costs something.
        auto at = [&](size_t tenths) { return sorted[sorted.size() * tenths / 10]; };
        say({{"bench", scale.bench("snapshot")},
             {"method", on ? "copied" : "read+write"},
             {"offload", on},
             {"bytes", chunk},
             {"ops", samples[on].size()},
             {scale.unit(), at(scale.counts() ? 1 : 5)},
             {"tenth", at(1)},
             {"nine_tenths", at(9)},
             {"samples", samples[on]},
             {"device", seen[on]},
             {"verified", true}});
    }
    return {};
}

} // namespace

kit::Status snapshot(const SnapshotPlan &plan) {
    kit::Result<Comparison> comparison = Comparison::open(plan.path, plan.times);
    if (!comparison)
        return comparison.error();
    kit::Status status;
    for (unsigned kib : plan.chunks)
        if (status)
            status = measure(uint64_t{kib} << 10, comparison->drive, comparison->scale, plan);
    return status;
}

} // namespace bench
