// SPDX-License-Identifier: GPL-2.0-only
#include "trace_counter.h"

#include "fd.h"
#include "witness.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <sstream>

namespace kit {
namespace {

void feed(TraceCounter &counter, const std::string &text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        counter.feed(line);
}

TEST(TraceCounter, AttributesRangesOfConcurrentCopies) {
    const char *directory = std::getenv("TESTDATA");
    Result<std::string> log =
        read_file(std::string(directory ? directory : "testdata") + "/trace-copies.log");
    ASSERT_TRUE(static_cast<bool>(log));
    TraceCounter counter;
    feed(counter, *log);
    // One command of 7 + 7 + 6 blocks, one of 7 + 1, whose first ranges went
    // out in the other order than they came in.
    EXPECT_EQ(counter.counts().copies, 2U);
    EXPECT_EQ(counter.counts().ranges, 5U);
    EXPECT_EQ(counter.counts().blocks, 28U);
    EXPECT_EQ(counter.counts().max_ranges, 3U);
    EXPECT_EQ(counter.counts().max_blocks, 20U);
    EXPECT_EQ(counter.counts().max_range_blocks, 7U);
    EXPECT_EQ(counter.counts().nsids, std::set<unsigned>{1});
}

TEST(TraceCounter, CountsOtherCommands) {
    TraceCounter counter;
    feed(counter,
         "123@1700000000.5:pci_nvme_io_cmd cid 1 nsid 0x1 sqid 1 opc 0x2 opname 'READ'\n"
         "123@1700000000.5:pci_nvme_read cid 1 nsid 1 nlb 8 count 4096 lba 0x10\n"
         "pci_nvme_io_cmd cid 2 nsid 0x2 sqid 1 opc 0x1 opname 'NVME_NVM_CMD_WRITE'\n"
         "pci_nvme_write cid 2 opname 'NVME_NVM_CMD_WRITE' nsid 2 nlb 1 count 512 lba 0x0\n"
         "pci_nvme_io_cmd cid 3 nsid 0x1 sqid 1 opc 0x8 opname 'NVME_NVM_CMD_WRITE_ZEROES'\n"
         "pci_nvme_write cid 3 opname 'NVME_NVM_CMD_WRITE_ZEROES' nsid 1 nlb 1 count 512 lba 0\n"
         "pci_nvme_io_cmd cid 4 nsid 0x1 sqid 1 opc 0x0 opname 'NVME_NVM_CMD_FLUSH'\n"
         "pci_nvme_io_cmd cid 5 nsid 0x1 sqid 1 opc 0x9 opname 'NVME_NVM_CMD_DSM'\n"
         "something else entirely\n");
    EXPECT_EQ(counter.counts().to_json(),
              "{\"copies\":0,\"ranges\":0,\"blocks\":0,\"max_ranges\":0,\"max_blocks\":0,"
              "\"max_range_blocks\":0,\"reads\":1,\"read_bytes\":4096,\"writes\":1,"
              "\"write_bytes\":512,\"write_zeroes\":1,\"flushes\":1,\"other\":1,"
              "\"nsids\":[1,2]}");
}

TEST(TraceCounter, MarkStartsAgain) {
    TraceCounter counter;
    feed(counter, "pci_nvme_io_cmd cid 1 nsid 0x1 sqid 1 opc 0x19 opname 'COPY'\n");
    counter.mark();
    EXPECT_EQ(counter.counts().copies, 0U);
}

TEST(TraceCounter, ForgetsCompletedCopies) {
    TraceCounter counter;
    // The first one fails after its first range; the second one reuses its
    // place and must not inherit its blocks.
    feed(counter, "pci_nvme_io_cmd cid 1 nsid 0x1 sqid 1 opc 0x19 opname 'COPY'\n"
                  "pci_nvme_copy cid 1 nsid 1 nr 2 format 0x0\n"
                  "pci_nvme_copy_source_range slba 0x100 nlb 9\n"
                  "pci_nvme_copy_out slba 0x1000 nlb 9\n"
                  "pci_nvme_enqueue_req_completion cid 1 cqid 1 dw0 0x0 dw1 0x0 status 0x280\n"
                  "pci_nvme_io_cmd cid 1 nsid 0x1 sqid 1 opc 0x19 opname 'COPY'\n"
                  "pci_nvme_copy cid 1 nsid 1 nr 1 format 0x0\n"
                  "pci_nvme_copy_source_range slba 0x100 nlb 5\n"
                  "pci_nvme_copy_out slba 0x1009 nlb 5\n");
    EXPECT_EQ(counter.counts().max_blocks, 9U);
    EXPECT_EQ(counter.counts().blocks, 14U);
}

Status no_plugging(const std::string &, const std::string &) {
    return Error{"nothing is plugged here"};
}

TEST(Witness, AnswersLines) {
    int updates = 0;
    Witness witness(
        "", [&] { updates++; }, no_plugging);
    EXPECT_EQ(witness.answer("ma"), "");
    EXPECT_EQ(witness.answer("rk\n"), "ok\n");
    witness.counter().feed("pci_nvme_io_cmd cid 1 nsid 0x1 sqid 1 opc 0x19 opname 'COPY'");
    EXPECT_EQ(witness.answer("count\n").substr(0, 11), "{\"copies\":1");
    EXPECT_EQ(witness.answer("mark\ncount\n").substr(0, 14), "ok\n{\"copies\":0");
    EXPECT_EQ(updates, 4);
    EXPECT_NE(witness.answer("what\n").find("\"error\""), std::string::npos);
}

TEST(Witness, SaysWhenItCannotKnow) {
    Witness witness(
        "no NVMe here", [] {}, no_plugging);
    EXPECT_EQ(witness.answer("mark\n"), "{\"error\":\"no NVMe here\"}\n");
}

TEST(Witness, CutsThePower) {
    int cuts = 0;
    Witness witness(
        "no NVMe here", [] {}, no_plugging, [&] { cuts++; });
    EXPECT_EQ(witness.answer("power_cu"), "");
    EXPECT_EQ(cuts, 0);
    EXPECT_EQ(witness.answer("t\n"), "\n");
    EXPECT_EQ(cuts, 1);
}

TEST(Witness, PlugsDevices) {
    std::vector<std::string> plugged;
    Witness witness(
        "no NVMe here", [] {},
        [&](const std::string &command, const std::string &id) -> Status {
            plugged.push_back(command + "(" + id + ")");
            return id == "port 1" ? Status() : Error{"'" + id + "' is \"not\" here"};
        });
    EXPECT_EQ(witness.answer("device_del port 1\ndevice_add port 1\n"), "ok\nok\n");
    EXPECT_EQ(witness.answer("device_add x\n"), "{\"error\":\"'x' is \\\"not\\\" here\"}\n");
    EXPECT_EQ(plugged, (std::vector<std::string>{"device_del(port 1)", "device_add(port 1)",
                                                 "device_add(x)"}));
    EXPECT_NE(witness.answer("device_delay x\n").find("no NVMe"), std::string::npos);
    EXPECT_EQ(plugged.size(), 3U);
}

} // namespace
} // namespace kit
