// SPDX-License-Identifier: GPL-2.0-only
// Runs blkcopy on the devices of a virtual machine and looks at data, exit codes, JSON and at what
// the device itself saw. KTAP on standard output. It writes to the devices that COPY_DEV,
// COPY_DEV2, COPY_PART1 and COPY_PART2 name. The program is the `blkcopy` beside this one, or the
// one that BLKCOPY names.

#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "guest/linear.h"
#include "guest_case.h"
#include "guest_queue.h"

namespace blkcopy {
namespace {

void test_offloaded() {
    need_offload();
    const Device disk = device("COPY_DEV");
    const uint64_t length = 3 * kMiB + disk.block();
    const Case copy(disk, kMiB, disk, 16 * kMiB, length);
    Seen seen;
    const json report = blkcopy_expect(0, copy.arguments({"--offload-only"})).report();
    if (const auto counts = seen.counts()) {
        expect((*counts)["copies"] > 0, "the device saw copy commands");
        expect((*counts)["reads"] == 0 && (*counts)["writes"] == 0,
               "the device saw no reads and no writes: " + counts->dump());
    }
    expect(report["method"] == "offload" && report["copied"] == length,
           "the report says so: " + report.dump());
    copy.expect_copied(length);
}

void test_read_write() {
    const Device disk = device("COPY_DEV");
    const uint64_t length = 3 * kMiB + disk.block();
    const Case copy(disk, kMiB, disk, 16 * kMiB, length);
    // Not every drive without the command leaves a trace.
    std::optional<Seen> seen;
    if (environment("COPY_EXPECT") == "offered")
        seen.emplace();
    const json report = blkcopy_expect(0, copy.arguments({"--no-offload"})).report();
    if (const auto counts = seen ? seen->counts() : std::nullopt) {
        expect((*counts)["copies"] == 0, "the device saw no copy commands");
        expect((*counts)["read_bytes"] == length && (*counts)["write_bytes"] == length,
               "the device read and wrote each byte once: " + counts->dump());
    }
    expect(report["method"] == "read-write", "the report says so: " + report.dump());
    copy.expect_copied(length);
}

void test_gathered_extents() {
    const Device disk = device("COPY_DEV");
    const uint64_t block = disk.block();
    const uint64_t to = 32 * kMiB;
    const std::vector<std::pair<uint64_t, uint64_t>> extents{{5 * kMiB, 7 * block},
                                                             {2 * kMiB, block},
                                                             {9 * kMiB, 300 * block},
                                                             {2 * kMiB, block},
                                                             {kMiB, 64 * block}};
    std::vector<std::string> arguments{"--json", "-d", std::to_string(to)};
    Bytes want;
    for (const auto &[offset, length] : extents) {
        const Bytes data = pattern(length, offset);
        disk.write(offset, data);
        want.insert(want.end(), data.begin(), data.end());
        arguments.insert(arguments.end(), {"-e", fmt::format("{}:{}", offset, length)});
    }
    disk.write(to, pattern(want.size(), 99));
    arguments.insert(arguments.end(), {disk.path(), disk.path()});
    const json report = blkcopy_expect(0, arguments).report();
    expect(report["copied"] == want.size(), "all is copied");
    expect(report["method"] == (environment("COPY_EXPECT") == "offered" ? "offload" : "read-write"),
           "it went the way that the device offers: " + report.dump());
    expect(disk.read(to, want.size()) == want, "the extents lie one behind the other");
}

void expect_fallback(const Device &source, const Device &destination) {
    const uint64_t length = 2 * kMiB;
    const Case copy(source, kMiB, destination, 16 * kMiB, length);
    const Run refused = blkcopy_expect(4, copy.arguments({"--offload-only"}));
    expect(refused.report()["copied"] == 0, "nothing is reported as copied");
    copy.expect_copied(0);
    const json report = blkcopy_expect(0, copy.arguments()).report();
    expect(report["method"] == "read-write" && !report["fallback"].is_null(),
           "it fell back: " + report.dump());
    copy.expect_copied(length);
}

void test_fallback_without_offload() {
    if (environment("COPY_EXPECT") != "absent")
        throw Skip{"this machine's drive copies by itself"};
    const Device disk = device("COPY_DEV");
    expect_fallback(disk, disk);
}

void test_fallback_between_drives() {
    const Device one = device("COPY_DEV");
    const Device two = device("COPY_DEV2");
    expect_fallback(one, two);
}

void test_fallback_when_switched_off() {
    need_offload();
    const Device disk = device("COPY_DEV");
    const std::string path = fmt::format("/sys/block/{}/queue/copy_max_bytes",
                                         std::filesystem::path(disk.path()).filename().string());
    std::string before;
    std::ifstream(path) >> before;
    const auto set = [&](const std::string &value) {
        std::ofstream file(path);
        file << value << std::flush;
        expect(file.good(), path + " takes " + value);
    };
    set("0");
    std::optional<std::string> problem;
    try {
        expect_fallback(disk, disk);
    } catch (const std::runtime_error &error) {
        problem = error.what();
    }
    set(before);
    expect(!problem, problem.value_or(""));
}

// Where a partition begins on its disk, in bytes, as text.
std::string start_of(const Device &partition) {
    const std::string name = std::filesystem::path(partition.path()).filename();
    uint64_t sectors = 0;
    std::ifstream("/sys/class/block/" + name + "/start") >> sectors;
    expect(sectors > 0, "the partition's start is known");
    return std::to_string(sectors * 512);
}

void test_partitions() {
    const Device one = device("COPY_PART1");
    const Device two = device("COPY_PART2");
    const Device disk = device("COPY_DEV");
    const uint64_t length = kMiB;
    const Case copy(one, kMiB, two, 4 * kMiB, length);
    const json report = blkcopy_expect(0, copy.arguments({"--verify"})).report();
    expect(report["verified"] == true, "it was verified");
    copy.expect_copied(length);
    // The disk's range up to the end of the partition holds the partition.
    const Run run = blkcopy_expect(
        2, {"-l", std::to_string(two.size()), "-o", start_of(two), disk.path(), two.path()});
    expect(run.err.find("overlap") != std::string::npos,
           "an overlap through the disk is seen: " + run.err);
}

// 32 MiB of a drive, as a dm device.
Linear part_of(const Device &drive, const char *name, uint64_t offset) {
    return expect_good(Linear::make(name, drive.path(), offset / 512, 32 * kMiB / 512),
                       "device mapper takes a table");
}

// Two dm devices on one drive that copies.
struct Stack {
    Device disk = device("COPY_DEV");
    Linear below_source = part_of(disk, "copy-source", 64 * kMiB);
    Linear below_destination = part_of(disk, "copy-destination", 128 * kMiB);
    Device source{below_source.path()};
    Device destination{below_destination.path()};

    static void need() {
        if (environment("COPY_MACHINE") != "stacked" || !Linear::possible())
            throw Skip{"needs the machine with device mapper on top of drives that copy"};
    }
};

void test_stacked() {
    Stack::need();
    const Stack stack;
    const uint64_t length = 5 * kMiB;
    const Case copy(stack.source, kMiB, stack.destination, 16 * kMiB, length);
    Seen seen;
    const json report = blkcopy_expect(0, copy.arguments({"--offload-only"})).report();
    expect(report["method"] == "offload", "the report says so: " + report.dump());
    if (const auto counts = seen.counts())
        expect((*counts)["reads"] == 0 && (*counts)["writes"] == 0,
               "the drive saw no reads and no writes: " + counts->dump());
    copy.expect_copied(length);
}

// The kernel gives up after a second; reads and writes wait for the resume.
void test_suspended_destination() {
    Stack::need();
    Stack stack;
    const uint64_t length = 2 * kMiB;
    const Case copy(stack.source, kMiB, stack.destination, 16 * kMiB, length);
    expect_good(stack.below_destination.suspend(), "a destination is suspended");
    const Run refused = blkcopy_expect(4, copy.arguments({"--offload-only"}));
    expect(refused.err.find("suspended") != std::string::npos,
           "the sentence says why: " + refused.err);
    Child child(copy.arguments());
    std::this_thread::sleep_for(std::chrono::seconds(3));
    expect_good(stack.below_destination.resume(), "it is resumed");
    const Run run = child.wait();
    expect(run.exit_code == 0, "it ends well: " + run.err);
    expect(run.report()["method"] == "read-write", "it fell back: " + run.out);
    copy.expect_copied(length);
}

// A source that changes all the time cannot be equal to its copy.
void test_verify_notices() {
    const Device disk = device("COPY_DEV");
    const uint64_t at = 4 * kMiB;
    const Case copy(disk, kMiB, disk, 32 * kMiB, 8 * kMiB);
    blkcopy_expect(0, copy.arguments({"--verify"}));
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (uint64_t i = 0; !done; i++)
            disk.write(at, pattern(disk.block(), 1000 + i));
    });
    const Run run = blkcopy(copy.arguments({"--verify"}));
    done = true;
    writer.join();
    expect(run.exit_code == 5,
           fmt::format("it ends with 5, not with {}: {}", run.exit_code, run.err));
    expect(run.report()["verified"] == false, "the report says so");
    expect(run.err.find("differs") != std::string::npos, "the sentence says so: " + run.err);
}

void test_refusals() {
    const Device disk = device("COPY_DEV");
    const std::string block = std::to_string(disk.block());
    const std::string &path = disk.path();
    const Case copy(disk, kMiB, disk, 16 * kMiB, kMiB);
    const std::string end = std::to_string(disk.size());
    blkcopy_expect(2, {"-o", "1M", "-l", "100", "-d", "16M", path, path});
    blkcopy_expect(2, {"-o", "1048577", "-l", block, "-d", "16M", path, path});
    blkcopy_expect(2, {"-o", "1M", "-l", block, "-d", "16777217", path, path});
    blkcopy_expect(2, {"-o", "1M", "-l", "0", "-d", "16M", path, path});
    blkcopy_expect(2, {"-o", "15M", "-l", "2M", "-d", "16M", path, path});
    blkcopy_expect(2, {"-o", "16M", "-l", "1M", "-d", "16M", path, path});
    blkcopy_expect(2, {"--bogus", path, path});
    blkcopy_expect(3, {"-o", "1M", "-l", block, "-d", end, path, path});
    blkcopy_expect(3, {"-o", end, "-l", block, "-d", "16M", path, path});
    blkcopy_expect(3, {"-l", "1M", "-d", "16M", "/dev/zero", path});
    blkcopy_expect(3, {"-l", "1M", "-d", "16M", "/proc/self/exe", path});
    blkcopy_expect(3, {"-l", "1M", "-d", "16M", "/no/such/device", path});
    copy.expect_copied(0);
    blkcopy_expect(0, copy.arguments({"--dry-run"}));
    copy.expect_copied(0);
}

void test_held_and_read_only() {
    const Device disk = device("COPY_DEV");
    const Case copy(disk, kMiB, disk, 16 * kMiB, kMiB);
    {
        const Fd holder(::open(disk.path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
        expect(static_cast<bool>(holder), "the device can be held");
        const Run run = blkcopy_expect(3, copy.arguments());
        expect(run.err.find("in use") != std::string::npos, "the sentence says why: " + run.err);
        copy.expect_copied(0);
    }
    int read_only = 1;
    expect(::ioctl(disk.fd(), BLKROSET, &read_only) == 0, "the device can be made read-only");
    const Run run = blkcopy(copy.arguments());
    read_only = 0;
    expect(::ioctl(disk.fd(), BLKROSET, &read_only) == 0, "the device can be made writable");
    expect(run.exit_code == 3 && run.err.find("read-only") != std::string::npos,
           "read-only is refused: " + run.err);
    copy.expect_copied(0);
    {
        const Fd holder(::open(disk.path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
        blkcopy_expect(0, copy.arguments({"--force"}));
    }
    copy.expect_copied(kMiB);
}

void expect_exact_prefix(const std::string &option) {
    const Device disk = device("COPY_DEV");
    const std::string where = environment("COPY_FAIL_OFFSET");
    if (where.empty())
        throw Skip{"this machine's drive does not fail"};
    // Not the bad block itself: the test must be able to prepare what is around it.
    const uint64_t bad = std::strtoull(where.c_str(), nullptr, 10);
    const uint64_t length = 4 * kMiB;
    const uint64_t to = bad - 2 * kMiB;
    disk.write(kMiB, pattern(length, 5));
    disk.write(to - kGuard, pattern(kGuard, 6));
    disk.write(to + length, pattern(kGuard, 7));
    const Run run = blkcopy_expect(1, {option, "--json", "-o", "1M", "-l", std::to_string(length),
                                       "-d", std::to_string(to), disk.path(), disk.path()});
    const json report = run.report();
    const uint64_t copied = report["copied"];
    expect(copied <= bad - to,
           fmt::format("the prefix ends before the bad block: {} <= {}", copied, bad - to));
    expect(report["error"].is_string() && report["exit_code"] == 1,
           "the report has the error: " + report.dump());
    expect(disk.read(to, copied) == disk.read(kMiB, copied), "the prefix is copied");
    expect(copied > 0, "the error is in the middle");
    expect(disk.read(to - kGuard, kGuard) == pattern(kGuard, 6), "what is before is as it was");
    expect(disk.read(to + length, kGuard) == pattern(kGuard, 7), "what is behind is as it was");
    expect(report["method"] == (option == "--no-offload" ? "read-write" : "offload"),
           "the error was not covered by another way: " + report.dump());
}

void test_device_error_offloaded() {
    need_offload();
    expect_exact_prefix("--offload-only");
}

void test_device_error_not_hidden() {
    need_offload();
    expect_exact_prefix("--quiet"); // the default way: it must not fall back
}

void test_device_error_read_write() {
    expect_exact_prefix("--no-offload");
}

void expect_stop(const std::string &option) {
    if (environment("COPY_MACHINE") != "slow")
        throw Skip{"needs the slow machine, to stop a copy in the middle"};
    const Device disk = device("COPY_DEV");
    const uint64_t length = 128 * kMiB;
    const uint64_t to = 256 * kMiB;
    Child child({option, "--json", "-l", std::to_string(length), "-d", std::to_string(to),
                 disk.path(), disk.path()});
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    ::kill(child.pid(), SIGINT);
    const auto asked = std::chrono::steady_clock::now();
    const Run run = child.wait();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - asked;
    expect(run.exit_code == 128 + SIGINT,
           fmt::format("it ends with 130, not with {}: {}", run.exit_code, run.err));
    expect(took.count() < 15, fmt::format("it stops soon, not after {:.1f} s", took.count()));
    const json report = run.report();
    const uint64_t copied = report["copied"];
    expect(report["interrupted"] == true && copied < length,
           "the report says so: " + report.dump());
    const uint64_t look = std::min(copied, 4 * kMiB);
    expect(disk.read(to, look) == disk.read(0, look), "the prefix begins as the source");
    expect(disk.read(to + copied - look, look) == disk.read(copied - look, look),
           "the prefix ends as the source");
}

void test_stop_offloaded() {
    need_offload();
    expect_stop("--offload-only");
}

void test_stop_read_write() {
    expect_stop("--no-offload");
}

void test_zoned_refused() {
    if (environment("COPY_MACHINE") != "zoned")
        throw Skip{"this machine has no zoned drive"};
    const std::string path = environment("COPY_DEV");
    const Run run = blkcopy_expect(3, {"-l", "1M", "-d", "16M", path, path});
    expect(run.err.find("zoned") != std::string::npos, "the sentence says why: " + run.err);
}

void test_version_and_help() {
    expect(blkcopy_expect(0, {"--version"}).out.starts_with("blkcopy "), "the version is printed");
    expect(blkcopy_expect(0, {"--help"}).out.find("Exit status") != std::string::npos,
           "the help has exit codes");
}

const std::vector<Test> kTests = {
    {"version_and_help", test_version_and_help},
    {"offloaded", test_offloaded},
    {"read_write", test_read_write},
    {"gathered_extents", test_gathered_extents},
    {"fallback_without_offload", test_fallback_without_offload},
    {"fallback_between_drives", test_fallback_between_drives},
    {"fallback_when_switched_off", test_fallback_when_switched_off},
    {"partitions", test_partitions},
    {"stacked", test_stacked},
    {"suspended_destination", test_suspended_destination},
    {"verify_notices", test_verify_notices},
    {"refusals", test_refusals},
    {"held_and_read_only", test_held_and_read_only},
    {"zoned_refused", test_zoned_refused},
    {"device_error_offloaded", test_device_error_offloaded},
    {"device_error_not_hidden", test_device_error_not_hidden},
    {"device_error_read_write", test_device_error_read_write},
    {"stop_offloaded", test_stop_offloaded},
    {"stop_read_write", test_stop_read_write},
};

} // namespace
} // namespace blkcopy

int main() {
    std::vector<guest::Test> tests = blkcopy::kTests;
    for (const guest::Test &test : blkcopy::queue_tests())
        tests.push_back(test);
    return guest::run_all(tests);
}
