// SPDX-License-Identifier: GPL-2.0-only
// The QEMU of this machine: which one, what its devices can do, and which
// accelerator really runs a guest.
#pragma once

#include "machine.h"
#include "result.h"

#include <map>
#include <set>
#include <string>

namespace kit {

struct Accelerator {
    std::string name;   // "kvm" or "tcg"
    std::string reason; // why this one, for people
};

class QemuBinary {
public:
    // $QEMU if it is set, else the newest qemu-system-x86_64 in PATH.
    static Result<QemuBinary> find();

    const std::string &path() const { return path_; }
    const std::string &version() const { return version_; } // "7.2.22"

    // What this QEMU lacks for the machine, as a sentence; empty if nothing.
    std::string missing_for(const Machine &machine);

    // Boots a tiny firmware under KVM and waits for its sign of life:
    // /dev/kvm can be there, open, and yet never run a guest. The answer
    // is kept for ten minutes in `cache_path`.
    Accelerator probe_accelerator(const std::string &cache_path);

    // "qboot.rom" starts a kernel faster than SeaBIOS; empty if it is not
    // installed.
    std::string fast_firmware() const;

private:
    const std::set<std::string> &properties(const std::string &driver);
    bool guest_runs(const std::string &accelerator, int milliseconds) const;

    std::string path_;
    std::string version_;
    std::map<std::string, std::set<std::string>> properties_;
};

// From the output of `qemu --version`; empty when it is not QEMU's.
std::string parse_qemu_version(const std::string &text);

// True if `a` is older than `b` ("7.2.22" < "10.0.2").
bool version_less(const std::string &a, const std::string &b);

// Property names from `-device DRIVER,help`; empty for an unknown driver.
std::set<std::string> parse_device_help(const std::string &text);

} // namespace kit
