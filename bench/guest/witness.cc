// SPDX-License-Identifier: GPL-2.0-only
#include "witness.h"

#include <fcntl.h>
#include <unistd.h>

namespace bench {

kit::Result<WitnessPort> WitnessPort::open() {
    const char *path = "/dev/virtio-ports/org.blkcopy.witness";
    int fd = ::open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return kit::errno_error("cannot ask the host what the drive sees: " + std::string(path));
    return WitnessPort(kit::Fd(fd));
}

kit::Result<std::string> WitnessPort::ask(const std::string &question) {
    if (::write(fd_.get(), question.data(), question.size()) !=
        static_cast<ssize_t>(question.size()))
        return kit::errno_error("the host takes no question");
    std::string answer;
    while (answer.empty() || answer.back() != '\n') {
        char buffer[1024];
        ssize_t n = ::read(fd_.get(), buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return kit::errno_error("the host does not answer");
        answer.append(buffer, static_cast<size_t>(n));
    }
    answer.pop_back();
    if (answer.find("\"error\"") != std::string::npos)
        return kit::Error{"the host cannot tell what the drive sees: " + answer};
    return answer;
}

kit::Status WitnessPort::mark() {
    kit::Result<std::string> answer = ask("mark\n");

    if (!answer)
        return answer.error();
    if (*answer != "ok")
        return kit::Error{"the host answered a mark with '" + *answer + "'"};
    return {};
}

kit::Result<std::string> WitnessPort::count() {
    return ask("count\n");
}

} // namespace bench
