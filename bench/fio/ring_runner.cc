// SPDX-License-Identifier: GPL-2.0-only
#include "runner.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <liburing.h>
#include <optional>

#ifndef BLOCK_URING_CMD_COPY
#define BLOCK_URING_CMD_COPY _IO(0x12, 160)
#endif

namespace blkcopy {

namespace {

// The kernel makes no larger ring; more commands are handed over in turns.
constexpr unsigned kMostEntries = 32768;

class RingRunner : public Runner {
public:
    explicit RingRunner(const Files &files) : files_(files) {}
    ~RingRunner() override {
        if (up_)
            io_uring_queue_exit(&ring_);
    }
    RingRunner(const RingRunner &) = delete;
    RingRunner &operator=(const RingRunner &) = delete;

    bool set_up(const RingNeeds &needs, std::string &why_not) {
        unsigned entries = std::bit_ceil(std::clamp(needs.commands, 8U, kMostEntries));
        unsigned flags = needs.nvme ? IORING_SETUP_SQE128 | IORING_SETUP_CQE32 : 0U;
        int error = -io_uring_queue_init(entries, &ring_, flags);

        up_ = !error;
        if (!up_)
            why_not = fmt::format("no io_uring here ({})", std::strerror(error));
        else if (needs.copy && !knows_copies(why_not))
            return false;
        return up_;
    }

    bool synchronous() const override { return false; }

    void start(Task &task) override {
        size_t first = task.phase ? task.phases[task.phase - 1] : 0;
        size_t end = task.phases[task.phase];

        task.pending = end - first;
        for (size_t i = first; i < end; i++)
            push(task.commands[i]);
    }

    int submit() override {
        // Interrupted, or out of memory for a moment: what was not taken stays in the ring.
        while (!trouble_ && io_uring_sq_ready(&ring_)) {
            int ret = io_uring_submit(&ring_);
            if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
                trouble_ = ret;
            if (ret == -EAGAIN || ret == -EBUSY)
                break;
        }
        return trouble_;
    }

    int wait(size_t least, std::vector<Task *> &ended) override {
        size_t goal = ended.size() + least;

        while (true) {
            if (int ret = submit(); ret)
                return ret;
            reap(ended);
            // A later phase of a task, or the rest of a short command, may have been started.
            if (int ret = submit(); ret)
                return ret;
            if (ended.size() >= goal)
                return 0;
            io_uring_cqe *cqe = nullptr;
            int ret = io_uring_wait_cqe(&ring_, &cqe);
            if (ret && ret != -EINTR && ret != -EAGAIN)
                return ret;
        }
    }

private:
    // More sources than there may be: who knows copies says so, others that they don't know them.
    bool knows_copies(std::string &why_not) {
        blk_copy_arg argument{};
        io_uring_cqe *cqe = nullptr;
        io_uring_sqe *sqe = io_uring_get_sqe(&ring_);

        argument.nr_extents = BLKCOPY_MAX_EXTENTS + 1;
        prepare_copy(sqe, argument);
        int result = io_uring_submit(&ring_);
        do
            result = result < 0 ? result : io_uring_wait_cqe(&ring_, &cqe);
        while (result == -EINTR);
        if (!result) {
            result = cqe->res;
            io_uring_cqe_seen(&ring_, cqe);
        }
        if (result == -E2BIG)
            return true;
        why_not = fmt::format("io_uring does not copy here ({})", std::strerror(std::abs(result)));
        return false;
    }

    void prepare_copy(io_uring_sqe *sqe, const blk_copy_arg &argument) {
        io_uring_prep_rw(IORING_OP_URING_CMD, sqe, files_.destination, &argument, 0, 0);
        sqe->cmd_op = BLOCK_URING_CMD_COPY;
    }

    void prepare_nvme(io_uring_sqe *sqe, const Command &c) {
        nvme_passthru_cmd command =
            nvme_copy_command(files_.nsid, c.nvme, c.task->ranges.data() + c.nvme.first);
        nvme_uring_cmd uring{};

        io_uring_prep_rw(IORING_OP_URING_CMD, sqe, files_.nvme, nullptr, 0, 0);
        sqe->cmd_op = NVME_URING_CMD_IO;
        uring.opcode = command.opcode;
        uring.nsid = command.nsid;
        uring.addr = command.addr;
        uring.data_len = command.data_len;
        uring.cdw10 = command.cdw10;
        uring.cdw11 = command.cdw11;
        uring.cdw12 = command.cdw12;
        // The array has no length of its own: it goes on into the second half of the entry.
        std::memcpy(static_cast<void *>(sqe->cmd), &uring, sizeof(uring));
    }

    void push(Command &c) {
        io_uring_sqe *sqe = nullptr;

        while (!(sqe = io_uring_get_sqe(&ring_)))
            if (submit())
                return;
        int fd = c.on_source ? files_.source : files_.destination;
        unsigned bytes = static_cast<unsigned>(std::min<uint64_t>(c.left, 1U << 30));
        switch (c.kind) {
        case Command::Kind::read:
            io_uring_prep_read(sqe, fd, c.buffer, bytes, c.offset);
            break;
        case Command::Kind::write:
            io_uring_prep_write(sqe, fd, c.buffer, bytes, c.offset);
            break;
        case Command::Kind::copy:
            c.argument = {};
            c.argument.src_fd = files_.source;
            c.argument.dst_offset = c.offset;
            c.argument.extents = reinterpret_cast<uintptr_t>(c.sources.data());
            c.argument.nr_extents = static_cast<uint32_t>(c.sources.size());
            prepare_copy(sqe, c.argument);
            break;
        case Command::Kind::nvme_copy:
            prepare_nvme(sqe, c);
            break;
        case Command::Kind::copy_file_range: // not an operation of io_uring's
            io_uring_prep_nop(sqe);
            break;
        }
        io_uring_sqe_set_data(sqe, &c);
    }

    void reap(std::vector<Task *> &ended) {
        io_uring_cqe *cqe = nullptr;

        while (io_uring_peek_cqe(&ring_, &cqe) == 0) {
            Command &command = *static_cast<Command *>(io_uring_cqe_get_data(cqe));
            int result = cqe->res;
            io_uring_cqe_seen(&ring_, cqe);
            if (again(command, result)) {
                push(command);
                continue;
            }
            Task &task = *command.task;
            if (--task.pending)
                continue;
            if (!task.error && ++task.phase < task.phases.size())
                start(task);
            else
                ended.push_back(&task);
        }
    }

    Files files_;
    io_uring ring_{};
    bool up_ = false;
    int trouble_ = 0; // the kernel takes nothing any more
};

} // namespace

std::unique_ptr<Runner> make_ring_runner(const Files &files, const RingNeeds &needs,
                                         std::string &why_not) {
    auto runner = std::make_unique<RingRunner>(files);

    if (!runner->set_up(needs, why_not))
        return nullptr;
    return runner;
}

} // namespace blkcopy
