// SPDX-License-Identifier: GPL-2.0-only
// The smallest guest there is: a firmware that says one byte.
#pragma once

#include <string>

namespace kit {

// A 64 KiB firmware for -bios. From the reset vector it goes to protected
// mode, copies itself to memory, counts there, and writes `value` to port
// 0x501 (isa-debug-exit). Code in memory is the point: KVM can be unable to
// run a guest and still get through real-mode code in a ROM, which it
// interprets.
std::string probe_firmware(unsigned char value);

} // namespace kit
