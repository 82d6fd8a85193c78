// SPDX-License-Identifier: GPL-2.0-only
#include "splat.h"

#include "fd.h"

#include <sstream>

namespace kit {

static constexpr size_t kTailLines = 30;
static constexpr size_t kLinesBefore = 3;
static constexpr size_t kLinesAfter = 60;
static constexpr size_t kMaxSplats = 20;

static std::string trim(const std::string &s) {
    size_t begin = s.find_first_not_of(" \t\r");
    size_t end = s.find_last_not_of(" \t\r");

    return begin == std::string::npos ? "" : s.substr(begin, end - begin + 1);
}

// Splits at " | ", which a regex hardly needs.
static std::vector<std::string> split_columns(const std::string &line) {
    std::vector<std::string> columns;
    size_t at = 0;

    for (;;) {
        size_t bar = line.find(" | ", at);
        columns.push_back(trim(line.substr(at, bar - at)));
        if (bar == std::string::npos)
            return columns;
        at = bar + 3;
    }
}

static Result<std::regex> compile(const std::string &pattern) {
    try {
        return std::regex(pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error &bad) {
        return Error{"'" + pattern + "' is not a regular expression: " + bad.what()};
    }
}

Result<SplatRules> SplatRules::parse(const std::string &deny, const std::string &allow) {
    SplatRules rules;
    std::string line;

    std::istringstream deny_in(deny);
    while (std::getline(deny_in, line)) {
        if (trim(line).empty() || line[0] == '#')
            continue;
        std::vector<std::string> columns = split_columns(line);
        std::optional<Outcome> outcome = outcome_from_name(columns[0]);
        if (columns.size() != 2 || !outcome)
            return Error{"deny list: '" + line + "' is not 'outcome | regex'"};
        Result<std::regex> pattern = compile(columns[1]);
        if (!pattern)
            return Error{"deny list: " + pattern.error().message};
        rules.deny_.push_back({*outcome, *pattern});
    }
    if (rules.deny_.empty())
        return Error{"the deny list is empty: nothing would ever be found"};

    std::istringstream allow_in(allow);
    while (std::getline(allow_in, line)) {
        if (trim(line).empty() || line[0] == '#')
            continue;
        std::vector<std::string> columns = split_columns(line);
        if (columns.size() != 3 || columns[1].empty() || columns[2].empty())
            return Error{"allow list: '" + line + "' is not 'regex | reason | what ends it'"};
        Result<std::regex> pattern = compile(columns[0]);
        if (!pattern)
            return Error{"allow list: " + pattern.error().message};
        rules.allow_.push_back(*pattern);
    }
    return rules;
}

Result<SplatRules> SplatRules::load(const std::string &deny_path, const std::string &allow_path) {
    Result<std::string> deny = read_file(deny_path);
    if (!deny)
        return deny.error();
    Result<std::string> allow = read_file(allow_path);
    if (!allow)
        return allow.error();
    return parse(*deny, *allow);
}

std::optional<Outcome> SplatRules::match(const std::string &message) const {
    for (const Deny &deny : deny_) {
        if (!std::regex_search(message, deny.pattern))
            continue;
        for (const std::regex &allowed : allow_)
            if (std::regex_search(message, allowed))
                return std::nullopt;
        return deny.outcome;
    }
    return std::nullopt;
}

std::string strip_printk_prefix(const std::string &line) {
    size_t at = 0;

    // One or two bracketed columns: the time, and the caller's id.
    for (int i = 0; i < 2; i++) {
        if (at >= line.size() || line[at] != '[')
            break;
        size_t close = line.find(']', at);
        if (close == std::string::npos || line.find_first_not_of(" 0123456789.TC", at + 1) != close)
            break;
        at = close + 1;
    }
    if (at && at < line.size() && line[at] == ' ')
        at++;
    return line.substr(at);
}

void SplatScanner::feed(const std::string &line) {
    std::string message = strip_printk_prefix(line);

    for (Splat &splat : splats_)
        if (splat.lines.size() < kLinesBefore + 1 + kLinesAfter)
            splat.lines.push_back(line);

    std::optional<Outcome> outcome = rules_->match(message);
    if (outcome && splats_.size() < kMaxSplats) {
        Splat splat{*outcome, message, {}};
        size_t before = std::min(recent_.size(), kLinesBefore);
        splat.lines.assign(recent_.end() - static_cast<long>(before), recent_.end());
        splat.lines.push_back(line);
        splats_.push_back(std::move(splat));
    }
    if (outcome == Outcome::panic)
        panicked_ = true;

    recent_.push_back(line);
    if (recent_.size() > kTailLines)
        recent_.pop_front();
}

} // namespace kit
