// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include "command_line.h"
#include "fd.h"
#include "image.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <sys/stat.h>

namespace kit {
namespace {

std::string row(const std::string &more) {
    return R"([{"name": "m", "description": "d", "yields": [], "env": {},
                "drives": [{"id": "disk0", "size": "1M"}],
                "devices": ["nvme-ns,drive=disk0"])" +
           more + "}]";
}

std::string error_of(const std::string &json) {
    Result<std::vector<Machine>> machines = parse_machines(json);
    return machines ? "" : machines.error().message;
}

TEST(Machine, TheShippedRowsAreGood) {
    Result<std::vector<Machine>> machines =
        load_machines(std::string(KIT_DATA_DIRECTORY) + "/machines.json");
    ASSERT_TRUE(static_cast<bool>(machines)) << machines.error().message;
    for (const char *name : {"default", "small-limits", "lba4096", "large", "wide",
                             "two-namespaces", "two-controllers", "partitions", "no-copy", "slow",
                             "failing", "metadata", "zoned", "one-queue", "stacked"}) {
        const Machine *m = find_machine(*machines, name);
        ASSERT_NE(m, nullptr) << name;
        EXPECT_EQ(m->env.at("COPY_MACHINE"), name);
        EXPECT_TRUE(m->env.count("COPY_DEV")) << name;
        EXPECT_FALSE(m->yields.empty()) << name;
    }
    const Machine *large = find_machine(*machines, "large");
    EXPECT_GT(large->drives[0].bytes / 512, uint64_t{1} << 32);
    const Machine *failing = find_machine(*machines, "failing");
    EXPECT_EQ(std::to_string(*failing->drives[0].fail_offset), failing->env.at("COPY_FAIL_OFFSET"));
    for (const Partition &p : find_machine(*machines, "partitions")->drives[0].partitions) {
        EXPECT_EQ(p.start % 2, 1U);
        EXPECT_EQ(p.sectors % 2, 1U);
    }
}

TEST(Machine, ErrorsNameTheRow) {
    EXPECT_EQ(error_of(row("")), "");
    EXPECT_EQ(error_of(row(R"(, "colour": 1)")), "machine 'm': unknown key 'colour'");
    EXPECT_NE(error_of("[]"), "");
    EXPECT_NE(error_of("{"), "");
    EXPECT_NE(error_of(R"([{"name": "m"}])").find("machine 'm'"), std::string::npos);
    std::string twice = row("");
    twice.insert(twice.size() - 1, "," + twice.substr(1, twice.size() - 2));
    EXPECT_EQ(error_of(twice), "machine 'm': there are two of it");
}

// A row with one key's value replaced, or the key left out.
std::string changed(const std::string &key, const std::string &value) {
    nlohmann::json rows = nlohmann::json::parse(row(""));
    if (value.empty())
        rows[0].erase(key);
    else
        rows[0][key] = nlohmann::json::parse(value);
    return rows.dump();
}

TEST(Machine, ErrorsNameTheKey) {
    EXPECT_EQ(error_of(changed("name", "")), "row 1: 'name' is missing");
    EXPECT_EQ(error_of(changed("name", "7")), "row 1: 'name' must be a string");
    for (const char *key : {"description", "yields", "drives", "devices", "env"})
        EXPECT_EQ(error_of(changed(key, "")), "machine 'm': '" + std::string(key) + "' is missing");
    EXPECT_EQ(error_of(changed("yields", R"("x")")),
              "machine 'm': 'yields' must be a list of strings");
    EXPECT_EQ(error_of(changed("cpus", "-1")), "machine 'm': 'cpus' must be a whole number");
    EXPECT_EQ(error_of(changed("drives", R"(["disk0"])")),
              "machine 'm': 'drives' must be a list of objects");
    EXPECT_EQ(error_of(changed("drives", R"([{"id": "disk0"}])")),
              "machine 'm': drive 'disk0': 'size' is missing");
    EXPECT_EQ(error_of(changed("drives", R"([{"size": "1M"}])")),
              "machine 'm': drive 1: 'id' is missing");
    EXPECT_EQ(error_of(changed("drives", R"([{"id": "disk0", "size": "1X"}])")),
              "machine 'm': drive 'disk0': 'size': '1X' has an unknown suffix (K, M, G and T are "
              "known)");
    EXPECT_EQ(error_of(changed("drives", R"([{"id": "disk0", "size": -1}])")),
              "machine 'm': drive 'disk0': 'size' must be a size (4096, \"512M\")");
    EXPECT_EQ(error_of(changed("env", R"({"COPY_DEV": 1})")),
              "machine 'm': 'env' must be an object whose values are strings");
    EXPECT_EQ(error_of(R"({"name": "m"})"), "the file: must be a list of machines");
    EXPECT_EQ(error_of("[3]"), "row 1: must be an object");
}

TEST(Machine, AGoldenImageIsAllThere) {
    EXPECT_EQ(error_of(changed("golden", R"({"device": "/dev/x"})")),
              "machine 'm': golden: 'image' is missing");
    EXPECT_EQ(error_of(changed("golden", R"({"device": "/dev/x", "image": "1M", "offset": "2M",
                                             "copies": 1, "max_extent": 1})")),
              "machine 'm': golden: the device does not fit into the image");
    std::string bad = R"([{"name": "m", "description": "d", "yields": [], "env": {}, "drives": [],
                           "devices": [], "golden": {"device": "/dev/x", "image": "1M",
                           "copies": 1, "max_extent": 1}}])";
    EXPECT_EQ(error_of(bad),
              "machine 'm': golden: there is no drive whose image could be compared");
}

TEST(Machine, VariablesAreThoseThatTestsKnow) {
    EXPECT_EQ(error_of(changed("env", R"({"COPY_EXPECT": "absent", "MINE": "1"})")), "");
    EXPECT_EQ(error_of(changed("env", R"({"COPY_EXPECT": "offer"})")),
              "machine 'm': env: 'COPY_EXPECT' must be \"offered\" or \"absent\", not \"offer\"");
    EXPECT_NE(error_of(changed("env", R"({"COPY_DEVICE": "/dev/x"})"))
                  .find("env: no test knows 'COPY_DEVICE'"),
              std::string::npos);
    // The table that people read has the same ones.
    Result<std::string> page =
        read_file(std::string(KIT_DATA_DIRECTORY) + "/../selftests/block_copy/README.md");
    ASSERT_TRUE(static_cast<bool>(page)) << page.error().message;
    std::set<std::string> told;
    std::regex name("`(COPY_[A-Z0-9_]+)`");
    std::istringstream lines(*page);
    for (std::string line; std::getline(lines, line);) {
        std::string first = line.substr(0, line.find('|', 1));
        if (line.starts_with("| "))
            for (std::sregex_iterator at(first.begin(), first.end(), name), end; at != end; ++at)
                told.insert((*at)[1]);
    }
    EXPECT_EQ(told, known_variables());
}

TEST(Machine, ModulesKeepTheirOrder) {
    Result<std::vector<Machine>> machines = parse_machines(row(R"(, "modules": ["b", "a"])"));
    ASSERT_TRUE(static_cast<bool>(machines)) << machines.error().message;
    EXPECT_EQ(machines->at(0).modules, (std::vector<std::string>{"b", "a"}));
    EXPECT_TRUE(parse_machines(row(""))->at(0).modules.empty());
    EXPECT_NE(error_of(row(R"(, "modules": "a")")), "");
}

TEST(Machine, NamesProgramsOfTheHost) {
    Result<std::vector<Machine>> machines = parse_machines(row(R"(, "programs": ["ls"])"));
    ASSERT_TRUE(static_cast<bool>(machines)) << machines.error().message;
    EXPECT_EQ(machines->at(0).programs, std::vector<std::string>{"ls"});
    EXPECT_TRUE(parse_machines(row(""))->at(0).programs.empty());
    EXPECT_NE(error_of(row(R"(, "programs": "ls")")), "");
}

TEST(Machine, DevicesNeedTheirDrive) {
    std::string bad = row("");
    bad.replace(bad.find("drive=disk0"), 11, "drive=disk7");
    EXPECT_NE(error_of(bad).find("a drive that is not there"), std::string::npos);
}

TEST(Machine, DevicesAreTakenApart) {
    Machine m;
    m.name = "m";
    m.devices = {"pcie-root-port,chassis=1", "nvme,id=nvme1", "nvme,serial=a=b,id=nvme0,cmb"};
    using Properties = std::map<std::string, std::string>;
    EXPECT_EQ(*device_properties(m, "nvme0"),
              (Properties{{"driver", "nvme"}, {"id", "nvme0"}, {"serial", "a=b"}, {"cmb", "on"}}));
    EXPECT_EQ(*device_properties(m, "nvme1"), (Properties{{"driver", "nvme"}, {"id", "nvme1"}}));
    Result<Properties> none = device_properties(m, "nvme");
    ASSERT_FALSE(static_cast<bool>(none));
    EXPECT_EQ(none.error().message, "machine 'm' has no device 'nvme'");
    EXPECT_FALSE(static_cast<bool>(device_properties(m, ""))) << "a device without an id";
}

TEST(Machine, Sizes) {
    EXPECT_EQ(*parse_size("4096"), 4096U);
    EXPECT_EQ(*parse_size("3T"), uint64_t{3} << 40);
    EXPECT_FALSE(static_cast<bool>(parse_size("3X")));
    EXPECT_FALSE(static_cast<bool>(parse_size("")));
    EXPECT_FALSE(static_cast<bool>(parse_size("99999999T")));
}

bool has(const std::vector<std::string> &argv, const std::string &option, const std::string &part) {
    for (size_t i = 0; i + 1 < argv.size(); i++)
        if (argv[i] == option && argv[i + 1].find(part) != std::string::npos)
            return true;
    return false;
}

TEST(CommandLine, HasWhatTheMachineNeeds) {
    Machine m;
    m.append = "nvme_core.multipath=N";
    m.drives.push_back({"disk0", 1 << 20, {}, 102400, {{"bps-total", 1024}}});
    m.devices = {"nvme,id=nvme0,serial=s", "nvme-ns,drive=disk0,bus=nvme0,mssrl=7"};
    LaunchFiles files{.kernel = "k",
                      .initramfs = "i",
                      .trace = "t",
                      .images = {"odd,name.img"},
                      .qmp_chardev = "socket,fd=3",
                      .console_chardev = "socket,fd=4",
                      .results_chardev = "socket,fd=5",
                      .witness_chardev = "socket,fd=6"};
    LaunchOptions options;
    options.qemu = "qemu";
    options.append = "extra=1";
    std::vector<std::string> argv = qemu_command(m, options, files);

    EXPECT_EQ(argv[0], "qemu");
    EXPECT_NE(std::find(argv.begin(), argv.end(), "-no-reboot"), argv.end());
    EXPECT_TRUE(has(argv, "-append", "panic=-1 oops=panic"));
    EXPECT_TRUE(has(argv, "-append", "nvme_core.multipath=N extra=1"));
    EXPECT_TRUE(has(argv, "-blockdev", "filename=odd,,name.img"));
    EXPECT_TRUE(has(argv, "-blockdev", "inject-error.0.sector=200"));
    EXPECT_TRUE(has(argv, "-object", "x-bps-total=1024"));
    // Each layer is above the one before: file, failing, throttled.
    EXPECT_TRUE(has(argv, "-blockdev", "node-name=disk0-failing,image=disk0-file"));
    EXPECT_TRUE(has(argv, "-blockdev", "throttle-group=disk0-group,file=disk0-failing"));
    EXPECT_TRUE(has(argv, "-blockdev", "node-name=disk0,file=disk0-throttled"));
    EXPECT_TRUE(has(argv, "-device", "mssrl=7"));
    EXPECT_TRUE(has(argv, "-device", "name=org.blkcopy.results"));
    EXPECT_TRUE(has(argv, "-device", "name=org.blkcopy.witness"));
    EXPECT_TRUE(has(argv, "-trace", "enable=pci_nvme_copy_source_range"));
    EXPECT_TRUE(has(argv, "-cpu", "qemu64"));
    EXPECT_FALSE(has(argv, "-icount", ""));
}

TEST(CommandLine, CountsInstructionsWithOneCpuAndWithoutKvm) {
    Machine m = parse_machines(row(""))->front();
    LaunchOptions options;
    options.accelerator = "kvm";
    options.icount = true;
    LaunchFiles files;
    files.images = {"i"};
    std::vector<std::string> argv = qemu_command(m, options, files);

    EXPECT_GT(m.cpus, 1U);
    EXPECT_TRUE(has(argv, "-icount", "shift=0,sleep=off"));
    EXPECT_TRUE(has(argv, "-smp", "1"));
    EXPECT_TRUE(has(argv, "-machine", "accel=tcg"));
    EXPECT_TRUE(has(argv, "-cpu", "qemu64"));
}

TEST(CommandLine, QuotesForAShell) {
    EXPECT_EQ(quote_command({"qemu", "-append", "a b", "it's"}),
              "qemu \\\n  -append 'a b' 'it'\\''s'\n");
}

TEST(Image, PartitionTable) {
    Result<std::string> table = make_partition_table({{2049, 400001}, {402055, 7}});
    ASSERT_TRUE(static_cast<bool>(table));
    EXPECT_EQ(table->size(), 512U);
    EXPECT_EQ((*table)[446 + 4], '\x83');
    EXPECT_EQ(table->substr(446 + 8, 4), std::string("\x01\x08\x00\x00", 4));
    EXPECT_EQ(table->substr(462 + 12, 4), std::string("\x07\x00\x00\x00", 4));
    EXPECT_EQ(table->substr(510), "\x55\xaa");
    EXPECT_FALSE(static_cast<bool>(make_partition_table({{0, 1}})));
    EXPECT_FALSE(static_cast<bool>(make_partition_table({{uint64_t{1} << 32, 1}})));
}

TEST(Image, IsSparseAndHasNoName) {
    Drive drive{"d", uint64_t{3} << 40, {{63, 100}}, {}, {}};
    Result<Fd> image = make_image(drive);
    ASSERT_TRUE(static_cast<bool>(image)) << image.error().message;
    struct stat st;
    ASSERT_EQ(fstat(image->get(), &st), 0);
    EXPECT_EQ(st.st_size, off_t{3} << 40);
    EXPECT_EQ(st.st_nlink, 0U);
    EXPECT_LT(st.st_blocks, 64);
}

} // namespace
} // namespace kit
