// SPDX-License-Identifier: GPL-2.0-only
#include "demo_manifest.h"

#include "fd.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kit {
namespace {

namespace fs = std::filesystem;

class Tree : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/manifest.XXXXXX";
        ASSERT_TRUE(::mkdtemp(name));
        root_ = name;
        put("a", "abc");
        put("dir/b", "");
        put("dir/with blank", std::string(300000, 'x'));
        put("lost+found/left out", "1");
        fs::create_symlink("../nowhere", root_ + "/dir/link");
    }
    void TearDown() override { fs::remove_all(root_); }

    void put(const std::string &path, const std::string &text) const {
        fs::create_directories(fs::path(root_ + "/" + path).parent_path());
        ASSERT_TRUE(static_cast<bool>(write_file(root_ + "/" + path, text)));
    }
    Manifest manifest() const {
        Result<Manifest> made = Manifest::of_tree(root_);
        EXPECT_TRUE(static_cast<bool>(made));
        return made ? *made : Manifest();
    }

    std::string root_;
};

TEST_F(Tree, HasEveryFileAndLink) {
    const Manifest made = manifest();
    ASSERT_EQ(made.files().size(), 4u);
    EXPECT_EQ(made.bytes(), 300003u + 10);
    // From the standard's own example (FIPS 180-2, B.1).
    EXPECT_EQ(made.files().at("a").sha256,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(made.files().at("dir/link").sha256, sha256_hex("../nowhere"));
    EXPECT_EQ(made.files().at("dir/with blank").size, 300000u);
}

TEST_F(Tree, TextCanBeReadBack) {
    const Manifest made = manifest();
    const Result<Manifest> read = Manifest::from_text(made.to_text());
    ASSERT_TRUE(static_cast<bool>(read));
    EXPECT_EQ(read->files(), made.files());
    EXPECT_EQ(made.matching(*read), 4u);
    EXPECT_EQ(made.first_difference(*read), "");
}

TEST_F(Tree, NoticesOneWrongByte) {
    const Manifest before = manifest();
    std::string text(300000, 'x');
    text[299999] = 'y';
    put("dir/with blank", text);
    const Manifest after = manifest();
    EXPECT_EQ(before.matching(after), 3u);
    EXPECT_EQ(before.first_difference(after), "dir/with blank");
}

TEST_F(Tree, NoticesMissingAndAddedFiles) {
    const Manifest before = manifest();
    fs::remove(root_ + "/a");
    EXPECT_EQ(before.first_difference(manifest()), "a");
    EXPECT_EQ(manifest().first_difference(before), "a");
    put("a", "abc");
    fs::remove(root_ + "/dir/link");
    fs::create_symlink("elsewhere", root_ + "/dir/link");
    EXPECT_EQ(before.first_difference(manifest()), "dir/link");
}

TEST_F(Tree, RefusesWhatTheFormatCannotHold) {
    put("line\nbreak", "");
    EXPECT_FALSE(static_cast<bool>(Manifest::of_tree(root_)));
    EXPECT_FALSE(static_cast<bool>(Manifest::of_tree(root_ + "/nothing")));
}

TEST(Manifest, RefusesBrokenText) {
    const std::string sum(64, '0');
    EXPECT_TRUE(static_cast<bool>(Manifest::from_text(sum + " 12 a b\n")));
    EXPECT_TRUE(static_cast<bool>(Manifest::from_text("")));
    for (const std::string &text : {sum + " 12 a", sum + " x a\n", sum + " 12\n", sum + "\n",
                                    std::string("\n"), sum.substr(1) + " 12 a\n"})
        EXPECT_FALSE(static_cast<bool>(Manifest::from_text(text))) << text;
}

} // namespace
} // namespace kit
