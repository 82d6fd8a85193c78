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

// The device does not copy, or not now: the host must, if it may.
void give_up(const OffloadReply &reply, const Plan &plan, Policy policy, CopyReport &report) {
    if (policy == Policy::kOffloadOnly)
        report.error = no_offload_error(reply, report, plan);
    else
        report.fell_back = true;
}

// Returns whether something is left that the ioctl should be asked for.
bool offload_queued(const Plan &plan, Policy policy, Mover &mover, const ProgressFunction &progress,
                    const StopFunction &stop, CopyReport &report) {
    const OffloadResult result = mover.offload_many(plan, progress, stop);
    report.offloaded = report.queued = result.copied;
    report.offload_calls = result.copies;
    report.most_in_flight = result.most_in_flight;
    report.interrupted = result.interrupted;
    if (result.interrupted || !result.failure)
        return false;
    OffloadReply reply;
    if (result.failure->result < 0)
        reply.error = -result.failure->result;
    else
        reply.copied = static_cast<uint64_t>(result.failure->result);
    if (!result.failure->unsupported) {
        report.error = offload_error(reply, report, plan, result.failure->position);
        return false;
    }
    if (reply.error != EAGAIN)
        return true;
    give_up(reply, plan, policy, report);
    return false;
}

void offload_one_by_one(const Plan &plan, Policy policy, Mover &mover,
                        const ProgressFunction &progress, const StopFunction &stop,
                        CopyReport &report) {
    StepSize size(1 << 20, 64 << 20, 1 << 30);
    while (report.copied() < plan.total()) {
        if (stop()) {
            report.interrupted = true;
            return;
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
        if (report.offloaded > 0)
            report.most_in_flight = std::max(report.most_in_flight, 1u);
        if (progress)
            progress(report.copied());
        if (judgement == Judgement::kFailed) {
            report.error =
                offload_error(reply, report, plan, position + std::min(reply.copied, step.length));
            return;
        }
        if (judgement == Judgement::kUnsupported) {
            give_up(reply, plan, policy, report);
            return;
        }
    }
}

} // namespace

std::string CopyReport::method() const {
    if (offloaded > 0 && read_written > 0)
        return "mixed";
    if (offloaded > 0)
        return "offload";
    return read_written > 0 ? "read-write" : "none";
}

std::string CopyReport::interface() const {
    if (offloaded == 0)
        return "";
    if (queued == 0)
        return "ioctl";
    return queued == offloaded ? "io_uring" : "io_uring, ioctl";
}

CopyReport run_copy(const Plan &plan, Policy policy, Mover &mover, const ProgressFunction &progress,
                    const StopFunction &stop) {
    CopyReport report;
    if (policy != Policy::kNoOffload && offload_queued(plan, policy, mover, progress, stop, report))
        offload_one_by_one(plan, policy, mover, progress, stop, report);
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
