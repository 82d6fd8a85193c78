// SPDX-License-Identifier: GPL-2.0-only
#include "demo_image.h"

#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <span>
#include <unistd.h>

namespace kit {
namespace {

namespace fs = std::filesystem;

class DemoImage : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/demo.XXXXXX";
        ASSERT_TRUE(::mkdtemp(name));
        root_ = name;
        fs::create_directories(root_ + "/tree/sub");
        for (int i = 0; i < 120; i++)
            put("sub/" + std::to_string(i), std::string(static_cast<size_t>(i) * 100, 'a'));
        put("large", std::string(100000, 'L'));
    }
    void TearDown() override { fs::remove_all(root_); }

    void put(const std::string &name, const std::string &text) const {
        ASSERT_TRUE(static_cast<bool>(write_file(root_ + "/tree/" + name, text)));
    }

    DemoFileSystem make() {
        Result<DemoFileSystem> made =
            make_demo_file_system(root_ + "/tree", root_ + "/cache", [](const std::string &) {});
        EXPECT_TRUE(static_cast<bool>(made)) << (made ? "" : made.error().message);
        return made ? *made : DemoFileSystem();
    }

    // A drive on which both copies have been made.
    Fd finished_disk(const DemoFileSystem &fs, const DemoLayout &layout) {
        Result<Fd> disk = make_demo_disk(fs, layout);
        EXPECT_TRUE(static_cast<bool>(disk));
        std::vector<std::byte> data(layout.bytes());
        EXPECT_TRUE(static_cast<bool>(pread_all(disk->get(), data, layout.offset(0))));
        for (size_t i = 1; i < 3; i++)
            EXPECT_TRUE(static_cast<bool>(pwrite_all(disk->get(), data, layout.offset(i))));
        return std::move(*disk);
    }

    static void flip(const Fd &disk, uint64_t offset) {
        std::byte byte{};
        ASSERT_TRUE(static_cast<bool>(pread_all(disk.get(), std::span(&byte, 1), offset)));
        byte ^= std::byte{1};
        ASSERT_TRUE(static_cast<bool>(
            pwrite_all(disk.get(), std::span<const std::byte>(&byte, 1), offset)));
    }

    std::string root_;
};

TEST_F(DemoImage, IsMadeOnceAndAgainWhenAFileChanges) {
    const DemoFileSystem first = make();
    EXPECT_FALSE(first.cached);
    EXPECT_EQ(first.manifest.files().size(), 121u);
    EXPECT_GT(first.bytes, first.manifest.bytes());
    const DemoFileSystem second = make();
    EXPECT_TRUE(second.cached);
    EXPECT_EQ(second.manifest.files(), first.manifest.files());
    EXPECT_EQ(second.bytes, first.bytes);
    put("one more", "1");
    const DemoFileSystem third = make();
    EXPECT_FALSE(third.cached);
    EXPECT_EQ(third.manifest.files().size(), 122u);
}

TEST_F(DemoImage, AnInterruptedMakingIsNotTaken) {
    make();
    fs::remove(root_ + "/cache/manifest.txt");
    EXPECT_FALSE(make().cached);
    fs::remove(root_ + "/cache/fs.ext4");
    EXPECT_FALSE(make().cached);
    EXPECT_TRUE(make().cached);
}

TEST_F(DemoImage, ThePartitionsDoNotTouch) {
    const DemoLayout layout(10 << 20);
    ASSERT_EQ(layout.partitions().size(), 3u);
    EXPECT_EQ(layout.bytes(), 10u << 20);
    for (size_t i = 0; i < 3; i++) {
        const uint64_t end = layout.offset(i) + layout.bytes();
        EXPECT_LT(end, i == 2 ? layout.disk_bytes() : layout.offset(i + 1));
        EXPECT_EQ(layout.offset(i) % 4096, 0u);
    }
}

TEST_F(DemoImage, AFreshDriveHoldsNoCopy) {
    const DemoFileSystem fs = make();
    const DemoLayout layout(fs.bytes);
    const Result<Fd> disk = make_demo_disk(fs, layout);
    ASSERT_TRUE(static_cast<bool>(disk));
    const Result<DiskVerdict> verdict = examine_demo_disk(disk->get(), fs, layout);
    ASSERT_TRUE(static_cast<bool>(verdict));
    EXPECT_TRUE(verdict->source && verdict->surroundings);
    EXPECT_FALSE(verdict->copies[0] || verdict->copies[1]);
}

TEST_F(DemoImage, EveryWrongBitIsNoticedWhereItIs) {
    const DemoFileSystem fs = make();
    const DemoLayout layout(fs.bytes);
    const Fd disk = finished_disk(fs, layout);
    const auto examine = [&] {
        const Result<DiskVerdict> verdict = examine_demo_disk(disk.get(), fs, layout);
        EXPECT_TRUE(static_cast<bool>(verdict));
        return std::string(verdict->source ? "s" : "-") + (verdict->copies[0] ? "a" : "-") +
               (verdict->copies[1] ? "b" : "-") + (verdict->surroundings ? "o" : "-");
    };
    EXPECT_EQ(examine(), "sabo");
    const std::pair<uint64_t, const char *> places[] = {
        {0, "sab-"},
        {450, "sab-"},
        {layout.offset(0) - 1, "sab-"},
        {layout.offset(0), "-abo"},
        {layout.offset(0) + layout.bytes() - 1, "-abo"},
        {layout.offset(0) + layout.bytes(), "sab-"},
        {layout.offset(1) - 1, "sab-"},
        {layout.offset(1), "s-bo"},
        {layout.offset(1) + layout.bytes() - 1, "s-bo"},
        {layout.offset(2), "sa-o"},
        {layout.offset(2) + layout.bytes() / 2, "sa-o"},
        {layout.offset(2) + layout.bytes(), "sab-"},
        {layout.disk_bytes() - 1, "sab-"},
    };
    for (const auto &[offset, want] : places) {
        flip(disk, offset);
        EXPECT_EQ(examine(), want) << offset;
        flip(disk, offset);
    }
    EXPECT_EQ(examine(), "sabo");
}

TEST_F(DemoImage, FindsABlockOfAFile) {
    const DemoFileSystem fs = make();
    const Result<uint64_t> place = find_file_block(fs, root_ + "/tree");
    ASSERT_TRUE(static_cast<bool>(place));
    const Result<Fd> image = open_file(fs.path, O_RDONLY);
    ASSERT_TRUE(static_cast<bool>(image));
    std::vector<std::byte> block(4096);
    ASSERT_TRUE(static_cast<bool>(pread_all(image->get(), block, *place)));
    EXPECT_EQ(block, std::vector<std::byte>(4096, std::byte{'L'}));
}

TEST_F(DemoImage, ChoosesTheFirstDirectoryWithEnoughFiles) {
    const Result<std::string> chosen =
        choose_source({root_ + "/nothing", root_ + "/cache", root_ + "/tree", "/"});
    ASSERT_TRUE(static_cast<bool>(chosen));
    EXPECT_EQ(*chosen, root_ + "/tree");
    EXPECT_FALSE(static_cast<bool>(choose_source({root_ + "/nothing"})));
}

} // namespace
} // namespace kit
