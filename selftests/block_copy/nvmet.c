// SPDX-License-Identifier: GPL-2.0
/*
 * Copies through an NVMe target in this kernel, to which our own host is
 * connected: the target has the drive copy, or a stack of devices, or a file
 * system, or reads and writes itself; the host sends Copy commands in any case.
 */
#include "blkcopy_test.h"
#include "stack.h"
#include "target.h"

#define BASE	(1 * BC_MIB)
#define LEN	(4 * BC_MIB)
#define FILE_BYTES	(16 * BC_MIB)

enum backing {
	DRIVE, LINEAR, TMPFS, EXT4, XFS, CACHED_DRIVE, CACHED_OTHER, PASSTHRU,
};

FIXTURE(nvmet) {
	struct bc_dev drive;
	struct bc_stack stack;
	struct bc_mount mount;
	struct bc_target target;
	struct bc_dev *dev;	/* the target's namespace */
	struct bc_win win;
};

FIXTURE_VARIANT(nvmet) {
	const char *transport;
	enum backing backing;
};

FIXTURE_VARIANT_ADD(nvmet, loop_drive) { "loop", DRIVE };
FIXTURE_VARIANT_ADD(nvmet, tcp_drive) { "tcp", DRIVE };
FIXTURE_VARIANT_ADD(nvmet, loop_linear) { "loop", LINEAR };
FIXTURE_VARIANT_ADD(nvmet, tcp_linear) { "tcp", LINEAR };
FIXTURE_VARIANT_ADD(nvmet, loop_tmpfs) { "loop", TMPFS };
FIXTURE_VARIANT_ADD(nvmet, tcp_tmpfs) { "tcp", TMPFS };
FIXTURE_VARIANT_ADD(nvmet, loop_ext4) { "loop", EXT4 };
FIXTURE_VARIANT_ADD(nvmet, loop_xfs) { "loop", XFS };
FIXTURE_VARIANT_ADD(nvmet, loop_cached_drive) { "loop", CACHED_DRIVE };
FIXTURE_VARIANT_ADD(nvmet, loop_cached_drive_without_copy) { "loop", CACHED_OTHER };
FIXTURE_VARIANT_ADD(nvmet, loop_passthru) { "loop", PASSTHRU };

static int make_target(FIXTURE_DATA(nvmet) *self, const char *transport, enum backing backing)
{
	/* two seams in the window */
	static const char * const linear[BC_STACK_MOST] = {
		"0 @4001 linear %a @60000\n"
		"@4001 @5003 linear %a @50000\n"
		"@9004 @15000 linear %a @80000\n"
	};
	static const char * const types[] = { [TMPFS] = "tmpfs", [EXT4] = "ext4", [XFS] = "xfs" };
	const char *other = getenv("COPY_OTHER"), *path = self->drive.path;
	unsigned int flags = 0;
	char ctrl[sizeof(self->drive.path)];
	int ret = 0;

	if (!other && (backing == EXT4 || backing == XFS || backing == CACHED_OTHER)) {
		bc_set_reason("COPY_OTHER names no drive that does not copy");
		return 1;
	}
	switch (backing) {
	case DRIVE:
		break;
	case LINEAR:
		ret = bc_stack_make(&self->stack, linear, &self->drive, NULL);
		path = self->stack.top.path;
		break;
	case TMPFS:
	case EXT4:
	case XFS:
		ret = bc_mount_make(&self->mount, types[backing], other, FILE_BYTES);
		path = self->mount.file;
		break;
	case CACHED_OTHER:
		path = other;
		/* fall through */
	case CACHED_DRIVE:
		flags = BC_TARGET_BUFFERED;
		break;
	case PASSTHRU:
		/* /dev/nvme0n1 is a namespace of controller /dev/nvme0 */
		snprintf(ctrl, sizeof(ctrl), "%s", path);
		*strrchr(ctrl, 'n') = '\0';
		path = ctrl;
		flags = BC_TARGET_PASSTHRU;
		break;
	}
	return ret ?: bc_target_make(&self->target, transport, path, flags);
}

FIXTURE_SETUP(nvmet)
{
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	ASSERT_EQ(0, bc_target_clean());
	self->dev = &self->target.dev;
	BC_REQUIRE(make_target(self, variant->transport, variant->backing));
	BC_REQUIRE(bc_need_copy(self->dev));
	ASSERT_EQ(0, bc_win_init(&self->win, self->dev, BASE, LEN));
}

FIXTURE_TEARDOWN(nvmet)
{
	EXPECT_EQ(0, bc_target_leave(&self->win, &self->target, &self->stack, &self->mount));
	bc_close(&self->drive);
}

/* What the drive behind the target has to see is known where it copies at all. */
static int step(FIXTURE_DATA(nvmet) *self, enum backing backing, __u64 dst,
		const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_counts c;
	struct bc_result r;

	if (backing == DRIVE || backing == PASSTHRU)
		return bc_step(&self->win, BC_IOCTL, dst, ext, nr);
	if (backing == LINEAR)
		return bc_stack_step(&self->win, BC_IOCTL, dst, ext, nr);
	if (bc_mark())
		return -1;
	r = bc_copy(BC_IOCTL, self->dev->fd, dst, self->dev->fd, ext, nr);
	if (r.err || r.copied != bc_total(ext, nr)) {
		bc_log("%u extents, %llu bytes: %s, %llu bytes reported", nr, bc_total(ext, nr),
		       r.err ? strerrorname_np(r.err) : "no error", r.copied);
		return -1;
	}
	bc_win_copied(&self->win, dst, &self->win, ext, nr, r.copied);
	if (backing != CACHED_DRIVE)
		return bc_expect_no_copies();
	if (bc_have_witness() && (bc_count(&c) || !c.copies)) {
		bc_log("the drive has copied nothing");
		return -1;
	}
	return 0;
}

/* All numbers of ranges at which something changes, in an order that is not that of the drive. */
TEST_F(nvmet, ranges)
{
	const __u32 numbers[] = { 1, 2, 3, 8, 31, 100, self->dev->lim.max_extents - 1,
				  self->dev->lim.max_extents, self->dev->lim.max_extents + 1 };
	static struct blk_copy_extent ext[300];
	__u32 lbs = self->dev->lbs, i, n;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (n = 0; n < numbers[i]; n++) {
			ext[n].offset = BASE + (numbers[i] - n) * 2 * lbs;
			ext[n].length = (1 + n % 2) * lbs;
		}
		EXPECT_EQ(0, step(self, variant->backing, BASE + LEN - 400 * lbs, ext, numbers[i]))
			TH_LOG("%u ranges", numbers[i]);
		ASSERT_EQ(0, bc_win_check(&self->win));
	}
}

/* Several commands, and more than one range of the most that fits one. */
TEST_F(nvmet, large)
{
	struct blk_copy_extent ext[] = {
		{ BASE + 5 * self->dev->lbs, 300 * BC_KIB },
		{ BASE + 512 * BC_KIB, 400 * BC_KIB + self->dev->lbs },
	};

	EXPECT_EQ(0, step(self, variant->backing, BASE + BC_MIB, ext, 2));
}

/* Copies, writes and reads of three tasks at a time. */
TEST_F(nvmet, tasks)
{
	struct bc_load load[3] = { 0 };
	struct bc_win win[3] = { 0 };
	__u64 end = bc_now_ms() + (bc_full() ? 10000 : 0);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, bc_win_init(&win[i], self->dev, BASE + LEN + i * BC_MIB, BC_MIB));
		load[i] = (struct bc_load) { .win = &win[i], .ops = BC_OP_ALL, .rng = bc_rand(),
					     .longest = 128 * BC_KIB };
		ASSERT_EQ(0, bc_load_start(&load[i]));
		bc_watch("work on a target", &load[i].done);
	}
	while (bc_now_ms() < end || load[0].copies < 8 || load[1].copies < 8 || load[2].copies < 8)
		usleep(1000);
	bc_unwatch();
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, bc_load_stop(&load[i]));
		EXPECT_EQ(0, bc_win_check(&win[i]));
		bc_win_free(&win[i]);
	}
}

/* What the controller and the namespace say of themselves. */
TEST_F(nvmet, identify)
{
	unsigned char *id = bc_alloc(4096);
	struct bc_nvme_limits lim;
	struct nvme_passthru_cmd effects = {
		.opcode = 0x02,		/* get log page */
		.nsid = ~0U,
		.addr = (uintptr_t)id,
		.data_len = 4096,
		.cdw10 = 0x05 | 1023U << 16,	/* commands supported and effects */
	};

	ASSERT_EQ(0, bc_nvme_identify(self->dev, 1, id));
	EXPECT_NE(0, id[521] & 1);	/* ONCS bit 8: Copy */
	EXPECT_NE(0, id[534] & 1);	/* OCFS bit 0: format 0 */
	if (variant->backing != PASSTHRU)
		EXPECT_EQ(1, id[534] | id[535] << 8);
	ASSERT_EQ(0, bc_nvme_limits(self->dev, &lim));
	EXPECT_EQ(self->dev->lim.hw_bytes, (__u64)lim.mcl * self->dev->lbs);
	EXPECT_EQ(self->dev->lim.hw_extent_bytes, (__u64)lim.mssrl * self->dev->lbs);
	EXPECT_EQ(self->dev->lim.hw_extents, lim.msrc + 1);
	if (variant->backing == DRIVE || variant->backing == LINEAR) {
		EXPECT_EQ(self->drive.lim.max_bytes, self->dev->lim.hw_bytes);
		EXPECT_EQ(self->drive.lim.max_extent_bytes, self->dev->lim.hw_extent_bytes);
		EXPECT_EQ(self->drive.lim.max_extents, self->dev->lim.hw_extents);
	}
	memset(id, 0, 4096);
	ASSERT_EQ(0, bc_nvme_admin(self->dev, &effects));
	/* supported, and changes the content of logical blocks */
	EXPECT_EQ(3, id[1024 + 4 * BC_NVME_COPY]);
	free(id);
}

TEST_HARNESS_MAIN
