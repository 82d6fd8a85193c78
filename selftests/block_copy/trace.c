// SPDX-License-Identifier: GPL-2.0
/* Who watches the block layer sees copies: tracepoints and /sys/block/D/stat. */
#include "blkcopy_test.h"
#include "watch.h"

#define BASE	(16 * BC_MIB)
#define LEN	(2 * BC_MIB)

FIXTURE(trace) {
	struct bc_dev dev;
	struct bc_win win;
	struct blk_copy_extent ext[3];
	const char *tracefs;
};

FIXTURE_SETUP(trace)
{
	BC_SETUP(BASE, LEN);
	self->ext[0] = (struct blk_copy_extent){ BASE, 8 * self->dev.lbs };
	self->ext[1] = (struct blk_copy_extent){ BASE + 64 * self->dev.lbs, 5 * self->dev.lbs };
	self->ext[2] = (struct blk_copy_extent){ BASE + 32 * self->dev.lbs, 3 * self->dev.lbs };
	self->tracefs = bc_tracefs();
}

FIXTURE_TEARDOWN(trace)
{
	if (self->tracefs) {
		bc_trace_set("events/block/enable", "0");
		bc_trace_set("events/nvme/enable", "0");
	}
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(trace, block_tracepoints)
{
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, self->ext, 3);
	static const char * const events[] = {
		"block_bio_queue:", "block_rq_issue:", "block_rq_complete:",
	};
	__u64 dst = BASE + LEN / 2;
	char line[1024], want[64];
	unsigned int i;

	if (!self->tracefs)
		SKIP(return, "tracefs is not mounted");
	if (bc_trace_set("events/block/enable", "1"))
		SKIP(return, "the kernel has no block tracepoints");
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, dst, self->ext, 3));
	ASSERT_EQ(0, bc_trace_set("events/block/enable", "0"));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		line[0] = '\0';
		/* "WC" with or without flags such as sync behind it */
		EXPECT_LE(bound.copies, bc_traced(events[i], " WC", line, sizeof(line)))
			TH_LOG("event %u is not traced as a copy", i);
		bc_log("%s", line);
	}
	snprintf(want, sizeof(want), " %llu + %llu ", dst / BC_SECTOR,
		 bc_total(self->ext, 3) / BC_SECTOR);
	if (bound.copies == 1)
		EXPECT_EQ(1, bc_traced("block_rq_issue:", want, line, sizeof(line)))
			TH_LOG("no request at%s", want);
}

TEST_F(trace, nvme_setup_cmd)
{
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, self->ext, 3);
	__u64 dst = BASE + LEN / 2;
	char line[1024] = "", want[64];

	if (!self->tracefs)
		SKIP(return, "tracefs is not mounted");
	if (strncmp(self->dev.disk, "nvme", 4) ||
	    bc_trace_set("events/nvme/nvme_setup_cmd/enable", "1"))
		SKIP(return, "%s is no NVMe drive, or there is no tracepoint for it",
		     self->dev.path);
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, dst, self->ext, 3));
	ASSERT_EQ(0, bc_trace_set("events/nvme/nvme_setup_cmd/enable", "0"));
	EXPECT_EQ(bound.copies, bc_traced("nvme_setup_cmd", "nvme_cmd_copy", line,
				       sizeof(line)));
	bc_log("%s", line);
	if (bound.copies == 1) {
		snprintf(want, sizeof(want), "sdlba=%llu, ", dst / self->dev.lbs);
		EXPECT_NE(NULL, strstr(line, want))
			TH_LOG("no %s", want);
		/* "nr" is 0's based on the wire: either is fine, but format 0 is. */
		EXPECT_NE(NULL, strstr(line, "nr="));
		EXPECT_NE(NULL, strstr(line, "format=0"));
	}
}

/* Copies count as writes of the bytes that they write, and as nothing else. */
TEST_F(trace, iostat)
{
	struct blk_copy_extent ext = { BASE, 300 * self->dev.lbs };
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, &ext, 1);
	struct bc_iostat before, after;

	ASSERT_EQ(0, bc_queue_write(&self->dev, "iostats", 1));
	ASSERT_EQ(0, fsync(self->dev.bfd));
	ASSERT_EQ(0, bc_iostat(&self->dev, &before));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, BASE + LEN / 2, &ext, 1));
	ASSERT_EQ(0, bc_iostat(&self->dev, &after));
	EXPECT_EQ(bound.copies, after.writes - before.writes);
	EXPECT_EQ(ext.length / BC_SECTOR, after.write_sectors - before.write_sectors);
	EXPECT_EQ(0, after.reads - before.reads);
	EXPECT_EQ(0, after.read_sectors - before.read_sectors);
	EXPECT_EQ(0, after.in_flight);
}

TEST_HARNESS_MAIN
