// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <gtest/gtest.h>

namespace blkcopy {
namespace {

Options parsed(std::vector<std::string> arguments) {
    const auto result = parse_options(std::move(arguments));
    if (!result) {
        ADD_FAILURE() << result.error().message;
        return {};
    }
    return std::get<Options>(*result);
}

void refused(std::vector<std::string> arguments) {
    std::string all;
    for (const std::string &argument : arguments)
        all += argument + " ";
    const auto result = parse_options(std::move(arguments));
    ASSERT_FALSE(result) << all;
    EXPECT_EQ(result.error().code, ExitCode::kUsage) << all;
    EXPECT_FALSE(result.error().message.empty());
}

TEST(Options, TwoDevicesAreEnough) {
    const Options options = parsed({"/dev/a", "/dev/b"});
    EXPECT_EQ(options.source, "/dev/a");
    EXPECT_EQ(options.destination, "/dev/b");
    EXPECT_EQ(options.policy, Policy::kAuto);
    EXPECT_FALSE(options.request.length);
    EXPECT_FALSE(options.verify || options.dry_run || options.force || options.json ||
                 options.quiet);
}

TEST(Options, UnderstandsARange) {
    const Options options = parsed({"-o", "1M", "--length=64KiB", "-d", "4096", "a", "b"});
    EXPECT_EQ(options.request.source_offset, 1u << 20);
    EXPECT_EQ(options.request.length, 64u << 10);
    EXPECT_EQ(options.request.destination_offset, 4096u);
    EXPECT_EQ(parsed({"--offset", "512", "a", "b"}).request.source_offset, 512u);
    EXPECT_EQ(parsed({"--source-offset", "512", "a", "b"}).request.source_offset, 512u);
}

TEST(Options, GathersExtentsWithoutEatingTheDevices) {
    const Options options = parsed({"-e", "1M:64K", "-e", "0:512", "a", "b"});
    EXPECT_EQ(options.request.extents, (std::vector<Extent>{{1 << 20, 64 << 10}, {0, 512}}));
    EXPECT_EQ(options.source, "a");
    EXPECT_EQ(parsed({"a", "--extent", "0:512", "b"}).destination, "b");
}

TEST(Options, FlagsAndPolicies) {
    EXPECT_EQ(parsed({"--offload-only", "a", "b"}).policy, Policy::kOffloadOnly);
    EXPECT_EQ(parsed({"--no-offload", "a", "b"}).policy, Policy::kNoOffload);
    const Options options = parsed({"--verify", "-n", "-f", "--json", "-q", "a", "b"});
    EXPECT_TRUE(options.verify && options.dry_run && options.force && options.json &&
                options.quiet);
    const Options tuned = parsed({"--io-size", "1M", "--queue-depth", "4", "a", "b"});
    EXPECT_EQ(tuned.io_bytes, 1u << 20);
    EXPECT_EQ(tuned.queue_depth, 4u);
}

TEST(Options, RefusesWhatMakesNoSense) {
    refused({});
    refused({"a"});
    refused({"a", "b", "c"});
    refused({"--nonsense", "a", "b"});
    refused({"--length", "", "--offset", "1x", "a", "b"});
    refused({"--length", "many", "a", "b"});
    refused({"--length", "-1", "a", "b"});
    refused({"-e", "5", "a", "b"});
    refused({"-e", "0:512", "-l", "512", "a", "b"});
    refused({"-e", "0:512", "-o", "512", "a", "b"});
    refused({"--offload-only", "--no-offload", "a", "b"});
    refused({"--io-size", "0", "a", "b"});
    refused({"--io-size", "4097", "a", "b"});
    refused({"--io-size", "1G", "a", "b"});
    refused({"--queue-depth", "0", "a", "b"});
    refused({"--queue-depth", "1", "a", "b"});
    refused({"--queue-depth", "x", "a", "b"});
}

TEST(Options, HelpAndVersionArePrinted) {
    const auto help = parse_options({"--help"});
    ASSERT_TRUE(help);
    const std::string text = std::get<Printout>(*help).text;
    for (const char *word : {"--offload-only", "--verify", "Exit status", "--extent"})
        EXPECT_NE(text.find(word), std::string::npos) << word;
    const auto version = parse_options({"-V"});
    ASSERT_TRUE(version);
    EXPECT_TRUE(std::get<Printout>(*version).text.starts_with("blkcopy "));
}

} // namespace
} // namespace blkcopy
