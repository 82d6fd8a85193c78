// SPDX-License-Identifier: GPL-2.0-only
#include "mover.h"

#include "placement.h"
#include "runner.h"

#include "common/fd.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/stat.h>

using namespace blkcopy;

namespace {

constexpr size_t kPage = 4096;

struct Free {
    void operator()(std::byte *memory) const { std::free(memory); }
};

struct OpenFile {
    common::Fd fd;
    uint64_t size = 0;
    uint64_t block = 1; // logical
    bool device = false;
    dev_t on = 0;
    ino_t inode = 0;
};

common::Result<OpenFile> open_file(const std::string &path, int flags) {
    OpenFile file;
    struct stat st {};
    unsigned block = 0;

    file.fd = common::Fd(::open(path.c_str(), flags | O_CLOEXEC));
    if (!file.fd || ::fstat(file.fd.get(), &st))
        return common::errno_error("cannot open " + path);
    file.size = static_cast<uint64_t>(st.st_size);
    file.on = st.st_dev;
    file.inode = st.st_ino;
    if (S_ISBLK(st.st_mode)) {
        if (::ioctl(file.fd.get(), BLKGETSIZE64, &file.size) ||
            ::ioctl(file.fd.get(), BLKSSZGET, &block))
            return common::errno_error("cannot ask " + path + " for its size");
        file.device = true;
        file.block = block;
        file.on = 0;
        file.inode = st.st_rdev;
    }
    return file;
}

} // namespace

struct mover {
    OpenFile source, destination;
    common::Fd character_device;
    mover_mode mode = MOVER_OFFLOAD;
    bool prepare = false;
    std::optional<Placement> placement;
    NvmeNamespace nvme;
    std::unique_ptr<Runner> runner;
    std::unique_ptr<std::byte, Free> zeroes;
    std::deque<Task> tasks; // never move, as commands point to them
    std::vector<Task *> idle, ended;
    std::string explanation;
    unsigned nvme_status = 0; // of the last copy that failed

    common::Status open(const mover_job &job, std::string &note);
    int run(Task &task, int *error);
    Task &new_task(void *tag);
    void plan_fill(Task &task, uint64_t offset, std::byte *buffer);
    void plan_copy(Task &task, uint64_t to, uint64_t length, std::byte *buffer);
    Command &add(Task &task, Command::Kind kind);

private:
    uint64_t add_for_sources(Task &task, Command::Kind kind, std::byte *buffer);
    common::Status open_files(const mover_job &job);
    common::Status open_nvme(const mover_job &job, Files &files, std::string &note);
    common::Status make_runner(const mover_job &job, const Files &files, std::string &note);
    common::Status knows_ioctl() const;
};

common::Status mover::open_files(const mover_job &job) {
    std::string from = job.source, to = job.destination ? job.destination : job.source;
    int direct = job.direct ? O_DIRECT : 0;

    common::Result<OpenFile> opened = open_file(from, direct | (prepare ? O_RDWR : O_RDONLY));
    if (!opened)
        return opened.error();
    source = std::move(*opened);
    opened = open_file(to, direct | (job.writes ? O_RDWR : O_RDONLY));
    if (!opened)
        return opened.error();
    destination = std::move(*opened);
    bool devices = mode == MOVER_OFFLOAD || mode == MOVER_IOCTL || mode == MOVER_PASSTHROUGH;
    if (job.writes && devices)
        if (!source.device || !destination.device)
            return common::Error{
                "only block devices are copied by this mode; files take mode=copy_file_range"};

    Region region;
    region.source = job.source_start;
    region.destination = job.destination_start;
    region.length = job.length;
    region.block = job.block;
    region.extents = job.extents;
    region.aligned = std::max(source.block, destination.block);
    region.same_file = source.on == destination.on && source.inode == destination.inode;
    region.source_size = source.size;
    region.destination_size = destination.size;
    common::Result<Placement> made = Placement::make(region);
    if (!made)
        return made.error();
    placement = *made;
    if (mode == MOVER_PASSTHROUGH && !region.same_file)
        return common::Error{"mode=passthrough copies inside one namespace: no dest_filename"};
    return {};
}

common::Status mover::open_nvme(const mover_job &job, Files &files, std::string &note) {
    // The page cache knows nothing of what goes past the block layer.
    if (!job.direct)
        return common::Error{"mode=passthrough needs direct=1"};
    common::Result<NvmeNamespace> found = NvmeNamespace::identify(job.source, destination.fd.get());
    if (!found)
        return found.error();
    nvme = *found;
    character_device = common::Fd(::open(nvme.character_device.c_str(), O_RDWR | O_CLOEXEC));
    if (!character_device)
        note = fmt::format("no {} ({}): NVME_IOCTL_IO_CMD on {} instead", nvme.character_device,
                           std::strerror(errno), job.source);
    files.nvme = character_device ? character_device.get() : destination.fd.get();
    files.nsid = nvme.nsid;
    return {};
}

// A copy of no sources at all is refused by who knows of copies, and the others have never heard
// of such an ioctl.
common::Status mover::knows_ioctl() const {
    blk_copy_arg argument{};

    if (::ioctl(destination.fd.get(), BLKCOPY, &argument) < 0 && errno == ENOTTY)
        return common::Error{"this kernel has no BLKCOPY; mode=readwrite, copy_file_range and "
                             "passthrough need none"};
    return {};
}

common::Status mover::make_runner(const mover_job &job, const Files &files, std::string &note) {
    RingNeeds needs;
    uint64_t commands = 1;
    std::string why_not;
    bool ring = note.empty() && mode != MOVER_IOCTL && mode != MOVER_COPY_FILE_RANGE;

    if (mode == MOVER_READWRITE || prepare)
        commands = job.extents;
    if (mode == MOVER_PASSTHROUGH) {
        uint64_t blocks = job.block / nvme.limits.block;
        commands += blocks / nvme.limits.copy_blocks + job.extents / nvme.limits.ranges +
                    blocks / nvme.limits.range_blocks / nvme.limits.ranges;
    }
    needs.commands = static_cast<unsigned>(std::min<uint64_t>(commands * job.depth, 1U << 20));
    needs.nvme = mode == MOVER_PASSTHROUGH;
    needs.copy = mode == MOVER_OFFLOAD && job.writes;
    if (ring)
        runner = make_ring_runner(files, needs, why_not);
    if (ring && !runner) {
        note = why_not;
        if (mode == MOVER_OFFLOAD)
            note += ": ioctl(BLKCOPY) instead, one at a time";
        else
            note += ": one at a time";
    }
    if (!runner)
        runner = make_synchronous_runner(files);
    if (mode == MOVER_IOCTL || (mode == MOVER_OFFLOAD && runner->synchronous()))
        return job.writes ? knows_ioctl() : common::Status{};
    return {};
}

common::Status mover::open(const mover_job &job, std::string &note) {
    mode = job.mode;
    prepare = job.writes && (job.prepare || mode == MOVER_FILL);
    if (common::Status status = open_files(job); !status)
        return status;
    Files files{source.fd.get(), destination.fd.get()};
    if (mode == MOVER_PASSTHROUGH)
        if (common::Status status = open_nvme(job, files, note); !status)
            return status;
    if (common::Status status = make_runner(job, files, note); !status)
        return status;
    if (prepare) {
        size_t size = (job.block + kPage - 1) / kPage * kPage;
        zeroes.reset(static_cast<std::byte *>(std::aligned_alloc(kPage, size)));
        if (!zeroes)
            return common::Error{"no memory for a block of zeroes"};
        std::memset(zeroes.get(), 0, size);
    }
    return {};
}

Task &mover::new_task(void *tag) {
    if (idle.empty())
        idle.push_back(&tasks.emplace_back());
    Task &task = *idle.back();
    idle.pop_back();
    task.clear(tag);
    return task;
}

Command &mover::add(Task &task, Command::Kind kind) {
    Command &command = task.commands.emplace_back();

    command.kind = kind;
    return command;
}

// Reads or writes all sources, one after the other in the buffer; how many bytes these are.
uint64_t mover::add_for_sources(Task &task, Command::Kind kind, std::byte *buffer) {
    uint64_t length = 0;

    for (const blk_copy_extent &extent : task.sources) {
        Command &command = add(task, kind);
        command.on_source = true;
        command.offset = extent.offset;
        command.buffer = buffer + length;
        command.left = extent.length;
        length += extent.length;
    }
    return length;
}

void mover::plan_fill(Task &task, uint64_t to, std::byte *buffer) {
    const uint64_t length = add_for_sources(task, Command::Kind::write, buffer);
    Command &wipe = add(task, Command::Kind::write);
    wipe.offset = to;
    wipe.buffer = zeroes.get();
    wipe.left = length;
    task.end_phase();
}

void mover::plan_copy(Task &task, uint64_t to, uint64_t length, std::byte *buffer) {
    std::vector<NvmeCopy> copies;
    uint64_t done = 0;

    switch (mode) {
    case MOVER_OFFLOAD:
    case MOVER_IOCTL: {
        Command &copy = add(task, Command::Kind::copy);
        copy.offset = to;
        copy.left = length;
        copy.sources = task.sources;
        break;
    }
    case MOVER_COPY_FILE_RANGE:
        for (blk_copy_extent &extent : task.sources) {
            Command &copy = add(task, Command::Kind::copy_file_range);
            copy.offset = to + done;
            copy.left = extent.length;
            copy.sources = {&extent, 1};
            done += extent.length;
        }
        break;
    case MOVER_READWRITE: {
        add_for_sources(task, Command::Kind::read, buffer);
        task.end_phase();
        Command &write = add(task, Command::Kind::write);
        write.offset = to;
        write.buffer = buffer;
        write.left = length;
        break;
    }
    case MOVER_PASSTHROUGH:
        plan_nvme_copies(nvme.limits, task.sources, to, task.ranges, copies);
        for (const NvmeCopy &copy : copies)
            add(task, Command::Kind::nvme_copy).nvme = copy;
        break;
    case MOVER_FILL:
        return;
    }
    task.end_phase();
}

int mover::run(Task &task, int *error) {
    for (Command &command : task.commands)
        command.task = &task;
    runner->start(task);
    if (!runner->synchronous())
        return 0;
    *error = task.error;
    if (task.nvme_status)
        nvme_status = task.nvme_status;
    idle.push_back(&task);
    return 1;
}

mover *mover_open(const mover_job *job, char *sentence, size_t size) {
    auto opened = std::make_unique<mover>();
    std::string note;

    common::Status status = opened->open(*job, note);
    std::string said = status ? note : status.error().message;
    std::snprintf(sentence, size, "%s", said.c_str());
    return status ? opened.release() : nullptr;
}

void mover_close(mover *mover) {
    delete mover;
}

bool mover_synchronous(const mover *mover) {
    return mover->runner->synchronous();
}

int mover_copy(mover *mover, void *tag, uint64_t offset, uint64_t length, void *buffer,
               int *error) {
    auto *bytes = static_cast<std::byte *>(buffer);

    *error = EINVAL;
    if (!mover->placement->takes(offset, length))
        return 1;
    Task &task = mover->new_task(tag);
    uint64_t to = mover->placement->destination(offset);
    mover->placement->sources(offset, length, task.sources);
    if (mover->prepare)
        mover->plan_fill(task, to, bytes);
    mover->plan_copy(task, to, length, bytes);
    return mover->run(task, error);
}

int mover_read(mover *mover, void *tag, uint64_t offset, uint64_t length, void *buffer,
               int *error) {
    *error = EINVAL;
    if (!mover->placement->takes(offset, length))
        return 1;
    Task &task = mover->new_task(tag);
    Command &read = mover->add(task, Command::Kind::read);
    read.offset = mover->placement->destination(offset);
    read.buffer = static_cast<std::byte *>(buffer);
    read.left = length;
    task.end_phase();
    return mover->run(task, error);
}

int mover_sync(mover *mover) {
    return ::fdatasync(mover->destination.fd.get()) ? errno : 0;
}

int mover_submit(mover *mover) {
    return mover->runner->submit();
}

int mover_wait(mover *mover, unsigned int least) {
    mover->idle.insert(mover->idle.end(), mover->ended.begin(), mover->ended.end());
    mover->ended.clear();
    int ret = mover->runner->wait(least, mover->ended);
    return ret ? ret : static_cast<int>(mover->ended.size());
}

void *mover_ended(mover *mover, unsigned int i, int *error) {
    const Task &task = *mover->ended[i];

    *error = task.error;
    if (task.nvme_status)
        mover->nvme_status = task.nvme_status;
    return task.tag;
}

const char *mover_explain(mover *mover, int error) {
    if (mover->nvme_status)
        mover->explanation =
            fmt::format("the drive refused a Copy command: status 0x{:x}", mover->nvme_status);
    else if (error == EOPNOTSUPP)
        mover->explanation = "these devices do not copy from one to the other, or not at all (see "
                             "queue/copy_max_bytes in /sys/block); mode=readwrite does";
    else if (error == EXDEV)
        mover->explanation = "copy_file_range(2) does not copy between these two";
    else
        return nullptr;
    return mover->explanation.c_str();
}
