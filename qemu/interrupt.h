// SPDX-License-Identifier: GPL-2.0-only
// Ctrl-C and SIGTERM as something a poll loop can wait for.
#pragma once

namespace kit {

// Catches SIGINT, SIGTERM and SIGHUP. The first one is remembered; the second
// ends this process at once, and with it its virtual machines.
void catch_interrupts();

bool interrupted();

// Readable once interrupted; -1 before catch_interrupts().
int interrupt_fd();

} // namespace kit
