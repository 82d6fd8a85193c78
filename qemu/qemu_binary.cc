// SPDX-License-Identifier: GPL-2.0-only
#include "qemu_binary.h"

#include "probe_firmware.h"
#include "subprocess.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

static constexpr unsigned char kProbeValue = 42;

std::string parse_qemu_version(const std::string &text) {
    std::smatch m;

    if (std::regex_search(text, m, std::regex("QEMU emulator version ([0-9.]+)")))
        return m[1];
    return "";
}

bool version_less(const std::string &a, const std::string &b) {
    std::istringstream x(a), y(b);
    std::string p, q;

    for (;;) {
        bool more_x = static_cast<bool>(std::getline(x, p, '.'));
        bool more_y = static_cast<bool>(std::getline(y, q, '.'));
        if (!more_x || !more_y)
            return !more_x && more_y;
        if (std::atoi(p.c_str()) != std::atoi(q.c_str()))
            return std::atoi(p.c_str()) < std::atoi(q.c_str());
    }
}

std::set<std::string> parse_device_help(const std::string &text) {
    std::set<std::string> names;
    std::istringstream in(text);
    std::string line;

    // "  mssrl=<uint16>         -  (default: 128)"
    while (std::getline(in, line)) {
        size_t begin = line.find_first_not_of(' ');
        size_t equals = line.find("=<");
        if (begin == 2 && equals != std::string::npos)
            names.insert(line.substr(begin, equals - begin));
    }
    return names;
}

Result<QemuBinary> QemuBinary::find() {
    std::vector<std::string> candidates;

    if (const char *qemu = std::getenv("QEMU"); qemu && *qemu) {
        candidates.emplace_back(qemu);
    } else {
        const char *path = std::getenv("PATH");
        std::istringstream in(path ? path : "/usr/local/bin:/usr/bin:/bin");
        std::string directory;
        while (std::getline(in, directory, ':')) {
            std::string candidate = directory + "/qemu-system-x86_64";
            if (access(candidate.c_str(), X_OK) == 0)
                candidates.push_back(candidate);
        }
    }

    QemuBinary best;
    for (const std::string &candidate : candidates) {
        Result<CommandOutput> out = run_command({candidate, "--version"}, std::chrono::seconds(20));
        std::string version = out ? parse_qemu_version(out->text) : "";
        if (!version.empty() && (best.path_.empty() || version_less(best.version_, version))) {
            best.path_ = candidate;
            best.version_ = version;
        }
    }
    if (best.path_.empty())
        return Error{"there is no working qemu-system-x86_64 here: install the package "
                     "qemu-system-x86, or set QEMU to its path"};
    return best;
}

const std::set<std::string> &QemuBinary::properties(const std::string &driver) {
    auto found = properties_.find(driver);
    if (found != properties_.end())
        return found->second;

    Result<CommandOutput> out = run_command(
        {path_, "-machine", "none", "-device", driver + ",help"}, std::chrono::seconds(20));
    std::set<std::string> names;
    if (out && out->status.success())
        names = parse_device_help(out->text);
    return properties_[driver] = names;
}

std::string QemuBinary::missing_for(const Machine &machine) {
    for (const std::string &device : machine.devices) {
        std::istringstream in(device);
        std::string driver, option;
        std::getline(in, driver, ',');
        const std::set<std::string> &known = properties(driver);
        if (known.empty())
            return "QEMU " + version_ + " has no device '" + driver + "'";
        while (std::getline(in, option, ',')) {
            std::string name = option.substr(0, option.find('='));
            if (name != "id" && name != "bus" && !known.count(name))
                return "the '" + driver + "' device of QEMU " + version_ + " has no property '" +
                       name + "'";
        }
    }
    return "";
}

bool QemuBinary::guest_runs(const std::string &accelerator, int milliseconds) const {
    Result<Fd> rom = make_memory_file("probe-firmware");
    if (!rom || !write_all(rom->get(), probe_firmware(kProbeValue)))
        return false;

    Subprocess::Options options;
    options.argv = {path_,
                    "-machine",
                    "q35,accel=" + accelerator,
                    "-cpu",
                    accelerator == "tcg" ? "qemu64" : "host",
                    "-m",
                    "32",
                    "-nodefaults",
                    "-no-user-config",
                    "-display",
                    "none",
                    "-no-reboot",
                    "-bios",
                    "/proc/self/fd/" + std::to_string(rom->get()),
                    "-device",
                    "isa-debug-exit,iobase=0x501,iosize=1"};
    options.inherit = {rom->get()};
    Result<Subprocess> qemu = Subprocess::start(options);
    if (!qemu)
        return false;
    std::optional<ExitStatus> status = qemu->wait(std::chrono::milliseconds(milliseconds));
    // isa-debug-exit ends QEMU with (value << 1) | 1.
    return status && status->code == ((kProbeValue << 1) | 1);
}

Accelerator QemuBinary::probe_accelerator(const std::string &cache_path) {
    struct stat st;
    if (::stat(cache_path.c_str(), &st) == 0 && std::time(nullptr) - st.st_mtime < 600) {
        Result<std::string> text = read_file(cache_path);
        size_t newline = text ? text->find('\n') : std::string::npos;
        if (newline != std::string::npos && newline + 1 < text->size())
            return {text->substr(0, newline), text->substr(newline + 1)};
    }

    Accelerator a{"tcg", ""};
    if (access("/dev/kvm", F_OK) != 0)
        a.reason = "there is no /dev/kvm";
    else if (access("/dev/kvm", R_OK | W_OK) != 0)
        a.reason = "/dev/kvm is not open to this user";
    else if (guest_runs("kvm", 2000))
        a = {"kvm", "a probe ran under it"};
    else
        a.reason = "/dev/kvm is there, but a probe did not run under it";
    if (a.name == "tcg")
        a.reason += "; emulating (TCG), which is several times slower";

    // Written beside and renamed, for two of us may do this at once. A
    // cache that cannot be written only costs the probe's time again.
    std::string fresh = cache_path + "." + std::to_string(getpid());
    if (write_file(fresh, a.name + "\n" + a.reason))
        std::rename(fresh.c_str(), cache_path.c_str());
    return a;
}

std::string QemuBinary::fast_firmware() const {
    std::error_code code;
    std::filesystem::path prefix = std::filesystem::path(path_).parent_path().parent_path();

    for (const std::string &directory :
         {(prefix / "share/qemu").string(), std::string("/usr/share/qemu")})
        if (std::filesystem::exists(directory + "/qboot.rom", code))
            return "qboot.rom";
    return "";
}

} // namespace kit
