// SPDX-License-Identifier: GPL-2.0
/*
 * What an NVMe target offers, and how that changes with what is behind it:
 * limits of all sizes, limits that are changed, files that grow, copies that
 * cannot be done after all, devices that sleep.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "blkcopy_test.h"
#include "stack.h"
#include "target.h"

#define BASE	(1 * BC_MIB)
#define LEN	(2 * BC_MIB)

#define INVALID_OPCODE	0x001
#define INTERRUPTED	0x021
#define LBA_RANGE	0x080
#define SIZE_LIMIT	0x183
#define WAIT_MS		20000

FIXTURE(target) {
	struct bc_dev drive, drive2;
	struct bc_stack stack;
	struct bc_mount mount;
	struct bc_target target;
	struct bc_dev *dev;
	struct bc_win win;
	struct bc_nvme_copy c;
};

FIXTURE_SETUP(target)
{
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->drive2, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	ASSERT_EQ(0, bc_target_clean());
	self->dev = &self->target.dev;
}

FIXTURE_TEARDOWN(target)
{
	EXPECT_EQ(0, bc_target_leave(&self->win, &self->target, &self->stack, &self->mount));
	bc_reset_limits(&self->drive);
	bc_close(&self->drive);
	bc_close(&self->drive2);
}

#define MAKE(transport, path, flags)						\
	do {									\
		BC_REQUIRE(bc_target_make(&self->target, transport, path, flags)); \
		ASSERT_EQ(0, bc_win_init(&self->win, self->dev, BASE, LEN));	\
	} while (0)

static __u64 lba(const struct bc_dev *dev, __u64 bytes)
{
	return bytes / dev->lbs;
}

/* One command past the block layer, with sources at the start of the window. */
static int command(FIXTURE_DATA(target) *self, __u64 dst, unsigned int nr, __u32 *dword0)
{
	unsigned int i;

	memset(&self->c, 0, sizeof(self->c));
	self->c.sdlba = lba(self->dev, dst);
	for (i = 0; i < nr; i++)
		bc_nvme_add(&self->c, lba(self->dev, BASE) + 9 * i, 8);
	return bc_nvme_copy(self->dev, &self->c, dword0);
}

/* Model only: the first @nr ranges of that command were copied inside the window. */
static void copied_by_command(FIXTURE_DATA(target) *self, unsigned int nr)
{
	struct blk_copy_extent ext[256];

	bc_nvme_extents(self->dev, &self->c, nr, ext);
	bc_win_copied(&self->win, self->c.sdlba * self->dev->lbs, &self->win, ext, nr,
		      bc_total(ext, nr));
}

/* A namespace that does not copy says so, refuses, and its host does not try. */
static int offers_none(FIXTURE_DATA(target) *self, const char *what)
{
	struct blk_copy_extent ext = { BASE, 64 * BC_KIB };
	struct bc_nvme_limits lim;
	__u32 dword0;
	int ret, status;

	bc_read_limits(self->dev);
	ret = bc_expect_no_limits(self->dev) | bc_nvme_limits(self->dev, &lim);
	if (lim.mssrl | lim.mcl | lim.msrc) {
		bc_log("%s: limits are %u %u %u, must be 0", what, lim.mssrl, lim.mcl, lim.msrc);
		ret = -1;
	}
	status = command(self, BASE + BC_MIB, 3, &dword0);
	if (status != (INVALID_OPCODE | BC_NVME_DNR) || dword0) {
		bc_log("%s: status 0x%x, dword 0 %u", what, status, dword0);
		ret = -1;
	}
	return ret | bc_refused(bc_copy(BC_IOCTL, self->dev->fd, BASE + BC_MIB, self->dev->fd,
					&ext, 1), EOPNOTSUPP, what);
}

static int await_limit(struct bc_dev *dev, __u64 bytes)
{
	__u64 end = bc_now_ms() + WAIT_MS;

	for (;;) {
		/* all of them change at once, but are read one by one */
		if (!bc_read_limits(dev) && dev->lim.hw_bytes == bytes)
			return bc_read_limits(dev);
		if (bc_now_ms() > end)
			break;
		usleep(10000);
	}
	bc_log("%s: copy_max_hw_bytes is %llu, must become %llu", dev->disk, dev->lim.hw_bytes,
	       bytes);
	return -1;
}

TEST_F(target, of_a_drive_without_copy)
{
	const char *other = getenv("COPY_OTHER");

	if (!other)
		SKIP(return, "COPY_OTHER names no drive that does not copy");
	MAKE("loop", other, 0);
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(0, offers_none(self, "no copies"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

/* The host is told of what changes, and asked for nothing that it was not told. */
TEST_F(target, changed_limits)
{
	struct blk_copy_extent ext = { BASE, 64 * BC_KIB };
	__u64 lbs = self->drive.lbs;
	__u32 dword0;

	MAKE("loop", self->drive.path, 0);
	ASSERT_EQ(0, bc_queue_write(&self->drive, "copy_max_bytes", 5 * lbs));
	ASSERT_EQ(0, bc_target_write(&self->target, "namespaces/1/revalidate_size", "1"));
	EXPECT_EQ(0, await_limit(self->dev, 5 * lbs));
	EXPECT_EQ(0, bc_step(&self->win, BC_IOCTL, BASE + BC_MIB, &ext, 1));

	ASSERT_EQ(0, bc_reset_limits(&self->drive));
	ASSERT_EQ(0, bc_target_write(&self->target, "namespaces/1/revalidate_size", "1"));
	EXPECT_EQ(0, await_limit(self->dev, self->drive.lim.max_bytes));

	/* switched off: the host learns of it by the command that fails, and then in any case */
	ASSERT_EQ(0, bc_queue_write(&self->drive, "copy_max_bytes", 0));
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(INVALID_OPCODE | BC_NVME_DNR, command(self, BASE + BC_MIB, 1, &dword0));
	EXPECT_EQ(0, dword0);
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, self->dev->fd, BASE + BC_MIB, self->dev->fd,
					&ext, 1), EOPNOTSUPP, "switched off"));
	ASSERT_EQ(0, bc_target_write(&self->target, "namespaces/1/revalidate_size", "1"));
	EXPECT_EQ(0, await_limit(self->dev, 0));
	EXPECT_EQ(0, offers_none(self, "switched off"));
	EXPECT_EQ(0, bc_expect_no_copies());

	ASSERT_EQ(0, bc_reset_limits(&self->drive));
	ASSERT_EQ(0, bc_target_write(&self->target, "namespaces/1/revalidate_size", "1"));
	EXPECT_EQ(0, await_limit(self->dev, self->drive.lim.max_bytes));
	EXPECT_EQ(0, bc_step(&self->win, BC_IOCTL, BASE + BC_MIB, &ext, 1));
}

#define NULLB		"/sys/kernel/config/nullb/block_copy"

static int nullb_set(const char *attr, __u64 value)
{
	char path[128], text[32];
	int fd, ret;

	snprintf(path, sizeof(path), NULLB "/%s", attr);
	snprintf(text, sizeof(text), "%llu", value);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static void nullb_remove(void)
{
	nullb_set("power", 0);
	rmdir(NULLB);
}

/* Limits that fit the fields of the namespace exactly, barely not, or not at all. */
TEST_F(target, limits_of_all_sizes)
{
	static const struct {
		__u32 lbs, extents, msrc, mssrl;
		__u64 extent_blocks;
	} cases[] = {
		{ 512, 1, 0, 1, 1 },
		{ 512, 255, 254, 65534, 65534 },
		{ 512, 256, 255, 65535, 65535 },
		{ 512, 257, 255, 65535, 65536 },
		{ 4096, 65535, 255, 65535, 131072 },
		{ 4096, 3, 2, 7, 7 },
	};
	struct blk_copy_extent ext[40];
	struct bc_nvme_limits lim;
	struct bc_result r;
	struct bc_dev null;
	unsigned int i, n;
	__u32 dword0;

	mount("configfs", "/sys/kernel/config", "configfs", 0, NULL);
	nullb_remove();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u64 lbs = cases[i].lbs;

		if (mkdir(NULLB, 0755))
			SKIP(return, "the kernel has no null_blk");
		ASSERT_EQ(0, nullb_set("memory_backed", 1));
		ASSERT_EQ(0, nullb_set("size", 16));
		ASSERT_EQ(0, nullb_set("blocksize", lbs));
		if (nullb_set("copy_max_bytes", 1ULL << 40)) {
			nullb_remove();
			SKIP(return, "null_blk does not copy");
		}
		ASSERT_EQ(0, nullb_set("copy_max_extent_bytes", cases[i].extent_blocks * lbs));
		ASSERT_EQ(0, nullb_set("copy_max_extents", cases[i].extents));
		ASSERT_EQ(0, nullb_set("power", 1));
		ASSERT_EQ(0, bc_open_path(&null, "/dev/block_copy"));
		ASSERT_EQ(0, bc_queue_write(&null, "copy_max_bytes", 1ULL << 40));
		MAKE("loop", null.path, 0);
		ASSERT_EQ(0, bc_nvme_limits(self->dev, &lim));
		EXPECT_EQ(cases[i].mssrl, lim.mssrl);
		EXPECT_EQ(cases[i].msrc, lim.msrc);
		EXPECT_EQ(((1ULL << 32) - lbs) / lbs, lim.mcl);
		/* a block, and a range, more than that */
		memset(&self->c, 0, sizeof(self->c));
		bc_nvme_add(&self->c, 0, lim.mssrl + 1);
		self->c.sdlba = lba(self->dev, BASE);
		EXPECT_EQ(SIZE_LIMIT | BC_NVME_DNR, bc_nvme_copy(self->dev, &self->c, &dword0));
		EXPECT_EQ(0, dword0);
		self->c.nr = 0;
		while (lim.msrc < 255 && self->c.nr < lim.msrc + 2)
			bc_nvme_add(&self->c, 0, 1);
		if (self->c.nr)
			EXPECT_EQ(SIZE_LIMIT | BC_NVME_DNR,
				  bc_nvme_copy(self->dev, &self->c, &dword0));
		for (n = 0; n < 40; n++) {
			ext[n].offset = BASE + (60 - n) * lbs;
			ext[n].length = (1 + n % 3) * lbs;
		}
		r = bc_copy(BC_IOCTL, self->dev->fd, BASE + BC_MIB, self->dev->fd, ext, 40);
		EXPECT_EQ(0, r.err);
		bc_win_copied(&self->win, BASE + BC_MIB, &self->win, ext, 40, r.copied);
		EXPECT_EQ(0, bc_win_check(&self->win));
		bc_win_free(&self->win);
		self->win.tag = NULL;
		EXPECT_EQ(0, bc_target_remove(&self->target));
		bc_close(&null);
		nullb_remove();
	}
}

TEST_F(target, file_that_grows)
{
	struct blk_copy_extent ext = { BASE, 64 * BC_KIB };
	__u64 end = bc_now_ms() + WAIT_MS;
	struct bc_win behind;
	struct bc_result r;
	__u32 dword0;

	BC_REQUIRE(bc_mount_make(&self->mount, "tmpfs", NULL, 8 * BC_MIB));
	MAKE("loop", self->mount.file, 0);
	EXPECT_EQ(LBA_RANGE | BC_NVME_DNR, command(self, 8 * BC_MIB, 3, &dword0));
	ASSERT_EQ(0, truncate(self->mount.file, 16 * BC_MIB));
	ASSERT_EQ(0, bc_target_write(&self->target, "namespaces/1/revalidate_size", "1"));
	do {
		self->dev->size = lseek(self->dev->fd, 0, SEEK_END);
		usleep(1000);
	} while (self->dev->size != 16 * BC_MIB && bc_now_ms() < end);
	ASSERT_EQ(16 * BC_MIB, self->dev->size);
	ASSERT_EQ(0, bc_win_init(&behind, self->dev, 14 * BC_MIB, 2 * BC_MIB));
	r = bc_copy(BC_IOCTL, self->dev->fd, 16 * BC_MIB - ext.length, self->dev->fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(ext.length, r.copied);
	bc_win_copied(&behind, 16 * BC_MIB - ext.length, &self->win, &ext, 1, r.copied);
	EXPECT_EQ(0, bc_win_check(&behind));
	bc_win_free(&behind);
}

/* Both parts of the stack copy, but not from one drive to the other. */
TEST_F(target, of_two_drives)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @8000 linear %a @60000\n@8000 @8000 linear %b @60000\n"
	};
	__u64 seam = 8000 * self->drive.lbs;
	struct blk_copy_extent ext[2];
	struct bc_win behind;
	__u32 dword0;

	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, &self->drive2));
	MAKE("loop", self->stack.top.path, 0);
	ASSERT_EQ(0, bc_win_init(&behind, self->dev, seam - 16 * BC_KIB, 32 * BC_KIB));
	/* two ranges fit before the seam, the third crosses it */
	EXPECT_EQ(INVALID_OPCODE | BC_NVME_DNR,
		  command(self, seam - 20 * self->dev->lbs, 4, &dword0));
	EXPECT_EQ(2, dword0);
	bc_nvme_extents(self->dev, &self->c, 2, ext);
	bc_win_copied(&behind, seam - 20 * self->dev->lbs, &self->win, ext, 2, BC_MIB);
	EXPECT_EQ(0, bc_win_check_range(&behind, self->dev->fd, behind.base,
					seam - 4 * self->dev->lbs - behind.base));
	EXPECT_EQ(0, bc_win_check_range(&behind, self->dev->fd, seam + 12 * self->dev->lbs, BC_KIB));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, self->dev->fd, seam + BC_MIB, self->dev->fd,
					ext, 1), EOPNOTSUPP, "to the other drive"));
	bc_win_free(&behind);
}

struct sleeper {
	const struct bc_dm *dm;
	unsigned int ms;
	pthread_t thread;
};

static void *wake(void *arg)
{
	struct sleeper *s = arg;

	usleep(s->ms * 1000);
	bc_dm_resume(s->dm);
	return NULL;
}

/*
 * The source is awake, the destination is not: the copy can't wait for it with
 * the source in flight. The target tries again, and then has the host do so.
 */
TEST_F(target, destination_asleep)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @8000 linear %a @60000\n", "0 @8000 linear %a @80000\n",
		"0 @8000 linear %0 0\n@8000 @8000 linear %1 0\n",
	};
	__u64 seam = 8000 * self->drive.lbs, dst = seam + 64 * BC_KIB;
	const struct bc_dm *lower = &self->stack.dm[1];
	struct sleeper s = { .dm = lower, .ms = 300 };
	struct blk_copy_extent ext[3];
	struct bc_win behind;
	__u32 dword0;

	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	MAKE("loop", self->stack.top.path, 0);
	ASSERT_EQ(0, bc_win_init(&behind, self->dev, seam, BC_MIB));

	ASSERT_EQ(0, bc_dm_suspend(lower, BC_DM_NOLOCKFS));
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, wake, &s));
	EXPECT_EQ(0, command(self, dst, 3, &dword0));
	pthread_join(s.thread, NULL);
	bc_nvme_extents(self->dev, &self->c, 3, ext);
	bc_win_copied(&behind, dst, &self->win, ext, 3, BC_MIB);
	EXPECT_EQ(0, bc_win_check(&behind));

	ASSERT_EQ(0, bc_dm_suspend(lower, BC_DM_NOLOCKFS));
	EXPECT_EQ(INTERRUPTED, command(self, dst + BC_KIB, 3, &dword0));
	EXPECT_EQ(0, dword0);
	ASSERT_EQ(0, bc_dm_resume(lower));
	EXPECT_EQ(0, bc_win_check(&behind));

	/* through the block layer the host does try again */
	ASSERT_EQ(0, bc_dm_suspend(lower, BC_DM_NOLOCKFS));
	s.ms = 2500;
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, wake, &s));
	EXPECT_EQ(0, bc_stack_step2(&behind, &self->win, BC_IOCTL, dst + 2 * BC_KIB, ext, 3));
	pthread_join(s.thread, NULL);
	EXPECT_EQ(0, bc_win_check(&behind));
	bc_win_free(&behind);
}

/* So many ranges that the target needs an allocation of this size, and not one of the others. */
#define RANGES	60
#define SLAB	"/sys/kernel/slab/kmalloc-8k/failslab"

/* The target has no memory for the ranges: nothing is copied, and the host should try again. */
TEST_F(target, no_memory)
{
	unsigned int nr, i;
	__u32 dword0;
	int status;

	if (bc_write_file(SLAB, "1"))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	MAKE("loop", self->drive.path, 0);
	if (bc_fail_prepare(true))
		SKIP(return, "failslab cannot be set up");
	ASSERT_EQ(0, bc_mark());
	for (nr = RANGES; nr; nr = nr == RANGES ? RANGES / 6 : 0) {
		memset(&self->c, 0, sizeof(self->c));
		self->c.sdlba = lba(self->dev, BASE + BC_MIB);
		for (i = 0; i < nr; i++)
			bc_nvme_add(&self->c, lba(self->dev, BASE) + 3 * i, 2);
		ASSERT_EQ(0, bc_fail_slabs(true));
		status = bc_nvme_copy(self->dev, &self->c, &dword0);
		EXPECT_EQ(0, bc_fail_slabs(false));
		EXPECT_EQ(nr == RANGES ? INTERRUPTED : 0, status);
		EXPECT_EQ(0, dword0);
		if (nr == RANGES)
			EXPECT_EQ(0, bc_expect_no_copies());
	}
	bc_fail_end();
	bc_write_file(SLAB, "0");
	copied_by_command(self, RANGES / 6);
}

/* Two ports, two controllers, one disk; every other command takes the other way. */
TEST_F(target, two_ports)
{
	struct blk_copy_extent ext = { BASE, 300 * BC_KIB };
	char path[128];
	int fd;

	MAKE("tcp", self->drive.path, BC_TARGET_TWO_PORTS);
	EXPECT_EQ(2, self->target.nr_ctrls);
	snprintf(path, sizeof(path), "/sys/block/%s/device/iopolicy", self->dev->disk);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "no multipath in this kernel, or it is switched off");
	ASSERT_EQ(11, write(fd, "round-robin", 11));
	close(fd);
	EXPECT_EQ(0, bc_stack_step(&self->win, BC_IOCTL, BASE + BC_MIB, &ext, 1));
	EXPECT_EQ(0, bc_win_check(&self->win));
	/* the way goes away: the other one is taken */
	snprintf(path, sizeof(path), "/sys/class/nvme/nvme%d/delete_controller",
		 self->target.ctrl[0]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "1", 1));
	close(fd);
	ext.offset += 4 * BC_KIB;
	EXPECT_EQ(0, bc_stack_step(&self->win, BC_IOCTL, BASE + BC_MIB, &ext, 1));
}

static __u64 lo_bytes(void)
{
	FILE *f = fopen("/proc/net/dev", "re");
	__u64 bytes = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " lo: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}

/* What a copy puts on the wire, and reading and writing the same data, @len bytes at a time. */
static int wire(FIXTURE_DATA(target) *self, __u64 len, __u64 *copied, __u64 *carried)
{
	char *buf = bc_alloc(len);
	__u64 off, start = lo_bytes();
	int ret = 0;

	for (off = 0; off < BC_MIB; off += len) {
		struct blk_copy_extent ext = { BASE + off, len };

		ret |= bc_step(&self->win, BC_IOCTL, BASE + BC_MIB + off, &ext, 1);
	}
	*copied = lo_bytes() - start;
	start = lo_bytes();
	for (off = 0; off < BC_MIB; off += len)
		if (pread(self->dev->fd, buf, len, BASE + off) != (ssize_t)len ||
		    pwrite(self->dev->fd, buf, len, BASE + BC_MIB + off) != (ssize_t)len)
			ret = -1;
	*carried = lo_bytes() - start;
	free(buf);
	bc_log("1 MiB, %llu KiB at a time: %llu bytes on the wire, read and written: %llu",
	       len / BC_KIB, *copied, *carried);
	return ret;
}

TEST_F(target, bytes_on_the_wire)
{
	static const __u64 lengths[] = { 8 * BC_KIB, 64 * BC_KIB, BC_MIB };
	__u64 copied, carried;
	unsigned int i;

	MAKE("tcp", self->drive.path, 0);
	bc_log("commands of at most %llu KiB", self->dev->lim.max_bytes / BC_KIB);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		EXPECT_EQ(0, wire(self, lengths[i], &copied, &carried));
		EXPECT_LT(2 * BC_MIB, carried);
		EXPECT_GT(carried / 20, copied);
	}
}

/* nvme-cli, with the target and with the drive itself. */
TEST_F(target, nvme_cli)
{
	const struct bc_dev *devs[] = { &self->drive, self->dev };
	struct blk_copy_extent ext[2] = { { 0 } };
	unsigned int i;

	MAKE("loop", self->drive.path, 0);
	for (i = 0; i < 2; i++) {
		char start[64], slbas[64];
		const char *argv[] = { "nvme", "copy", devs[i]->path, start, slbas, "--blocks=4,2",
				       "--format=0", NULL };
		__u64 dst = BASE + BC_MIB + i * 64 * BC_KIB;
		struct bc_bound bound = { 0 };
		int ret;

		ext[0] = (struct blk_copy_extent){ BASE + 20 * self->dev->lbs, 5 * self->dev->lbs };
		ext[1] = (struct blk_copy_extent){ BASE + 8 * self->dev->lbs, 3 * self->dev->lbs };
		snprintf(start, sizeof(start), "--sdlba=%llu", lba(self->dev, dst));
		snprintf(slbas, sizeof(slbas), "--slbs=%llu,%llu", lba(self->dev, ext[0].offset),
			 lba(self->dev, ext[1].offset));
		ASSERT_EQ(0, bc_mark());
		ret = bc_run(argv);
		if (ret == 127)
			SKIP(return, "there is no nvme-cli");
		EXPECT_EQ(0, ret);
		bc_bound_add(&bound, &self->drive.lim, self->dev->lbs, ext, 2);
		EXPECT_EQ(0, bc_expect_counts(&bound));
		bc_win_copied(&self->win, dst, &self->win, ext, 2, BC_MIB);
		EXPECT_EQ(0, bc_win_check(&self->win));
	}
}

TEST_HARNESS_MAIN
