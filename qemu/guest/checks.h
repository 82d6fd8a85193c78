// SPDX-License-Identifier: GPL-2.0-only
// What the kernel itself knows about its health, asked at the end of a boot.
#pragma once

#include <string>

namespace kit {

// Forgets leaks that happened before the first test (boot code is not ours).
void clear_kmemleak();

// Returns KTAP: kmemleak, lockdep and taint as tests of their own. With
// `required` (the debug flavour) a facility that is missing is a failure;
// otherwise it is left out.
std::string end_of_boot_checks(bool required);

} // namespace kit
