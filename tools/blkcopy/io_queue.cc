// SPDX-License-Identifier: GPL-2.0-only
#include "io_queue.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <vector>

#include "ring.h"

namespace blkcopy {

namespace {

// One anonymous mapping: page aligned, which O_DIRECT wants, and released with its owner.
class Buffers {
public:
    Buffers(unsigned slots, uint32_t slot_bytes) : slots_(slots), slot_bytes_(slot_bytes) {
        void *const memory =
            ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED)
            memory_ = static_cast<std::byte *>(memory);
    }
    Buffers(const Buffers &) = delete;
    Buffers &operator=(const Buffers &) = delete;
    ~Buffers() {
        if (memory_)
            ::munmap(memory_, bytes());
    }

    [[nodiscard]] bool ok() const { return memory_ != nullptr; }
    [[nodiscard]] unsigned slots() const { return slots_; }
    [[nodiscard]] uint32_t slot_bytes() const { return slot_bytes_; }
    [[nodiscard]] std::byte *at(unsigned slot) const {
        return memory_ + size_t{slot} * slot_bytes_;
    }

private:
    [[nodiscard]] size_t bytes() const { return size_t{slots_} * slot_bytes_; }

    unsigned slots_;
    uint32_t slot_bytes_;
    std::byte *memory_ = nullptr;
};

class SynchronousQueue : public IoQueue {
public:
    SynchronousQueue(unsigned slots, uint32_t slot_bytes) : buffers_(slots, slot_bytes) {}
    [[nodiscard]] bool ok() const { return buffers_.ok(); }
    [[nodiscard]] unsigned slots() const override { return buffers_.slots(); }
    [[nodiscard]] uint32_t slot_bytes() const override { return buffers_.slot_bytes(); }
    [[nodiscard]] std::byte *buffer(unsigned slot) override { return buffers_.at(slot); }
    [[nodiscard]] std::string description() const override { return "synchronous"; }

    void submit(const Io &io) override {
        std::byte *const data = buffers_.at(io.slot) + io.buffer_offset;
        const auto offset = static_cast<off_t>(io.offset);
        const ssize_t n = io.write ? ::pwrite(io.fd, data, io.length, offset)
                                   : ::pread(io.fd, data, io.length, offset);
        done_.push_back({io.slot, static_cast<int32_t>(n < 0 ? -errno : n)});
    }

    IoDone wait() override {
        const IoDone done = done_.front();
        done_.pop_front();
        return done;
    }

private:
    Buffers buffers_;
    std::deque<IoDone> done_;
};

class UringQueue : public IoQueue {
public:
    UringQueue(unsigned slots, uint32_t slot_bytes) : buffers_(slots, slot_bytes), ring_(slots) {
        if (!ok())
            return;
        std::vector<iovec> vectors(slots);
        for (unsigned i = 0; i < slots; i++)
            vectors[i] = {buffers_.at(i), slot_bytes};
        registered_ = ring_.register_buffers(vectors.data(), slots);
    }

    [[nodiscard]] bool ok() const { return buffers_.ok() && ring_.ok(); }
    [[nodiscard]] unsigned slots() const override { return buffers_.slots(); }
    [[nodiscard]] uint32_t slot_bytes() const override { return buffers_.slot_bytes(); }
    [[nodiscard]] std::byte *buffer(unsigned slot) override { return buffers_.at(slot); }
    [[nodiscard]] std::string description() const override {
        return registered_ ? "io_uring, registered buffers" : "io_uring";
    }

    void submit(const Io &io) override {
        // One entry per slot and one I/O per slot: there is always a free entry.
        io_uring_sqe *const sqe = ring_.entry();
        std::byte *const data = buffers_.at(io.slot) + io.buffer_offset;
        const int index = static_cast<int>(io.slot);
        if (registered_ && io.write)
            ::io_uring_prep_write_fixed(sqe, io.fd, data, io.length, io.offset, index);
        else if (registered_)
            ::io_uring_prep_read_fixed(sqe, io.fd, data, io.length, io.offset, index);
        else if (io.write)
            ::io_uring_prep_write(sqe, io.fd, data, io.length, io.offset);
        else
            ::io_uring_prep_read(sqe, io.fd, data, io.length, io.offset);
        ::io_uring_sqe_set_data64(sqe, io.slot);
    }

    IoDone wait() override { return ring_.wait(); }

private:
    Buffers buffers_;
    Ring ring_; // released first: nothing may still use the buffers
    bool registered_ = false;
};

} // namespace

std::unique_ptr<IoQueue> make_synchronous_queue(unsigned slots, uint32_t slot_bytes) {
    auto queue = std::make_unique<SynchronousQueue>(slots, slot_bytes);
    if (!queue->ok())
        return nullptr;
    return queue;
}

std::unique_ptr<IoQueue> make_io_queue(unsigned slots, uint32_t slot_bytes) {
    auto queue = std::make_unique<UringQueue>(slots, slot_bytes);
    if (queue->ok())
        return queue;
    return make_synchronous_queue(slots, slot_bytes);
}

} // namespace blkcopy
