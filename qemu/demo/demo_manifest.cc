// SPDX-License-Identifier: GPL-2.0-only
#include "demo_manifest.h"

#include "fd.h"

#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <nettle/sha2.h>
#include <unistd.h>
#include <vector>

namespace kit {

namespace {

namespace fs = std::filesystem;

class Sha256 {
public:
    Sha256() { sha256_init(&context_); }
    void add(std::string_view data) {
        sha256_update(&context_, data.size(), reinterpret_cast<const uint8_t *>(data.data()));
    }
    std::string hex() {
        uint8_t digest[SHA256_DIGEST_SIZE];
        sha256_digest(&context_, sizeof(digest), digest);
        std::string text;
        for (const uint8_t byte : digest)
            text += fmt::format("{:02x}", byte);
        return text;
    }

private:
    sha256_ctx context_{};
};

Result<FileDigest> digest_file(const std::string &path) {
    const Result<Fd> file = open_file(path, O_RDONLY | O_NOFOLLOW);
    if (!file)
        return file.error();
    FileDigest digest;
    Sha256 sum;
    std::vector<char> buffer(256 << 10);
    for (;;) {
        const ssize_t n = ::read(file->get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("cannot read '" + path + "'");
        if (n == 0)
            break;
        sum.add({buffer.data(), static_cast<size_t>(n)});
        digest.size += static_cast<uint64_t>(n);
    }
    digest.sha256 = sum.hex();
    return digest;
}

} // namespace

std::string sha256_hex(std::string_view data) {
    Sha256 sum;
    sum.add(data);
    return sum.hex();
}

Result<Manifest> Manifest::of_tree(const std::string &root) {
    Manifest manifest;
    std::error_code error;
    fs::recursive_directory_iterator it(root, error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        const std::string path = it->path().lexically_relative(root).string();
        if (path == "lost+found") {
            it.disable_recursion_pending();
            continue;
        }
        if (path.find('\n') != std::string::npos)
            return Error{"a file name in '" + root + "' has a line break"};
        if (it->is_symlink()) {
            const std::string target = fs::read_symlink(it->path(), error).string();
            manifest.files_[path] = {target.size(), sha256_hex(target)};
        } else if (it->is_regular_file()) {
            Result<FileDigest> digest = digest_file(it->path().string());
            if (!digest)
                return digest.error();
            manifest.files_[path] = std::move(*digest);
        }
        if (error)
            break;
    }
    if (error)
        return Error{"cannot read the tree '" + root + "': " + error.message()};
    return manifest;
}

std::string Manifest::to_text() const {
    std::string text;
    for (const auto &[path, digest] : files_)
        text += fmt::format("{} {} {}\n", digest.sha256, digest.size, path);
    return text;
}

Result<Manifest> Manifest::from_text(std::string_view text) {
    constexpr size_t kHex = 2 * SHA256_DIGEST_SIZE;
    Manifest manifest;
    while (!text.empty()) {
        const size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        const size_t blank = line.find(' ', kHex + 1);
        FileDigest digest;
        // A line that is cut off means that the list is.
        if (end == std::string_view::npos || blank == std::string_view::npos || line[kHex] != ' ')
            return Error{fmt::format("\"{}\" is no line of a manifest", line)};
        digest.sha256 = line.substr(0, kHex);
        const auto [rest, code] =
            std::from_chars(line.data() + kHex + 1, line.data() + blank, digest.size);
        if (code != std::errc{} || rest != line.data() + blank)
            return Error{fmt::format("\"{}\" is no line of a manifest", line)};
        manifest.files_[std::string(line.substr(blank + 1))] = std::move(digest);
        text.remove_prefix(end + 1);
    }
    return manifest;
}

uint64_t Manifest::bytes() const {
    uint64_t sum = 0;
    for (const auto &[path, digest] : files_)
        sum += digest.size;
    return sum;
}

size_t Manifest::matching(const Manifest &other) const {
    size_t count = 0;
    for (const auto &[path, digest] : files_) {
        const auto found = other.files_.find(path);
        count += found != other.files_.end() && found->second == digest;
    }
    return count;
}

std::string Manifest::first_difference(const Manifest &other) const {
    for (const auto &[path, digest] : files_) {
        const auto found = other.files_.find(path);
        if (found == other.files_.end() || found->second != digest)
            return path;
    }
    for (const auto &[path, digest] : other.files_)
        if (!files_.contains(path))
            return path;
    return "";
}

} // namespace kit
