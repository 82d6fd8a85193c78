// SPDX-License-Identifier: GPL-2.0-only
// The guest's way to find drives, in a folder that looks like its /sys and /dev.
#include "guest/drives.h"

#include "fd.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace kit {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class DrivesTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/blkcopy-drives-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }

    void put(const std::string &path, const std::string &text) {
        fs::create_directories(fs::path(root_ + path).parent_path());
        ASSERT_TRUE(static_cast<bool>(write_file(root_ + path, text)));
    }
    void drive(const std::string &name, const std::string &serial, const std::string &nsid) {
        put("/sys/block/" + name + "/device/serial", serial + "    \n");
        put("/sys/block/" + name + "/nsid", nsid + "\n");
        put("/dev/" + name, "");
    }
    std::string resolve(const std::string &value) {
        problem_ = "";
        return resolve_drive(value, 0ms, problem_, root_);
    }

    std::string root_;
    std::string problem_;
};

TEST_F(DrivesTest, ASerialNumberLeadsToTheNode) {
    drive("nvme0n1", "copy1", "1");
    drive("nvme1n2", "copy0", "2");
    put("/sys/block/loop0/size", "0\n");
    EXPECT_EQ(resolve("nvme:copy0:2"), "/dev/nvme1n2");
    EXPECT_EQ(resolve("nvme:copy1:1"), "/dev/nvme0n1");
    EXPECT_EQ(resolve("/dev/vda"), "/dev/vda");
    EXPECT_EQ(problem_, "");
}

TEST_F(DrivesTest, WhatIsThereIsSaidInstead) {
    EXPECT_EQ(resolve("nvme:copyX:1"), "nvme:copyX:1");
    EXPECT_EQ(problem_, "no namespace 1 of a controller with serial copyX; there are none");
    drive("nvme0n1", "copy1", "1");
    drive("nvme1n1", "copy0", "1");
    EXPECT_EQ(resolve("nvme:copyX:1"), "nvme:copyX:1");
    EXPECT_EQ(problem_, "no namespace 1 of a controller with serial copyX; there are: "
                        "nvme:copy0:1 nvme:copy1:1");
}

} // namespace
} // namespace kit
