// SPDX-License-Identifier: GPL-2.0-only
// Looks at both copies from inside the guest, as the file systems that they are.
#pragma once

#include "demo_result.h"
#include "demo_teller.h"
#include "demo_vm.h"

namespace kit {

class DemoProofs {
public:
    DemoProofs(DemoVm &vm, const DemoFileSystem &file_system, DemoTeller &teller,
               DemoResult &result)
        : vm_(vm), file_system_(file_system), teller_(teller), result_(result) {}

    // Damages one byte of a file in the copy "offloaded" or "read-write", to see that proofs can
    // fail. `source`: what the file system was made of.
    void spoil(const std::string &which, const std::string &source);
    // Runs e2fsck, and compares all files with the original's.
    void run();

private:
    void check(size_t index, DemoCopy &copy);
    void digest();
    void compare(const std::optional<DemoVm::Captured> &done, size_t index, DemoCopy &copy);

    DemoVm &vm_;
    const DemoFileSystem &file_system_;
    DemoTeller &teller_;
    DemoResult &result_;
};

} // namespace kit
