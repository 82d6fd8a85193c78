// SPDX-License-Identifier: GPL-2.0-only
#include "runner.h"

#include <cerrno>
#include <sys/ioctl.h>
#include <unistd.h>

namespace blkcopy {

namespace {

class SynchronousRunner : public Runner {
public:
    explicit SynchronousRunner(const Files &files) : files_(files) {}

    bool synchronous() const override { return true; }

    void start(Task &task) override {
        size_t next = 0;

        for (size_t end : task.phases) {
            for (; next < end; next++)
                while (again(task.commands[next], run(task.commands[next])))
                    ;
            if (task.error)
                return;
        }
    }

    int submit() override { return 0; }
    int wait(size_t, std::vector<Task *> &) override { return 0; }

private:
    long run(Command &c) {
        int fd = c.on_source ? files_.source : files_.destination;
        long done = 0;

        switch (c.kind) {
        case Command::Kind::read:
            done = ::pread(fd, c.buffer, c.left, static_cast<off_t>(c.offset));
            break;
        case Command::Kind::write:
            done = ::pwrite(fd, c.buffer, c.left, static_cast<off_t>(c.offset));
            break;
        case Command::Kind::copy:
            return copy(c);
        case Command::Kind::copy_file_range: {
            loff_t in = static_cast<loff_t>(c.sources[0].offset);
            loff_t out = static_cast<loff_t>(c.offset);
            done = ::copy_file_range(files_.source, &in, files_.destination, &out, c.left, 0);
            break;
        }
        case Command::Kind::nvme_copy: {
            nvme_passthru_cmd command =
                nvme_copy_command(files_.nsid, c.nvme, c.task->ranges.data() + c.nvme.first);
            done = ::ioctl(files_.nvme, NVME_IOCTL_IO_CMD, &command);
            break;
        }
        }
        return done < 0 ? -errno : done;
    }

    // A part that was copied before an error is a short result, as that of a read is.
    long copy(Command &c) {
        c.argument = {};
        c.argument.src_fd = files_.source;
        c.argument.dst_offset = c.offset;
        c.argument.extents = reinterpret_cast<uintptr_t>(c.sources.data());
        c.argument.nr_extents = static_cast<uint32_t>(c.sources.size());
        if (::ioctl(files_.destination, BLKCOPY, &c.argument) < 0 && c.argument.copied == 0)
            return -errno;
        return static_cast<long>(c.argument.copied);
    }

    Files files_;
};

} // namespace

std::unique_ptr<Runner> make_synchronous_runner(const Files &files) {
    return std::make_unique<SynchronousRunner>(files);
}

} // namespace blkcopy
