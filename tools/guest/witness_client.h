// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Asks the virtual machine's host which commands the emulated drive received, as the selftests do:
// "mark" starts counting, "count" is answered by one line of JSON. For programs that run in the
// guest, which are linked with the selftests' library.

#include <nlohmann/json.hpp>
#include <string>

#include "../../selftests/block_copy/port.h"
#include "common/result.h"

namespace guest {

class WitnessClient {
public:
    // For a guest whose clock counts instructions, and jumps while nothing is executed.
    static constexpr int kForEver = -1;

    // How long to wait for an answer, in milliseconds.
    explicit WitnessClient(int patience = BC_PORT_MS) : patience_(patience) {}

    [[nodiscard]] static bool present() { return bc_port_present(); }

    // Counting starts here.
    common::Status mark() {
        common::Result<std::string> answer = ask("mark\n");
        if (!answer)
            return answer.error();
        return *answer == "ok" ? common::Status() : common::Error{"it answered " + *answer};
    }

    // What the drive has seen since then.
    common::Result<nlohmann::json> count() {
        common::Result<std::string> answer = ask("count\n");
        if (!answer)
            return answer.error();
        if (!nlohmann::json::accept(*answer))
            return common::Error{"the witness answered \"" + *answer + "\""};
        nlohmann::json counts = nlohmann::json::parse(*answer);
        if (counts.contains("error"))
            return common::Error{counts["error"].get<std::string>()};
        return counts;
    }

private:
    common::Result<std::string> ask(const char *question) const {
        char answer[1024];
        if (bc_port_ask(question, answer, sizeof(answer), patience_) != 0)
            return common::Error{bc_port_error()};
        return std::string(answer);
    }

    int patience_;
};

} // namespace guest
