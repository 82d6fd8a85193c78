// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "bytes.h"

#ifndef BLKCOPY_VERSION
#define BLKCOPY_VERSION "unknown"
#endif

namespace blkcopy {

namespace {

constexpr uint64_t kLeastIo = 4096; // the page size, so that registered buffers stay aligned
constexpr uint64_t kMostIo = 16 << 20;
constexpr unsigned kMostDepth = 1024;

constexpr const char *kFooter =
    "Sizes are bytes, or carry a unit: K, KiB, M, MiB, G, GiB, T... (powers of 1024), KB, MB... "
    "(of 1000).\n"
    "All offsets and lengths must be multiples of the logical block size of both devices.\n"
    "\n"
    "Exit status: 0 copied; 1 a device failed, a prefix may be copied; 2 wrong arguments; 3 a "
    "device is not fit;\n"
    "4 --offload-only and not offered; 5 --verify found a difference; 128+N ended by signal N. See "
    "blkcopy(8).";

// The options as text; sizes are understood afterwards, by our own parser and with our own
// sentences.
struct Texts {
    std::string source_offset;
    std::string length;
    std::vector<std::string> extents;
    std::string destination_offset;
    std::string io_size;
    bool offload_only = false;
    bool no_offload = false;
};

void describe(CLI::App &app, Options &options, Texts &texts) {
    app.add_option("SOURCE", options.source, "block device to copy from")->required();
    app.add_option("DESTINATION", options.destination, "block device to copy to")->required();
    app.add_option("-o,--source-offset,--offset", texts.source_offset,
                   "where the range begins on the source (0)");
    app.add_option("-l,--length", texts.length, "how much to copy (up to the end of the source)");
    app.add_option("-e,--extent", texts.extents,
                   "OFFSET:LENGTH on the source; repeat it to gather several")
        ->allow_extra_args(false)
        ->excludes("--source-offset")
        ->excludes("--length");
    app.add_option("-d,--destination-offset", texts.destination_offset,
                   "where the copy begins (0)");
    const auto *const no_offload =
        app.add_flag("--no-offload", texts.no_offload, "read and write, never offload");
    app.add_flag("--offload-only", texts.offload_only,
                 "fail where the device cannot copy by itself")
        ->excludes(const_cast<CLI::Option *>(no_offload));
    app.add_flag("--verify", options.verify, "read both sides again and compare them");
    app.add_flag("-n,--dry-run", options.dry_run,
                 "check everything, say what would be done, write nothing");
    app.add_flag("-f,--force", options.force, "write even to a destination that is in use");
    app.add_flag("--json", options.json, "one JSON object on standard output");
    app.add_flag("-q,--quiet", options.quiet, "no progress and no summary");
    app.add_option("--io-size", texts.io_size, "bytes per read or write (256K)");
    app.add_option("--queue-depth", options.queue_depth,
                   "copies, or reads and writes, in flight (32)");
    app.set_help_flag("-h,--help", "this text");
    app.set_version_flag("-V,--version", "blkcopy " BLKCOPY_VERSION, "the version");
    app.footer(kFooter);
}

// Parses a size when the option was given.
std::optional<Error> take_bytes(const std::string &text, uint64_t &value) {
    if (text.empty())
        return std::nullopt;
    const Result<uint64_t> parsed = parse_bytes(text);
    if (!parsed)
        return parsed.error();
    value = *parsed;
    return std::nullopt;
}

std::optional<Error> take_request(const Texts &texts, Request &request) {
    if (auto error = take_bytes(texts.source_offset, request.source_offset))
        return error;
    if (auto error = take_bytes(texts.destination_offset, request.destination_offset))
        return error;
    if (!texts.length.empty()) {
        uint64_t length = 0;
        if (auto error = take_bytes(texts.length, length))
            return error;
        request.length = length;
    }
    for (const std::string &text : texts.extents) {
        const Result<Extent> extent = parse_extent(text);
        if (!extent)
            return extent.error();
        request.extents.push_back(*extent);
    }
    return std::nullopt;
}

} // namespace

Result<std::variant<Options, Printout>> parse_options(std::vector<std::string> arguments) {
    Options options;
    Texts texts;
    CLI::App app(
        "Copies ranges of a block device to another one, inside the device where it can do that.",
        "blkcopy");
    describe(app, options, texts);
    std::reverse(arguments.begin(), arguments.end()); // the library pops them from the back
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp &) {
        return std::variant<Options, Printout>(Printout{app.help()});
    } catch (const CLI::CallForVersion &) {
        return std::variant<Options, Printout>(Printout{app.version() + "\n"});
    } catch (const CLI::ParseError &error) {
        return Error{ExitCode::kUsage, fmt::format("{}; see blkcopy --help", error.what())};
    }
    if (auto error = take_request(texts, options.request))
        return *error;
    uint64_t io_bytes = options.io_bytes;
    if (auto error = take_bytes(texts.io_size, io_bytes))
        return *error;
    if (io_bytes < kLeastIo || io_bytes > kMostIo || io_bytes % kLeastIo != 0)
        return Error{
            ExitCode::kUsage,
            fmt::format("an --io-size of {} is not possible; take a multiple of {} bytes up "
                        "to {}",
                        format_bytes(io_bytes), kLeastIo, format_bytes(kMostIo))};
    options.io_bytes = static_cast<uint32_t>(io_bytes);
    if (options.queue_depth < 2 || options.queue_depth > kMostDepth)
        return Error{ExitCode::kUsage,
                     fmt::format("a --queue-depth of {} is not possible; take 2 to {}",
                                 options.queue_depth, kMostDepth)};
    if (texts.offload_only)
        options.policy = Policy::kOffloadOnly;
    if (texts.no_offload)
        options.policy = Policy::kNoOffload;
    return std::variant<Options, Printout>(std::move(options));
}

} // namespace blkcopy
