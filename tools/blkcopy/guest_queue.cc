// SPDX-License-Identifier: GPL-2.0-only
#include "guest_queue.h"

#include <fstream>

#include "guest/trace.h"

namespace blkcopy {
namespace {

void need_trace() {
    if (!CommandTracer::possible())
        throw Skip{"this kernel does not trace io_uring"};
}

// Nobody may have a ring as long as it lives.
class WithoutRings {
public:
    WithoutRings() { expect(set(2), std::string(kPath) + " can be set"); }
    WithoutRings(const WithoutRings &) = delete;
    WithoutRings &operator=(const WithoutRings &) = delete;
    ~WithoutRings() { set(0); }

private:
    static bool set(int value) {
        std::ofstream file(kPath);
        file << value << std::flush;
        return file.good();
    }
    static constexpr const char *kPath = "/proc/sys/kernel/io_uring_disabled";
};

void expect_queued(uint64_t length, unsigned depth, uint64_t shift) {
    const Device disk = device("COPY_DEV");
    const Case copy(disk, kMiB, disk, 32 * kMiB + shift, length);
    Seen seen;
    CommandTracer tracer;
    const json report =
        blkcopy_expect(0,
                       copy.arguments({"--offload-only", "--queue-depth", std::to_string(depth)}))
            .report();
    const CommandTrace trace = tracer.read();
    const auto counts = seen.counts();
    expect(report["offload_interface"] == "io_uring" && report["method"] == "offload",
           "the report says so: " + report.dump());
    expect(trace.bytes() == length && trace.results.size() == trace.submitted,
           fmt::format("the kernel traced commands of {} bytes, {} ended of {}", trace.bytes(),
                       trace.results.size(), trace.submitted));
    expect(report["offload_calls"] == trace.submitted &&
               report["offload_in_flight"] == trace.most_in_flight,
           fmt::format("it traced {} commands, {} in flight: {}", trace.submitted,
                       trace.most_in_flight, report.dump()));
    expect(trace.most_in_flight == depth, fmt::format("{} were in flight", trace.most_in_flight));
    if (counts)
        expect((*counts)["copies"] > 0 && (*counts)["reads"] == 0 && (*counts)["writes"] == 0,
               "the device saw copies and nothing else: " + counts->dump());
    copy.expect_copied(length);
}

void test_many_in_flight() {
    need_offload();
    need_trace();
    const uint64_t block = device("COPY_DEV").block();
    expect_queued(12 * kMiB, 16, 0);
    expect_queued(12 * kMiB + block, 7, 0);
    // Not whole pages: those at the ends have to wait for the page cache.
    expect_queued(4 * kMiB, 2, block);
}

void test_neighbours_in_flight() {
    need_offload();
    need_trace();
    // The destination begins right behind the source, and copies end in any order.
    const Device disk = device("COPY_DEV");
    const uint64_t length = 8 * kMiB - 2 * kGuard;
    const Case copy(disk, 8 * kMiB - length, disk, 8 * kMiB + kGuard, length);
    const json report = blkcopy_expect(0, copy.arguments({"--offload-only", "--verify"})).report();
    expect(report["offload_interface"] == "io_uring" && report["verified"] == true,
           "the report says so: " + report.dump());
    copy.expect_copied(length);
}

void test_without_io_uring() {
    need_offload();
    need_trace();
    const Device disk = device("COPY_DEV");
    const Case copy(disk, kMiB, disk, 32 * kMiB, 4 * kMiB);
    Seen seen;
    CommandTracer tracer;
    json report;
    {
        const WithoutRings none;
        report = blkcopy_expect(0, copy.arguments({"--offload-only"})).report();
    }
    const CommandTrace trace = tracer.read();
    expect(trace.submitted == 0, "there were no commands");
    expect(report["offload_interface"] == "ioctl" && report["offload_in_flight"] == 1,
           "the report says so: " + report.dump());
    if (const auto counts = seen.counts())
        expect((*counts)["copies"] > 0 && (*counts)["reads"] == 0 && (*counts)["writes"] == 0,
               "the device saw copies and nothing else: " + counts->dump());
    copy.expect_copied(4 * kMiB);
    const WithoutRings none;
    const Case again(disk, kMiB, disk, 32 * kMiB, kMiB);
    report = blkcopy_expect(0, again.arguments({"--no-offload", "--verify"})).report();
    expect(report["fallback"] == "synchronous", "the report says so: " + report.dump());
    again.expect_copied(kMiB);
}

// Whether the drive or the kernel does not know the command: one is tried, and no more.
void test_command_refused() {
    need_trace();
    if (environment("COPY_EXPECT") != "absent")
        throw Skip{"this machine's drive copies by itself"};
    const Device disk = device("COPY_DEV");
    const Case copy(disk, kMiB, disk, 16 * kMiB, 2 * kMiB);
    CommandTracer tracer;
    const json report = blkcopy_expect(0, copy.arguments()).report();
    const CommandTrace trace = tracer.read();
    expect(trace.submitted == 1 && trace.results.size() == 1 &&
               (trace.results[0] == -EOPNOTSUPP || trace.results[0] == -EINVAL),
           fmt::format("one command was refused: {}", fmt::join(trace.results, " ")));
    expect(report["method"] == "read-write" && report["offload_interface"].is_null(),
           "the report says so: " + report.dump());
    copy.expect_copied(2 * kMiB);
}

// An error that is not in the first of the copies in flight.
void test_error_in_flight() {
    need_offload();
    need_trace();
    const std::string where = environment("COPY_FAIL_OFFSET");
    if (where.empty())
        throw Skip{"this machine's drive does not fail"};
    const Device disk = device("COPY_DEV");
    const uint64_t bad = std::strtoull(where.c_str(), nullptr, 10);
    const uint64_t to = bad / kMiB * kMiB - 6 * kMiB;
    const uint64_t length = 12 * kMiB;
    disk.write(kMiB, pattern(length, 11));
    CommandTracer tracer;
    const json report = blkcopy_expect(1, {"--json", "-o", "1M", "-l", std::to_string(length), "-d",
                                           std::to_string(to), disk.path(), disk.path()})
                            .report();
    const CommandTrace trace = tracer.read();
    const uint64_t copied = report["copied"];
    expect(trace.most_in_flight > 1, "there were others in flight");
    expect(std::count(trace.results.begin(), trace.results.end(), -EIO) > 0,
           "a command ended with EIO: " + fmt::format("{}", fmt::join(trace.results, " ")));
    expect(copied >= 5 * kMiB && copied <= bad - to,
           fmt::format("what is before the bad block is copied, {} of {}", copied, bad - to));
    expect(disk.read(to, copied) == disk.read(kMiB, copied), "the prefix is copied");
    expect(report["offload_interface"] == "io_uring" && report["read_written"] == 0,
           "no other way was tried: " + report.dump());
}

} // namespace

std::vector<Test> queue_tests() {
    return {
        {"many_in_flight", test_many_in_flight},
        {"neighbours_in_flight", test_neighbours_in_flight},
        {"without_io_uring", test_without_io_uring},
        {"command_refused", test_command_refused},
        {"error_in_flight", test_error_in_flight},
    };
}

} // namespace blkcopy
