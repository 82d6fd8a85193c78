// SPDX-License-Identifier: GPL-2.0-only
#include "qmp.h"

#include "fd.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace kit {
namespace {

// The other end of the monitor's socket, which plays QEMU.
class QmpTest : public testing::Test {
protected:
    void SetUp() override {
        Result<SocketPair> pair = make_socket_pair();
        ASSERT_TRUE(static_cast<bool>(pair));
        qemu_ = std::move(pair->theirs);
        qmp_.emplace(std::move(pair->ours));
    }

    void say(const std::string &text) {
        ASSERT_TRUE(static_cast<bool>(write_all(qemu_.get(), text)));
    }

    // The commands that have arrived by now; waits for one.
    std::vector<std::string> heard() {
        std::vector<std::string> commands;
        std::string text;
        char buffer[4096];
        ssize_t n = ::read(qemu_.get(), buffer, sizeof(buffer));
        text.assign(buffer, static_cast<size_t>(std::max<ssize_t>(n, 0)));
        for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1))
            commands.push_back(nlohmann::json::parse(text.substr(0, end)).at("execute"));
        return commands;
    }

    Fd qemu_;
    std::optional<Qmp> qmp_;
};

using Words = std::vector<std::string>;

TEST_F(QmpTest, CommandsWaitForTheGreeting) {
    qmp_->execute("system_reset");
    qmp_->execute("quit");
    say("{\"QMP\": {\"version\": {}}}\n");
    EXPECT_TRUE(qmp_->read_available());
    EXPECT_EQ(heard(), (Words{"qmp_capabilities", "system_reset", "quit"}));
    qmp_->execute("stop");
    EXPECT_EQ(heard(), (Words{"stop"}));
}

TEST_F(QmpTest, EventsAndErrorsAreKeptHoweverTheyAreCut) {
    const std::string text = "{\"event\": \"SHUTDOWN\", \"data\": {}}\n"
                             "not JSON\n"
                             "{\"error\": {\"desc\": \"no such command\"}}\n"
                             "{\"return\": {}}\n"
                             "{\"event\": \"RESET\"}\n";
    for (char c : text) {
        say(std::string(1, c));
        EXPECT_TRUE(qmp_->read_available());
    }
    EXPECT_EQ(qmp_->take_events(), (Words{"SHUTDOWN", "RESET"}));
    EXPECT_EQ(qmp_->take_errors(), (Words{"no such command"}));
}

TEST_F(QmpTest, AClosedMonitorIsSeen) {
    say("{\"event\": \"SHUTDOWN\"}\n");
    qemu_.reset();
    EXPECT_FALSE(qmp_->read_available());
    EXPECT_EQ(qmp_->take_events(), (Words{"SHUTDOWN"})) << "its last words count";
}

} // namespace
} // namespace kit
