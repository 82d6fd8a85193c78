// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// Copies in flight, each a command to the device. The loop that offloads knows only this interface,
// so that tests can put a fake device behind it.

#include <memory>

#include "completion.h"
#include "plan.h"

namespace blkcopy {

class CopyQueue : public Completions {
public:
    // How many can be in flight, each in a slot of its own.
    [[nodiscard]] virtual unsigned slots() const = 0;
    // Starts a copy, at once or with the next wait(). The result is as judge_command() wants it.
    virtual void submit(unsigned slot, const Step &step) = 0;
};

// BLKCOPY's argument as an io_uring command, from one open device to another. Null where there is
// no io_uring; whether the kernel knows the command is for the first result to tell.
std::unique_ptr<CopyQueue> make_copy_queue(int source, int destination, unsigned slots);

} // namespace blkcopy
