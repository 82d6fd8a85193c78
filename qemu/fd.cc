// SPDX-License-Identifier: GPL-2.0-only
#include "fd.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kit {

Result<SocketPair> make_socket_pair() {
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return errno_error("cannot make a socket pair");
    SocketPair pair{Fd(fds[0]), Fd(fds[1])};
    if (fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) < 0)
        return errno_error("cannot make a socket non-blocking");
    return pair;
}

Result<Fd> open_file(const std::string &path, int flags, unsigned mode) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));

    if (!fd)
        return errno_error("cannot open '" + path + "'");
    return fd;
}

Result<Fd> make_nameless_file() {
    const char *tmpdir = std::getenv("TMPDIR");
    std::string directory = tmpdir && *tmpdir ? tmpdir : "/var/tmp";
    Fd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));

    if (fd)
        return fd;
    // Some file systems have no O_TMPFILE: create and unlink at once.
    std::string name = directory + "/blkcopy-vm-XXXXXX";
    fd = Fd(mkostemp(name.data(), O_CLOEXEC));
    if (!fd)
        return errno_error("cannot create a temporary file in '" + directory +
                           "' (set TMPDIR to a directory with space)");
    ::unlink(name.c_str());
    return fd;
}

Result<Fd> make_memory_file(const std::string &label) {
    Fd fd(memfd_create(label.c_str(), MFD_CLOEXEC));

    if (!fd)
        return errno_error("cannot create a file in memory");
    return fd;
}

Result<std::string> read_file(const std::string &path) {
    Result<Fd> fd = open_file(path, O_RDONLY);
    if (!fd)
        return fd.error();

    std::string contents;
    char buffer[65536];
    for (;;) {
        ssize_t n = ::read(fd->get(), buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("cannot read '" + path + "'");
        if (n == 0)
            return contents;
        contents.append(buffer, static_cast<size_t>(n));
    }
}

Status write_file(const std::string &path, std::string_view contents) {
    Result<Fd> fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd)
        return fd.error();
    Status status = write_all(fd->get(), contents);
    if (!status)
        return Error{"'" + path + "': " + status.error().message};
    return {};
}

bool read_available(int fd, const std::function<void(std::string_view)> &take) {
    char buffer[65536];

    for (;;) {
        ssize_t n = ::read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            return false;
        take({buffer, static_cast<size_t>(n)});
    }
}

Status write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        ssize_t n = ::write(fd, data.data(), data.size());

        if (n < 0 && errno == EAGAIN) {
            pollfd p{fd, POLLOUT, 0};
            ::poll(&p, 1, 1000);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("write failed");
        data.remove_prefix(static_cast<size_t>(n));
    }
    return {};
}

Status pread_all(int fd, std::span<std::byte> buffer, uint64_t offset) {
    while (!buffer.empty()) {
        ssize_t n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("read failed");
        if (n == 0)
            return Error{"read failed: the file ends too early"};
        buffer = buffer.subspan(static_cast<size_t>(n));
        offset += static_cast<uint64_t>(n);
    }
    return {};
}

Status pwrite_all(int fd, std::span<const std::byte> buffer, uint64_t offset) {
    while (!buffer.empty()) {
        ssize_t n = ::pwrite(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno_error("write failed");
        buffer = buffer.subspan(static_cast<size_t>(n));
        offset += static_cast<uint64_t>(n);
    }
    return {};
}

Status make_directories(const std::string &path) {
    std::error_code code;

    std::filesystem::create_directories(path, code);
    if (code)
        return Error{"cannot create directory '" + path + "': " + code.message()};
    return {};
}

} // namespace kit
