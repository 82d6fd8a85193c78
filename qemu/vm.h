// SPDX-License-Identifier: GPL-2.0-only
// One virtual machine from boot to end.
//
//   Vm::Options options = ...;
//   Result<std::unique_ptr<Vm>> vm = Vm::start(machine, std::move(options));
//   if ((*vm)->wait_ready(60s))
//       (*vm)->run({.argv = {"/bin/prog"}, .timeout = 30s}, output);
//   (*vm)->finish(false);
//   if ((*vm)->trouble()) ...
//   pread((*vm)->image(0), ...);  // what the drive holds now
#pragma once

#include "command_line.h"
#include "fd.h"
#include "guest/protocol.h"
#include "machine.h"
#include "outcome.h"
#include "qmp.h"
#include "splat.h"
#include "subprocess.h"
#include "witness.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

// A program to run in the guest.
struct RunRequest {
    std::vector<std::string> argv;
    std::vector<std::string> env = {}; // "NAME=VALUE"; the machine's row is added
    std::chrono::seconds timeout{60};  // 0: none
    bool tty = false;
    int stdin_fd = -1; // with tty: passed on to the program
    unsigned rows = 0; // of the terminal; 0: unknown
    unsigned columns = 0;
};

// How it ended.
struct ProgramEnd {
    ExitStatus status;
    bool timed_out = false;
    bool stuck = false; // SIGKILL did not end it
    std::chrono::milliseconds duration{0};
};

// Why a machine could not be used to the end.
struct Trouble {
    Outcome outcome = Outcome::host_error;
    std::string message;
    std::vector<std::string> console; // the lines that tell more
};

class Vm {
public:
    // error: it came from the program's standard error.
    using Output = std::function<void(std::string_view bytes, bool error)>;

    struct Options {
        LaunchOptions launch;
        std::string kernel;
        Fd initramfs;
        std::vector<Fd> images;             // one per drive; made when empty
        std::vector<std::string> env;       // for every program
        const SplatRules *splats = nullptr; // outlives the machine
        std::string log_directory;          // console.log, trace.log, qemu.argv; may be empty
        std::function<void(const std::string &)> on_console; // each line; may be empty
    };

    static Result<std::unique_ptr<Vm>> start(const Machine &machine, Options options);
    ~Vm();

    // All of these return false (or nothing) when the machine is of no
    // more use; trouble() then says why.
    bool wait_ready(std::chrono::seconds limit);
    std::optional<ProgramEnd> run(const RunRequest &request, const Output &output);
    // The guest's checks of its kernel, as KTAP. `required`: a missing
    // facility is a failure (debug kernels).
    std::optional<std::string> end_checks(bool required);
    // A program has asked for the power to be cut, which has ended QEMU in the middle of
    // everything. power_on() starts it again with the same images; then wait_ready().
    // run() returns nothing then, and there is no trouble.
    Status power_on();
    // As run(), but a program that cuts the power is run again, with COPY_BOOT=2 (3, ...) in its
    // environment, once the machine is up again, which may take `limit`. `again` is told before.
    std::optional<ProgramEnd> run_through_cuts(RunRequest request, const Output &output,
                                               std::chrono::seconds limit,
                                               const std::function<void()> &again);
    // Powers the guest off and waits for QEMU. The positive end word has to come.
    bool finish();
    // The same after a machine's only program, which ended so: what went wrong with the machine,
    // the kernel, or the program's time.
    std::optional<Trouble> finish_after(const std::optional<ProgramEnd> &end);
    // Ends QEMU at once. Does nothing when it has ended.
    void kill();

    const std::optional<Trouble> &trouble() const { return trouble_; }
    const std::vector<Splat> &splats() const { return scanner_.splats(); }
    std::string kernel_release() const { return kernel_release_; }
    std::chrono::milliseconds boot_time() const { return boot_time_; }

    // What the device did since boot, or since mark_trace(). Independent
    // of the guest's own marks.
    void mark_trace();
    const TraceCounts &trace_counts();

    int image(size_t drive) const { return images_.at(drive).get(); }
    pid_t qemu_pid() const { return qemu_ ? qemu_->pid() : -1; }
    std::vector<std::string> argv() const { return argv_; }

private:
    using Clock = std::chrono::steady_clock;

    Vm(const Machine &machine, Options options);
    Status launch();
    bool pump(Clock::time_point deadline, const std::function<bool()> &done, int stdin_fd = -1,
              unsigned stdin_id = 0);
    bool read_console();
    bool read_results();
    bool read_witness();
    Status plug(const std::string &command, const std::string &id);
    void console_line(std::string line);
    void handle(const Frame &frame);
    void read_trace();
    void qemu_ended();
    void give_up(Outcome outcome, std::string message, std::vector<std::string> console = {});
    void time_is_over(const std::string &message);
    void send(std::string_view type, unsigned id, const std::string &payload);
    std::string qemu_messages() const;

    const Machine machine_;
    Options options_;
    std::vector<Fd> images_;
    std::vector<std::string> argv_;
    std::optional<Subprocess> qemu_;
    std::optional<Qmp> qmp_;
    Fd console_, results_, port_, errors_, trace_, console_log_;
    std::string console_partial_, trace_partial_;
    uint64_t trace_at_ = 0;
    FrameReader frames_;
    SplatScanner scanner_;
    Witness witness_;
    TraceCounter counter_;
    std::optional<Trouble> trouble_;
    std::string kernel_release_;
    std::chrono::milliseconds boot_time_{0};
    Clock::time_point started_{};
    std::optional<Clock::time_point> hang_seen_;
    unsigned next_id_ = 1;
    unsigned running_ = 0;
    const Output *output_ = nullptr;
    std::optional<ProgramEnd> end_;
    std::string end_word_;
    bool ready_ = false;
    bool ended_well_ = false;
    bool exited_ = false;
    bool power_cut_ = false;
};

} // namespace kit
