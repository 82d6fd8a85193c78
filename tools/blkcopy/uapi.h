// SPDX-License-Identifier: GPL-2.0-only
#pragma once
// The kernel's interface to copying inside a block device: that of its own headers where they know
// BLKCOPY, else what the selftests have, so that the tool can be built anywhere.

#include <linux/fs.h>

#include "../../selftests/block_copy/blkcopy_uapi.h"
