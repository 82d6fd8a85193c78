// SPDX-License-Identifier: GPL-2.0-only
#include "demo_image.h"

#include "image.h"
#include "subprocess.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr uint64_t kMiB = 1 << 20;
constexpr size_t kPiece = kMiB;
constexpr size_t kEnoughFiles = 100;
constexpr uint64_t kMostBytes = 512 * kMiB;
constexpr char kEmpty = '\x5a'; // what the drive is filled with

// Names, sizes and times of all files: when they are the same, so is the image.
struct TreeSummary {
    std::string key;
    uint64_t blocks = 0; // of 4096 bytes, for the contents
    uint64_t inodes = 0;
};

Result<TreeSummary> summarise(const std::string &root) {
    std::vector<std::string> lines;
    TreeSummary summary;
    std::error_code error;
    fs::recursive_directory_iterator it(root, error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        struct stat st {};
        if (::lstat(it->path().c_str(), &st) < 0)
            return errno_error("cannot look at '" + it->path().string() + "'");
        const auto size = S_ISREG(st.st_mode) ? static_cast<uint64_t>(st.st_size) : 0;
        lines.push_back(fmt::format("{} {:o} {} {}.{}\n", it->path().string(), st.st_mode, size,
                                    st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
        // Directories and long links take a block, too.
        summary.blocks += S_ISREG(st.st_mode) ? (size + 4095) / 4096 : 1;
        summary.inodes++;
    }
    if (error)
        return Error{"cannot read the tree '" + root + "': " + error.message()};
    std::sort(lines.begin(), lines.end());
    std::string all = "layout 1\n";
    for (const std::string &line : lines)
        all += line;
    summary.key = sha256_hex(all);
    return summary;
}

Status run_tool(const std::vector<std::string> &argv) {
    const Result<CommandOutput> done = run_command(argv, 300s);
    if (!done)
        return done.error();
    if (!done->status.success())
        return Error{fmt::format("{} {}: {}", argv[0], done->status.describe(), done->text)};
    return {};
}

Status make_file_system(const std::string &source, const TreeSummary &tree,
                        const std::string &path) {
    // Contents, inode tables and a tenth for the rest; the journal has 4 MiB.
    const uint64_t inodes = tree.inodes + tree.inodes / 8 + 64;
    const uint64_t wanted = tree.blocks * 4096 + inodes * 256;
    const uint64_t bytes = (wanted + wanted / 10 + 12 * kMiB) / kMiB * kMiB;
    if (bytes > kMostBytes)
        return Error{fmt::format("'{}' has {} MiB of files, too many for a quick copy; name a "
                                 "smaller directory with --source",
                                 source, bytes / kMiB)};
    const std::string unfinished = path + ".new";
    std::error_code ignored;
    fs::remove(unfinished, ignored);
    Status status = run_tool({"mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", "-J", "size=4",
                              "-E", "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0", "-N",
                              std::to_string(inodes), "-d", source, unfinished,
                              fmt::format("{}M", bytes / kMiB)});
    if (!status)
        return status;
    status = run_tool({"e2fsck", "-fn", unfinished});
    if (!status)
        return status;
    if (::rename(unfinished.c_str(), path.c_str()) < 0)
        return errno_error("cannot rename '" + unfinished + "'");
    return {};
}

// Looks at [offset, offset + bytes) of a disk piece by piece.
Status each_piece(int disk, uint64_t offset, uint64_t bytes,
                  const std::function<bool(uint64_t at, std::span<const std::byte>)> &look) {
    std::vector<std::byte> buffer(kPiece);
    for (uint64_t at = 0; at < bytes; at += kPiece) {
        const std::span<std::byte> piece(buffer.data(), std::min<uint64_t>(kPiece, bytes - at));
        Status status = pread_all(disk, piece, offset + at);
        if (!status)
            return status;
        if (!look(at, piece))
            break;
    }
    return {};
}

Status fill(int disk, uint64_t offset, uint64_t bytes) {
    const std::vector<std::byte> pattern(kPiece, std::byte{kEmpty});
    for (uint64_t at = 0; at < bytes; at += kPiece) {
        const std::span<const std::byte> piece(pattern.data(),
                                               std::min<uint64_t>(kPiece, bytes - at));
        Status status = pwrite_all(disk, piece, offset + at);
        if (!status)
            return status;
    }
    return {};
}

// Whether a range of the disk equals the file system's image.
Result<bool> equals_image(int disk, uint64_t offset, int image, uint64_t bytes) {
    bool equal = true;
    std::vector<std::byte> want(kPiece);
    Status inner;
    Status status =
        each_piece(disk, offset, bytes, [&](uint64_t at, std::span<const std::byte> piece) {
            inner = pread_all(image, std::span(want).first(piece.size()), at);
            equal = inner && std::memcmp(piece.data(), want.data(), piece.size()) == 0;
            return equal;
        });
    if (!status)
        return status.error();
    if (!inner)
        return inner.error();
    return equal;
}

Result<bool> is_empty(int disk, uint64_t offset, uint64_t bytes) {
    bool empty = true;
    Status status =
        each_piece(disk, offset, bytes, [&](uint64_t, std::span<const std::byte> piece) {
            empty = std::all_of(piece.begin(), piece.end(),
                                [](std::byte b) { return b == std::byte{kEmpty}; });
            return empty;
        });
    if (!status)
        return status.error();
    return empty;
}

} // namespace

Result<std::string> choose_source(const std::vector<std::string> &candidates) {
    for (const std::string &candidate : candidates) {
        std::error_code error;
        fs::recursive_directory_iterator it(candidate, error);
        size_t files = 0;
        for (; !error && it != fs::recursive_directory_iterator() && files < kEnoughFiles;
             it.increment(error))
            files += it->is_regular_file();
        if (files >= kEnoughFiles)
            return candidate;
    }
    return Error{
        fmt::format("no directory with {} files is at hand; name one with --source", kEnoughFiles)};
}

Result<DemoFileSystem> make_demo_file_system(const std::string &source,
                                             const std::string &directory,
                                             const std::function<void(const std::string &)> &say) {
    Status status = make_directories(directory);
    if (!status)
        return status.error();
    const Result<TreeSummary> tree = summarise(source);
    if (!tree)
        return tree.error();
    DemoFileSystem result;
    result.path = directory + "/fs.ext4";
    result.origin = source;
    const std::string manifest_path = directory + "/manifest.txt";
    const std::string key_path = directory + "/made-of";
    std::error_code error;
    const Result<std::string> key = read_file(key_path);
    if (key && *key == tree->key) {
        const Result<std::string> text = read_file(manifest_path);
        Result<Manifest> manifest = text ? Manifest::from_text(*text) : text.error();
        result.bytes = fs::file_size(result.path, error);
        if (manifest && !error && result.bytes > 0) {
            result.manifest = std::move(*manifest);
            result.cached = true;
            return result;
        }
    }
    say("making a file system of " + source);
    fs::remove(key_path, error);
    status = make_file_system(source, *tree, result.path);
    if (!status)
        return status.error();
    Result<Manifest> manifest = Manifest::of_tree(source);
    if (!manifest)
        return manifest.error();
    result.manifest = std::move(*manifest);
    result.bytes = fs::file_size(result.path, error);
    status = write_file(manifest_path, result.manifest.to_text());
    // Last: the key says that all the rest is there.
    if (status)
        status = write_file(key_path, tree->key);
    if (!status)
        return status.error();
    return result;
}

DemoLayout::DemoLayout(uint64_t file_system_bytes) {
    // A gap before each partition, so that there is something around it to look at.
    constexpr uint64_t gap = 2 * kMiB / 512;
    const uint64_t sectors = file_system_bytes / 512;
    for (uint64_t i = 0; i < 3; i++)
        partitions_.push_back({gap + i * (sectors + gap), sectors});
}

uint64_t DemoLayout::bytes() const {
    return partitions_[0].sectors * 512;
}

uint64_t DemoLayout::disk_bytes() const {
    return offset(2) + bytes() + 2 * kMiB;
}

Result<Fd> make_demo_disk(const DemoFileSystem &file_system, const DemoLayout &layout) {
    const Result<Fd> image = open_file(file_system.path, O_RDONLY);
    if (!image)
        return image.error();
    const Result<std::string> table = make_partition_table(layout.partitions());
    if (!table)
        return table.error();
    Result<Fd> disk = make_nameless_file();
    if (!disk)
        return disk.error();
    const uint64_t source = layout.offset(DemoLayout::kSource);
    const uint64_t behind = source + layout.bytes();
    Status status = fill(disk->get(), 0, source);
    if (status)
        status = pwrite_all(disk->get(), std::as_bytes(std::span(*table)), 0);
    if (status)
        status = fill(disk->get(), behind, layout.disk_bytes() - behind);
    Status inner;
    if (status)
        status = each_piece(image->get(), 0, layout.bytes(),
                            [&](uint64_t at, std::span<const std::byte> piece) {
                                inner = pwrite_all(disk->get(), piece, source + at);
                                return static_cast<bool>(inner);
                            });
    if (!status)
        return status.error();
    if (!inner)
        return inner.error();
    return disk;
}

Result<DiskVerdict> examine_demo_disk(int disk, const DemoFileSystem &file_system,
                                      const DemoLayout &layout) {
    const Result<Fd> image = open_file(file_system.path, O_RDONLY);
    if (!image)
        return image.error();
    DiskVerdict verdict;
    bool *const equal[] = {&verdict.source, &verdict.copies[0], &verdict.copies[1]};
    for (size_t i = 0; i < std::size(equal); i++) {
        const Result<bool> result =
            equals_image(disk, layout.offset(i), image->get(), layout.bytes());
        if (!result)
            return result.error();
        *equal[i] = *result;
    }
    const Result<std::string> table = make_partition_table(layout.partitions());
    std::vector<std::byte> sector(512);
    Status status = pread_all(disk, sector, 0);
    if (!table || !status)
        return table ? status.error() : table.error();
    verdict.surroundings = std::memcmp(sector.data(), table->data(), sector.size()) == 0;
    uint64_t at = sector.size();
    for (size_t i = 0; i <= layout.partitions().size(); i++) {
        const bool last = i == layout.partitions().size();
        const uint64_t end = last ? layout.disk_bytes() : layout.offset(i);
        const Result<bool> empty = is_empty(disk, at, end - at);
        if (!empty)
            return empty.error();
        verdict.surroundings = verdict.surroundings && *empty;
        if (!last)
            at = end + layout.bytes();
    }
    return verdict;
}

Result<uint64_t> find_file_block(const DemoFileSystem &file_system, const std::string &source) {
    constexpr size_t block = 4096;
    // The largest file certainly has a full block of its own.
    const auto largest = std::max_element(
        file_system.manifest.files().begin(), file_system.manifest.files().end(),
        [](const auto &a, const auto &b) { return a.second.size < b.second.size; });
    const Result<std::string> contents = read_file(source + "/" + largest->first);
    const Result<Fd> image = open_file(file_system.path, O_RDONLY);
    if (!contents || !image)
        return !contents ? contents.error() : image.error();
    if (contents->size() < block)
        return Error{"no file of '" + source + "' fills a block"};
    std::optional<uint64_t> found;
    Status status = each_piece(
        image->get(), 0, file_system.bytes, [&](uint64_t at, std::span<const std::byte> piece) {
            for (size_t i = 0; i + block <= piece.size(); i += block)
                if (std::memcmp(piece.data() + i, contents->data(), block) == 0)
                    found = at + i;
            return true;
        });
    if (!status)
        return status.error();
    if (!found)
        return Error{"the largest file was not found in the image"};
    return *found;
}

} // namespace kit
