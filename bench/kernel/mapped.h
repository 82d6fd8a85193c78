// SPDX-License-Identifier: GPL-2.0-only
// Device-mapper devices on a drive and on one another, as the selftests make them.
#pragma once

#include "result.h"

#include <chrono>
#include <memory>
#include <string>

struct bc_dev;

namespace bench {

class Mapped {
public:
    explicit Mapped(const bc_dev &drive);
    // Removes them, the last first.
    ~Mapped();
    Mapped(Mapped &&) noexcept;
    Mapped &operator=(Mapped &&) = delete;

    // One more. `table`: as dmsetup takes it; %a is the drive, %0 the first device.
    kit::Status add(const std::string &table);
    kit::Status message(unsigned device, const std::string &text);
    // Looks every `nap` whether the two numbers of the `nth` "A/B" of the status are the same.
    kit::Status await_all(unsigned device, unsigned nth, std::chrono::microseconds nap);
    kit::Status remove();

    std::string path(unsigned device) const;

private:
    struct Stack;
    const bc_dev *drive_;
    std::unique_ptr<Stack> stack_;
};

} // namespace bench
