// SPDX-License-Identifier: GPL-2.0-only
#include "file_reporters.h"

#include "fd.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kit {

using nlohmann::json;

// Characters that XML 1.0 cannot have at all become '?'.
static std::string xml(const std::string &s) {
    std::string out;

    for (char c : s) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            bool allowed = c == '\t' || c == '\n' || static_cast<unsigned char>(c) >= 0x20;
            out += allowed ? c : '?';
            break;
        }
    }
    return out;
}

static std::string joined(const std::vector<std::string> &lines) {
    std::string s;

    for (const std::string &line : lines)
        s += line + "\n";
    return s;
}

static double seconds(Milliseconds ms) {
    return static_cast<double>(ms.count()) / 1000;
}

static void junit_tests(std::string &out, const std::string &class_name, const std::string &prefix,
                        const std::vector<TestResult> &tests) {
    for (const TestResult &test : tests) {
        std::string name = prefix + test.name;
        junit_tests(out, class_name, name + ".", test.subtests);
        bool own_failure = test.status == TestStatus::fail && !count_tests(test.subtests).fail;
        if (!test.subtests.empty() && !own_failure)
            continue;
        out +=
            fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml(class_name), xml(name));
        if (test.status == TestStatus::fail)
            out += fmt::format("><failure message=\"{}\">{}</failure></testcase>\n",
                               xml(test.reason.empty() ? "not ok" : test.reason),
                               xml(joined(test.diagnostics)));
        else if (test.status == TestStatus::pass)
            out += "/>\n";
        else
            out += fmt::format("><skipped message=\"{}{}\"/></testcase>\n",
                               test.status == TestStatus::xfail ? "failed as expected: " : "",
                               xml(test.reason));
    }
}

std::string junit_xml(const RunResult &run) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    TestCounts all = run.counts();
    unsigned machine_count = static_cast<unsigned>(run.machines.size()), machine_failures = 0;
    std::string suites;

    for (const MachineResult &machine : run.machines) {
        TestCounts c = machine.counts();
        bool bad = machine.outcome > Outcome::skipped;
        machine_failures += bad;
        suites += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" "
                              "skipped=\"{}\" time=\"{:.3f}\">\n",
                              xml(machine.name), c.total() + 1, c.fail + bad, c.skip + c.xfail,
                              seconds(machine.duration));
        for (const ProgramResult &program : machine.programs)
            junit_tests(suites, machine.name + "." + program.name, "", program.tests);
        suites += fmt::format("    <testcase classname=\"{}\" name=\"machine\" time=\"{:.3f}\"",
                              xml(machine.name), seconds(machine.duration));
        if (bad)
            suites += fmt::format("><failure type=\"{}\" message=\"{}\">{}</failure></testcase>\n",
                                  outcome_name(machine.outcome), xml(machine.message),
                                  xml(joined(machine.console)));
        else if (machine.outcome == Outcome::skipped)
            suites += fmt::format("><skipped message=\"{}\"/></testcase>\n", xml(machine.message));
        else
            suites += "/>\n";
        suites += "  </testsuite>\n";
    }
    out += fmt::format("<testsuites tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n",
                       all.total() + machine_count, all.fail + machine_failures,
                       all.skip + all.xfail, seconds(run.duration));
    return out + suites + "</testsuites>\n";
}

static json test_json(const TestResult &test) {
    json j = {{"name", test.name}, {"status", status_name(test.status)}};

    if (!test.reason.empty())
        j["reason"] = test.reason;
    if (!test.diagnostics.empty())
        j["diagnostics"] = test.diagnostics;
    for (const TestResult &sub : test.subtests)
        j["subtests"].push_back(test_json(sub));
    return j;
}

static json counts_json(const TestCounts &c) {
    return {{"pass", c.pass}, {"fail", c.fail}, {"skip", c.skip}, {"xfail", c.xfail}};
}

static json machine_json(const MachineResult &machine) {
    json j = {{"name", machine.name},
              {"outcome", outcome_name(machine.outcome)},
              {"message", machine.message},
              {"console", machine.console},
              {"notes", machine.notes},
              {"kernel", machine.kernel},
              {"boot_ms", machine.boot.count()},
              {"duration_ms", machine.duration.count()},
              {"counts", counts_json(machine.counts())},
              {"trace", json::parse(machine.trace.to_json())},
              {"programs", json::array()}};

    for (const ProgramResult &program : machine.programs) {
        json p = {{"name", program.name},
                  {"status", status_name(program.status)},
                  {"reason", program.reason},
                  {"timed_out", program.timed_out},
                  {"duration_ms", program.duration.count()},
                  {"tests", json::array()}};
        for (const TestResult &test : program.tests)
            p["tests"].push_back(test_json(test));
        j["programs"].push_back(std::move(p));
    }
    return j;
}

std::string results_json(const RunResult &run) {
    json j = {{"qemu", run.qemu},
              {"accelerator", run.accelerator},
              {"accelerator_reason", run.accelerator_reason},
              {"flavour", run.flavour},
              {"outcome", outcome_name(run.outcome())},
              {"exit_code", outcome_exit_code(run.outcome())},
              {"duration_ms", run.duration.count()},
              {"counts", counts_json(run.counts())},
              {"machines", json::array()}};

    for (const MachineResult &machine : run.machines)
        j["machines"].push_back(machine_json(machine));
    // Programs print what they like; invalid UTF-8 must not end the report.
    return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::map<std::string, Milliseconds> durations_from_json(const std::string &text) {
    std::map<std::string, Milliseconds> durations;
    json run = json::parse(text, nullptr, false);

    if (!run.is_object())
        return durations;
    try {
        for (const json &machine : run.at("machines"))
            for (const json &program : machine.at("programs"))
                durations[machine.at("name").get<std::string>() + "/" +
                          program.at("name").get<std::string>()] =
                    Milliseconds(program.at("duration_ms").get<long long>());
    } catch (const json::exception &) {
        // Written by another version: no times to compare with, then.
        durations.clear();
    }
    return durations;
}

void FileReporter::write(const std::string &directory, const RunResult &run) {
    for (const auto &[name, text] :
         {std::pair("junit.xml", junit_xml(run)), std::pair("results.json", results_json(run))}) {
        Status status = make_directories(directory);
        if (status)
            status = write_file(directory + "/" + name, text);
        if (!status)
            status_ = status;
    }
}

void FileReporter::run_begin(const RunResult &run) {
    run_ = run;
    write(directory_, run_);
}

void FileReporter::machine_end(const MachineResult &machine) {
    RunResult single = run_;
    single.machines = {machine};
    write(directory_ + "/" + machine.name, single);
    for (MachineResult &known : run_.machines)
        if (known.name == machine.name)
            known = machine;
    write(directory_, run_);
}

void FileReporter::run_end(const RunResult &run) {
    write(directory_, run);
}

} // namespace kit
