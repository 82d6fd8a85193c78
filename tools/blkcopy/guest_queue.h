// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "guest_case.h"

namespace blkcopy {

// How blkcopy asks for copies: many in flight through io_uring, or one by one where that is
// missing.
std::vector<Test> queue_tests();

} // namespace blkcopy
