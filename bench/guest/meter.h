// SPDX-License-Identifier: GPL-2.0-only
// Counts the instructions of the whole machine, interrupts and kernel threads included.
#pragma once

#include "result.h"

#include <cstdint>
#include <memory>
#include <thread>

namespace bench {

// Under `-icount shift=0` with one CPU the time stamp counter advances by one with every
// instruction, but it also does while the CPU has nothing to do and waits for a drive that lives
// in the host's time. So the CPU is never idle here: a thread that runs only when nobody else can
// counts in a loop of two instructions, and what it has executed is taken off.
//
//   Result<std::unique_ptr<Meter>> meter = Meter::start();
//   (*meter)->begin(); something(); uint64_t instructions = (*meter)->end();
//
// One at a time, by one thread.
class Meter {
public:
    // Fails in a boot whose clock does not count instructions.
    static kit::Result<std::unique_ptr<Meter>> start();
    ~Meter();
    Meter(const Meter &) = delete;
    Meter &operator=(const Meter &) = delete;

    void begin();
    // Instructions since begin(), without those of begin() and end() themselves.
    uint64_t end();

private:
    Meter() = default;
    void spin();
    kit::Status calibrate();

    struct alignas(4096) Shared {
        uint64_t turns = 0;
        uint64_t stop = 0;
    };
    std::unique_ptr<Shared> shared_ = std::make_unique<Shared>();
    std::thread thread_;
    int policy_error_ = 0;
    uint64_t overhead_ = 0;
    uint64_t ticks_ = 0;
    uint64_t turns_ = 0;
};

} // namespace bench
