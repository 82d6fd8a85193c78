// SPDX-License-Identifier: GPL-2.0-only
// Answers the guest's questions about what the device has done.
#pragma once

#include "trace_counter.h"

#include <functional>
#include <string>
#include <string_view>

namespace kit {

// Text lines over the port org.blkcopy.witness:
//   "mark"  -> "ok": start counting here
//   "count" -> one line of JSON, see TraceCounts::to_json()
// Anything that cannot be answered -> {"error":"sentence"}.
class Witness {
public:
    // `unsupported`: why this machine has no witness; empty if it has.
    // `update` feeds the counter with everything traced until now.
    Witness(std::string unsupported, std::function<void()> update)
        : unsupported_(std::move(unsupported)), update_(std::move(update)) {}

    TraceCounter &counter() { return counter_; }

    // Takes bytes from the guest, returns bytes for it.
    std::string answer(std::string_view bytes);

private:
    std::string answer_line(const std::string &line);

    std::string unsupported_;
    std::function<void()> update_;
    TraceCounter counter_;
    std::string buffer_;
};

} // namespace kit
