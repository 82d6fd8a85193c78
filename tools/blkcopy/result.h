// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Errors are values: a sentence for a person and an exit code for a script.

#include <string>

#include "common/result.h"

namespace blkcopy {

// Documented in blkcopy(8), EXIT STATUS. A signal ends the program with 128 + its number.
enum class ExitCode : int {
    kOk = 0,        // everything was copied, and verified when that was asked for
    kFailed = 1,    // a device or the kernel reported an error; a prefix may have been copied
    kUsage = 2,     // arguments that make no sense; nothing was changed
    kRefused = 3,   // a device is not fit for the copy; nothing was changed
    kNoOffload = 4, // --offload-only, and the copy is not offered
    kDifferent = 5, // --verify found a difference
};

struct Error {
    ExitCode code = ExitCode::kFailed;
    std::string message; // one sentence, no trailing newline
};

template <typename T>
using Result = common::Result<T, Error>;

} // namespace blkcopy
