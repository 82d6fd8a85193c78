// SPDX-License-Identifier: GPL-2.0-only
// blkcopy(8): what blkdiscard(8) is to discard.

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "block_device.h"
#include "bytes.h"
#include "compare.h"
#include "device_mover.h"
#include "options.h"
#include "progress.h"
#include "report.h"

namespace blkcopy {
namespace {

volatile sig_atomic_t caught_signal = 0;

void catch_signals() {
    // No SA_RESTART: a signal must end a long BLKCOPY call. SA_RESETHAND: the second Ctrl-C always
    // ends us.
    struct sigaction action {};
    action.sa_handler = [](int number) { caught_signal = number; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        ::sigaction(number, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

bool stopped() {
    return caught_signal != 0;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Program {
public:
    explicit Program(Options options)
        : options_(std::move(options)),
          progress_(stderr, options_.quiet || (options_.json && Progress::style_for(stderr) !=
                                                                    Progress::Style::kTerminal)
                                ? Progress::Style::kNone
                                : Progress::style_for(stderr)) {}

    int run() {
        summary_.source = options_.source;
        summary_.destination = options_.destination;
        summary_.dry_run = options_.dry_run;
        if (const std::optional<Error> error = work()) {
            summary_.exit_code = static_cast<int>(error->code);
            summary_.error = error->message;
        } else if (summary_.copy.interrupted) {
            summary_.exit_code = 128 + caught_signal;
            summary_.error = fmt::format("stopped by a signal; the first {} of {} bytes were "
                                         "copied; what follows them in the "
                                         "destination range may have been changed too",
                                         summary_.copy.copied(), summary_.bytes);
        }
        progress_.finish();
        return tell();
    }

private:
    std::optional<Error> work() {
        using Use = BlockDevice::Use;
        // Asked before the destination is held, for the two can lie on one disk.
        const bool source_held = is_held(options_.source);
        Result<BlockDevice> source = BlockDevice::open(options_.source, Use::kSource);
        if (!source)
            return source.error();
        const Use use = options_.dry_run
                            ? (options_.force ? Use::kSource : Use::kLook)
                            : (options_.force ? Use::kForcedDestination : Use::kDestination);
        Result<BlockDevice> destination = BlockDevice::open(options_.destination, use);
        if (!destination)
            return destination.error();
        const uint32_t block =
            std::max(source->geometry().block_size, destination->geometry().block_size);
        if (options_.io_bytes % block != 0)
            return Error{
                ExitCode::kUsage,
                fmt::format("an --io-size of {} bytes is not a multiple of the block size, {}",
                            options_.io_bytes, block)};
        const Result<Plan> plan =
            Plan::make(options_.request, source->geometry(), destination->geometry());
        if (!plan)
            return plan.error();
        summary_.extents = plan->extents();
        summary_.destination_offset = plan->destination_offset();
        summary_.bytes = plan->total();
        summary_.copy_max_bytes = destination->copy_max_bytes();
        if (options_.dry_run)
            return std::nullopt;
        if (source_held && !options_.quiet)
            fmt::print(stderr,
                       "blkcopy: warning: {} is in use; if it changes meanwhile, the copy is of no "
                       "single moment\n",
                       options_.source);
        return copy(*source, *destination, *plan);
    }

    std::optional<Error> copy(const BlockDevice &source, const BlockDevice &destination,
                              const Plan &plan) {
        const uint32_t block =
            std::max(source.geometry().block_size, destination.geometry().block_size);
        DeviceMover mover(source.fd(), destination.fd(), options_.queue_depth, options_.io_bytes,
                          queued_step_size(summary_.copy_max_bytes, block));
        const auto start = std::chrono::steady_clock::now();
        progress_.start("copy", plan.total());
        summary_.copy = run_copy(
            plan, options_.policy, mover, [this](uint64_t done) { progress_.update(done); },
            stopped);
        summary_.seconds = seconds_since(start);
        if (summary_.copy.read_written > 0)
            summary_.fallback = mover.queue()->description();
        if (summary_.copy.error)
            return summary_.copy.error;
        if (!options_.verify || summary_.copy.interrupted)
            return std::nullopt;
        return verify(plan, mover.queue());
    }

    std::optional<Error> verify(const Plan &plan, IoQueue *queue) {
        if (!queue)
            return Error{ExitCode::kFailed, "there is no memory for verifying the copy"};
        // Files of their own, so that nothing the copying ones remember can help.
        const Result<BlockDevice> source =
            BlockDevice::open(options_.source, BlockDevice::Use::kSource);
        if (!source)
            return source.error();
        const Result<BlockDevice> destination =
            BlockDevice::open(options_.destination, BlockDevice::Use::kSource);
        if (!destination)
            return destination.error();
        const auto start = std::chrono::steady_clock::now();
        progress_.start("verify", plan.total());
        const CompareResult result = compare(
            *queue, source->fd(), destination->fd(), plan,
            [this](uint64_t done) { progress_.update(done); }, stopped);
        summary_.verify_seconds = seconds_since(start);
        if (result.difference) {
            summary_.verified = false;
            const uint64_t at = *result.difference;
            return Error{ExitCode::kDifferent,
                         fmt::format("the copy differs: byte {} of {} is not byte {} of {}",
                                     plan.destination_offset() + at, options_.destination,
                                     plan.source_of(at), options_.source)};
        }
        if (result.failure)
            return Error{ExitCode::kFailed,
                         fmt::format("verifying failed: {} at offset {}: {}",
                                     result.failure->write ? options_.destination : options_.source,
                                     result.failure->offset, std::strerror(result.failure->error))};
        if (result.interrupted)
            summary_.copy.interrupted = true;
        else
            summary_.verified = true;
        return std::nullopt;
    }

    // Writes the report; a report that cannot be written is a failure too.
    int tell() {
        if (options_.json)
            fmt::print(stdout, "{}\n", to_json(summary_));
        else if (!summary_.error && !options_.quiet)
            fmt::print(stdout, "{}\n", to_text(summary_));
        if (summary_.error)
            fmt::print(stderr, "blkcopy: {}\n", *summary_.error);
        const bool written = std::fflush(stdout) == 0 && !std::ferror(stdout);
        if (!written && summary_.exit_code == 0) {
            fmt::print(stderr,
                       "blkcopy: the report could not be written, but the copy is complete\n");
            return static_cast<int>(ExitCode::kFailed);
        }
        return summary_.exit_code;
    }

    Options options_;
    Progress progress_;
    Summary summary_;
};

} // namespace
} // namespace blkcopy

int main(int argc, char **argv) {
    auto parsed =
        blkcopy::parse_options(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    if (!parsed) {
        fmt::print(stderr, "blkcopy: {}\n", parsed.error().message);
        return static_cast<int>(parsed.error().code);
    }
    if (const auto *const printout = std::get_if<blkcopy::Printout>(&*parsed)) {
        fmt::print("{}", printout->text);
        return 0;
    }
    blkcopy::catch_signals();
    return blkcopy::Program(std::get<blkcopy::Options>(std::move(*parsed))).run();
}
