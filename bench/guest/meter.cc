// SPDX-License-Identifier: GPL-2.0-only
#include "meter.h"

#include <algorithm>
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#include <x86intrin.h>

namespace bench {

// Of one turn of the loop in spin().
static constexpr uint64_t kTurn = 4;

kit::Result<std::unique_ptr<Meter>> Meter::start() {
    std::unique_ptr<Meter> meter(new Meter);

    if (sysconf(_SC_NPROCESSORS_ONLN) != 1)
        return kit::Error{"instructions can be counted with one CPU only: boot with --icount"};
    meter->thread_ = std::thread([m = meter.get()] { m->spin(); });
    kit::Status status = meter->calibrate();
    if (!status)
        return status.error();
    return meter;
}

Meter::~Meter() {
    if (!thread_.joinable())
        return;
    __atomic_store_n(&shared_->stop, 1, __ATOMIC_RELEASE);
    thread_.join();
}

void Meter::spin() {
    sched_param parameter = {};

    policy_error_ = pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameter);
    if (policy_error_)
        return;
    // Nothing may run between two turns that is not counted, so this is no C++ loop.
    asm volatile("1:\n\t"
                 "incq (%0)\n\t"
                 "cmpq $0, (%1)\n\t"
                 "je 2f\n\t"
                 "jmp 3f\n\t"
                 "2: jmp 1b\n\t"
                 "3:\n\t"
                 :
                 : "r"(&shared_->turns), "r"(&shared_->stop)
                 : "memory", "cc");
}

void Meter::begin() {
    turns_ = __atomic_load_n(&shared_->turns, __ATOMIC_ACQUIRE);
    ticks_ = __rdtsc();
}

uint64_t Meter::end() {
    uint64_t ticks = __rdtsc() - ticks_;
    uint64_t idle = kTurn * (__atomic_load_n(&shared_->turns, __ATOMIC_ACQUIRE) - turns_);
    uint64_t busy = ticks > idle ? ticks - idle : 0;

    return busy > overhead_ ? busy - overhead_ : 0;
}

kit::Status Meter::calibrate() {
    constexpr uint64_t kTurns = 100000;
    uint64_t least = UINT64_MAX, empty = UINT64_MAX;

    for (int i = 0; i < 50; i++) {
        begin();
        empty = std::min(empty, end());
    }
    overhead_ = empty;
    for (int i = 0; i < 5; i++) {
        uint64_t left = kTurns;
        begin();
        asm volatile("1: decq %0\n\tjnz 1b" : "+r"(left) : : "cc");
        least = std::min(least, end());
    }
    // Two instructions a turn, and a few to get there.
    if (least < 2 * kTurns || least > 2 * kTurns + 20)
        return kit::Error{fmt::format("{} instructions took {} ticks of the clock, which does not "
                                      "count instructions: boot with --icount",
                                      2 * kTurns, least)};
    // Lets the other thread run, and finds out whether its turns are what they are taken for:
    // an alarm far away is all that happens meanwhile.
    uint64_t slept = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        begin();
        usleep(2000);
        slept = std::min(slept, end());
    }
    if (policy_error_)
        return kit::errno_error("cannot let a thread run at times of idleness only", policy_error_);
    // Sleeping costs two switches, a timer and now and then a tick, but not two milliseconds.
    if (slept > 100000)
        return kit::Error{
            fmt::format("a sleep of 2 ms costs {} instructions: the CPU is not idle", slept)};
    return {};
}

} // namespace bench
