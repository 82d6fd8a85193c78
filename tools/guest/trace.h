// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// The kernel's own word about io_uring commands, from its tracepoints. For programs that run in the
// guest.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include "program.h"

namespace guest {

// What became of the commands of one run, by all programs.
struct CommandTrace {
    uint64_t submitted = 0;
    uint64_t most_in_flight = 0;
    std::vector<int> results; // in the order of the completions
    [[nodiscard]] uint64_t bytes() const {
        uint64_t sum = 0;
        for (const int result : results)
            sum += result > 0 ? static_cast<uint64_t>(result) : 0;
        return sum;
    }
};

// Traces from its construction to read() or its end.
class CommandTracer {
public:
    [[nodiscard]] static bool possible() {
        return ::access((kDirectory + "/events/io_uring/enable").c_str(), W_OK) == 0;
    }
    CommandTracer() {
        set("/trace", "");
        enable("1");
    }
    CommandTracer(const CommandTracer &) = delete;
    CommandTracer &operator=(const CommandTracer &) = delete;
    ~CommandTracer() { enable("0"); }

    CommandTrace read() {
        enable("0");
        CommandTrace trace;
        std::map<std::string, bool> in_flight; // by the request's address
        std::ifstream file(kDirectory + "/trace");
        for (std::string line; std::getline(file, line);) {
            const std::string request = word_after(line, "req ");
            if (line.find("io_uring_submit_req: ") != std::string::npos &&
                line.find("opcode URING_CMD") != std::string::npos) {
                in_flight[request] = true;
                trace.submitted++;
                trace.most_in_flight = std::max<uint64_t>(trace.most_in_flight, in_flight.size());
            } else if (line.find("io_uring_complete: ") != std::string::npos &&
                       in_flight.erase(request) > 0) {
                trace.results.push_back(std::stoi(word_after(line, "result ")));
            }
        }
        return trace;
    }

private:
    static std::string word_after(const std::string &line, const std::string &key) {
        const size_t at = line.find(key);
        if (at == std::string::npos)
            return "0";
        const size_t begin = at + key.size();
        return line.substr(begin, line.find(',', begin) - begin);
    }
    static void set(const std::string &file, const std::string &value) {
        std::ofstream(kDirectory + file, std::ios::trunc) << value;
    }
    static void enable(const std::string &value) {
        for (const char *const event : {"io_uring_submit_req", "io_uring_complete"})
            set(std::string("/events/io_uring/") + event + "/enable", value);
    }

    inline static const std::string kDirectory = "/sys/kernel/tracing";
};

} // namespace guest
