// SPDX-License-Identifier: GPL-2.0-only
// Kernel modules, and programs of the host, on their way into the guest.
#pragma once

#include "initramfs.h"
#include "machine.h"
#include "result.h"

#include <string>
#include <vector>

namespace kit {

// Puts all modules (*.ko) of `directory` into the guest's /lib/modules, for
// tests that load what they need, and tells the guest's init to load those of
// the machine's row, in its order. A directory that is missing has no modules;
// a row that wants one which is not there is an error.
Status add_modules(Initramfs &initramfs, const std::string &directory, const Machine &machine);

// Puts the host's programs of the machine's row into the guest's PATH. One that
// this host lacks is left out, and returned: a test that needs it skips.
Result<std::vector<std::string>> add_programs(Initramfs &initramfs, const Machine &machine);

} // namespace kit
