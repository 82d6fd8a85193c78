// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Runs blkcopy, or another program, for a guest test, and keeps what it said.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"

namespace guest {

using nlohmann::json;

// An assertion: a sentence that says what should be true.
inline void expect(bool good, const std::string &sentence) {
    if (!good)
        throw std::runtime_error("not true: " + sentence);
}

// The same of something that can fail: its value, or what it says is why.
inline void expect_good(const common::Status &status, const std::string &sentence) {
    expect(static_cast<bool>(status), status ? "" : sentence + ": " + status.error().message);
}
template <typename T>
T expect_good(common::Result<T> result, const std::string &sentence) {
    expect(static_cast<bool>(result), result ? "" : sentence + ": " + result.error().message);
    return std::move(*result);
}

inline std::string environment(const char *name) {
    const char *const value = std::getenv(name);
    return value ? value : "";
}

struct Run {
    int exit_code = -1; // 128 + n for a signal
    std::string out;
    std::string err;
    [[nodiscard]] json report() const {
        expect(json::accept(out), "standard output is valid JSON: \"" + out + "\"");
        return json::parse(out);
    }
};

inline std::string program_path() {
    std::string named = environment("BLKCOPY");
    if (!named.empty())
        return named;
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "blkcopy";
}

// Starts blkcopy with its output in files, so that it can never wait for us.
class Child {
public:
    explicit Child(const std::vector<std::string> &arguments,
                   const std::string &program = program_path())
        : directory_(make_directory()) {
        std::vector<std::string> all{program};
        all.insert(all.end(), arguments.begin(), arguments.end());
        pid_ = ::fork();
        if (pid_ == 0) {
            std::vector<char *> argv;
            argv.reserve(all.size() + 1);
            for (std::string &argument : all)
                argv.push_back(argument.data());
            argv.push_back(nullptr);
            redirect(1, "out");
            redirect(2, "err");
            ::execv(program.c_str(), argv.data());
            ::_exit(127);
        }
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        std::filesystem::remove_all(directory_);
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

    Run wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        Run run;
        run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        run.out = slurp("out");
        run.err = slurp("err");
        return run;
    }

private:
    static std::string make_directory() {
        char name[] = "/tmp/blkcopy.XXXXXX";
        if (!::mkdtemp(name))
            throw std::runtime_error("no directory in /tmp");
        return name;
    }
    void redirect(int fd, const char *name) const {
        const int file =
            ::open((directory_ + "/" + name).c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
        ::dup2(file, fd);
    }
    [[nodiscard]] std::string slurp(const char *name) const {
        std::ifstream file(directory_ + "/" + name);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::string directory_;
    pid_t pid_ = -1;
};

} // namespace guest
