// SPDX-License-Identifier: GPL-2.0
/*
 * Copy commands with something wrong, sent to an NVMe target as they are, and
 * to a drive in the same way: the status of each, and dword 0 of its completion,
 * the number of the first range that was not copied. What that says was copied
 * has been; nothing else has changed. Every transport hands both back.
 */
#include <sys/ioctl.h>

#include "blkcopy_test.h"
#include "target.h"

#define BASE	(1 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define FILE_BYTES	(16 * BC_MIB)

/* Status codes of the base and of the NVM command set specification. */
#define INVALID_FIELD		0x002
#define INTERNAL		0x006
#define SGL_LENGTH		0x00f
#define WRITE_PROTECTED		0x020
#define LBA_RANGE		0x080
#define CAPACITY		0x081
#define SIZE_LIMIT		0x183
#define OVERLAP			0x187
#define WRITE_FAULT		0x280
#define ACCESS_DENIED		0x286

enum backing { NO_TARGET, DRIVE, TMPFS };

FIXTURE(errors) {
	struct bc_dev drive;
	struct bc_target target;
	struct bc_mount mount;
	struct bc_dev *dev;
	struct bc_win win;
	struct bc_nvme_limits lim;
	struct bc_nvme_copy c;
	__u64 blocks;		/* of the namespace */
	__u64 src, dst;		/* first blocks of places in the window */
};

FIXTURE_VARIANT(errors) {
	const char *transport;
	enum backing backing;
};

FIXTURE_VARIANT_ADD(errors, drive_itself) { NULL, NO_TARGET };
FIXTURE_VARIANT_ADD(errors, loop_drive) { "loop", DRIVE };
FIXTURE_VARIANT_ADD(errors, tcp_drive) { "tcp", DRIVE };
FIXTURE_VARIANT_ADD(errors, loop_tmpfs) { "loop", TMPFS };
FIXTURE_VARIANT_ADD(errors, tcp_tmpfs) { "tcp", TMPFS };

FIXTURE_SETUP(errors)
{
	const char *path;

	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	path = self->drive.path;
	self->dev = &self->drive;
	if (variant->backing == TMPFS) {
		BC_REQUIRE(bc_mount_make(&self->mount, "tmpfs", NULL, FILE_BYTES));
		path = self->mount.file;
	}
	if (variant->backing != NO_TARGET) {
		BC_REQUIRE(bc_target_make(&self->target, variant->transport, path, 0));
		self->dev = &self->target.dev;
	}
	ASSERT_EQ(0, bc_nvme_limits(self->dev, &self->lim));
	self->blocks = self->dev->size / self->dev->lbs;
	self->src = BASE / self->dev->lbs;
	self->dst = self->src + LEN / self->dev->lbs / 2;
	ASSERT_EQ(0, bc_win_init(&self->win, self->dev, BASE, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(errors)
{
	EXPECT_EQ(0, bc_win_end(&self->win));
	EXPECT_EQ(0, bc_target_remove(&self->target));
	EXPECT_EQ(0, bc_mount_remove(&self->mount));
	bc_close(&self->drive);
}

/* Sends the command; @copied ranges of it, from the first, must be copied, and no more. */
static int try(FIXTURE_DATA(errors) *self, int status, unsigned int copied, const char *what)
{
	static struct blk_copy_extent ext[256];
	__u32 dword0, nr = bc_nvme_extents(self->dev, &self->c, copied, ext);
	int have = bc_nvme_copy(self->dev, &self->c, &dword0);
	int ret = 0;

	/* older versions of the emulated drive have one error for nearly all */
	if (status && !self->target.nqn[0] && have == INTERNAL)
		have = status;
	if (have != status) {
		bc_log("%s: status 0x%x, must be 0x%x", what, have, status);
		ret = -1;
	}
	if (dword0 != (status ? copied : 0)) {
		bc_log("%s: dword 0 is %u, must be %u", what, dword0, status ? copied : 0);
		ret = -1;
	}
	if (nr)
		bc_win_copied(&self->win, self->c.sdlba * self->dev->lbs, &self->win, ext, nr,
			      bc_total(ext, nr));
	if (bc_win_check(&self->win)) {
		bc_log("%s: the data are wrong", what);
		ret = -1;
	}
	return ret;
}

#define TRY(status, copied, what)	EXPECT_EQ(0, try(self, status, copied, what))
#define NO_RETRY(status)		((status) | BC_NVME_DNR)
#define ADD(slba, nlb)			bc_nvme_add(&self->c, slba, nlb)

/* A command for @dst without ranges, to add some. */
static void start(FIXTURE_DATA(errors) *self)
{
	memset(&self->c, 0, sizeof(self->c));
	self->c.sdlba = self->dst;
}

TEST_F(errors, right)
{
	unsigned int i;

	start(self);
	ADD(self->src + 7, 1);
	TRY(0, 1, "one block");
	start(self);
	for (i = 0; i < self->lim.msrc + 1; i++)
		ADD(self->src + self->lim.msrc - i, 1);
	TRY(0, self->c.nr, "as many ranges as there may be");
	start(self);
	self->c.sdlba++;
	ADD(self->src + 40, 3);
	ADD(self->src + 40, 3);
	ADD(self->src + 41, 1);
	TRY(0, 3, "the same blocks again");
}

TEST_F(errors, most_in_a_range)
{
	__u64 room = LEN / self->dev->lbs / 2;

	if (self->lim.mssrl > room)
		SKIP(return, "more in a range than in the window");
	start(self);
	ADD(self->src, self->lim.mssrl);
	TRY(0, 1, "as long as it may be");
	if (variant->backing == NO_TARGET)
		SKIP(return, "the drive may copy the ranges before");
	start(self);
	ADD(self->src, 1);
	ADD(self->src, self->lim.mssrl + 1);
	TRY(NO_RETRY(SIZE_LIMIT), 0, "a range one block longer than MSSRL");
	EXPECT_EQ(0, variant->backing == TMPFS ? bc_expect_no_copies() : 0);
}

TEST_F(errors, range_of_65536_blocks)
{
	start(self);
	ADD(self->src, 65536);
	TRY(NO_RETRY(SIZE_LIMIT), 0, "65536 blocks, which fit no MSSRL");
}

/* The emulated drive does not check this before QEMU 8.1. */
TEST_F(errors, most_in_a_command)
{
	__u32 mcl = self->lim.mcl, step = self->lim.mssrl, left;
	__u64 slba = 0;

	if (variant->backing == NO_TARGET)
		SKIP(return, "not all versions of the drive check it");
	start(self);
	self->c.sdlba = self->blocks - 1;	/* wrong, too, but checked later */
	for (left = mcl + 1; left; left -= left < step ? left : step) {
		ADD(slba, left < step ? left : step);
		slba += step;
	}
	TRY(NO_RETRY(SIZE_LIMIT), 0, "one block more than MCL");
}

TEST_F(errors, too_many_ranges)
{
	unsigned int i;

	if (self->lim.msrc == 255)
		SKIP(return, "a command cannot name more ranges than MSRC allows");
	start(self);
	for (i = 0; i < self->lim.msrc + 2; i++)
		ADD(self->src + 2 * i, 1);
	TRY(NO_RETRY(SIZE_LIMIT), 0, "one range more than MSRC");
}

/* On PCI Express the length of the payload is not told. */
TEST_F(errors, length_of_the_payload)
{
	unsigned int i;

	if (variant->backing == NO_TARGET)
		SKIP(return, "the length of the payload is not part of the command");
	start(self);
	for (i = 0; i < 3; i++)
		ADD(self->src + 5 * i, 2);
	self->c.bytes = 2 * sizeof(self->c.range[0]);
	TRY(NO_RETRY(SGL_LENGTH), 0, "payload too short by a range");
	self->c.bytes = 3 * sizeof(self->c.range[0]) - 4;
	TRY(NO_RETRY(SGL_LENGTH), 0, "payload too short by four bytes");
	self->c.bytes = 4 * sizeof(self->c.range[0]);
	TRY(NO_RETRY(SGL_LENGTH), 0, "payload too long by a range");
	self->c.bytes = 0;
	TRY(0, 3, "payload of the right length");
}

TEST_F(errors, unknown_format)
{
	start(self);
	ADD(self->src, 4);
	self->c.format = 5;
	TRY(NO_RETRY(INVALID_FIELD), 0, "descriptor format 5");
	if (variant->backing == NO_TARGET)
		return;
	self->c.format = 1;
	TRY(NO_RETRY(INVALID_FIELD), 0, "descriptor format 1");
	self->c.format = 2;
	TRY(NO_RETRY(INVALID_FIELD), 0, "descriptor format 2");
}

TEST_F(errors, destination_beyond_the_end)
{
	if (variant->backing == NO_TARGET)
		SKIP(return, "the drive may copy the ranges that fit");
	start(self);
	ADD(self->src, 3);
	ADD(self->src + 9, 5);
	self->c.sdlba = self->blocks - 7;
	TRY(NO_RETRY(LBA_RANGE), 0, "one block beyond the end");
	self->c.sdlba = self->blocks;
	TRY(NO_RETRY(LBA_RANGE), 0, "all beyond the end");
	self->c.sdlba = ~0ULL - 3;
	TRY(NO_RETRY(LBA_RANGE), 0, "past the last number that there is");
	EXPECT_EQ(0, bc_expect_no_copies());
}

/* The ranges before the one that is wrong are copied, those behind it are not. */
TEST_F(errors, source_beyond_the_end)
{
	const struct {
		__u64 slba;
		__u32 blocks;
	} bad[] = {
		{ self->blocks - 1, 2 }, { self->blocks, 1 }, { ~0ULL - 1, 4 },
	};
	unsigned int i, k, n;

	for (k = 0; k < 5; k++) {
		i = k % 3;
		start(self);
		self->c.sdlba += 50 * k;
		for (n = 0; n < 5; n++) {
			if (n == k)
				ADD(bad[i].slba, bad[i].blocks);
			else
				ADD(self->src + 200 - 20 * n + k, 1 + n);
		}
		TRY(NO_RETRY(LBA_RANGE), k, "a source beyond the end");
	}
}

TEST_F(errors, overlap)
{
	__u64 dst = self->dst;

	if (variant->backing == NO_TARGET)
		SKIP(return, "the drive copies what overlaps, somehow");
	start(self);
	ADD(self->src, 4);
	ADD(dst - 7, 8);
	TRY(NO_RETRY(OVERLAP), 0, "the last block of a source is the destination's first");
	start(self);
	ADD(self->src, 4);
	ADD(dst + 11, 8);
	TRY(NO_RETRY(OVERLAP), 0, "the first block of a source is the destination's last");
	start(self);
	ADD(dst, 8);
	TRY(NO_RETRY(OVERLAP), 0, "onto itself");
	start(self);
	ADD(dst - 8, 8);
	ADD(dst + 16, 8);
	TRY(0, 2, "sources that touch the destination");
}

TEST_F(errors, write_protected)
{
	struct nvme_passthru_cmd protect = {
		.opcode = 0x09,		/* set features */
		.cdw10 = 0x84,		/* namespace write protection */
	};
	int nsid = ioctl(self->dev->fd, NVME_IOCTL_ID);

	if (variant->backing == NO_TARGET)
		SKIP(return, "the drive has no write protection");
	protect.nsid = nsid;
	protect.cdw11 = 1;
	ASSERT_EQ(0, bc_nvme_admin(self->dev, &protect));
	start(self);
	ADD(self->src, 4);
	TRY(WRITE_PROTECTED, 0, "write-protected");
	protect.cdw11 = 0;
	ASSERT_EQ(0, bc_nvme_admin(self->dev, &protect));
	TRY(0, 1, "not any more");
}

/* Of several ranges, the one in the middle goes to the sector that cannot be written. */
TEST_F(errors, of_the_drive)
{
	const char *offset = getenv("COPY_FAIL_OFFSET");
	struct bc_win before;
	struct blk_copy_extent ext[5];
	__u64 fail;
	__u32 dword0;
	unsigned int i;
	int status;

	if (variant->backing == TMPFS)
		SKIP(return, "a file has no sector that cannot be written");
	if (!offset)
		SKIP(return, "COPY_FAIL_OFFSET names no sector that fails");
	fail = strtoull(offset, NULL, 0) / self->dev->lbs;
	ASSERT_EQ(0, bc_win_init(&before, self->dev, (fail - 9) * self->dev->lbs,
				 9 * self->dev->lbs));
	start(self);
	self->c.sdlba = fail - 9;
	for (i = 0; i < 5; i++)
		ADD(self->src + 50 - 10 * i, 4);
	status = bc_nvme_copy(self->dev, &self->c, &dword0);
	status &= ~BC_NVME_DNR;
	/* "write fault" of the drive is told on as the target always has */
	if (status != INTERNAL)
		EXPECT_EQ(variant->backing == NO_TARGET ? WRITE_FAULT : ACCESS_DENIED, status);
	EXPECT_EQ(2, dword0);
	bc_nvme_extents(self->dev, &self->c, 5, ext);
	bc_win_copied(&before, before.base, &self->win, ext, 2, BC_MIB);
	EXPECT_EQ(0, bc_win_check_range(&before, self->dev->fd, before.base,
					8 * self->dev->lbs));
	bc_win_free(&before);
}

/* A file system that is full: the holes of the file cannot be filled. */
TEST_F(errors, no_space)
{
	struct bc_nvme_copy *c = &self->c;
	char *block;
	__u32 dword0;
	unsigned int i;
	int status;

	if (variant->backing != TMPFS)
		SKIP(return, "a drive has all of its blocks");
	ASSERT_EQ(0, bc_mount_limit(&self->mount, 3 * BC_MIB));
	start(self);
	c->sdlba = 8 * BC_MIB / self->dev->lbs;
	for (i = 0; i < 16; i++)
		ADD(self->src + 16 * i, 16);
	/* exactly one command fills it up: 1 MiB is left, of which one command takes all */
	TRY(0, 0, "1 MiB into holes");
	c->sdlba += 512;
	status = bc_nvme_copy(self->dev, c, &dword0);
	EXPECT_EQ(NO_RETRY(CAPACITY), status);
	EXPECT_EQ(0, dword0);
	ASSERT_EQ(0, bc_mount_limit(&self->mount, 3 * BC_MIB + 5 * 16 * 4096));
	status = bc_nvme_copy(self->dev, c, &dword0);
	EXPECT_EQ(NO_RETRY(CAPACITY), status);
	EXPECT_EQ(5, dword0);
	/* the first range that was copied is there, and the last that was not isn't */
	block = bc_alloc(4096);
	ASSERT_EQ(4096, pread(self->dev->fd, block, 4096, c->sdlba * self->dev->lbs));
	EXPECT_EQ(true, bc_sector_is(block, self->win.tag[0]));
	ASSERT_EQ(4096, pread(self->dev->fd, block, 4096, (c->sdlba + 240) * self->dev->lbs));
	EXPECT_EQ(false, bc_sector_is(block, self->win.tag[0]));
	free(block);
}

/* The drive's cache is written before a copy that demands it is completed. */
TEST_F(errors, forced_unit_access)
{
	struct bc_counts counts = { 0 };

	start(self);
	ADD(self->src, 4);
	ADD(self->src + 10, 4);
	ADD(self->blocks, 4);
	self->c.fua = true;
	TRY(NO_RETRY(LBA_RANGE), 2, "with a source beyond the end");
	self->c.nr = 2;
	ASSERT_EQ(0, bc_mark());
	TRY(0, 2, "right");
	if (variant->backing == DRIVE && bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&counts));
		EXPECT_EQ(1, counts.flushes);
		EXPECT_LT(0, counts.copies);
	}
}

TEST_HARNESS_MAIN
