// SPDX-License-Identifier: GPL-2.0-only
// Instructions; prints JSON lines on standard output (bench/README.md).
#pragma once

#include "device.h"
#include "result.h"
#include "shapes.h"

namespace bench {

// Instructions and commands of each method; in a boot under icount.
kit::Status sweep(const Device &device, const Plan &plan);

} // namespace bench
