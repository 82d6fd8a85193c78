// SPDX-License-Identifier: GPL-2.0-only
// The floor: NVMe Copy commands that the program makes itself. Nothing that goes through the kernel
// can be cheaper.
#include "method.h"
#include "ring.h"

#include <algorithm>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

namespace bench {
namespace {

constexpr uint8_t kCopyOpcode = 0x19;
constexpr unsigned kDepth = 32;

// NVM Command Set: Source Range Entry, format 0.
struct Range {
    uint64_t reserved0 = 0;
    uint64_t slba = 0;
    uint16_t nlb = 0; // 0's based
    uint16_t reserved1[3] = {};
    uint64_t tags = 0;
};
static_assert(sizeof(Range) == 32);

struct Command {
    uint64_t to = 0; // block
    std::vector<Range> ranges;
};

// As few commands as the drive's limits allow.
std::vector<Command> commands_for(const Device &device, const Copy &copy) {
    std::vector<Command> commands;
    uint64_t to = copy.to / device.block, room = 0;

    for (const Extent &extent : copy.from) {
        uint64_t from = extent.offset / device.block, left = extent.length / device.block;
        while (left) {
            if (!room || commands.back().ranges.size() == device.max_ranges) {
                commands.push_back({to, {}});
                room = device.max_copy;
            }
            uint64_t blocks = std::min({left, room, device.max_range});
            Range range;
            range.slba = from;
            range.nlb = static_cast<uint16_t>(blocks - 1);
            commands.back().ranges.push_back(range);
            from += blocks;
            to += blocks;
            left -= blocks;
            room -= blocks;
        }
    }
    return commands;
}

// Both structures of the interface have these.
template <typename Target>
void fill(Target &target, const Device &device, const Command &command) {
    target.opcode = kCopyOpcode;
    target.nsid = device.nsid;
    target.addr = reinterpret_cast<uintptr_t>(command.ranges.data());
    target.data_len = static_cast<uint32_t>(command.ranges.size() * sizeof(Range));
    target.cdw10 = static_cast<uint32_t>(command.to);
    target.cdw11 = static_cast<uint32_t>(command.to >> 32);
    target.cdw12 = static_cast<uint32_t>(command.ranges.size() - 1);
}

// The commands of a copy, in the structure of one of the two interfaces.
template <typename Target>
class PassthroughMethod : public Method {
public:
    explicit PassthroughMethod(const Device &device) : device_(device) {}

    kit::Status prepare(const Copy &copy) override {
        ranges_ = commands_for(device_, copy);
        commands_.assign(ranges_.size(), {});
        for (size_t i = 0; i < ranges_.size(); i++)
            fill(commands_[i], device_, ranges_[i]);
        return {};
    }

protected:
    const Device &device_;
    std::vector<Target> commands_;

private:
    std::vector<Command> ranges_; // to which the commands point
};

class Passthrough : public PassthroughMethod<nvme_passthru_cmd> {
public:
    using PassthroughMethod::PassthroughMethod;

    kit::Status run() override {
        for (nvme_passthru_cmd &command : commands_) {
            int status = ::ioctl(device_.disk.get(), NVME_IOCTL_IO_CMD, &command);
            if (status != 0)
                return kit::errno_error("the drive refused a copy", status < 0 ? errno : EIO);
        }
        return {};
    }
};

class PassthroughUring : public PassthroughMethod<nvme_uring_cmd> {
public:
    PassthroughUring(const Device &device, std::unique_ptr<Ring> ring)
        : PassthroughMethod(device), ring_(std::move(ring)) {}

    kit::Status run() override {
        size_t next = 0, left = commands_.size();
        while (next < std::min<size_t>(kDepth, commands_.size()))
            queue(commands_[next++]);
        while (left) {
            int error = io_uring_submit_and_wait(ring_->get(), 1);
            if (error < 0)
                return kit::errno_error("io_uring takes no command", -error);
            io_uring_cqe *cqe = nullptr;
            unsigned head = 0, seen = 0;
            io_uring_for_each_cqe(ring_->get(), head, cqe) {
                if (cqe->res != 0)
                    return kit::errno_error("the drive refused a copy",
                                            cqe->res < 0 ? -cqe->res : EIO);
                seen++;
                left--;
                if (next < commands_.size())
                    queue(commands_[next++]);
            }
            io_uring_cq_advance(ring_->get(), seen);
        }
        return {};
    }

private:
    void queue(const nvme_uring_cmd &command) {
        io_uring_sqe *sqe = io_uring_get_sqe(ring_->get());
        io_uring_prep_rw(IORING_OP_URING_CMD, sqe, 0, nullptr, 0, 0);
        sqe->cmd_op = NVME_URING_CMD_IO;
        sqe->flags |= IOSQE_FIXED_FILE;
        *reinterpret_cast<nvme_uring_cmd *>(sqe->cmd) = command;
    }

    std::unique_ptr<Ring> ring_;
};

} // namespace

MethodResult make_passthrough(const Device &device) {
    return std::unique_ptr<Method>(std::make_unique<Passthrough>(device));
}

MethodResult make_passthrough_uring(const Device &device) {
    if (!device.generic)
        return kit::Error{"there is no /dev/ngXnY for this drive"};
    kit::Result<std::unique_ptr<Ring>> ring =
        Ring::make_for(device.generic.get(), 64, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
    if (!ring)
        return ring.error();
    return std::unique_ptr<Method>(std::make_unique<PassthroughUring>(device, std::move(*ring)));
}

} // namespace bench
