// SPDX-License-Identifier: GPL-2.0-only
// The demo's hands in the guest:
//   demo-guest measure ROUNDS PROGRAM [ARGS]
//                                       runs it so many times; prints one JSON object with the
//                                       outputs and what they cost together
//   demo-guest digest DEVICE...         mounts each ext4 file system read-only and prints
//                                       "device PATH" and then its manifest
//   demo-guest spoil DEVICE OFFSET      inverts one byte, to see whether anybody notices
// Exit codes: 0 done, 1 not done (a sentence is on standard error), 2 usage.
#include "demo/demo_manifest.h"
#include "fd.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace kit {
namespace {

int complain(const std::string &sentence) {
    fmt::print(stderr, "demo-guest: {}\n", sentence);
    return 1;
}

double seconds_of(const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// How long all CPUs together have been idle since boot, in seconds (proc_stat(5)). Unlike the other
// columns, which sample at each tick, the kernel integrates this one: time that is not idle is
// work, that of interrupts and kernel threads included.
double idle_seconds() {
    std::ifstream stat("/proc/stat");
    std::string label;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0;
    stat >> label >> user >> nice >> system >> idle >> iowait;
    return (idle + iowait) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// A child's output stream, in memory.
std::string contents(const Fd &file) {
    std::string text(static_cast<size_t>(std::max<off_t>(::lseek(file.get(), 0, SEEK_END), 0)),
                     '\0');
    const Status status = pread_all(file.get(), std::as_writable_bytes(std::span(text)), 0);
    return status ? text : "";
}

// One run of the program; its exit code and what it printed.
Result<nlohmann::json> run_once(std::vector<char *> &argv, double &program_seconds) {
    const Result<Fd> out = make_memory_file("out");
    const Result<Fd> err = make_memory_file("err");
    if (!out || !err)
        return Error{"no memory for a program's output"};
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(out->get(), STDOUT_FILENO);
        ::dup2(err->get(), STDERR_FILENO);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    if (pid < 0 || ::wait4(pid, &status, 0, &usage) < 0)
        return errno_error("cannot run a program");
    program_seconds += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    return nlohmann::json{
        {"exit_code", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)},
        {"output", contents(*out)},
        {"errors", contents(*err)},
    };
}

int measure(int rounds, std::vector<char *> argv) {
    argv.push_back(nullptr);
    nlohmann::json report = {{"runs", nlohmann::json::array()}};
    double program_seconds = 0;
    const double idle = idle_seconds();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; i++) {
        Result<nlohmann::json> run = run_once(argv, program_seconds);
        if (!run)
            return complain(run.error().message);
        report["runs"].push_back(std::move(*run));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const auto cpus = static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
    report["program_seconds"] = program_seconds;
    report["busy_seconds"] = std::max(0.0, took.count() * cpus - (idle_seconds() - idle));
    fmt::print("{}\n", report.dump());
    return 0;
}

// Mounted for as long as this lives.
class Mount {
public:
    Mount(const std::string &device, std::string directory) : directory_(std::move(directory)) {
        ::mkdir(directory_.c_str(), 0755);
        mounted_ = ::mount(device.c_str(), directory_.c_str(), "ext4", MS_RDONLY, "") == 0;
    }
    Mount(const Mount &) = delete;
    Mount &operator=(const Mount &) = delete;
    ~Mount() {
        if (mounted_)
            ::umount(directory_.c_str());
    }
    explicit operator bool() const { return mounted_; }

private:
    std::string directory_;
    bool mounted_ = false;
};

Result<Manifest> digest_device(const std::string &device, size_t number) {
    const std::string directory = fmt::format("/mnt/{}", number);
    const Mount mount(device, directory);
    if (!mount)
        return errno_error("cannot mount " + device);
    return Manifest::of_tree(directory);
}

int digest(const std::vector<std::string> &devices) {
    std::vector<std::unique_ptr<Result<Manifest>>> results(devices.size());
    {
        // One thread per file system: the guest has more than one CPU.
        std::vector<std::jthread> threads;
        for (size_t i = 0; i < devices.size(); i++)
            threads.emplace_back([&, i] {
                results[i] = std::make_unique<Result<Manifest>>(digest_device(devices[i], i));
            });
    }
    int code = 0;
    for (size_t i = 0; i < devices.size(); i++) {
        if (!*results[i]) {
            code = complain(results[i]->error().message);
            continue;
        }
        fmt::print("device {}\n{}", devices[i], (*results[i])->to_text());
    }
    return std::fflush(stdout) == 0 ? code : 1;
}

int spoil(const std::string &device, uint64_t offset) {
    const Result<Fd> file = open_file(device, O_RDWR | O_DSYNC);
    if (!file)
        return complain(file.error().message);
    std::byte byte{};
    Status status = pread_all(file->get(), std::span(&byte, 1), offset);
    byte = ~byte;
    if (status)
        status = pwrite_all(file->get(), std::span<const std::byte>(&byte, 1), offset);
    return status ? 0 : complain(status.error().message);
}

} // namespace
} // namespace kit

int main(int argc, char **argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "measure" && argc > 3)
        return kit::measure(std::atoi(argv[2]), std::vector<char *>(argv + 3, argv + argc));
    if (command == "digest" && argc > 2)
        return kit::digest(std::vector<std::string>(argv + 2, argv + argc));
    if (command == "spoil" && argc == 4)
        return kit::spoil(argv[2], std::strtoull(argv[3], nullptr, 10));
    fmt::print(stderr, "usage: demo-guest measure ROUNDS PROGRAM [ARGS] | digest DEVICE... | "
                       "spoil DEVICE OFFSET\n");
    return 2;
}
