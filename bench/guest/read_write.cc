// SPDX-License-Identifier: GPL-2.0-only
// What there was before: through the host's memory.
#include "method.h"
#include "ring.h"

#include <algorithm>
#include <sys/uio.h>
#include <unistd.h>

namespace bench {
namespace {

// One read and one write of what both take at once.
struct Piece {
    uint64_t from = 0;
    uint64_t to = 0;
    unsigned length = 0;
};

std::vector<Piece> cut(const Copy &copy, uint64_t max) {
    std::vector<Piece> pieces;
    uint64_t to = copy.to;

    for (const Extent &extent : copy.from) {
        for (uint64_t at = 0; at < extent.length;) {
            uint64_t length = std::min(extent.length - at, max);
            pieces.push_back({extent.offset + at, to, static_cast<unsigned>(length)});
            at += length;
            to += length;
        }
    }
    return pieces;
}

class ReadWrite : public Method {
public:
    explicit ReadWrite(const Device &device) : disk_(device.disk.get()), buffer_(kBuffer) {}

    kit::Status prepare(const Copy &copy) override {
        pieces_ = cut(copy, kBuffer);
        return {};
    }

    kit::Status run() override {
        for (const Piece &piece : pieces_) {
            if (::pread(disk_, buffer_.data(), piece.length, static_cast<off_t>(piece.from)) !=
                static_cast<ssize_t>(piece.length))
                return kit::errno_error("pread failed or was short");
            if (::pwrite(disk_, buffer_.data(), piece.length, static_cast<off_t>(piece.to)) !=
                static_cast<ssize_t>(piece.length))
                return kit::errno_error("pwrite failed or was short");
        }
        return {};
    }

private:
    // As large as a copying program may want to have it; the kernel cuts it for the drive.
    static constexpr uint64_t kBuffer = 2 << 20;
    int disk_;
    Buffer buffer_;
    std::vector<Piece> pieces_;
};

class ReadWriteUring : public Method {
public:
    static constexpr unsigned kDepth = 32;

    ReadWriteUring(const Device &device, std::unique_ptr<Ring> ring)
        : ring_(std::move(ring)), max_(device.max_io), buffer_(kDepth * device.max_io) {}

    kit::Status set_up() {
        iovec vectors[kDepth];
        for (unsigned i = 0; i < kDepth; i++)
            vectors[i] = {buffer_.data() + i * max_, max_};
        int error = io_uring_register_buffers(ring_->get(), vectors, kDepth);
        if (error)
            return kit::errno_error("cannot register buffers", -error);
        return {};
    }

    kit::Status prepare(const Copy &copy) override {
        pieces_ = cut(copy, max_);
        return {};
    }

    kit::Status run() override {
        size_t next = 0, left = pieces_.size();
        for (unsigned slot = 0; slot < kDepth && next < pieces_.size(); slot++)
            queue(slot, next++, false);
        while (left) {
            int error = io_uring_submit_and_wait(ring_->get(), 1);
            if (error < 0)
                return kit::errno_error("io_uring takes no I/O", -error);
            io_uring_cqe *cqe = nullptr;
            unsigned head = 0, seen = 0;
            io_uring_for_each_cqe(ring_->get(), head, cqe) {
                unsigned slot = static_cast<unsigned>(cqe->user_data);
                Slot &s = slots_[slot];
                if (cqe->res != static_cast<int>(pieces_[s.piece].length))
                    return kit::errno_error("an I/O failed or was short",
                                            cqe->res < 0 ? -cqe->res : EIO);
                seen++;
                if (!s.writes) {
                    queue(slot, s.piece, true);
                } else {
                    left--;
                    if (next < pieces_.size())
                        queue(slot, next++, false);
                }
            }
            io_uring_cq_advance(ring_->get(), seen);
        }
        return {};
    }

private:
    struct Slot {
        size_t piece = 0;
        bool writes = false;
    };

    void queue(unsigned slot, size_t index, bool writes) {
        const Piece &piece = pieces_[index];
        io_uring_sqe *sqe = io_uring_get_sqe(ring_->get());
        char *memory = buffer_.data() + slot * max_;
        if (writes)
            io_uring_prep_write_fixed(sqe, 0, memory, piece.length, piece.to,
                                      static_cast<int>(slot));
        else
            io_uring_prep_read_fixed(sqe, 0, memory, piece.length, piece.from,
                                     static_cast<int>(slot));
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->user_data = slot;
        slots_[slot] = {index, writes};
    }

    std::unique_ptr<Ring> ring_;
    uint64_t max_;
    Buffer buffer_;
    std::vector<Piece> pieces_;
    Slot slots_[kDepth];
};

} // namespace

MethodResult make_read_write(const Device &device) {
    return std::unique_ptr<Method>(std::make_unique<ReadWrite>(device));
}

MethodResult make_read_write_uring(const Device &device) {
    kit::Result<std::unique_ptr<Ring>> ring = Ring::make_for(device.disk.get(), 64);
    if (!ring)
        return ring.error();
    auto method = std::make_unique<ReadWriteUring>(device, std::move(*ring));
    kit::Status status = method->set_up();
    if (!status)
        return status.error();
    return std::unique_ptr<Method>(std::move(method));
}

} // namespace bench
