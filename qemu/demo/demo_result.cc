// SPDX-License-Identifier: GPL-2.0-only
#include "demo_result.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kit {

namespace {

std::string mib(uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string milliseconds(double seconds) {
    return fmt::format("{:.0f} ms", seconds * 1000);
}

// 1234567 -> "1,234,567".
std::string grouped(uint64_t value) {
    if (value < 1000)
        return std::to_string(value);
    return fmt::format("{},{:03}", grouped(value / 1000), value % 1000);
}

// The ratio of two costs, in words. What is below the clock's resolution makes no honest ratio.
std::string ratio(double offloaded, double read_written, double resolution, const char *less,
                  const char *more) {
    if (offloaded < resolution && read_written < resolution)
        return "";
    if (offloaded < resolution)
        return fmt::format("more than {:.0f} x {}", read_written / resolution, less);
    if (offloaded <= read_written)
        return fmt::format("{:.1f} x {}", read_written / offloaded, less);
    return fmt::format("{:.1f} x {}", offloaded / read_written, more);
}

// Of a column: "12,345 read/write" and a gap.
constexpr int kWidth = 19;

class Table {
public:
    explicit Table(bool colour) : colour_(colour) {}

    void row(const std::string &name, const std::string &a, const std::string &b,
             const std::string &note = "") {
        text_ += fmt::format("  {:<32}{:>{}}{:>{}}   {}", name, a, kWidth, b, kWidth, note);
        end_line();
    }

    // A proof: green words, or red ones.
    void proof(const std::string &name, bool a_good, const std::string &a, bool b_good,
               const std::string &b) {
        text_ +=
            fmt::format("  {:<32}{}{}", name, painted(a_good, fmt::format("{:>{}}", a, kWidth)),
                        painted(b_good, fmt::format("{:>{}}", b, kWidth)));
        end_line();
    }

    void line(const std::string &text = "") { text_ += text + "\n"; }

    std::string painted(bool good, const std::string &text) const {
        return colour_ ? fmt::format("\x1b[{}m{}\x1b[m", good ? 32 : 31, text) : text;
    }

    std::string bold(const std::string &text) const {
        return colour_ ? fmt::format("\x1b[1m{}\x1b[m", text) : text;
    }

    const std::string &text() const { return text_; }

private:
    void end_line() {
        text_.erase(text_.find_last_not_of(' ') + 1);
        text_ += '\n';
    }

    bool colour_;
    std::string text_;
};

// Of one round.
double mean(double sum, const DemoCopy &copy) {
    return sum / std::max(copy.rounds, 1U);
}
uint64_t mean(uint64_t sum, const DemoCopy &copy) {
    return sum / std::max(copy.rounds, 1U);
}

std::string commands(const DemoCopy &copy) {
    const uint64_t copies = mean(copy.device.copies, copy);
    const uint64_t others = mean(copy.device.reads + copy.device.writes, copy);
    if (others == 0)
        return grouped(copies) + " copy";
    if (copies == 0)
        return grouped(others) + " read/write";
    return fmt::format("{} copy, {} r/w", grouped(copies), grouped(others));
}

void check_copy(std::vector<std::string> &failures, const char *name, const DemoCopy &copy,
                const DemoResult &result) {
    const auto fail = [&](const std::string &what) {
        failures.push_back(fmt::format("{}: {}", name, what));
    };
    if (!copy.error.empty())
        fail(copy.error);
    if (copy.rounds == 0 || copy.copied != copy.rounds * result.bytes)
        fail(fmt::format("blkcopy reports {} bytes in {} rounds of {}", copy.copied, copy.rounds,
                         result.bytes));
    if (!copy.fsck.empty())
        fail("e2fsck is not content: " + copy.fsck);
    if (copy.files_right != result.files || !copy.wrong_file.empty())
        fail(fmt::format("{} of {} files have the host's checksum; '{}' is different or missing",
                         copy.files_right, result.files, copy.wrong_file));
    if (!copy.equals_original)
        fail("the drive's image does not equal the original, byte by byte");
}

void check_devices_word(std::vector<std::string> &failures, const DemoResult &result) {
    const DeviceWork &a = result.offloaded.device;
    const uint64_t a_bytes = result.offloaded.rounds * result.bytes;
    if (result.offloaded.method != "offload")
        failures.push_back(
            fmt::format("offloaded: blkcopy reports the method \"{}\"", result.offloaded.method));
    if (a.copies == 0 || a.copied_bytes != a_bytes)
        failures.push_back(fmt::format("offloaded: the drive saw {} copy commands for {} bytes, "
                                       "not for {}",
                                       a.copies, a.copied_bytes, a_bytes));
    if (a.reads + a.writes + a.write_zeroes > 0)
        failures.push_back(fmt::format("offloaded: the drive saw {} reads, {} writes and {} write "
                                       "zeroes, and should have seen none",
                                       a.reads, a.writes, a.write_zeroes));
    const DeviceWork &b = result.read_written.device;
    const uint64_t b_bytes = result.read_written.rounds * result.bytes;
    if (result.read_written.method != "read-write")
        failures.push_back(fmt::format("read + write: blkcopy reports the method \"{}\"",
                                       result.read_written.method));
    if (b.copies > 0)
        failures.push_back(fmt::format("read + write: the drive saw {} copy commands", b.copies));
    if (b.read_bytes != b_bytes || b.write_bytes != b_bytes)
        failures.push_back(fmt::format("read + write: the drive read {} and wrote {} bytes, not {}",
                                       b.read_bytes, b.write_bytes, b_bytes));
}

nlohmann::ordered_json copy_json(const DemoCopy &copy) {
    nlohmann::ordered_json json;
    json["rounds"] = copy.rounds;
    json["error"] = copy.error;
    json["method"] = copy.method;
    json["copied"] = copy.copied;
    json["seconds"] = copy.seconds;
    json["program_seconds"] = copy.program_seconds;
    json["busy_seconds"] = copy.busy_seconds;
    json["device"] = {{"copies", copy.device.copies},
                      {"copied_bytes", copy.device.copied_bytes},
                      {"reads", copy.device.reads},
                      {"read_bytes", copy.device.read_bytes},
                      {"writes", copy.device.writes},
                      {"write_bytes", copy.device.write_bytes},
                      {"write_zeroes", copy.device.write_zeroes}};
    json["bytes_through_host_memory"] = copy.device.through_host();
    json["fsck"] = copy.fsck.empty() ? "clean" : copy.fsck;
    json["files_right"] = copy.files_right;
    json["wrong_file"] = copy.wrong_file;
    json["equals_original"] = copy.equals_original;
    return json;
}

} // namespace

void DeviceWork::add(const TraceCounts &counts, uint64_t block_size) {
    copies += counts.copies;
    copied_bytes += counts.blocks * block_size;
    reads += counts.reads;
    read_bytes += counts.read_bytes;
    writes += counts.writes;
    write_bytes += counts.write_bytes;
    write_zeroes += counts.write_zeroes;
}

std::vector<std::string> DemoResult::failures() const {
    std::vector<std::string> failures;
    if (!trouble.empty())
        failures.push_back(trouble);
    if (files == 0 || bytes == 0)
        failures.emplace_back("nothing was copied, so nothing is proven");
    check_copy(failures, "offloaded", offloaded, *this);
    check_copy(failures, "read + write", read_written, *this);
    check_devices_word(failures, *this);
    if (!source_unchanged)
        failures.emplace_back("the source is not what it was");
    if (!surroundings_unchanged)
        failures.emplace_back("something outside the two destinations was changed");
    return failures;
}

std::string demo_table(const DemoResult &result, bool colour) {
    Table table(colour);
    const DemoCopy &a = result.offloaded;
    const DemoCopy &b = result.read_written;
    table.line(fmt::format("An ext4 file system of {} with {} files ({}, from {}),",
                           mib(result.bytes), grouped(result.files), mib(result.file_bytes),
                           result.origin));
    table.line("copied from partition 1 of an emulated NVMe drive to partitions 2 and 3");
    table.line(fmt::format("by Linux {}. {}", result.kernel, result.drive));
    table.line();
    table.line(table.bold(fmt::format("  {:<32}{:>{}}{:>{}}",
                                      fmt::format("one copy, mean of {}", a.rounds), "offloaded",
                                      kWidth, "read + write", kWidth)));
    table.row("bytes copied", mib(mean(a.copied, a)), mib(mean(b.copied, b)));
    const double a_time = mean(a.seconds, a);
    const double b_time = mean(b.seconds, b);
    table.row("time", milliseconds(a_time), milliseconds(b_time),
              ratio(a_time, b_time, 0.0005, "faster", "slower"));
    table.row("commands the drive saw", commands(a), commands(b));
    table.row("bytes through host memory", mib(mean(a.device.through_host(), a)),
              mib(mean(b.device.through_host(), b)));
    // CPU times are known to about 10 ms per turn of several rounds (/proc/stat).
    const auto cpu = [&](const char *name, double a_sum, double b_sum, double resolution) {
        table.row(name, milliseconds(mean(a_sum, a)), milliseconds(mean(b_sum, b)),
                  ratio(mean(a_sum, a), mean(b_sum, b), resolution, "less", "more"));
    };
    cpu("CPU time of blkcopy", a.program_seconds, b.program_seconds, 0.0005);
    cpu("CPU time of the whole guest", a.busy_seconds, b.busy_seconds, 0.004);
    table.line();
    const auto clean = [](const DemoCopy &copy) {
        return copy.fsck.empty() ? "clean" : "NOT CLEAN";
    };
    const auto files = [&](const DemoCopy &copy) {
        return fmt::format("{}/{}", copy.files_right, result.files);
    };
    const auto same = [](const DemoCopy &copy) { return copy.equals_original ? "yes" : "NO"; };
    table.proof("e2fsck in the guest", a.fsck.empty(), clean(a), b.fsck.empty(), clean(b));
    table.proof("files with the host's SHA-256", a.files_right == result.files, files(a),
                b.files_right == result.files, files(b));
    table.proof("image equals the original", a.equals_original, same(a), b.equals_original,
                same(b));
    table.line();
    const std::vector<std::string> failures = result.failures();
    for (const std::string &failure : failures)
        table.line("  " + table.painted(false, failure));
    if (!failures.empty()) {
        table.line(table.painted(false, "FAILED: not every proof held."));
        return table.text();
    }
    if (result.accelerator == "tcg")
        table.line("Times are those of an emulated processor: only their ratio means something.");
    table.line("Nothing else on the drive has changed, and the kernel had no complaint.");
    table.line(table.painted(true, "PASSED: ") +
               fmt::format("both copies are right, and the drive made the first one by itself: it "
                           "saw {} copy commands, and not one read or write.",
                           grouped(mean(a.device.copies, a))));
    return table.text();
}

std::string demo_json(const DemoResult &result) {
    nlohmann::ordered_json json;
    json["passed"] = result.passed();
    json["failures"] = result.failures();
    json["origin"] = result.origin;
    json["bytes"] = result.bytes;
    json["files"] = result.files;
    json["file_bytes"] = result.file_bytes;
    json["drive"] = result.drive;
    json["kernel"] = result.kernel;
    json["accelerator"] = result.accelerator;
    json["offloaded"] = copy_json(result.offloaded);
    json["read_written"] = copy_json(result.read_written);
    json["source_unchanged"] = result.source_unchanged;
    json["surroundings_unchanged"] = result.surroundings_unchanged;
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace kit
