// SPDX-License-Identifier: GPL-2.0
/*
 * What the null_blk driver does with copies: sources that were never written, bad
 * blocks, its cache, its ways to complete, and what it says of odd arguments.
 */
#include "blkcopy_test.h"
#include "nullb.h"

#define SRC	(4 * BC_MIB)
#define DST	(16 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define NO_COPIES	"size=64 memory_backed=1 copy_max_bytes=0 copy_max_extent_bytes=0 "	\
			"copy_max_extents=0 "
#define DEFAULTS	NO_COPIES "copy_max_bytes=65536 "

FIXTURE(null) {
	struct bc_nullb n;
	struct bc_win src, dst;
	int log;
};

FIXTURE_SETUP(null)
{
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_GE(self->log, 0);
	lseek(self->log, 0, SEEK_END);
}

FIXTURE_TEARDOWN(null)
{
	bc_win_free(&self->src);
	bc_win_free(&self->dst);
	bc_nullb_remove(&self->n);
	close(self->log);
}

/* A source and a destination with data, surrounded by some more. */
#define MAKE(attrs)								\
	do {									\
		BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", attrs));	\
		BC_REQUIRE(bc_need_copy(&self->n.dev));				\
		ASSERT_EQ(0, bc_win_init(&self->src, &self->n.dev, SRC, LEN));	\
		ASSERT_EQ(0, bc_win_init(&self->dst, &self->n.dev, DST, LEN));	\
	} while (0)

#define CHECK()							\
	do {							\
		EXPECT_EQ(0, bc_win_check(&self->src));		\
		EXPECT_EQ(0, bc_win_check(&self->dst));		\
	} while (0)

static int copy(struct bc_win *dst, __u64 to, struct bc_win *src, __u64 from, __u64 len)
{
	struct blk_copy_extent ext = { SRC + from, len };

	return bc_step2(dst, dst->dev->fd, src, src->dev->fd, BC_IOCTL, DST + to, &ext, 1);
}

/* Whether the kernel's log has had @sentence since the test began. */
static bool logged(int fd, const char *sentence)
{
	char line[1024];
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (strstr(line, "null_blk") && strstr(line, sentence))
			return true;
	}
	return false;
}

static __u64 parameter(const char *name)
{
	char path[128];
	unsigned long long value = ~0ULL;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/null_blk/parameters/%s", name);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu", &value) != 1)
		value = ~0ULL;
	if (f)
		fclose(f);
	return value;
}

TEST_F(null, parameters_of_the_module)
{
	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", "size=64"));
	EXPECT_EQ(parameter("copy_max_bytes"), self->n.dev.lim.hw_bytes);
	EXPECT_EQ(parameter("copy_max_extent_bytes"), self->n.dev.lim.hw_extent_bytes);
	EXPECT_EQ(parameter("copy_max_extents"), self->n.dev.lim.hw_extents);
}

TEST_F(null, offers_nothing_when_told_so)
{
	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", NO_COPIES));
	EXPECT_EQ(0, self->n.dev.lim.hw_bytes);
	EXPECT_EQ(0, self->n.dev.lim.hw_extent_bytes);
	EXPECT_EQ(0, self->n.dev.lim.hw_extents);
	EXPECT_EQ(0, self->n.dev.lim.max_bytes);
}

TEST_F(null, limits_that_are_left_out)
{
	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", DEFAULTS));
	EXPECT_EQ(65536, self->n.dev.lim.hw_bytes);
	EXPECT_EQ(65536, self->n.dev.lim.hw_extent_bytes);
	EXPECT_EQ(256, self->n.dev.lim.hw_extents);
	EXPECT_EQ(-EBUSY, bc_nullb_set(&self->n, "copy_max_bytes", "4096"));
	bc_nullb_remove(&self->n);
	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", "size=64 copy_max_bytes=69632 "
				 "copy_max_extent_bytes=8192 copy_max_extents=3"));
	EXPECT_EQ(69632, self->n.dev.lim.max_bytes);
	EXPECT_EQ(8192, self->n.dev.lim.max_extent_bytes);
	EXPECT_EQ(3, self->n.dev.lim.max_extents);
}

TEST_F(null, odd_arguments)
{
	static const struct {
		const char *attrs, *sentence;
	} odd[] = {
		{ "copy_max_bytes=65537", "must be multiples of the block size" },
		{ "copy_max_bytes=65536 copy_max_extent_bytes=4097",
		  "must be multiples of the block size" },
		{ "blocksize=4096 copy_max_bytes=66048", "must be multiples of the block size" },
		{ "copy_max_bytes=65536 copy_max_extent_bytes=131072",
		  "copy_max_extent_bytes must not be larger" },
		{ "copy_max_bytes=65536 copy_max_extents=65536",
		  "copy_max_extents must not be larger" },
	};
	char attrs[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		snprintf(attrs, sizeof(attrs), NO_COPIES "%s", odd[i].attrs);
		BC_REQUIRE(bc_nullb_configure(&self->n, "nullb_copy", attrs));
		EXPECT_EQ(-EINVAL, bc_nullb_set(&self->n, "power", "1"))
			TH_LOG("%s", odd[i].attrs);
		EXPECT_TRUE(logged(self->log, odd[i].sentence))
			TH_LOG("%s: no sentence in the kernel's log", odd[i].attrs);
		bc_nullb_remove(&self->n);
	}
	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", NO_COPIES "copy_max_extents=7"));
	EXPECT_TRUE(logged(self->log, "ignored without copy_max_bytes"));
	EXPECT_EQ(0, self->n.dev.lim.hw_extents);
}

/* Blocks of 512 bytes in pages of which some were written, some not. */
TEST_F(null, never_written_blocks_in_written_pages)
{
	struct bc_win holes = { 0 };
	__u64 off;

	MAKE(DEFAULTS "copy_max_extents=7");
	ASSERT_EQ(0, bc_win_init_zero(&holes, &self->n.dev, 32 * BC_MIB, LEN));
	for (off = 0; off < LEN; off += 7 * BC_SECTOR)
		ASSERT_EQ(0, bc_win_write(&holes, self->n.dev.fd, 32 * BC_MIB + off,
					  off + 2 * BC_SECTOR > LEN ? BC_SECTOR : 2 * BC_SECTOR));
	for (off = 0; off < 16; off++) {
		/* sources that are aligned to pages otherwise than destinations */
		struct blk_copy_extent ext[2] = {
			{ 32 * BC_MIB + off * BC_SECTOR, 150 * BC_SECTOR },
			{ 32 * BC_MIB + (off * 211 + 400) * BC_SECTOR, 31 * BC_SECTOR },
		};

		EXPECT_EQ(0, bc_step2(&self->dst, self->n.dev.fd, &holes, self->n.dev.fd,
				      BC_IOCTL, DST + off * 200 * BC_SECTOR, ext, 2));
	}
	EXPECT_EQ(0, bc_win_check(&holes));
	CHECK();
	bc_win_free(&holes);
}

static __u64 free_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	unsigned long long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* A hole is copied as a hole: the memory of what it is copied over is free again. */
TEST_F(null, never_written_sources_take_no_memory)
{
	struct blk_copy_extent ext = { 64 * BC_MIB, 48 * BC_MIB };
	struct bc_win hole = { 0 };
	__u64 before, after = 0;
	int tries;

	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", DEFAULTS "size=256 "
				 "copy_max_bytes=4194304"));
	ASSERT_EQ(0, bc_win_init_zero(&hole, &self->n.dev, 64 * BC_MIB, 48 * BC_MIB));
	ASSERT_EQ(0, bc_win_init(&self->dst, &self->n.dev, 128 * BC_MIB, 50 * BC_MIB));
	before = free_kib();
	EXPECT_EQ(0, bc_step2(&self->dst, self->n.dev.fd, &hole, self->n.dev.fd, BC_IOCTL,
			      129 * BC_MIB, &ext, 1));
	/* what is free is counted late, because CPUs keep some of it */
	for (tries = 0; tries < 50; tries++) {
		after = free_kib();
		if (after > before + 24 * 1024)
			break;
		usleep(100000);
	}
	EXPECT_GT(after, before + 24 * 1024)
		TH_LOG("%llu KiB were free, now %llu", before, after);
	EXPECT_EQ(0, bc_win_check(&self->dst));
	EXPECT_EQ(0, bc_win_check(&hole));
	bc_win_free(&hole);
}

/* Of a command with a bad block in it, nothing is copied; of those before, all. */
static int bad_block(struct bc_nullb *n, struct bc_win *dst, struct bc_win *src,
		     __u64 bad, __u64 sure)
{
	struct blk_copy_extent ext[2] = {
		{ SRC, 160 * BC_KIB }, { SRC + 512 * BC_KIB, 160 * BC_KIB },
	};
	__u64 max = n->dev.lim.max_bytes;
	char text[64];
	struct bc_result r;
	int ret;

	snprintf(text, sizeof(text), "+%llu-%llu", bad / BC_SECTOR, bad / BC_SECTOR);
	ret = bc_win_write(dst, n->dev.fd, DST, LEN) ?: bc_nullb_set(n, "badblocks", text);
	if (ret)
		return ret;
	r = bc_copy(BC_IOCTL, n->dev.fd, DST + 64 * BC_KIB, n->dev.fd, ext, 2);
	text[0] = '-';
	ret = bc_nullb_set(n, "badblocks", text);
	if (r.err != EIO || r.copied != sure) {
		bc_log("bad block %llu: %s, %llu bytes reported, must be EIO, %llu",
		       bad / BC_SECTOR, strerror(r.err), r.copied, sure);
		ret = -1;
	}
	bc_win_copied(dst, DST + 64 * BC_KIB, src, ext, 2, sure);
	/* later commands of the call may have been carried out: all but that one */
	ret |= bc_win_check_range(dst, n->dev.fd, DST, 64 * BC_KIB + sure + max);
	return ret | bc_win_check(src);
}

TEST_F(null, bad_blocks)
{
	MAKE(DEFAULTS);
	/* 320 KiB in commands of 64: the second, the last, the source of the third */
	EXPECT_EQ(0, bad_block(&self->n, &self->dst, &self->src, DST + 128 * BC_KIB, 64 * BC_KIB));
	EXPECT_EQ(0, bad_block(&self->n, &self->dst, &self->src, DST + 384 * BC_KIB - BC_SECTOR,
			       256 * BC_KIB));
	EXPECT_EQ(0, bad_block(&self->n, &self->dst, &self->src, SRC, 0));
	EXPECT_EQ(0, bad_block(&self->n, &self->dst, &self->src, SRC + 160 * BC_KIB - BC_SECTOR,
			       128 * BC_KIB));
	/* the second extent of the third command */
	EXPECT_EQ(0, bad_block(&self->n, &self->dst, &self->src, SRC + 512 * BC_KIB,
			       128 * BC_KIB));
	/* beside all of it */
	EXPECT_EQ(0, bc_nullb_set(&self->n, "badblocks", "+8512-8512"));
	EXPECT_EQ(0, copy(&self->dst, 1024 * BC_KIB, &self->src, 0, 320 * BC_SECTOR));
}

/* The cache is smaller than what is copied; after a flush it holds nothing. */
TEST_F(null, through_the_cache)
{
	struct bc_win hole = { 0 };
	struct blk_copy_extent ext = { 48 * BC_MIB, 300 * BC_KIB };

	MAKE(DEFAULTS "cache_size=1");
	ASSERT_EQ(0, bc_win_init_zero(&hole, &self->n.dev, 48 * BC_MIB, BC_MIB));
	EXPECT_EQ(0, copy(&self->dst, 128 * BC_KIB, &self->src, 3 * BC_SECTOR, 1800 * BC_KIB));
	EXPECT_EQ(0, bc_step2(&self->dst, self->n.dev.fd, &hole, self->n.dev.fd, BC_IOCTL,
			      DST + 777 * BC_SECTOR, &ext, 1));
	CHECK();
	ASSERT_EQ(0, fsync(self->n.dev.fd));
	CHECK();
	ASSERT_EQ(0, bc_nullb_power(&self->n, false));
	ASSERT_EQ(0, bc_nullb_power(&self->n, true));
	CHECK();
	EXPECT_EQ(0, bc_win_check(&hole));
	bc_win_free(&hole);
}

TEST_F(null, completes_in_every_way)
{
	static const char * const ways[] = {
		"irqmode=0", "irqmode=1", "irqmode=2 completion_nsec=20000",
		"submit_queues=2 hw_queue_depth=1", "blocksize=4096", "mbps=200",
		"no_sched=1 discard=1", "queue_mode=0",
	};
	char attrs[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		snprintf(attrs, sizeof(attrs), DEFAULTS "%s", ways[i]);
		bc_log("%s", ways[i]);
		MAKE(attrs);
		EXPECT_EQ(0, copy(&self->dst, 64 * BC_KIB, &self->src, 16 * BC_KIB, BC_MIB));
		CHECK();
		bc_win_free(&self->src);
		bc_win_free(&self->dst);
		bc_nullb_remove(&self->n);
	}
}

/* Without memory nothing is kept, and everything ends well but bad blocks. */
TEST_F(null, without_memory)
{
	struct blk_copy_extent ext = { SRC, LEN };
	struct bc_bound bound;
	struct bc_result r;

	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", DEFAULTS
				 "memory_backed=0 irqmode=0"));
	bound = bc_bound_for(BC_IOCTL, &self->n.dev, &ext, 1);
	ASSERT_EQ(0, bc_mark());
	r = bc_copy(BC_IOCTL, self->n.dev.fd, DST, self->n.dev.fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(LEN, r.copied);
	EXPECT_EQ(0, bc_expect_counts(&bound));
	EXPECT_EQ(0, bc_nullb_set(&self->n, "badblocks", "+8192-8192"));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, self->n.dev.fd, DST, self->n.dev.fd, &ext, 1),
				EIO, "a source with a bad block"));
}

/* Two drives of one driver, with one set of tags even, are two drives. */
TEST_F(null, not_between_two)
{
	struct blk_copy_extent ext = { SRC, 64 * BC_KIB };
	struct bc_nullb other;

	/* without memory: a set of tags that is shared belongs to drives that don't sleep */
	BC_REQUIRE(bc_nullb_make(&self->n, "nullb_copy", DEFAULTS "memory_backed=0 shared_tags=1"));
	BC_REQUIRE(bc_nullb_make(&other, "nullb_other", DEFAULTS "memory_backed=0 shared_tags=1"));
	ASSERT_EQ(0, bc_mark());
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, other.dev.fd, DST, self->n.dev.fd, &ext, 1),
				EOPNOTSUPP, "a copy to another drive"));
	EXPECT_EQ(0, bc_expect_no_copies());
	bc_nullb_remove(&other);
}

TEST_HARNESS_MAIN
