// SPDX-License-Identifier: GPL-2.0-only
#include "command_line.h"

#include "guest/protocol.h"
#include "trace_counter.h"

#include <fmt/format.h>

namespace kit {

// For values inside a comma-separated option.
static std::string double_commas(const std::string &s) {
    std::string out;

    for (char c : s) {
        out += c;
        if (c == ',')
            out += c;
    }
    return out;
}

static void add_drive(std::vector<std::string> &argv, const Drive &drive,
                      const std::string &image) {
    std::string node = drive.id + "-file";
    // No locking: the image is ours alone. No host flushes: it does not
    // outlive the run, and fsync on a slow disk would only cost time.
    argv.insert(argv.end(),
                {"-blockdev", fmt::format("driver=file,node-name={},filename={},locking=off,"
                                          "cache.no-flush=on,discard=unmap",
                                          node, double_commas(image))});
    if (drive.fail_offset) {
        std::string failing = drive.id + "-failing";
        argv.insert(
            argv.end(),
            {"-blockdev", fmt::format("driver=blkdebug,node-name={},image={},"
                                      "inject-error.0.event=none,inject-error.0.iotype=write,"
                                      "inject-error.0.errno=5,inject-error.0.sector={},"
                                      "inject-error.0.once=off,inject-error.0.immediately=off",
                                      failing, node, *drive.fail_offset / 512)});
        node = failing;
    }
    if (!drive.limits.empty()) {
        std::string group = fmt::format("throttle-group,id={}-group", drive.id);
        for (const auto &[key, value] : drive.limits)
            group += fmt::format(",x-{}={}", key, value);
        argv.insert(argv.end(), {"-object", group});
        std::string throttled = drive.id + "-throttled";
        argv.insert(argv.end(), {"-blockdev", fmt::format("driver=throttle,node-name={},"
                                                          "throttle-group={}-group,file={}",
                                                          throttled, drive.id, node)});
        node = throttled;
    }
    argv.insert(argv.end(),
                {"-blockdev",
                 fmt::format("driver=raw,node-name={},file={},discard=unmap", drive.id, node)});
}

static std::string kernel_arguments(const Machine &machine, const LaunchOptions &options) {
    // panic=-1 with -no-reboot: a panic ends QEMU at once. reboot=t needs
    // no ACPI. The watchdogs are longer than the default, for emulation on
    // a busy host is slow, and no_timer_check keeps such a host from looking
    // like a broken timer at boot; unknown_nmi_panic lets the harness see
    // where a guest hangs that does not react any more.
    std::string s = "console=ttyS0 panic=-1 oops=panic reboot=t loglevel=7 "
                    "mitigations=off random.trust_cpu=on unknown_nmi_panic=1 "
                    "no_timer_check watchdog_thresh=30 rcupdate.rcu_cpu_stall_timeout=120 "
                    "sysctl.kernel.hung_task_timeout_secs=60 kmemleak=on pty.legacy_count=0";
    for (const std::string &more : {machine.append, options.append})
        if (!more.empty())
            s += " " + more;
    return s;
}

std::vector<std::string> qemu_command(const Machine &machine, const LaunchOptions &options,
                                      const LaunchFiles &files) {
    unsigned memory = options.memory_mib ? options.memory_mib : machine.memory_mib;
    // Only TCG counts instructions.
    std::string accelerator = options.icount ? "tcg" : options.accelerator;
    std::vector<std::string> argv = {
        options.qemu, "-nodefaults", "-no-user-config", "-no-reboot",
        "-display",   "none",        "-machine",        "q35,accel=" + accelerator};
    auto add = [&](std::initializer_list<std::string> more) { argv.insert(argv.end(), more); };

    if (accelerator == "tcg")
        add({"-cpu", "qemu64,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt"});
    else
        add({"-cpu", "host"});
    if (!options.firmware.empty())
        add({"-bios", options.firmware});
    if (options.icount)
        add({"-icount", "shift=0,sleep=off"});
    add({"-smp", std::to_string(options.icount ? 1 : machine.cpus), "-m", std::to_string(memory)});
    add({"-kernel", files.kernel, "-initrd", files.initramfs, "-append",
         kernel_arguments(machine, options)});
    add({"-chardev", files.qmp_chardev + ",id=qmp", "-mon", "chardev=qmp,mode=control"});
    add({"-chardev", files.console_chardev + ",id=console", "-serial", "chardev:console"});
    add({"-device", "virtio-serial-pci,id=ports"});
    add({"-chardev", files.results_chardev + ",id=results", "-device",
         fmt::format("virtserialport,bus=ports.0,chardev=results,name={}", kResultsPort)});
    add({"-chardev", files.witness_chardev + ",id=witness", "-device",
         fmt::format("virtserialport,bus=ports.0,chardev=witness,name={}", kWitnessPort)});
    for (size_t i = 0; i < machine.drives.size(); i++)
        add_drive(argv, machine.drives[i], files.images.at(i));
    for (const std::string &device : machine.devices)
        add({"-device", device});
    for (const std::string &event : TraceCounter::events())
        add({"-trace", "enable=" + event});
    add({"-D", files.trace});
    return argv;
}

static std::string quote(const std::string &s) {
    if (!s.empty() && s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-+=,./:@%") == std::string::npos)
        return s;
    std::string out = "'";
    for (char c : s)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string quote_command(const std::vector<std::string> &argv) {
    std::string s;

    for (size_t i = 0; i < argv.size(); i++) {
        if (i)
            s += argv[i][0] == '-' ? " \\\n  " : " ";
        s += quote(argv[i]);
    }
    return s + "\n";
}

} // namespace kit
