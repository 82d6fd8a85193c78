// SPDX-License-Identifier: GPL-2.0-only
// The verdict on programs and machines.
#pragma once

#include "report.h"
#include "splat.h"
#include "vm.h"

#include <vector>

namespace kit {

// What a program's exit says about the tests that it reported: a failure
// without a failed test, a signal, an overrun time limit.
void judge_program(ProgramResult &program, const ProgramEnd &end);

// The outcome of a machine that ran to its end. `splats`: what the kernel
// complained about.
void judge_machine(MachineResult &machine, const std::vector<Splat> &splats);

} // namespace kit
