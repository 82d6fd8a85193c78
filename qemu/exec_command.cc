// SPDX-License-Identifier: GPL-2.0-only
#include "exec_command.h"

#include "elf_closure.h"
#include "interrupt.h"
#include "modules.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace kit {

using namespace std::chrono_literals;

static int complain(const std::string &sentence,
                    int code = outcome_exit_code(Outcome::host_error)) {
    fmt::print(stderr, "blkcopy-vm: {}\n", sentence);
    return code;
}

std::pair<std::string, std::string> split_file_option(const std::string &option) {
    size_t colon = option.rfind(':');

    if (colon == std::string::npos)
        return {option, std::filesystem::absolute(option).lexically_normal().string()};
    return {option.substr(0, colon), option.substr(colon + 1)};
}

// Keystrokes go to the guest as they are, Ctrl-C too.
class RawTerminal {
public:
    RawTerminal() {
        active_ = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &saved_) == 0;
        if (!active_)
            return;
        termios raw = saved_;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    ~RawTerminal() {
        if (active_)
            tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
    }
    RawTerminal(const RawTerminal &) = delete;
    RawTerminal &operator=(const RawTerminal &) = delete;

private:
    termios saved_ = {};
    bool active_ = false;
};

static int report(const Trouble &trouble) {
    for (const std::string &line : trouble.console)
        fmt::print(stderr, "  | {}\n", line);
    return complain(fmt::format("{}: {}", outcome_name(trouble.outcome), trouble.message),
                    outcome_exit_code(trouble.outcome));
}

int exec_command(const Setting &setting, const ExecOptions &options) {
    const Machine *machine = find_machine(setting.machines, options.machine);
    if (!machine)
        return complain("there is no machine '" + options.machine +
                            "'; `blkcopy-vm list` shows what there is",
                        kExitUsage);
    Result<Host> host = Host::find(setting);
    if (!host)
        return complain(host.error().message);
    std::string missing = host->qemu.missing_for(*machine);
    if (!missing.empty())
        return complain(missing, outcome_exit_code(Outcome::skipped));

    Result<Initramfs> initramfs = Initramfs::with_init(setting.guest_init);
    if (!initramfs)
        return complain(initramfs.error().message);
    Result<std::string> program = initramfs->add_program(options.argv[0]);
    if (!program)
        return complain(program.error().message, kExitUsage);
    for (const std::string &file : options.files) {
        auto [from, to] = split_file_option(file);
        // A program comes with its libraries; anything else as it is.
        Result<std::string> image = read_file(from);
        if (image && elf_interpreter(*image)) {
            Result<std::string> added = initramfs->add_program(from, to);
            if (!added)
                return complain(added.error().message, kExitUsage);
            continue;
        }
        Status status = initramfs->add_host_file(from, to);
        if (!status)
            return complain(status.error().message, kExitUsage);
    }
    Status modules = add_modules(
        *initramfs, setting.module_directory(options.modules, options.kernel, options.flavour),
        *machine);
    if (!modules)
        return complain(modules.error().message);
    Result<std::vector<std::string>> lacking = add_programs(*initramfs, *machine);
    if (!lacking)
        return complain(lacking.error().message);
    for (const std::string &name : *lacking)
        fmt::print(stderr, "blkcopy-vm: this host has no `{}` for the guest\n", name);
    if (std::filesystem::path(*program).filename() == "busybox")
        initramfs->add_symlink("/bin/sh", *program);

    Vm::Options vm_opts = vm_options(setting, *host, *machine, options.kernel, options.flavour);
    vm_opts.launch.append = options.append;
    vm_opts.launch.icount = options.icount;
    vm_opts.env = {library_path_variable(*initramfs)};
    vm_opts.env.insert(vm_opts.env.end(), options.env.begin(), options.env.end());
    if (options.console)
        vm_opts.on_console = [](const std::string &line) { fmt::print(stderr, "{}\n", line); };
    Result<Fd> archive = initramfs->finish();
    if (!archive)
        return complain(archive.error().message);
    vm_opts.initramfs = std::move(*archive);

    Result<std::unique_ptr<Vm>> vm = Vm::start(*machine, std::move(vm_opts));
    if (!vm)
        return complain(vm.error().message);
    if (!(*vm)->wait_ready(options.flavour == "debug" ? 240s : 120s))
        return report(*(*vm)->trouble());

    RunRequest request;
    request.argv = options.argv;
    request.argv[0] = *program;
    request.timeout = std::chrono::seconds(options.timeout);
    request.tty = options.tty;
    std::optional<ProgramEnd> end;
    {
        std::optional<RawTerminal> raw;
        if (options.tty) {
            raw.emplace();
            request.stdin_fd = STDIN_FILENO;
            const char *term = std::getenv("TERM");
            request.env = {std::string("TERM=") + (term ? term : "dumb")};
            winsize size = {};
            if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
                request.rows = size.ws_row;
                request.columns = size.ws_col;
            }
        }
        auto output = [](std::string_view bytes, bool error) {
            Status ignored = write_all(error ? STDERR_FILENO : STDOUT_FILENO, bytes);
            (void)static_cast<bool>(ignored);
        };
        end = (*vm)->run_through_cuts(request, output, options.flavour == "debug" ? 240s : 120s,
                                      [] {});
    }
    if (std::optional<Trouble> trouble = (*vm)->finish_after(end))
        return report(*trouble);
    return end->status.signal ? 128 + end->status.signal : end->status.code;
}

int shell_command(const Setting &setting, ExecOptions options) {
    Result<ElfClosure> busybox = resolve_elf("busybox");
    if (!busybox)
        return complain("a shell in the guest needs busybox on this machine: install the package "
                        "busybox-static, or use `exec` with a program of your own");
    options.argv = {busybox->program, "sh", "-c",
                    "for d in /bin /sbin; do mkdir -p $d; " + busybox->program +
                        " --install -s $d; done 2>/dev/null; export PS1='guest# '; exec " +
                        busybox->program + " sh -i"};
    options.tty = true;
    return exec_command(setting, options);
}

} // namespace kit
