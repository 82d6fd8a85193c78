// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Errors as values. Every error is a sentence that says what went wrong and, where it can, what to
// do about it.

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace common {

struct Error {
    std::string message;
};

// "cannot open 'x': No such file or directory", from errno or a given number.
inline Error errno_error(const std::string &what, int number = errno) {
    return Error{what + ": " + std::strerror(number)};
}

// A value, or what there is instead of one: an Error, or a program's own kind of it.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T &operator*() { return std::get<0>(state_); }
    const T &operator*() const { return std::get<0>(state_); }
    T *operator->() { return &std::get<0>(state_); }
    const T *operator->() const { return &std::get<0>(state_); }
    const E &error() const { return std::get<1>(state_); }

private:
    std::variant<T, E> state_;
};

// Success, or an Error.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(Error error) : failed_(true), error_(std::move(error)) {}

    explicit operator bool() const { return !failed_; }
    const Error &error() const { return error_; }

private:
    bool failed_ = false;
    Error error_;
};

} // namespace common
