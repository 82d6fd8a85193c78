// SPDX-License-Identifier: GPL-2.0-only
// What touches the host: processes, ELF files, archives, frames, QEMU's texts.
#include "cpio.h"
#include "elf_closure.h"
#include "exec_command.h"
#include "fd.h"
#include "guest/protocol.h"
#include "initramfs.h"
#include "probe_firmware.h"
#include "qemu_binary.h"
#include "subprocess.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>

namespace kit {
namespace {

using namespace std::chrono_literals;

TEST(Cpio, HasParentsAndATrailer) {
    CpioWriter cpio;
    cpio.add_file("/a/b/file", "hello", 0755);
    cpio.add_file("/a/b/file", "again", 0755);
    cpio.add_symlink("/a/link", "b/file");
    cpio.add_char_device("/dev/console", 5, 1);
    std::string archive = cpio.finish();

    EXPECT_EQ(archive.compare(0, 6, "070701"), 0);
    EXPECT_EQ(archive.size() % 4, 0U);
    EXPECT_NE(archive.find(std::string("a/b/file\0", 9)), std::string::npos);
    EXPECT_NE(archive.find("hello"), std::string::npos);
    EXPECT_EQ(archive.find("again"), std::string::npos);
    EXPECT_LT(archive.find(std::string("a\0", 2)), archive.find("a/b"));
    EXPECT_NE(archive.find("TRAILER!!!"), std::string::npos);
    // The mode field: a regular file with 0755.
    EXPECT_NE(archive.find("000081ED"), std::string::npos);
}

// What the kernel reads from the header of an entry (Documentation, initramfs buffer format).
struct CpioEntry {
    uint64_t mode = 0;
    uint64_t major = 0;
    uint64_t minor = 0;
    std::string data;
};

// Empty when the archive makes no sense: each entry begins where the one before ends, rounded up.
std::map<std::string, CpioEntry> read_cpio(const std::string &archive) {
    std::map<std::string, CpioEntry> entries;
    const auto field = [&](size_t at, size_t number) {
        return std::stoull(archive.substr(at + 6 + 8 * number, 8), nullptr, 16);
    };
    for (size_t at = 0; at + 110 <= archive.size() && archive.compare(at, 6, "070701") == 0;) {
        std::string name = archive.substr(at + 110, field(at, 11) - 1);
        size_t data = (at + 110 + field(at, 11) + 3) / 4 * 4;
        size_t size = field(at, 6);
        if (name == "TRAILER!!!")
            return entries;
        entries[name] = {field(at, 1), field(at, 9), field(at, 10), archive.substr(data, size)};
        at = (data + size + 3) / 4 * 4;
    }
    return {};
}

TEST(Cpio, EntriesCanBeReadOneAfterTheOther) {
    CpioWriter cpio;
    cpio.add_char_device("/dev/console", 5, 1, 0600);
    for (size_t size = 0; size < 9; size++)
        cpio.add_file("/f" + std::string(size, 'x'), std::string(size, 'y'), 0644);
    cpio.add_symlink("/link", "target");
    std::map<std::string, CpioEntry> entries = read_cpio(cpio.finish());
    ASSERT_EQ(entries.size(), 12U);
    EXPECT_EQ(entries["dev"].mode, 0040755U);
    EXPECT_EQ(entries["dev/console"].mode, 0020600U);
    EXPECT_EQ(entries["dev/console"].major, 5U);
    EXPECT_EQ(entries["dev/console"].minor, 1U);
    EXPECT_EQ(entries["link"].data, "target");
    for (size_t size = 0; size < 9; size++)
        EXPECT_EQ(entries["f" + std::string(size, 'x')].data, std::string(size, 'y'));
}

TEST(Initramfs, HasAProgramWithItsLibrariesAsTheyAreHere) {
    Result<Initramfs> initramfs = Initramfs::with_init("/bin/sh");
    ASSERT_TRUE(static_cast<bool>(initramfs));
    ASSERT_TRUE(static_cast<bool>(initramfs->add_program("/bin/sleep", "/opt/sleep")));
    EXPECT_FALSE(static_cast<bool>(initramfs->add_host_file("/nonexistent", "/nonexistent")));
    Result<Fd> file = initramfs->finish();
    ASSERT_TRUE(static_cast<bool>(file));
    std::map<std::string, CpioEntry> entries =
        read_cpio(*read_file("/proc/self/fd/" + std::to_string(file->get())));
    EXPECT_EQ(entries["init"].mode, 0100755U);
    EXPECT_EQ(entries["opt/sleep"].data, *read_file("/bin/sleep"));
    EXPECT_EQ(entries["opt/sleep"].mode, 0100755U);
    ElfClosure closure = *resolve_elf("/bin/sleep");
    ASSERT_FALSE(closure.files.empty());
    for (const std::string &library : closure.files)
        EXPECT_EQ(entries[library.substr(1)].data, *read_file(library)) << library;
    EXPECT_EQ(initramfs->library_paths(), closure.lib_paths);
}

TEST(Cpio, NormalisesPaths) {
    EXPECT_EQ(normalise_path("/a//b/./c/../d"), "/a/b/d");
    EXPECT_EQ(normalise_path("a/b/"), "/a/b");
    EXPECT_EQ(normalise_path("/"), "/");
}

TEST(Elf, FindsAProgramsLibraries) {
    Result<ElfClosure> closure =
        resolve_elf(std::filesystem::read_symlink("/proc/self/exe").string());
    ASSERT_TRUE(static_cast<bool>(closure)) << closure.error().message;
    bool libc = std::any_of(closure->files.begin(), closure->files.end(), [](const auto &f) {
        return f.find("/libc.so.6") != std::string::npos;
    });
    bool loader = std::any_of(closure->files.begin(), closure->files.end(),
                              [](const auto &f) { return f.find("/ld-") != std::string::npos; });
    EXPECT_TRUE(libc);
    EXPECT_TRUE(loader);
    EXPECT_FALSE(closure->lib_paths.empty());
    EXPECT_FALSE(static_cast<bool>(resolve_elf("/nonexistent/program")));
    EXPECT_FALSE(static_cast<bool>(resolve_elf("no-such-program-anywhere")));
}

TEST(Elf, RefusesWhatItCannotRun) {
    EXPECT_FALSE(static_cast<bool>(elf_interpreter("#!/bin/sh\n")));
    EXPECT_FALSE(static_cast<bool>(elf_interpreter("")));
    std::string cut = *read_file("/proc/self/exe");
    EXPECT_TRUE(static_cast<bool>(elf_interpreter(cut)));
    EXPECT_FALSE(static_cast<bool>(elf_interpreter(cut.substr(0, 70))));
    cut[4] = 1; // ELFCLASS32
    EXPECT_FALSE(static_cast<bool>(elf_interpreter(cut)));
}

TEST(Elf, ReadsTheLoadersList) {
    Result<std::vector<std::string>> files =
        parse_loader_list("\tlinux-vdso.so.1 (0x00007ffd)\n"
                          "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n"
                          "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n");
    ASSERT_TRUE(static_cast<bool>(files));
    EXPECT_EQ(*files, (std::vector<std::string>{"/lib/x86_64-linux-gnu/libc.so.6",
                                                "/lib64/ld-linux-x86-64.so.2"}));
    EXPECT_FALSE(static_cast<bool>(parse_loader_list("\tlibx.so => not found\n")));
}

TEST(Protocol, FramesSurviveAnyCut) {
    std::string stream = encode_frame("out", 7, std::string("a\nb\0c", 5)) +
                         encode_frame("exit", 7, encode_fields({{"code", "3"}, {"x", "a=b"}}));
    FrameReader reader;
    std::vector<Frame> frames;
    for (char c : stream) {
        reader.feed(std::string_view(&c, 1));
        while (std::optional<Frame> f = reader.next())
            frames.push_back(*f);
    }
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].payload, std::string("a\nb\0c", 5));
    Fields fields = decode_fields(frames[1].payload);
    EXPECT_EQ(number_or(fields, "code"), 3);
    EXPECT_EQ(field_or(fields, "x"), "a=b");
    EXPECT_EQ(number_or(fields, "missing", -1), -1);
    reader.feed("nonsense\n");
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.broken());
}

TEST(Subprocess, ReportsHowItEnded) {
    Result<CommandOutput> out = run_command({"sh", "-c", "echo hi; exit 3"}, 10s);
    ASSERT_TRUE(static_cast<bool>(out));
    EXPECT_EQ(out->text, "hi\n");
    EXPECT_EQ(out->status.code, 3);
    EXPECT_EQ(out->status.describe(), "exited with code 3");
    out = run_command({"sh", "-c", "kill -SEGV $$"}, 10s);
    EXPECT_EQ(out->status.signal, SIGSEGV);
    EXPECT_FALSE(static_cast<bool>(run_command({"/nonexistent/program"}, 10s)));
}

TEST(Subprocess, ItsTimeIsLimited) {
    Result<CommandOutput> out = run_command({"sleep", "60"}, 100ms);
    ASSERT_TRUE(static_cast<bool>(out));
    EXPECT_TRUE(out->timed_out);
}

TEST(Subprocess, DiesWithItsOwner) {
    pid_t pid = -1;
    {
        Subprocess::Options options;
        options.argv = {"sleep", "60"};
        Result<Subprocess> child = Subprocess::start(options);
        ASSERT_TRUE(static_cast<bool>(child));
        pid = child->pid();
        EXPECT_EQ(kill(pid, 0), 0);
        EXPECT_FALSE(child->wait(1ms));
    }
    EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Subprocess, DiesWithUsEvenByKill9) {
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    pid_t middle = fork();
    ASSERT_GE(middle, 0);
    if (middle == 0) {
        Subprocess::Options options;
        options.argv = {"sleep", "60"};
        Result<Subprocess> child = Subprocess::start(options);
        pid_t pid = child ? child->pid() : -1;
        ssize_t ignored = write(fds[1], &pid, sizeof(pid));
        (void)ignored;
        pause();
        _exit(0);
    }
    pid_t pid = -1;
    ASSERT_EQ(read(fds[0], &pid, sizeof(pid)), static_cast<ssize_t>(sizeof(pid)));
    ASSERT_GT(pid, 0);
    kill(middle, SIGKILL);
    // Its new parent may take a moment to reap it; dead is what counts.
    std::string state = "R";
    for (int i = 0; i < 200 && state != "" && state != "Z"; i++) {
        usleep(10000);
        Result<std::string> stat = read_file("/proc/" + std::to_string(pid) + "/stat");
        state = stat ? stat->substr(stat->rfind(')') + 2, 1) : "";
    }
    EXPECT_TRUE(state == "" || state == "Z") << state;
    close(fds[0]);
    close(fds[1]);
}

TEST(Qemu, ReadsItsTexts) {
    EXPECT_EQ(parse_qemu_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)"), "7.2.22");
    EXPECT_EQ(parse_qemu_version("something else"), "");
    EXPECT_TRUE(version_less("7.2.22", "10.0.2"));
    EXPECT_FALSE(version_less("10.0.2", "7.2.22"));
    EXPECT_FALSE(version_less("7.2", "7.2"));
    EXPECT_TRUE(version_less("7.2", "7.2.1"));
    std::set<std::string> names = parse_device_help("nvme-ns options:\n"
                                                    "  mssrl=<uint16>  -  (default: 128)\n"
                                                    "  zoned.zone_size=<size>\n"
                                                    "junk\n");
    EXPECT_EQ(names, (std::set<std::string>{"mssrl", "zoned.zone_size"}));
}

TEST(Qemu, ProbeFirmwareStartsAtTheResetVector) {
    std::string rom = probe_firmware(42);
    EXPECT_EQ(rom.size(), 65536U);
    EXPECT_EQ(rom.substr(0xfff0, 3), "\xe9\x0d\xff");
    EXPECT_EQ(rom[0xff00], '\xfa');
    EXPECT_EQ(rom.substr(0xff00 + 76, 3), "\xb0\x2a\xee"); // mov $42, %al; out
}

TEST(Exec, SplitsFileOptions) {
    EXPECT_EQ(split_file_option("/a/b:/c"), (std::pair<std::string, std::string>("/a/b", "/c")));
    EXPECT_EQ(split_file_option("/a/b"), (std::pair<std::string, std::string>("/a/b", "/a/b")));
}

TEST(Files, RoundTrip) {
    Result<Fd> file = make_nameless_file();
    ASSERT_TRUE(static_cast<bool>(file));
    std::string text = "0123456789";
    ASSERT_TRUE(static_cast<bool>(pwrite_all(file->get(), std::as_bytes(std::span(text)), 100)));
    std::string back(5, '\0');
    ASSERT_TRUE(
        static_cast<bool>(pread_all(file->get(), std::as_writable_bytes(std::span(back)), 102)));
    EXPECT_EQ(back, "23456");
    EXPECT_FALSE(
        static_cast<bool>(pread_all(file->get(), std::as_writable_bytes(std::span(back)), 108)));
    EXPECT_FALSE(static_cast<bool>(read_file("/nonexistent")));
}

} // namespace
} // namespace kit
