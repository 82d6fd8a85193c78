// SPDX-License-Identifier: GPL-2.0-only
// blkcopy-vm: boots kernels in virtual machines whose drives can copy, and
// tests them there.
#include "arguments.h"
#include "interrupt.h"
#include "outcome.h"
#include "setting.h"

#include <fmt/format.h>

using namespace kit;

int main(int argc, char **argv) {
    Arguments arguments;
    if (std::optional<int> code = parse_arguments(argc, argv, arguments))
        return *code;

    catch_interrupts();
    Result<Setting> setting = Setting::load();
    if (!setting) {
        fmt::print(stderr, "blkcopy-vm: {}\n", setting.error().message);
        return outcome_exit_code(Outcome::host_error);
    }
    if (arguments.command == "run")
        return run_command(*setting, arguments.run);
    if (arguments.command == "list")
        return list_command(*setting, arguments.run, arguments.list_json);
    if (arguments.command == "exec")
        return exec_command(*setting, arguments.exec);
    if (arguments.command == "demo")
        return demo_command(*setting, arguments.demo);
    return shell_command(*setting, arguments.exec);
}
