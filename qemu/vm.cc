// SPDX-License-Identifier: GPL-2.0-only
#include "vm.h"

#include "image.h"
#include "interrupt.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <random>
#include <unistd.h>

namespace kit {

using namespace std::chrono_literals;

static std::string fd_path(const Fd &fd) {
    return "/proc/self/fd/" + std::to_string(fd.get());
}

// Drives that are not NVMe leave nothing in the trace.
static std::string why_no_witness(const Machine &machine) {
    for (const std::string &device : machine.devices)
        if (device.starts_with("nvme"))
            return "";
    return "this machine has no NVMe drive, and QEMU traces copies for NVMe only";
}

Vm::Vm(const Machine &machine, Options options)
    : machine_(machine), options_(std::move(options)), scanner_(*options_.splats),
      witness_(
          why_no_witness(machine), [this] { read_trace(); },
          [this](const std::string &command, const std::string &id) { return plug(command, id); },
          [this] {
              power_cut_ = true;
              kill();
          }) {}

Vm::~Vm() {
    kill();
}

Result<std::unique_ptr<Vm>> Vm::start(const Machine &machine, Options options) {
    std::unique_ptr<Vm> vm(new Vm(machine, std::move(options)));
    Status status = vm->launch();

    if (!status)
        return status.error();
    return vm;
}

Status Vm::launch() {
    Result<Fd> kernel = open_file(options_.kernel, O_RDONLY);
    if (!kernel)
        return Error{kernel.error().message + " (build one with `make kernel`, or name "
                                              "one with --kernel)"};
    if (images_.empty())
        images_ = std::move(options_.images);
    for (size_t i = images_.size(); i < machine_.drives.size(); i++) {
        Result<Fd> image = make_image(machine_.drives[i]);
        if (!image)
            return image.error();
        images_.push_back(std::move(*image));
    }

    bool keep = !options_.log_directory.empty();
    Result<Fd> trace =
        keep ? open_file(options_.log_directory + "/trace.log", O_RDWR | O_CREAT | O_TRUNC)
             : make_nameless_file();
    Result<Fd> errors = make_memory_file("qemu-messages");
    if (!trace || !errors)
        return (!trace ? trace : errors).error();
    trace_ = std::move(*trace);
    errors_ = std::move(*errors);
    if (keep) {
        Result<Fd> log = open_file(options_.log_directory + "/console.log",
                                   O_WRONLY | O_CREAT | (power_cut_ ? O_APPEND : O_TRUNC));
        if (!log)
            return log.error();
        console_log_ = std::move(*log);
    }

    SocketPair pairs[4];
    LaunchFiles files;
    std::string *chardevs[4] = {&files.qmp_chardev, &files.console_chardev, &files.results_chardev,
                                &files.witness_chardev};
    Subprocess::Options child;
    for (int i = 0; i < 4; i++) {
        Result<SocketPair> pair = make_socket_pair();
        if (!pair)
            return pair.error();
        pairs[i] = std::move(*pair);
        *chardevs[i] = fmt::format("socket,fd={}", pairs[i].theirs.get());
        child.inherit.push_back(pairs[i].theirs.get());
    }
    files.kernel = fd_path(*kernel);
    files.initramfs = fd_path(options_.initramfs);
    files.trace = fd_path(trace_);
    child.inherit.insert(child.inherit.end(),
                         {kernel->get(), options_.initramfs.get(), trace_.get()});
    for (const Fd &image : images_) {
        files.images.push_back(fd_path(image));
        child.inherit.push_back(image.get());
    }
    argv_ = qemu_command(machine_, options_.launch, files);
    if (keep) {
        Status status = write_file(options_.log_directory + "/qemu.argv", quote_command(argv_));
        if (!status)
            return status;
    }

    child.argv = argv_;
    child.output = errors_.get();
    started_ = Clock::now();
    Result<Subprocess> qemu = Subprocess::start(child);
    if (!qemu)
        return qemu.error();
    qemu_.emplace(std::move(*qemu));
    qmp_.emplace(std::move(pairs[0].ours));
    console_ = std::move(pairs[1].ours);
    results_ = std::move(pairs[2].ours);
    port_ = std::move(pairs[3].ours);
    return {};
}

Status Vm::power_on() {
    frames_ = {};
    console_partial_.clear();
    trace_partial_.clear();
    trace_at_ = 0;
    ready_ = false;
    exited_ = false;
    Status status = launch();
    power_cut_ = false;
    return status;
}

std::optional<ProgramEnd> Vm::run_through_cuts(RunRequest request, const Output &output,
                                               std::chrono::seconds limit,
                                               const std::function<void()> &again) {
    const size_t variables = request.env.size();

    for (int boot = 2;; boot++) {
        std::optional<ProgramEnd> end = run(request, output);
        if (end || !power_cut_)
            return end;
        Status status = power_on();
        if (!status) {
            give_up(Outcome::host_error, status.error().message);
            return std::nullopt;
        }
        if (!wait_ready(limit))
            return std::nullopt;
        again();
        request.env.resize(variables);
        request.env.push_back(fmt::format("COPY_BOOT={}", boot));
    }
}

std::string Vm::qemu_messages() const {
    char buffer[4096];
    ssize_t n = ::pread(errors_.get(), buffer, sizeof(buffer), 0);

    return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : "";
}

void Vm::give_up(Outcome outcome, std::string message, std::vector<std::string> console) {
    if (!trouble_)
        trouble_ = Trouble{outcome, std::move(message), std::move(console)};
    kill();
}

void Vm::kill() {
    if (exited_ || !qemu_)
        return;
    qemu_->kill(SIGKILL);
    qemu_->wait(10s);
    exited_ = true;
    // What it had said before is still in the sockets.
    read_console();
    read_trace();
}

// QEMU has exited. Expected after the end word; otherwise find out why.
void Vm::qemu_ended() {
    std::optional<ExitStatus> status = qemu_->wait(10s);

    exited_ = true;
    read_console();
    read_results();
    read_trace();
    if (ended_well_ || trouble_ || power_cut_)
        return;
    std::string how = status ? status->describe() : "did not end";
    if (!scanner_.splats().empty()) {
        const Splat &splat = scanner_.splats().front();
        trouble_ = Trouble{splat.outcome, splat.message, splat.lines};
    } else if (interrupted()) {
        trouble_ = Trouble{Outcome::interrupted, "interrupted", {}};
    } else {
        std::string message = "QEMU " + how + " before the guest had finished";
        std::string said = qemu_messages();
        if (!said.empty())
            message += "; it said: " + said;
        if (!ready_ && (!status || !status->success()))
            message += "\n" + quote_command(argv_);
        trouble_ = Trouble{Outcome::vm_lost, message, scanner_.tail()};
    }
}

void Vm::send(std::string_view type, unsigned id, const std::string &payload) {
    // A failure means that QEMU is gone; the loop sees that next.
    Status ignored = write_all(results_.get(), encode_frame(type, id, payload));
    (void)static_cast<bool>(ignored);
}

void Vm::console_line(std::string line) {
    std::erase(line, '\r');
    scanner_.feed(line);
    if (options_.on_console)
        options_.on_console(line);
    if (!hang_seen_ && !scanner_.splats().empty() &&
        scanner_.splats().back().outcome == Outcome::hung_task) {
        hang_seen_ = Clock::now();
        send("dump", 0, "");
    }
}

// The readers return false once the other side has closed.
bool Vm::read_console() {
    bool open = read_available(console_.get(), [this](std::string_view bytes) {
        if (console_log_) {
            Status ignored = write_all(console_log_.get(), bytes);
            (void)static_cast<bool>(ignored);
        }
        console_partial_ += bytes;
        size_t at = 0;
        for (size_t end; (end = console_partial_.find('\n', at)) != std::string::npos; at = end + 1)
            console_line(console_partial_.substr(at, end - at));
        console_partial_.erase(0, at);
    });
    if (!open && !console_partial_.empty())
        console_line(std::exchange(console_partial_, {}));
    return open;
}

bool Vm::read_results() {
    return read_available(results_.get(), [this](std::string_view bytes) {
        frames_.feed(bytes);
        while (std::optional<Frame> frame = frames_.next())
            handle(*frame);
        if (frames_.broken())
            give_up(Outcome::vm_lost, "the guest's init sent something unreadable");
    });
}

bool Vm::read_witness() {
    return read_available(port_.get(), [this](std::string_view bytes) {
        Status ignored = write_all(port_.get(), witness_.answer(bytes));
        (void)static_cast<bool>(ignored);
    });
}

// The guest waits for the answer, and QEMU has it at once.
Status Vm::plug(const std::string &command, const std::string &id) {
    Qmp::Arguments arguments = {{"id", id}};

    if (command == "device_add") {
        Result<Qmp::Arguments> properties = device_properties(machine_, id);
        if (!properties)
            return properties.error();
        arguments = *properties;
    }
    return qmp_->call(command, arguments, 10s);
}

void Vm::handle(const Frame &frame) {
    if (frame.type == "hello") {
        Fields fields = decode_fields(frame.payload);
        kernel_release_ = field_or(fields, "kernel");
        ready_ = true;
        if (std::string problem = field_or(fields, "problem"); !problem.empty())
            give_up(Outcome::host_error, "the guest " + problem, scanner_.tail());
    } else if (frame.type == "out" || frame.type == "err") {
        if (frame.id == running_ && output_)
            (*output_)(frame.payload, frame.type == "err");
    } else if (frame.type == "exit" && frame.id == running_) {
        Fields fields = decode_fields(frame.payload);
        ProgramEnd end;
        end.status.code = static_cast<int>(number_or(fields, "code", 126));
        end.status.signal = static_cast<int>(number_or(fields, "signal"));
        end.timed_out = number_or(fields, "timeout") != 0;
        end.stuck = number_or(fields, "stuck") != 0;
        end.duration = std::chrono::milliseconds(number_or(fields, "ms"));
        end_ = end;
    } else if (frame.type == "end") {
        ended_well_ = !end_word_.empty() && frame.payload == end_word_;
    } else if (frame.type == "log" && options_.on_console) {
        options_.on_console("guest: " + frame.payload);
    }
}

void Vm::read_trace() {
    char buffer[65536];

    for (;;) {
        ssize_t n = ::pread(trace_.get(), buffer, sizeof(buffer), static_cast<off_t>(trace_at_));
        if (n <= 0)
            return;
        trace_at_ += static_cast<uint64_t>(n);
        trace_partial_.append(buffer, static_cast<size_t>(n));
        size_t at = 0;
        for (size_t end; (end = trace_partial_.find('\n', at)) != std::string::npos; at = end + 1) {
            std::string_view line(trace_partial_.data() + at, end - at);
            counter_.feed(line);
            witness_.counter().feed(line);
        }
        trace_partial_.erase(0, at);
    }
}

// Waits until done() or the deadline (true: done). Ends early when the
// machine is of no more use.
bool Vm::pump(Clock::time_point deadline, const std::function<bool()> &done, int stdin_fd,
              unsigned stdin_id) {
    while (!trouble_ && !done()) {
        if (exited_)
            return false;
        Clock::time_point now = Clock::now();
        if (now >= deadline)
            return false;
        // A hang is certain; the rest of its story comes in seconds.
        if (hang_seen_ && now - *hang_seen_ > 5s) {
            const Splat &splat = scanner_.splats().back();
            give_up(Outcome::hung_task, splat.message, splat.lines);
            return false;
        }
        if (interrupted()) {
            give_up(Outcome::interrupted, "interrupted");
            return false;
        }

        pollfd fds[] = {{qemu_->exit_fd(), POLLIN, 0}, {console_.get(), POLLIN, 0},
                        {results_.get(), POLLIN, 0},   {port_.get(), POLLIN, 0},
                        {qmp_->fd(), POLLIN, 0},       {interrupt_fd(), POLLIN, 0},
                        {stdin_fd, POLLIN, 0}};
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
        int wait = static_cast<int>(std::min<long long>(left.count() + 1, 500));
        if (::poll(fds, std::size(fds), wait) < 0 && errno != EINTR) {
            give_up(Outcome::host_error, errno_error("poll failed").message);
            return false;
        }
        // A socket whose other end is gone stays readable: stop asking.
        if (fds[1].revents && !read_console())
            console_.reset();
        if (fds[2].revents && !read_results())
            results_.reset();
        if (fds[3].revents && !read_witness())
            port_.reset();
        if (fds[4].revents)
            qmp_->read_available();
        if (fds[6].revents) {
            char buffer[4096];
            ssize_t n = ::read(stdin_fd, buffer, sizeof(buffer));
            if (n > 0)
                send("input", stdin_id, {buffer, static_cast<size_t>(n)});
            else if (n == 0)
                stdin_fd = -1;
        }
        std::optional<ExitStatus> gone = qemu_->wait(0ms);
        if (gone)
            qemu_ended();
    }
    return !trouble_;
}

// The guest may still be able to show where it hangs: ask its init, and if
// that says nothing, interrupt the CPU itself.
void Vm::time_is_over(const std::string &message) {
    size_t before = scanner_.splats().size();

    send("dump", 0, "");
    pump(Clock::now() + 3s, [] { return false; });
    qmp_->execute("inject-nmi");
    pump(Clock::now() + 3s, [] { return false; });
    if (scanner_.splats().size() > before && !trouble_) {
        const Splat &splat = scanner_.splats().back();
        give_up(Outcome::timeout, message + "; then: " + splat.message, splat.lines);
    }
    give_up(Outcome::timeout, message, scanner_.tail());
}

bool Vm::wait_ready(std::chrono::seconds limit) {
    if (pump(Clock::now() + limit, [this] { return ready_; })) {
        boot_time_ = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
        return true;
    }
    if (!trouble_)
        time_is_over(fmt::format("the guest did not come up within {} s", limit.count()));
    return false;
}

std::optional<ProgramEnd> Vm::run(const RunRequest &request, const Output &output) {
    if (trouble_ || exited_)
        return std::nullopt;

    Fields fields = {{"timeout", std::to_string(request.timeout.count())},
                     {"tty", request.tty ? "1" : "0"},
                     {"rows", std::to_string(request.rows)},
                     {"cols", std::to_string(request.columns)}};
    for (const std::string &arg : request.argv)
        fields.emplace_back("arg", arg);
    for (const auto &[name, value] : machine_.env)
        fields.emplace_back("env", name + "=" + value);
    for (const std::string &variable : options_.env)
        fields.emplace_back("env", variable);
    for (const std::string &variable : request.env)
        fields.emplace_back("env", variable);

    running_ = next_id_++;
    output_ = &output;
    end_.reset();
    send("run", running_, encode_fields(fields));
    // The guest enforces the limit itself and needs some time to escalate.
    auto deadline =
        request.timeout.count() ? Clock::now() + request.timeout + 45s : Clock::time_point::max();
    bool ok = pump(
        deadline, [this] { return end_.has_value(); }, request.stdin_fd, running_);
    if (!ok && !trouble_ && !power_cut_)
        time_is_over(fmt::format("'{}' ran for more than {} s and the guest did not end it",
                                 request.argv[0], request.timeout.count()));
    output_ = nullptr;
    running_ = 0;
    if (!ok)
        return std::nullopt;
    return end_;
}

std::optional<std::string> Vm::end_checks(bool required) {
    std::string text;
    Output collect = [&](std::string_view bytes, bool) { text += bytes; };

    if (trouble_ || exited_)
        return std::nullopt;
    running_ = next_id_++;
    output_ = &collect;
    end_.reset();
    send("checks", running_, encode_fields({{"required", required ? "1" : "0"}}));
    // A kmemleak scan of a debug kernel takes its time under emulation.
    bool ok = pump(Clock::now() + 180s, [this] { return end_.has_value(); });
    output_ = nullptr;
    running_ = 0;
    if (!ok && !trouble_)
        time_is_over("the guest did not finish its own checks within 180 s");
    if (!ok)
        return std::nullopt;
    return text;
}

bool Vm::finish() {
    if (trouble_ || exited_)
        return false;
    end_word_ = fmt::format("complete-{:08x}", std::random_device()());
    send("finish", 0, end_word_);
    if (!pump(Clock::now() + 60s, [this] { return exited_; }) && !trouble_) {
        if (!exited_)
            time_is_over("the guest did not power off within 60 s");
    }
    if (!trouble_ && !ended_well_)
        trouble_ =
            Trouble{Outcome::vm_lost, "the guest ended without its final word", scanner_.tail()};
    return !trouble_;
}

std::optional<Trouble> Vm::finish_after(const std::optional<ProgramEnd> &end) {
    if (end && end->stuck)
        return Trouble{Outcome::hung_task, "the program hangs in the kernel", {}};
    if (!end || (!finish() && trouble_))
        return trouble_.value_or(Trouble{Outcome::vm_lost, "the machine went away", {}});
    if (!splats().empty()) {
        const Splat &splat = splats().front();
        return Trouble{splat.outcome, "the kernel complained: " + splat.message, splat.lines};
    }
    if (end->timed_out)
        return Trouble{
            Outcome::timeout,
            fmt::format("the program was still running after {} s", end->duration.count() / 1000),
            {}};
    return std::nullopt;
}

void Vm::mark_trace() {
    read_trace();
    counter_.mark();
}

const TraceCounts &Vm::trace_counts() {
    read_trace();
    return counter_.counts();
}

} // namespace kit
