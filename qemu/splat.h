// SPDX-License-Identifier: GPL-2.0-only
// Finds the kernel's complaints in its console.
#pragma once

#include "outcome.h"
#include "result.h"

#include <deque>
#include <optional>
#include <regex>
#include <string>
#include <vector>

namespace kit {

// Which messages fail a run is data: splat-deny.txt and splat-allow.txt.
class SplatRules {
public:
    // deny: "outcome | regex"; allow: "regex | reason | what ends it".
    // Both lists have to be there; an allowed message without a reason is
    // an error. Lines that start with '#' are comments.
    static Result<SplatRules> parse(const std::string &deny, const std::string &allow);
    static Result<SplatRules> load(const std::string &deny_path, const std::string &allow_path);

    // `message` is a console line without its time stamp.
    std::optional<Outcome> match(const std::string &message) const;

private:
    struct Deny {
        Outcome outcome;
        std::regex pattern;
    };
    std::vector<Deny> deny_;
    std::vector<std::regex> allow_;
};

struct Splat {
    Outcome outcome = Outcome::bug;
    std::string message;            // the line that gave it away
    std::vector<std::string> lines; // with what came before and after it
};

// "[    1.234567] text" or "[    1.2][   T1] text" -> "text".
std::string strip_printk_prefix(const std::string &line);

// Reads the console line by line.
class SplatScanner {
public:
    explicit SplatScanner(const SplatRules &rules) : rules_(&rules) {}

    void feed(const std::string &line);

    // The first complaint is the cause; later ones often only follow from it.
    const std::vector<Splat> &splats() const { return splats_; }
    bool panicked() const { return panicked_; }

    // The last lines seen, for a machine that went away silently.
    std::vector<std::string> tail() const { return {recent_.begin(), recent_.end()}; }

private:
    const SplatRules *rules_;
    std::vector<Splat> splats_;
    std::deque<std::string> recent_;
    bool panicked_ = false;
};

} // namespace kit
