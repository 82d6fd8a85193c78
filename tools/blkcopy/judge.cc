// SPDX-License-Identifier: GPL-2.0-only
#include "judge.h"

#include <cerrno>

namespace blkcopy {

Judgement judge(const OffloadReply &reply, uint64_t length) {
    // A kernel that breaks the contract is not believed.
    if (reply.known && reply.copied > length)
        return Judgement::kFailed;
    if (reply.error == 0)
        return reply.known && reply.copied == length ? Judgement::kDone : Judgement::kFailed;
    // Drivers without BLKCOPY answer ENOTTY, some (loop, SCSI) EINVAL; only the untouched result
    // tells that EINVAL apart from a refused argument.
    if (reply.error == ENOTTY || (reply.error == EINVAL && !reply.known))
        return Judgement::kUnsupported;
    // EAGAIN: the kernel itself has tried for a second. Reads and writes wait as long as it takes.
    if (reply.error == EOPNOTSUPP || reply.error == EAGAIN)
        return reply.copied == 0 ? Judgement::kUnsupported : Judgement::kAgain;
    if (reply.error == EINTR)
        return Judgement::kAgain;
    return Judgement::kFailed;
}

Judgement judge_command(int32_t result, uint64_t length) {
    constexpr int32_t kSector = 512;
    if (result > 0) {
        const auto bytes = static_cast<uint64_t>(result);
        if (bytes > length || result % kSector != 0)
            return Judgement::kFailed;
        return bytes == length ? Judgement::kDone : Judgement::kAgain;
    }
    switch (-result) {
    case EINTR:
        return Judgement::kAgain;
    // Kernels answer a command that they don't know with EOPNOTSUPP (there are none for this file)
    // or EINVAL (there are others), and ENOSYS stands for no ring at all.
    case EOPNOTSUPP:
    case EINVAL:
    case ENOSYS:
    case EAGAIN:
        return Judgement::kUnsupported;
    default: // also 0: success that copied nothing
        return Judgement::kFailed;
    }
}

} // namespace blkcopy
