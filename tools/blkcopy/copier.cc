// SPDX-License-Identifier: GPL-2.0-only
#include "copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "uapi.h"

namespace blkcopy {

namespace {

// A call should be long enough that its cost is nothing, and short enough that progress moves and
// Ctrl-C is answered. Devices differ by three orders of magnitude, so the size is found out while
// copying.
class StepSize {
public:
    [[nodiscard]] uint64_t bytes() const { return bytes_; }
    void learn(std::chrono::duration<double> took) {
        if (took.count() < 0.1)
            bytes_ = std::min(bytes_ * 2, kMost);
        if (took.count() > 0.4)
            bytes_ = std::max(bytes_ / 2, kLeast);
    }

private:
    static constexpr uint64_t kLeast = 1 << 20;
    static constexpr uint64_t kMost = 1 << 30;
    uint64_t bytes_ = 64 << 20;
};

std::string prefix_sentence(const CopyReport &report, const Plan &plan) {
    return fmt::format(
        "the first {} of {} bytes were copied; what follows them in the destination range may have "
        "been changed too",
        report.copied(), plan.total());
}

std::string explain(int error) {
    switch (error) {
    case EBUSY:
        return "pages of the destination are busy in the page cache; is another program using it?";
    case EPERM:
        return "the destination has become read-only";
    case EINVAL:
        return "the kernel finds the ranges invalid (an overlap through a device in between?)";
    default:
        return std::strerror(error);
    }
}

Error offload_error(const OffloadReply &reply, const CopyReport &report, const Plan &plan,
                    uint64_t position) {
    const std::string reason =
        reply.error == 0
            ? fmt::format("the kernel reported success for a wrong number of bytes ({})",
                          reply.copied)
            : explain(reply.error);
    return Error{ExitCode::kFailed,
                 fmt::format("offloaded copy to destination offset {} failed: {}; {}",
                             plan.destination_offset() + position, reason,
                             prefix_sentence(report, plan))};
}

Error read_write_error(const IoFailure &failure, const CopyReport &report, const Plan &plan) {
    return Error{ExitCode::kFailed,
                 fmt::format("{} at offset {} failed: {}; {}",
                             failure.write ? "writing the destination" : "reading the source",
                             failure.offset, std::strerror(failure.error),
                             prefix_sentence(report, plan))};
}

Error no_offload_error(const OffloadReply &reply, const CopyReport &report, const Plan &plan) {
    const std::string why =
        !reply.known ? "this kernel has no BLKCOPY"
        : reply.error == EAGAIN
            ? "a device cannot copy at the moment (the destination, or one below it, is suspended)"
            : "the device does not copy this range by itself (no such command, switched off in "
              "queue/copy_max_bytes, or two different devices)";
    const std::string done =
        report.copied() > 0 ? prefix_sentence(report, plan)
        : !reply.known || reply.error == EOPNOTSUPP
            ? "nothing was changed"
            : "nothing was copied, but parts of the destination range may have been changed";
    return Error{ExitCode::kNoOffload,
                 fmt::format("{}; {}. Without --offload-only it is read and written", why, done)};
}

} // namespace

Judgement judge(const OffloadReply &reply, uint64_t length) {
    // A kernel that breaks the contract is not believed.
    if (reply.known && reply.copied > length)
        return Judgement::kFailed;
    if (reply.error == 0)
        return reply.known && reply.copied == length ? Judgement::kDone : Judgement::kFailed;
    // Drivers without BLKCOPY answer ENOTTY, some (loop, SCSI) EINVAL; only the untouched result
    // tells that EINVAL apart from a refused argument.
    if (reply.error == ENOTTY || (reply.error == EINVAL && !reply.known))
        return Judgement::kUnsupported;
    // EAGAIN: the kernel itself has tried for a second. Reads and writes wait as long as it takes.
    if (reply.error == EOPNOTSUPP || reply.error == EAGAIN)
        return reply.copied == 0 ? Judgement::kUnsupported : Judgement::kAgain;
    if (reply.error == EINTR)
        return Judgement::kAgain;
    return Judgement::kFailed;
}

std::string CopyReport::method() const {
    if (offloaded > 0 && read_written > 0)
        return "mixed";
    if (offloaded > 0)
        return "offload";
    return read_written > 0 ? "read-write" : "none";
}

CopyReport run_copy(const Plan &plan, Policy policy, Mover &mover, const ProgressFunction &progress,
                    const StopFunction &stop) {
    CopyReport report;
    StepSize size;
    bool offloading = policy != Policy::kNoOffload;
    while (offloading && report.copied() < plan.total()) {
        if (stop()) {
            report.interrupted = true;
            break;
        }
        const uint64_t position = report.copied();
        const Step step = plan.step(position, size.bytes(), BLKCOPY_MAX_EXTENTS);
        const auto before = std::chrono::steady_clock::now();
        const OffloadReply reply = mover.offload(step);
        size.learn(std::chrono::steady_clock::now() - before);
        const Judgement judgement = judge(reply, step.length);
        if (reply.known && reply.copied <= step.length) {
            report.offloaded += reply.copied;
            if (reply.copied > 0)
                report.offload_calls++;
        }
        if (progress)
            progress(report.copied());
        if (judgement == Judgement::kFailed) {
            report.error =
                offload_error(reply, report, plan, position + std::min(reply.copied, step.length));
            break;
        }
        if (judgement == Judgement::kUnsupported) {
            offloading = false;
            if (policy == Policy::kOffloadOnly)
                report.error = no_offload_error(reply, report, plan);
            else
                report.fell_back = true;
        }
    }
    if (!report.error && !report.interrupted && report.copied() < plan.total()) {
        const ReadWriteResult result = mover.read_write(plan, report.copied(), progress, stop);
        report.read_written = result.copied;
        report.interrupted = result.interrupted;
        if (result.failure)
            report.error = read_write_error(*result.failure, report, plan);
    }
    // Also after a failure: what is reported as copied should outlive a loss of power.
    if (report.copied() > 0) {
        const int error = mover.flush();
        if (error != 0 && !report.error)
            report.error = Error{
                ExitCode::kFailed,
                fmt::format("the destination could not be flushed: {}; the {} copied bytes may not "
                            "survive a loss of power",
                            std::strerror(error), report.copied())};
    }
    return report;
}

} // namespace blkcopy
