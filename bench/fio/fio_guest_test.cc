// SPDX-License-Identifier: GPL-2.0-only
// Runs fio with the engine on the drives of a virtual machine, and looks at data, at what fio says,
// and at what the drive itself saw. KTAP on standard output. It writes to the devices that COPY_DEV
// and COPY_DEV2 name; engine and job files are beside this program.

#include "guest/device.h"
#include "guest/program.h"
#include "guest/suite.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

namespace blkcopy {
namespace {

using namespace guest;
namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kSize = 4 * kMiB;  // of a job
constexpr uint64_t kFrom = 1 * kMiB;  // where its sources begin
constexpr uint64_t kTo = 16 * kMiB;   // and its destination
constexpr uint64_t kGuard = 64 << 10; // looked at on both sides of the destination
constexpr uint64_t kMost = 256 << 10; // bytes of a command, by the machine's mcl=512
constexpr uint64_t kRange = 64 << 10; // of a range of it: mssrl=128

const std::vector<std::string> kOffloaded{"offload", "ioctl", "copy_file_range", "passthrough"};

std::string beside(const std::string &name) {
    return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

constexpr const char *kFio = "/usr/bin/fio";

struct Fio {
    Run run;
    json report; // null if there was none
    // "jobs[0].write.io_bytes" of the job with this name
    [[nodiscard]] const json &job(const std::string &name) const {
        for (const json &one : report.at("jobs"))
            if (one.at("jobname") == name)
                return one;
        throw std::runtime_error("fio's report has no job " + name);
    }
};

// What goes to standard output before the JSON are notes.
Fio run_fio(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--output-format=json");
    Fio fio{Child(arguments, kFio).wait(), nullptr};
    size_t start = fio.run.out.find("{\n");
    if (start != std::string::npos)
        fio.report = json::parse(fio.run.out.substr(start), nullptr, false);
    return fio;
}

std::string said(const Fio &fio) {
    return fmt::format("(exit code {}: {} {})", fio.run.exit_code, fio.run.err,
                       fio.run.out.substr(0, 400));
}

// A job of ours on the device, with more options.
std::vector<std::string> job(const Device &disk, const std::vector<std::string> &more) {
    std::vector<std::string> all{"--name=job",
                                 "--ioengine=external:" + beside("blkcopy-fio.so"),
                                 "--filename=" + disk.path(),
                                 "--direct=1",
                                 fmt::format("--offset={}", kFrom),
                                 fmt::format("--size={}", kSize),
                                 fmt::format("--dest_offset={}", kTo)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

Device disk(const char *variable = "COPY_DEV") {
    return Device(environment(variable));
}

// Known bytes in the sources, others where the copies will be and around them.
class Data {
public:
    explicit Data(const Device &device)
        : device_(device), source_(pattern(kSize, ++generation)),
          before_(pattern(kSize + 2 * kGuard, ++generation)) {
        device_.write(kFrom, source_);
        device_.write(kTo - kGuard, before_);
    }

    // What the documentation promises: with several extents, piece i of the destination is piece
    // i * s mod n of the source, s being the first number from n * 5 / 8 on that has no divisor in
    // common with n.
    void expect_copied(uint64_t block, uint64_t extents) const {
        Bytes want = before_;
        uint64_t piece = extents > 1 ? block / extents : kSize;
        uint64_t pieces = kSize / piece;
        uint64_t step = std::max<uint64_t>(1, pieces * 5 / 8);
        while (std::gcd(step, pieces) != 1)
            step++;
        for (uint64_t i = 0; i < pieces; i++)
            std::copy_n(source_.begin() + static_cast<std::ptrdiff_t>(i * step % pieces * piece),
                        piece, want.begin() + static_cast<std::ptrdiff_t>(kGuard + i * piece));
        expect_holds(want);
    }

    void expect_untouched() const { expect_holds(before_); }

private:
    void expect_holds(const Bytes &want) const {
        const Bytes now = device_.read(kTo - kGuard, want.size());
        const auto [at, unused] = std::mismatch(now.begin(), now.end(), want.begin());
        expect(at == now.end(), fmt::format("the destination and what is around it are right (byte "
                                            "{} of it is not)",
                                            at - now.begin() - static_cast<long>(kGuard)));
        expect(device_.read(kFrom, kSize) == source_, "the source is what it was");
    }

    static inline uint64_t generation = 100;
    const Device &device_;
    Bytes source_;
    Bytes before_;
};

struct Shape {
    const char *rw;
    uint64_t block;
    uint64_t extents;
    unsigned depth;
};

uint64_t rounded_up(uint64_t a, uint64_t b) {
    return (a + b - 1) / b;
}

void expect_job(const Fio &fio, const Shape &shape, const std::string &what) {
    expect(fio.run.exit_code == 0, what + " ends well " + said(fio));
    const json &write = fio.job("job").at("write");
    expect(fio.job("job").at("error") == 0, what + ": no error in fio's report");
    expect(write.at("io_bytes") == kSize, what + ": all bytes are in fio's report");
    expect(write.at("total_ios") == kSize / shape.block, what + ": all copies are in fio's report");
    expect(write.at("clat_ns").at("mean") > 1000.0, what + ": copies take their time");
}

void copy_by(const std::string &mode, const Shape &shape) {
    const Device device = disk();
    const Data data(device);
    const std::string what =
        fmt::format("{} {} of {} bytes from {}", mode, shape.rw, shape.block, shape.extents);
    Seen witness;
    const Fio fio = run_fio(job(device, {"--mode=" + mode, fmt::format("--rw={}", shape.rw),
                                         fmt::format("--bs={}", shape.block),
                                         fmt::format("--extents={}", shape.extents),
                                         fmt::format("--iodepth={}", shape.depth)}));
    const json seen = witness.counts().value();
    expect_job(fio, shape, what);
    data.expect_copied(shape.block, shape.extents);
    const uint64_t copies = seen.at("copies");
    if (mode == "readwrite") {
        expect(copies == 0, what + ": no Copy commands");
        // fio asks for a partition table's sectors and the like, which are few.
        expect(seen.at("write_bytes") == kSize && seen.at("read_bytes") >= kSize,
               what + ": everything was read and written: " + seen.dump());
        return;
    }
    expect(seen.at("write_bytes") == 0, what + ": the drive was written no data: " + seen.dump());
    expect(seen.at("read_bytes") < kSize / 64, what + ": nor was it read: " + seen.dump());
    expect(seen.at("blocks") == kSize / 512, what + ": the drive copied it all: " + seen.dump());
    const uint64_t pieces = mode == "copy_file_range" ? shape.extents : 1;
    const uint64_t most = kSize / shape.block * pieces * rounded_up(shape.block / pieces, kMost);
    // Copies in flight together that touch may become one command.
    const uint64_t least = shape.depth > 1 ? rounded_up(kSize, kMost) : most;
    expect(copies >= least && copies <= most,
           fmt::format("{}: {} to {} commands, and it was {}", what, least, most, copies));
    expect(seen.at("max_range_blocks") <= kRange / 512, what + ": ranges keep to the limit");
}

void test_sequential() {
    for (const std::string &mode : kOffloaded)
        copy_by(mode, {"write", 64 << 10, 1, 1});
}

void test_large() {
    for (const std::string &mode : kOffloaded)
        copy_by(mode, {"write", kMiB, 1, 1});
}

void test_random_at_depth() {
    for (const char *mode : {"offload", "passthrough"})
        copy_by(mode, {"randwrite", 4 << 10, 1, 32});
}

void test_scattered_sources() {
    for (const std::string &mode : kOffloaded)
        copy_by(mode, {"randwrite", 64 << 10, 16, 1});
    copy_by("offload", {"write", 512 << 10, 128, 1});
    copy_by("offload", {"randwrite", 64 << 10, 16, 8});
    copy_by("passthrough", {"randwrite", 64 << 10, 16, 8});
}

void test_read_and_write() {
    copy_by("readwrite", {"randwrite", 64 << 10, 1, 1});
    copy_by("readwrite", {"randwrite", 64 << 10, 16, 8});
}

// One job writes its sources, copies, and verifies the copies.
void test_verify_in_one_job() {
    const Device device = disk();
    for (const std::string &mode : kOffloaded) {
        const Data data(device);
        Seen witness;
        const Fio fio = run_fio(job(device, {"--mode=" + mode, "--rw=randwrite", "--bs=64k",
                                             "--extents=4", "--iodepth=4", "--verify=crc32c"}));
        const json seen = witness.counts().value();
        expect(fio.run.exit_code == 0, mode + ": copies are verified " + said(fio));
        expect(fio.job("job").at("read").at("io_bytes") == kSize, mode + ": all are verified");
        expect(seen.at("blocks") == kSize / 512, mode + ": the drive copied it all");
    }
}

// With nothing but copies in the job that copies; and a wrong sector is found.
void test_verify_in_three_jobs() {
    const Device device = disk();
    ::setenv("ENGINE", beside("blkcopy-fio.so").c_str(), 1);
    ::setenv("DEVICE", device.path().c_str(), 1);
    ::setenv("SIZE", "4m", 1);
    for (const std::string &mode : kOffloaded) {
        ::setenv("MODE", mode.c_str(), 1);
        const Data data(device);
        Seen witness;
        const Fio good = run_fio({beside("verify.fio")});
        const json seen = witness.counts().value();
        expect(good.run.exit_code == 0, mode + ": copies are verified " + said(good));
        expect(good.job("check").at("read").at("io_bytes") == kSize, mode + ": all of them");
        expect(seen.at("blocks") == kSize / 512, mode + ": the drive copied it all");
        // The copy begins at SIZE there.
        device.write(kSize + 77 * 512, pattern(512, 9));
        const Fio bad = run_fio({"--section=check", beside("verify.fio")});
        expect(bad.run.exit_code != 0, mode + ": a wrong sector in a copy is an error");
        expect(bad.run.err.find("verify") != std::string::npos, mode + ": fio says so");
    }
}

// Nobody gets io_uring while one of these lives.
class NoIoUring {
public:
    NoIoUring() { set("2"); }
    ~NoIoUring() { set("0"); }
    NoIoUring(const NoIoUring &) = delete;
    NoIoUring &operator=(const NoIoUring &) = delete;

private:
    static void set(const char *value) {
        std::ofstream("/proc/sys/kernel/io_uring_disabled") << value << std::endl;
    }
};

void test_without_io_uring() {
    const Device device = disk();
    const NoIoUring none;
    for (const std::string mode : {"offload", "passthrough", "readwrite"}) {
        const Data data(device);
        Seen witness;
        const Fio fio =
            run_fio(job(device, {"--mode=" + mode, "--rw=write", "--bs=64k", "--iodepth=4"}));
        const json seen = witness.counts().value();
        expect(fio.run.exit_code == 0, mode + " goes on without io_uring " + said(fio));
        expect((fio.run.out + fio.run.err).find("no io_uring here") != std::string::npos,
               mode + " says so " + said(fio));
        data.expect_copied(64 << 10, 1);
        expect(mode == "readwrite" || seen.at("blocks") == kSize / 512,
               mode + ": the drive copied it all");
    }
}

// The engine does not copy between drives, says why, and changes nothing; reads and writes do.
void test_two_drives() {
    const Device from = disk(), to = disk("COPY_DEV2");
    const Data data(from);
    const Bytes before = pattern(kSize, 5);
    to.write(kTo, before);
    for (const std::string &mode : kOffloaded) {
        const Fio fio = run_fio(job(
            from, {"--mode=" + mode, "--rw=write", "--bs=64k", "--dest_filename=" + to.path()}));
        expect(fio.run.exit_code != 0, mode + " fails between two drives");
        expect(fio.run.err.find("blkcopy: ") != std::string::npos, mode + " says why " + said(fio));
        expect(to.read(kTo, kSize) == before, mode + " changes nothing");
    }
    const Fio fio = run_fio(
        job(from, {"--mode=readwrite", "--rw=write", "--bs=64k", "--dest_filename=" + to.path()}));
    expect(fio.run.exit_code == 0, "reads and writes copy between two drives " + said(fio));
    expect(to.read(kTo, kSize) == from.read(kFrom, kSize), "and do it right");
    data.expect_untouched();
}

// check-files has those that need no device.
void test_refusals() {
    const Device device = disk();
    const Data data(device);
    const std::vector<std::pair<const char *, std::vector<std::string>>> bad{
        {"valid values", {"--mode=teleport"}},
        {"logical block", {"--extents=256"}},
        {"logical block", {"--dest_offset=16777217"}},
        {"both in", {"--dest_offset=2m"}},
        {"than the destination has", {"--dest_offset=510m"}},
        {"needs direct=1", {"--mode=passthrough", "--direct=0"}},
        {"No such file", {"--dest_filename=/dev/nowhere"}},
    };
    Seen witness;
    for (const auto &[sentence, options] : bad) {
        std::vector<std::string> all{"--rw=write", "--bs=64k"};
        all.insert(all.end(), options.begin(), options.end());
        const Fio fio = run_fio(job(device, all));
        const std::string what = fmt::format("{}", fmt::join(options, " "));
        expect(fio.run.exit_code != 0, what + " is refused");
        expect((fio.run.err + fio.run.out).find(sentence) != std::string::npos,
               fmt::format("{}: there is a word of \"{}\" {}", what, sentence, said(fio)));
    }
    const json seen = witness.counts().value();
    expect(seen.at("copies") == 0 && seen.at("writes") == 0, "nothing is changed: " + seen.dump());
    data.expect_untouched();
}

// Each of them runs, and its copies are right where that can be told.
void test_job_files() {
    const Device device = disk();
    constexpr uint64_t kImage = 8 * kMiB;
    ::setenv("ENGINE", beside("blkcopy-fio.so").c_str(), 1);
    ::setenv("DEVICE", device.path().c_str(), 1);
    ::setenv("SIZE", "8m", 1);
    ::setenv("RUNTIME", "2", 1);
    ::setenv("MODE", "offload", 1);
    const Bytes image = pattern(kImage, 77);
    device.write(0, image);
    for (const char *name : {"images.fio", "sweep.fio", "gc.fio", "beside-reader.fio"}) {
        Seen witness;
        const Fio fio = run_fio({beside(name)});
        const json seen = witness.counts().value();
        expect(fio.run.exit_code == 0, fmt::format("{} ends well {}", name, said(fio)));
        for (const json &one : fio.report.at("jobs"))
            expect(one.at("error") == 0, fmt::format("{}: no job has an error", name));
        expect(seen.at("copies") > 0 && seen.at("write_bytes") == 0,
               fmt::format("{}: the drive copied: {}", name, seen.dump()));
        // The next ones are larger, for the sweep's largest copies.
        ::setenv("SIZE", "64m", 1);
        if (std::string(name) != "images.fio")
            continue;
        for (uint64_t i = 1; i <= 4; i++)
            expect(device.read(i * kImage, kImage) == image,
                   fmt::format("machine {} has got its image", i));
    }
}

const std::vector<Test> kTests{
    {"sequential", test_sequential},
    {"large", test_large},
    {"random_at_depth", test_random_at_depth},
    {"scattered_sources", test_scattered_sources},
    {"read_and_write", test_read_and_write},
    {"verify_in_one_job", test_verify_in_one_job},
    {"verify_in_three_jobs", test_verify_in_three_jobs},
    {"without_io_uring", test_without_io_uring},
    {"two_drives", test_two_drives},
    {"refusals", test_refusals},
    {"job_files", test_job_files},
};

void need_everything() {
    if (!fs::exists(kFio))
        throw Skip{"there is no fio here"};
    if (!fs::exists(beside("blkcopy-fio.so")))
        throw Skip{"the engine is not here: make fio-engine says why"};
    if (environment("COPY_DEV").empty() || environment("COPY_DEV2").empty())
        throw Skip{"COPY_DEV and COPY_DEV2 name no devices to overwrite"};
    if (!WitnessClient::present())
        throw Skip{"nobody can tell what the drive saw"};
}

} // namespace
} // namespace blkcopy

int main() {
    return guest::run_all(blkcopy::kTests, blkcopy::need_everything);
}
