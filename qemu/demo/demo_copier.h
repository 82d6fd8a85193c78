// SPDX-License-Identifier: GPL-2.0-only
// Copies the demo's file system both ways, in the guest, and finds out what that costs.
#pragma once

#include "demo_result.h"
#include "demo_teller.h"
#include "demo_vm.h"

namespace kit {

class DemoCopier {
public:
    DemoCopier(DemoVm &vm, DemoTeller &teller, DemoResult &result)
        : vm_(vm), teller_(teller), result_(result) {}

    void run();

private:
    void warm_up();
    void copy(size_t index, DemoCopy &copy, const std::string &way, const std::string &words);

    DemoVm &vm_;
    DemoTeller &teller_;
    DemoResult &result_;
};

} // namespace kit
