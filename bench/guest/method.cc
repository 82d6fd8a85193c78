// SPDX-License-Identifier: GPL-2.0-only
#include "method.h"

namespace bench {

const std::vector<MethodKind> &method_kinds() {
    static const std::vector<MethodKind> kinds = {
        {"read+write", make_read_write},
        {"read+write uring", make_read_write_uring},
        {"copy_file_range", make_copy_file_range},
        {"ioctl", make_ioctl},
        {"uring", make_uring_copy},
        {"passthrough", make_passthrough},
        {"passthrough uring", make_passthrough_uring},
    };
    return kinds;
}

} // namespace bench
