// SPDX-License-Identifier: GPL-2.0-only
// What the series adds: copy_file_range(2), ioctl(BLKCOPY), BLOCK_URING_CMD_COPY.
#include "blkcopy/uapi.h"
#include "method.h"
#include "ring.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace bench {
namespace {

class CopyFileRange : public Method {
public:
    explicit CopyFileRange(const Device &device) : disk_(device.disk.get()) {}

    kit::Status prepare(const Copy &copy) override {
        copy_ = copy;
        return {};
    }

    kit::Status run() override {
        off64_t to = static_cast<off64_t>(copy_.to);
        for (const Extent &extent : copy_.from) {
            off64_t from = static_cast<off64_t>(extent.offset);
            size_t left = extent.length;
            while (left) {
                ssize_t n = ::copy_file_range(disk_, &from, disk_, &to, left, 0);
                if (n <= 0)
                    return kit::errno_error("copy_file_range() failed", n ? errno : EIO);
                left -= static_cast<size_t>(n);
            }
        }
        return {};
    }

private:
    int disk_;
    Copy copy_;
};

// An argument and its extents, and what is left of both after a part of the copy.
class Argument {
public:
    Argument() = default;
    Argument(int disk, const Copy &copy) : bytes_(copy.bytes()) {
        for (const Extent &extent : copy.from)
            extents_.push_back({extent.offset, extent.length});
        arg_.src_fd = disk;
        arg_.dst_offset = copy.to;
        arg_.nr_extents = static_cast<uint32_t>(extents_.size());
    }

    blk_copy_arg *get() {
        arg_.extents = reinterpret_cast<uintptr_t>(extents_.data()) + first_ * sizeof(extents_[0]);
        return &arg_;
    }
    uint64_t bytes() const { return bytes_; }

    void consume(uint64_t done) {
        bytes_ -= done;
        arg_.dst_offset += done;
        while (first_ < extents_.size() && done >= extents_[first_].length) {
            done -= extents_[first_].length;
            first_++;
            arg_.nr_extents--;
        }
        if (done) {
            extents_[first_].offset += done;
            extents_[first_].length -= done;
        }
    }

private:
    blk_copy_arg arg_ = {};
    std::vector<blk_copy_extent> extents_;
    size_t first_ = 0;
    uint64_t bytes_ = 0;
};

class Ioctl : public Method {
public:
    explicit Ioctl(const Device &device) : disk_(device.disk.get()) {}

    kit::Status prepare(const Copy &copy) override {
        argument_ = Argument(disk_, copy);
        return {};
    }

    kit::Status run() override {
        blk_copy_arg *arg = argument_.get();
        if (::ioctl(disk_, BLKCOPY, arg) != 0)
            return kit::errno_error("BLKCOPY failed");
        if (arg->copied != argument_.bytes())
            return kit::Error{"BLKCOPY was short"};
        return {};
    }

private:
    int disk_;
    Argument argument_;
};

class UringCopy : public Method {
public:
    UringCopy(const Device &device, std::unique_ptr<Ring> ring)
        : disk_(device.disk.get()), ring_(std::move(ring)) {}

    kit::Status prepare(const Copy &copy) override {
        argument_ = Argument(disk_, copy);
        return {};
    }

    kit::Status run() override {
        kit::Result<uint64_t> done = once(argument_);
        if (!done)
            return done.error();
        if (*done == argument_.bytes())
            return {};
        // Such a copy may be short, as a read may; the rest is a copy of its own.
        Argument left = argument_;
        while (*done < left.bytes()) {
            left.consume(*done);
            done = once(left);
            if (!done)
                return done.error();
        }
        return {};
    }

private:
    kit::Result<uint64_t> once(Argument &argument) {
        io_uring_sqe *sqe = io_uring_get_sqe(ring_->get());
        io_uring_prep_rw(IORING_OP_URING_CMD, sqe, 0, argument.get(), 0, 0);
        sqe->cmd_op = BLOCK_URING_CMD_COPY;
        sqe->flags |= IOSQE_FIXED_FILE;
        int error = io_uring_submit_and_wait(ring_->get(), 1);
        io_uring_cqe *cqe = nullptr;
        if (error >= 0)
            error = io_uring_wait_cqe(ring_->get(), &cqe);
        if (error < 0)
            return kit::errno_error("io_uring takes no copy", -error);
        int result = cqe->res;
        io_uring_cqe_seen(ring_->get(), cqe);
        if (result <= 0)
            return kit::errno_error("BLOCK_URING_CMD_COPY failed", result ? -result : EIO);
        return static_cast<uint64_t>(result);
    }

    int disk_;
    std::unique_ptr<Ring> ring_;
    Argument argument_;
};

} // namespace

MethodResult make_copy_file_range(const Device &device) {
    return std::unique_ptr<Method>(std::make_unique<CopyFileRange>(device));
}

MethodResult make_ioctl(const Device &device) {
    return std::unique_ptr<Method>(std::make_unique<Ioctl>(device));
}

MethodResult make_uring_copy(const Device &device) {
    kit::Result<std::unique_ptr<Ring>> ring = Ring::make_for(device.disk.get(), 8);
    if (!ring)
        return ring.error();
    return std::unique_ptr<Method>(std::make_unique<UringCopy>(device, std::move(*ring)));
}

} // namespace bench
