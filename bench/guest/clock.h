// SPDX-License-Identifier: GPL-2.0-only
// Measured by the clock; prints JSON lines on standard output (bench/README.md).
#pragma once

#include "device.h"
#include "result.h"
#include "shapes.h"

namespace bench {

// Wall times: all methods in turns, so that a busy host disturbs all alike.
kit::Status times(const Device &device, const Plan &plan);
// Latency of 4 KiB random reads while copies of 2 MiB are made one after the other.
kit::Status reader(const Device &device, const Plan &plan);

} // namespace bench
