// SPDX-License-Identifier: GPL-2.0-only
// Modules that the machine's row wants loaded before anything runs.
#pragma once

#include <string>

namespace kit {

// Loads the files that the list names, a path a line. Returns a sentence when
// one of them cannot be loaded; no list is no work.
std::string load_modules(const std::string &list);

} // namespace kit
