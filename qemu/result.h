// SPDX-License-Identifier: GPL-2.0-only
// Errors as values, by the names that the harness has for them.
#pragma once

#include "common/result.h"

namespace kit {

using common::errno_error;
using common::Error;
using common::Result;
using common::Status;

} // namespace kit
