// SPDX-License-Identifier: GPL-2.0-only
// Answers the guest's questions about what the device has done, and does to
// devices what only the host can do.
#pragma once

#include "result.h"
#include "trace_counter.h"

#include <functional>
#include <string>
#include <string_view>

namespace kit {

// Text lines over the port org.blkcopy.witness:
//   "mark"  -> "ok": start counting here
//   "count" -> one line of JSON, see TraceCounts::to_json()
//   "device_del ID" -> "ok": QEMU has asked the guest to let go of it
//   "device_add ID" -> "ok": a device of this machine that is gone is back
//   "power_cut" -> no answer: the machine ends at once, and is started again
// Anything that cannot be answered -> {"error":"sentence"}.
class Witness {
public:
    // `unsupported`: why this machine has no witness; empty if it has.
    // `update` feeds the counter with everything traced until now.
    // `plug` has QEMU carry out a command of the two above. `cut` ends the machine.
    using Plug = std::function<Status(const std::string &command, const std::string &id)>;
    Witness(
        std::string unsupported, std::function<void()> update, Plug plug,
        std::function<void()> cut = [] {})
        : unsupported_(std::move(unsupported)), update_(std::move(update)), plug_(std::move(plug)),
          cut_(std::move(cut)) {}

    TraceCounter &counter() { return counter_; }

    // Takes bytes from the guest, returns bytes for it.
    std::string answer(std::string_view bytes);

private:
    std::string answer_line(const std::string &line);

    std::string unsupported_;
    std::function<void()> update_;
    Plug plug_;
    std::function<void()> cut_;
    TraceCounter counter_;
    std::string buffer_;
};

} // namespace kit
