// SPDX-License-Identifier: GPL-2.0-only
#include "job.h"

#include "fd.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace kit {

namespace fs = std::filesystem;
using nlohmann::json;

Result<std::chrono::seconds> parse_timeout(const std::string &settings) {
    std::istringstream in(settings);
    std::string line;
    std::chrono::seconds timeout{45};

    while (std::getline(in, line)) {
        if (!line.starts_with("timeout="))
            continue;
        char *end = nullptr;
        unsigned long value = std::strtoul(line.c_str() + 8, &end, 10);
        if (end == line.c_str() + 8 || *end)
            return Error{"'" + line + "' is not timeout=SECONDS"};
        timeout = std::chrono::seconds(value);
    }
    return timeout;
}

using ProgramsByMachine = std::map<std::string, std::vector<std::string>>;

static std::string machines_file(const std::string &sources) {
    return fs::path(sources + "/machines.json").lexically_normal().string();
}

static Result<ProgramsByMachine> read_programs(const std::string &sources) {
    Result<std::string> text = read_file(machines_file(sources));
    if (!text)
        return text.error();
    try {
        return json::parse(*text).get<ProgramsByMachine>();
    } catch (const json::exception &bad) {
        return Error{"'" + machines_file(sources) + "': " + bad.what()};
    }
}

Result<Suite> Suite::load(const std::string &sources, const std::string &built) {
    Suite suite;
    suite.directory = built;

    Result<ProgramsByMachine> programs = read_programs(sources);
    if (!programs)
        return programs.error();
    suite.programs = std::move(*programs);
    for (const auto &[machine, names] : suite.programs)
        suite.named_in_[machine] = machines_file(sources);
    Result<std::string> settings = read_file(sources + "/settings");
    if (!settings)
        return settings.error();
    Result<std::chrono::seconds> timeout = parse_timeout(*settings);
    if (!timeout)
        return Error{"'" + sources + "/settings': " + timeout.error().message};
    suite.timeout = *timeout;
    return suite;
}

Status Suite::add(const std::string &sources, const std::string &built,
                  const std::vector<std::string> &helpers,
                  const std::vector<std::string> &plain_files) {
    Result<ProgramsByMachine> added = read_programs(sources);
    if (!added)
        return added.error();
    for (const auto &[machine, names] : *added) {
        named_in_.emplace(machine, machines_file(sources));
        for (const std::string &name : names) {
            programs[machine].push_back(name);
            std::vector<std::string> &files = elsewhere_[name];
            files = {built + "/" + name};
            for (const std::string &helper : helpers)
                files.push_back(built + "/" + helper);
            plain_[name] = plain_files;
        }
    }
    return {};
}

std::string Suite::missing(const std::string &program) const {
    std::string file = files_of(program).front();
    std::error_code code;

    if (fs::exists(file, code))
        return "";
    if (elsewhere_.count(program))
        return "there is no " + file + ": `make tools examples` builds what machines.json names";
    if (!fs::exists(directory, code))
        return "there is no " + directory + ": `make selftests` builds the tests";
    return fmt::format("machines.json names `{}`; is it in TEST_GEN_PROGS of "
                       "selftests/block_copy/Makefile?",
                       program);
}

std::string Suite::named_in(const std::string &machine) const {
    auto found = named_in_.find(machine);

    return found == named_in_.end() ? "" : found->second;
}

std::vector<std::string> Suite::files_of(const std::string &program) const {
    auto found = elsewhere_.find(program);

    if (found != elsewhere_.end())
        return found->second;
    return {directory + "/" + program};
}

std::vector<std::string> Suite::plain_files_of(const std::string &program) const {
    auto found = plain_.find(program);

    return found == plain_.end() ? std::vector<std::string>{} : found->second;
}

bool filter_matches(const std::vector<std::string> &filters, const std::string &name) {
    for (const std::string &filter : filters) {
        bool glob = filter.find_first_of("*?[") != std::string::npos;
        if (glob ? fnmatch(filter.c_str(), name.c_str(), 0) == 0
                 : name.find(filter) != std::string::npos)
            return true;
    }
    return filters.empty();
}

Result<std::vector<Job>> plan_jobs(const std::vector<Machine> &machines, const Suite &suite,
                                   const std::vector<std::string> &filters) {
    std::vector<Job> jobs;

    for (const auto &[machine, programs] : suite.programs)
        if (!find_machine(machines, machine))
            return Error{fmt::format("{} names a machine '{}', which is not in qemu/machines.json",
                                     suite.named_in(machine), machine)};
    for (const Machine &machine : machines) {
        Job job{machine.name, machine, {}, false};
        auto found = suite.programs.find(machine.name);
        if (found != suite.programs.end())
            for (const std::string &program : found->second)
                if (filter_matches(filters, machine.name + "/" + program))
                    job.programs.push_back(program);
        if (!job.programs.empty())
            jobs.push_back(job);
        if (!machine.golden || !filter_matches(filters, machine.name + "/golden"))
            continue;
        Job golden{machine.name + "/golden", machine, {"golden"}, true};
        golden.machine.drives.at(0).bytes = machine.golden->image;
        jobs.push_back(golden);
    }
    return jobs;
}

std::vector<Machine> without_tests(const std::vector<Machine> &machines, const Suite &suite,
                                   const std::vector<std::string> &filters) {
    std::vector<Machine> idle;

    for (const Machine &machine : machines) {
        auto found = suite.programs.find(machine.name);
        bool programs = found != suite.programs.end() && !found->second.empty();
        if (!programs && !machine.golden && filter_matches(filters, machine.name + "/"))
            idle.push_back(machine);
    }
    return idle;
}

} // namespace kit
