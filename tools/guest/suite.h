// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// What every test program for the guest needs: its list of tests, told in KTAP, and the device's
// own word.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "program.h"
#include "witness_client.h"

namespace guest {

// Thrown by a test that has something to say about why it did not run.
struct Skip {
    std::string reason;
};

using Test = std::pair<const char *, std::function<void()>>;

// Runs all, each after `prepare`, and tells in KTAP; returns the exit code of a kselftest.
inline int run_all(
    const std::vector<Test> &tests, const std::function<void()> &prepare = [] {}) {
    size_t failed = 0;
    size_t skipped = 0;
    size_t number = 0;
    fmt::print("KTAP version 1\n1..{}\n", tests.size());
    for (const auto &[name, function] : tests) {
        number++;
        try {
            prepare();
            function();
            fmt::print("ok {} {}\n", number, name);
        } catch (const Skip &skip) {
            skipped++;
            fmt::print("ok {} {} # SKIP {}\n", number, name, skip.reason);
        } catch (const std::exception &error) {
            failed++;
            std::string text = error.what();
            std::replace(text.begin(), text.end(), '\n', ' ');
            fmt::print("# {}\nnot ok {} {}\n", text, number, name);
        }
        std::fflush(stdout);
    }
    if (failed > 0)
        return 1;
    return skipped == tests.size() ? 4 : 0;
}

// The device's own word about what happens from here on.
class Seen {
public:
    Seen() : present_(WitnessClient::present() || !environment("COPY_MACHINE").empty()) {
        if (present_)
            expect_good(client_.mark(), "the witness takes a mark");
    }
    // The counts, or nothing on a real machine, where nobody can tell.
    std::optional<json> counts() {
        if (!present_)
            return std::nullopt;
        return expect_good(client_.count(), "the witness answers");
    }

private:
    bool present_;
    WitnessClient client_;
};

} // namespace guest
