// SPDX-License-Identifier: GPL-2.0-only
#include "qmp.h"

#include "fd.h"

#include <csignal>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <thread>
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

TEST_F(QmpTest, ACallWaitsForItsOwnAnswer) {
    using namespace std::chrono_literals;
    std::string heard_last;
    std::thread qemu([&] {
        char buffer[4096];

        say("{\"QMP\": {}}\n");
        do {
            ssize_t n = ::read(qemu_.get(), buffer, sizeof(buffer));
            heard_last.append(buffer, static_cast<size_t>(std::max<ssize_t>(n, 0)));
        } while (heard_last.find("\"id\":1") == std::string::npos);
        say("{\"return\": {}}\n{\"error\": {\"desc\": \"of another\"}}\n"
            "{\"event\": \"RESET\"}\n{\"return\": {}, \"id\": 1}\n");
    });
    Status status = qmp_->call("device_del", {{"id", "nvme0"}}, 10s);
    qemu.join();
    EXPECT_TRUE(static_cast<bool>(status));
    EXPECT_NE(heard_last.find("{\"arguments\":{\"id\":\"nvme0\"},\"execute\":\"device_del\""),
              std::string::npos)
        << heard_last;
    EXPECT_EQ(qmp_->take_errors(), (Words{"of another"}));
    EXPECT_EQ(qmp_->take_events(), (Words{"RESET"}));

    say("{\"error\": {\"desc\": \"no such device\"}, \"id\": 2}\n");
    status = qmp_->call("device_del", {{"id", "nvme0"}}, 10s);
    ASSERT_FALSE(static_cast<bool>(status));
    EXPECT_EQ(status.error().message, "no such device");
    EXPECT_EQ(qmp_->take_errors(), Words{});
}

TEST_F(QmpTest, ACallEndsWithoutAnAnswer) {
    using namespace std::chrono_literals;
    say("{\"QMP\": {}}\n{\"return\": {}, \"id\": 7}\n");
    EXPECT_EQ(qmp_->call("stop", {}, 20ms).error().message, "QEMU does not answer 'stop'");
    // As in the program: who writes to it is told by an error alone.
    std::signal(SIGPIPE, SIG_IGN);
    qemu_.reset();
    EXPECT_EQ(qmp_->call("stop", {}, 10s).error().message, "QEMU is gone");
}

TEST_F(QmpTest, AClosedMonitorIsSeen) {
    say("{\"event\": \"SHUTDOWN\"}\n");
    qemu_.reset();
    EXPECT_FALSE(qmp_->read_available());
    EXPECT_EQ(qmp_->take_events(), (Words{"SHUTDOWN"})) << "its last words count";
}

} // namespace
} // namespace kit
