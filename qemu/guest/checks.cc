// SPDX-License-Identifier: GPL-2.0-only
#include "checks.h"

#include "setup.h"

#include <cstdlib>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace kit {

static constexpr char kKmemleak[] = "/sys/kernel/debug/kmemleak";

struct Check {
    bool available = true;
    bool ok = true;
    std::string name = {};
    std::string missing = {}; // what to build in
    std::string details = {};
};

void clear_kmemleak() {
    write_text(kKmemleak, "clear");
}

static Check check_kmemleak() {
    Check c{.name = "kmemleak_finds_no_leak", .missing = "CONFIG_DEBUG_KMEMLEAK"};

    // Writing fails with EPERM or EBUSY when kmemleak has switched itself off.
    c.available = access(kKmemleak, F_OK) == 0;
    if (!c.available)
        return c;
    if (!write_text(kKmemleak, "scan")) {
        c.ok = false;
        c.details = "kmemleak takes no commands: it has disabled itself\n";
        return c;
    }
    // An object must be 5 s old to be reported (jiffies_min_age), and a
    // second scan weeds out pointers that were on the move.
    sleep(6);
    write_text(kKmemleak, "scan");
    c.details = read_text(kKmemleak);
    c.ok = c.details.empty();
    return c;
}

static Check check_debug_locks() {
    Check c{.name = "lockdep_is_still_on", .missing = "CONFIG_PROVE_LOCKING"};
    std::istringstream stats(read_text("/proc/lockdep_stats"));
    std::string line;

    c.available = false;
    while (std::getline(stats, line)) {
        size_t colon = line.find(':');
        if (line.find("debug_locks") == std::string::npos || colon == std::string::npos)
            continue;
        c.available = true;
        c.ok = std::atoi(line.c_str() + colon + 1) == 1;
        if (!c.ok)
            c.details = "lockdep switched itself off: " + line + "\n";
    }
    return c;
}

static Check check_taint() {
    Check c{.name = "kernel_is_not_tainted", .missing = "CONFIG_SYSCTL"};
    std::string text = read_text("/proc/sys/kernel/tainted");

    c.available = !text.empty();
    // Documentation/admin-guide/tainted-kernels.rst: 5 bad page, 7 oops,
    // 9 warning, 14 soft lockup.
    unsigned long taint = std::strtoul(text.c_str(), nullptr, 10);
    c.ok = !(taint & ((1UL << 5) | (1UL << 7) | (1UL << 9) | (1UL << 14)));
    if (!c.ok)
        c.details = "/proc/sys/kernel/tainted is " + text;
    return c;
}

std::string end_of_boot_checks(bool required) {
    std::vector<Check> checks;

    for (Check c : {check_debug_locks(), check_taint(), check_kmemleak()}) {
        if (!c.available && !required)
            continue;
        if (!c.available) {
            c.ok = false;
            c.details = "this kernel has no " + c.missing + "\n";
        }
        checks.push_back(std::move(c));
    }

    std::ostringstream out;
    out << "KTAP version 1\n1.." << checks.size() << "\n";
    int number = 0;
    for (const Check &c : checks) {
        std::istringstream details(c.details);
        std::string line;
        for (int i = 0; i < 60 && std::getline(details, line); i++)
            out << "# " << line << "\n";
        out << (c.ok ? "ok " : "not ok ") << ++number << " " << c.name << "\n";
    }
    return out.str();
}

} // namespace kit
