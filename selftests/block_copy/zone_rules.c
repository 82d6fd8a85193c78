// SPDX-License-Identifier: GPL-2.0
/*
 * Zones that QEMU's drives don't have: conventional ones, some that are smaller
 * than they look, offline and read-only ones, more than may be open. And stacked
 * devices on zones, where a copy keeps its source in flight while it waits for
 * its turn in a zone.
 */
#include <linux/blkzoned.h>

#include "blkcopy_test.h"
#include "nullb.h"
#include "stack.h"

#define ZONE	(4 * BC_MIB)
#define SIZE	(2 * BC_MIB)
#define ZONED	"memory_backed=1 zoned=1 size=64 zone_size=4 copy_max_bytes=65536 "	\
		"copy_max_extent_bytes=0 copy_max_extents=0 "

FIXTURE(zone_rules) {
	struct bc_nullb n;
	struct bc_dev *dev;
	struct bc_win src;
};

FIXTURE_SETUP(zone_rules)
{
	self->dev = &self->n.dev;
}

FIXTURE_TEARDOWN(zone_rules)
{
	bc_win_free(&self->src);
	bc_nullb_remove(&self->n);
}

#define MAKE(attrs, source)							\
	do {									\
		BC_REQUIRE(bc_nullb_make(&self->n, "nullb_zoned", ZONED attrs));	\
		BC_REQUIRE(bc_need_copy(self->dev));				\
		ASSERT_EQ(0, bc_win_init(&self->src, self->dev, source, SIZE));	\
	} while (0)

static struct bc_result try(struct bc_dev *dev, __u64 to, __u64 from, __u64 len)
{
	struct blk_copy_extent ext = { from, len };

	return bc_copy(BC_IOCTL, dev->fd, to, dev->fd, &ext, 1);
}

static int copy(struct bc_win *dst, __u64 to, struct bc_win *src, __u64 from, __u64 len)
{
	struct blk_copy_extent ext = { src->base + from, len };

	return bc_step2(dst, dst->dev->fd, src, src->dev->fd, BC_IOCTL, dst->base + to, &ext, 1);
}

/* The errno of a write of a block at @to, which must not succeed. */
static int write_error(struct bc_dev *dev, __u64 to)
{
	char *buf = bc_alloc(dev->lbs);
	ssize_t n;

	memset(buf, 1, dev->lbs);
	n = pwrite(dev->fd, buf, dev->lbs, to);
	free(buf);
	return n < 0 ? errno : 0;
}

/* Three of them, then sequential ones: anywhere, in any order, and across. */
TEST_F(zone_rules, conventional_zones)
{
	struct bc_win conv = { 0 };

	MAKE("zone_nr_conv=3 zone_max_open=4", 5 * ZONE);
	ASSERT_EQ(0, bc_win_init(&conv, self->dev, 0, 3 * ZONE));
	EXPECT_EQ(0, copy(&conv, 8 * BC_KIB, &self->src, BC_KIB, 100 * BC_KIB));
	EXPECT_EQ(0, copy(&conv, BC_KIB, &self->src, 512, 9 * BC_KIB));
	EXPECT_EQ(0, copy(&conv, 2 * ZONE - 77 * BC_KIB, &conv, 300 * BC_KIB, 200 * BC_KIB));
	EXPECT_EQ(0, bc_win_check(&conv));
	bc_win_free(&conv);

	/* on into zone 3, which is empty, and into the middle of it, which is wrong */
	ASSERT_EQ(0, bc_win_init_zero(&conv, self->dev, 3 * ZONE - BC_MIB, 2 * BC_MIB));
	EXPECT_EQ(0, copy(&conv, BC_MIB / 2, &self->src, 0, BC_MIB));
	EXPECT_EQ(0, bc_win_check_range(&conv, self->dev->fd, 3 * ZONE - BC_MIB / 2, BC_MIB));
	EXPECT_EQ(0, bc_zone_expect(self->dev, 3 * ZONE, BC_MIB / 2));
	EXPECT_EQ(0, bc_refused(try(self->dev, 3 * ZONE + BC_MIB, 0, 4096), EIO, "no order"));
	bc_win_free(&conv);
	EXPECT_EQ(0, bc_win_check(&self->src));
}

TEST_F(zone_rules, zones_end_at_their_capacity)
{
	struct blk_copy_extent ext = { 0, SIZE };
	struct bc_win dst = { 0 };
	struct bc_result r;

	MAKE("zone_capacity=2", 0);
	ASSERT_EQ(0, bc_win_init_zero(&dst, self->dev, ZONE, SIZE));
	r = try(self->dev, ZONE, 0, SIZE + 4096);
	EXPECT_EQ(EIO, r.err);
	EXPECT_EQ(SIZE, r.copied);
	bc_win_copied(&dst, ZONE, &self->src, &ext, 1, SIZE);
	EXPECT_EQ(0, bc_win_check(&dst));
	EXPECT_EQ(0, bc_zone_expect(self->dev, ZONE, SIZE));
	bc_win_free(&dst);
}

/* The end of one zone and the start of the next make two commands, however short. */
TEST_F(zone_rules, commands_end_with_zones)
{
	struct bc_win dst = { 0 };
	struct blk_copy_extent ext = { 0, 3 * 4096 };

	MAKE("", 0);
	ASSERT_EQ(0, bc_win_init_zero(&dst, self->dev, ZONE, 2 * ZONE));
	ASSERT_EQ(0, bc_win_write(&dst, self->dev->fd, ZONE, ZONE - 4096));
	EXPECT_EQ(0, try(self->dev, 2 * ZONE - 4096, 0, 3 * 4096).err);
	bc_win_copied(&dst, 2 * ZONE - 4096, &self->src, &ext, 1, 3 * 4096);
	EXPECT_EQ(0, bc_zone_expect(self->dev, ZONE, ZONE));
	EXPECT_EQ(0, bc_zone_expect(self->dev, 2 * ZONE, 2 * 4096));
	EXPECT_EQ(0, bc_win_check_range(&dst, self->dev->fd, ZONE, ZONE + 2 * 4096));
	bc_win_free(&dst);
}

TEST_F(zone_rules, offline_and_read_only_zones)
{
	char sector[32];

	MAKE("", 0);
	snprintf(sector, sizeof(sector), "%llu", ZONE / BC_SECTOR);
	ASSERT_EQ(0, bc_nullb_set(&self->n, "zone_offline", sector));
	snprintf(sector, sizeof(sector), "%llu", 2 * ZONE / BC_SECTOR);
	ASSERT_EQ(0, bc_nullb_set(&self->n, "zone_readonly", sector));
	EXPECT_EQ(0, bc_refused(try(self->dev, ZONE, 0, 4096), EIO, "to an offline zone"));
	EXPECT_EQ(0, bc_refused(try(self->dev, 2 * ZONE, 0, 4096), EIO, "to a read-only zone"));
	EXPECT_EQ(0, bc_refused(try(self->dev, 3 * ZONE, ZONE, 4096), EIO,
				"from an offline zone"));
	EXPECT_EQ(0, bc_zone_expect(self->dev, 3 * ZONE, 0));
	/* in one command, but not in one range */
	EXPECT_EQ(0, bc_refused(try(self->dev, 3 * ZONE, ZONE - 4096, 8192), EIO,
				"up to an offline zone"));
	EXPECT_EQ(0, bc_zone_expect(self->dev, 3 * ZONE, 0));
	EXPECT_EQ(0, try(self->dev, 3 * ZONE, 2 * ZONE, 4096).err);
	EXPECT_EQ(0, bc_zone_expect(self->dev, 3 * ZONE, 4096));
	EXPECT_EQ(0, bc_win_check(&self->src));
}

/* One zone too many: the errors are those of writes. */
TEST_F(zone_rules, active_zones)
{
	struct bc_zone zone;
	int err;

	MAKE("zone_max_active=3 zone_max_open=2", 0);
	ASSERT_EQ(0, bc_zone_finish(self->dev, 0));
	EXPECT_EQ(0, try(self->dev, ZONE, 0, 4096).err);
	EXPECT_EQ(0, try(self->dev, 2 * ZONE, 0, 4096).err);
	EXPECT_EQ(0, try(self->dev, 3 * ZONE, 0, 4096).err);	/* closes another one */
	err = write_error(self->dev, 4 * ZONE);
	EXPECT_NE(0, err);
	EXPECT_NE(EIO, err);
	EXPECT_EQ(0, bc_zone_get(self->dev, 4 * ZONE, &zone));
	EXPECT_EQ(0, bc_refused(try(self->dev, 4 * ZONE, 0, 4096), err, "too many zones"));
	EXPECT_EQ(0, bc_zone_expect(self->dev, 4 * ZONE, 0));
	ASSERT_EQ(0, bc_zone_reset(self->dev, 2 * ZONE));
	EXPECT_EQ(0, try(self->dev, 4 * ZONE, 0, 4096).err);
	EXPECT_EQ(0, bc_zone_expect(self->dev, 4 * ZONE, 4096));
}

/* A bad block in a zone: nothing is written, the write pointer stays. */
TEST_F(zone_rules, bad_blocks)
{
	struct bc_result r;
	char text[64];

	MAKE("", 0);
	snprintf(text, sizeof(text), "+%llu-%llu", (ZONE + 70 * BC_KIB) / BC_SECTOR,
		 (ZONE + 70 * BC_KIB) / BC_SECTOR);
	ASSERT_EQ(0, bc_nullb_set(&self->n, "badblocks", text));
	r = try(self->dev, ZONE, 0, 256 * BC_KIB);
	EXPECT_EQ(EIO, r.err);
	EXPECT_EQ(64 * BC_KIB, r.copied);
	EXPECT_EQ(0, bc_zone_expect(self->dev, ZONE, 64 * BC_KIB));
	text[0] = '-';
	ASSERT_EQ(0, bc_nullb_set(&self->n, "badblocks", text));
	EXPECT_EQ(0, try(self->dev, ZONE + 64 * BC_KIB, 64 * BC_KIB, 192 * BC_KIB).err);
	EXPECT_EQ(0, bc_zone_expect(self->dev, ZONE, 256 * BC_KIB));
}

/* ---- dm-linear on zones ---- */

static int make_linear(struct bc_stack *s, struct bc_dev *dev)
{
	/* zones in another order: 8 to 15, then 0 to 7 */
	static const char *const tables[BC_STACK_MOST] = {
		"0 65536 linear %a 65536\n65536 65536 linear %a 0",
	};
	int ret = bc_stack_make(s, tables, dev, dev);

	bc_witness_disk(dev);
	return ret;
}

/* Copies @ext of @from to 12 KiB before the end of the first zone of @win. */
static int two_commands(struct bc_dev *from, struct bc_win *src, struct bc_win *win,
			struct blk_copy_extent ext)
{
	struct bc_counts saw;
	struct bc_result r;
	int bad = bc_mark();

	r = bc_copy(BC_IOCTL, win->dev->fd, ZONE - 12 * BC_KIB, from->fd, &ext, 1);
	bad |= bc_count(&saw);
	if (r.err || r.copied != ext.length || saw.copies != 2 || saw.reads) {
		bc_log("%s, %llu bytes, %llu commands", strerror(r.err), r.copied, saw.copies);
		bad = -1;
	}
	bc_win_copied(win, ZONE - 12 * BC_KIB, src, &ext, 1, r.copied);
	return bad | bc_win_check(win);
}

/*
 * A device on conventional zones alone has no zones. The drive below has, and ends
 * its commands with them: those of the destination. It does not make one command of
 * what comes as two either, because the source does.
 */
TEST_F(zone_rules, stacked_conventional_zones)
{
	static const char *const tables[BC_STACK_MOST] = {
		"0 8192 linear %a 24576\n8192 8192 linear %a 16384", "0 16384 linear %a 0",
	};
	struct bc_dev from = { .fd = -1, .bfd = -1 };
	struct bc_win win = { 0 }, src = { 0 };
	struct bc_stack s = { 0 };
	char zoned[32];

	MAKE("zone_nr_conv=4", 5 * ZONE);
	BC_REQUIRE(bc_stack_make(&s, tables, self->dev, self->dev));
	ASSERT_EQ(0, bc_open_path(&from, s.dm[0].path));
	bc_witness_disk(self->dev);
	ASSERT_EQ(0, bc_queue_read_str(&s.top, "zoned", zoned, sizeof(zoned)));
	EXPECT_STREQ("none", zoned);
	ASSERT_EQ(0, bc_win_init(&win, &s.top, 0, 2 * ZONE));
	ASSERT_EQ(0, bc_win_init(&src, &from, ZONE - 64 * BC_KIB, 128 * BC_KIB));
	EXPECT_EQ(0, two_commands(&s.top, &win, &win, (struct blk_copy_extent){
			ZONE + 80 * BC_KIB, 32 * BC_KIB }));
	EXPECT_EQ(0, two_commands(&from, &src, &win, (struct blk_copy_extent){
			ZONE - 12 * BC_KIB, 32 * BC_KIB }));
	EXPECT_EQ(0, bc_win_check(&src));
	bc_win_free(&src);
	bc_win_free(&win);
	bc_close(&from);
	EXPECT_EQ(0, bc_stack_remove(&s));
}

TEST_F(zone_rules, stacked)
{
	struct bc_stack s = { 0 };
	struct bc_win dst = { 0 };
	struct bc_win from = { 0 };
	__u64 at = 0, off;

	MAKE("copy_max_extent_bytes=20480 copy_max_extents=9", 0);
	BC_REQUIRE(make_linear(&s, self->dev));
	EXPECT_EQ(65536, s.top.lim.max_bytes);
	/* zones 0 and 1 of the stack are full, the copy crosses them */
	ASSERT_EQ(0, bc_win_init(&from, &s.top, 0, 2 * ZONE));
	ASSERT_EQ(0, bc_win_init_zero(&dst, &s.top, 9 * ZONE, 2 * ZONE));
	for (off = ZONE - BC_MIB; off < ZONE + BC_MIB; off += 512 * BC_KIB + 512) {
		struct blk_copy_extent ext = { off, 512 * BC_KIB + 512 };
		struct bc_result r = bc_copy(BC_IOCTL, s.top.fd, 9 * ZONE + at, s.top.fd, &ext, 1);

		EXPECT_EQ(0, r.err);
		EXPECT_EQ(ext.length, r.copied);
		bc_win_copied(&dst, 9 * ZONE + at, &from, &ext, 1, r.copied);
		at += r.copied;
	}
	EXPECT_EQ(0, bc_zone_expect(&s.top, 9 * ZONE, at));
	EXPECT_EQ(0, bc_zone_expect(self->dev, ZONE, at));
	EXPECT_EQ(0, bc_win_check_range(&dst, s.top.fd, 9 * ZONE, at));
	EXPECT_EQ(0, bc_win_check(&from));
	bc_win_free(&dst);
	bc_win_free(&from);
	EXPECT_EQ(0, bc_stack_remove(&s));
}

/* Copies from one zone to another, and back, all of them nested and in plugs. */
struct crossing {
	struct bc_dev *dev;
	__u64 from, to, data;	/* @data bytes of both are there from the start */
	int bad;
	pthread_t thread;
};

static void *cross(void *arg)
{
	struct crossing *c = arg;
	__u64 at;

	for (at = c->data; at < ZONE && !c->bad; at += c->data) {
		struct bc_result r = try(c->dev, c->to + at, c->from, c->data);

		c->bad = r.err || r.copied != c->data;
		if (c->bad)
			bc_log("copy to %llu: %s, %llu bytes", c->to + at, strerror(r.err),
			       r.copied);
	}
	return NULL;
}

TEST_F(zone_rules, crossing_copies)
{
	struct bc_stack s = { 0 };
	struct bc_win a = { 0 }, b = { 0 };
	unsigned int round;
	__u64 rounds = 0, off, data = 512 * BC_KIB;

	MAKE("irqmode=2 completion_nsec=50000 copy_max_extent_bytes=8192 copy_max_extents=2", 0);
	BC_REQUIRE(make_linear(&s, self->dev));
	bc_watch("crossing copies", &rounds);
	for (round = 0; round < (bc_full() ? 40 : 4); round++) {
		struct crossing c[2] = {
			{ .dev = &s.top, .from = 3 * ZONE, .to = 12 * ZONE, .data = data },
			{ .dev = &s.top, .from = 12 * ZONE, .to = 3 * ZONE, .data = data },
		};

		ASSERT_EQ(0, bc_zone_reset(&s.top, 3 * ZONE));
		ASSERT_EQ(0, bc_zone_reset(&s.top, 12 * ZONE));
		ASSERT_EQ(0, bc_win_init(&a, &s.top, 3 * ZONE, data));
		ASSERT_EQ(0, bc_win_init(&b, &s.top, 12 * ZONE, data));
		ASSERT_EQ(0, pthread_create(&c[0].thread, NULL, cross, &c[0]));
		ASSERT_EQ(0, pthread_create(&c[1].thread, NULL, cross, &c[1]));
		pthread_join(c[0].thread, NULL);
		pthread_join(c[1].thread, NULL);
		EXPECT_EQ(0, c[0].bad + c[1].bad);
		rounds++;
		EXPECT_EQ(0, bc_zone_expect(&s.top, 3 * ZONE, ZONE));
		EXPECT_EQ(0, bc_zone_expect(&s.top, 12 * ZONE, ZONE));
		EXPECT_EQ(0, bc_win_check(&a));
		EXPECT_EQ(0, bc_win_check(&b));
		/* the rest of each holds the other's start, over and over */
		for (off = data; off < ZONE; off += data) {
			struct bc_win w = { 0 };
			struct blk_copy_extent ext = { 12 * ZONE, data };

			ASSERT_EQ(0, bc_win_init_zero(&w, &s.top, 3 * ZONE + off, data));
			bc_win_copied(&w, 3 * ZONE + off, &b, &ext, 1, data);
			EXPECT_EQ(0, bc_win_check(&w));
			bc_win_free(&w);
		}
		bc_win_free(&a);
		bc_win_free(&b);
	}
	bc_unwatch();
	EXPECT_EQ(0, bc_stack_remove(&s));
}

#define NAP	(512 * BC_KIB)	/* is copied while the destination sleeps now and then */

struct sleeper {
	struct bc_dm *dm;
	__u64 sleeps;
	bool stop;
	int bad;
	pthread_t thread;
};

static void *sleep_and_wake(void *arg)
{
	struct sleeper *s = arg;

	while (!s->stop && !s->bad) {
		s->bad = bc_dm_suspend(s->dm, 0);
		usleep(bc_rand_below(3000));
		s->bad |= bc_dm_resume(s->dm);
		usleep(bc_rand_below(20000));
		s->sleeps++;
	}
	return NULL;
}

/*
 * What could not wait for the destination is tried again, and lands where it would
 * have landed, even if what came after it was already refused there.
 */
TEST_F(zone_rules, destination_sleeps)
{
	static const char *const tables[BC_STACK_MOST] = {
		"0 65536 linear %a 0", "0 65536 linear %a 65536",
	};
	struct bc_stack s = { 0 };
	struct bc_dev from = { .fd = -1, .bfd = -1 };
	struct bc_win src = { 0 }, dst = { 0 };
	struct blk_copy_extent ext = { 0, NAP };
	struct sleeper sleeper = { 0 };
	__u64 end, done, rounds = 0, again = 0;

	MAKE("irqmode=2 completion_nsec=100000 copy_max_extent_bytes=4096 copy_max_extents=2 "
	     "copy_max_bytes=8192", 4 * ZONE);
	BC_REQUIRE(bc_stack_make(&s, tables, self->dev, self->dev));
	ASSERT_EQ(0, bc_open_path(&from, s.dm[0].path));
	ASSERT_EQ(0, bc_win_init(&src, &from, 0, NAP));
	sleeper.dm = &s.dm[1];
	bc_watch("copies to a zone", &rounds);
	ASSERT_EQ(0, pthread_create(&sleeper.thread, NULL, sleep_and_wake, &sleeper));
	end = bc_now_ms() + bc_seconds(3, 20) * 1000;
	while (bc_now_ms() < end) {
		struct bc_result r = { 0 };

		ASSERT_EQ(0, bc_zone_reset(self->dev, 8 * ZONE));
		ASSERT_EQ(0, bc_win_init_zero(&dst, self->dev, 8 * ZONE, NAP));
		/* who is unlucky ten times in a row is told so, and goes on from there */
		for (done = 0; done < NAP; done += r.copied) {
			ext = (struct blk_copy_extent){ done, NAP - done };
			r = bc_copy(BC_IOCTL, s.top.fd, done, from.fd, &ext, 1);
			if (r.err && r.err != EAGAIN) {
				bc_log("round %llu, %llu bytes: %s", rounds, done + r.copied,
				       strerror(r.err));
				break;
			}
			again += !!r.err;
		}
		EXPECT_EQ(NAP, done);
		ext = (struct blk_copy_extent){ 0, NAP };
		bc_win_copied(&dst, 8 * ZONE, &src, &ext, 1, NAP);
		EXPECT_EQ(0, bc_zone_expect(self->dev, 8 * ZONE, NAP));
		EXPECT_EQ(0, bc_win_check(&dst));
		bc_win_free(&dst);
		rounds++;
	}
	sleeper.stop = true;
	pthread_join(sleeper.thread, NULL);
	bc_unwatch();
	bc_log("%llu copies, %llu not in one go, %llu sleeps", rounds, again, sleeper.sleeps);
	EXPECT_EQ(0, sleeper.bad);
	EXPECT_LT(5, sleeper.sleeps);
	EXPECT_EQ(0, bc_win_check(&src));
	bc_win_free(&src);
	bc_close(&from);
	EXPECT_EQ(0, bc_stack_remove(&s));
}

#define FAULTS	"/sys/kernel/debug/failslab/"

/* Allocations of tasks that ask for it fail: all, but from reserves. */
static int no_memory(bool on)
{
	return bc_write_file(FAULTS "task-filter", "Y") |
	       bc_write_file(FAULTS "ignore-gfp-wait", "N") |
	       bc_write_file(FAULTS "times", "-1") |
	       bc_write_file(FAULTS "verbose", "0") |
	       bc_write_file(FAULTS "cache-filter", "Y") |
	       bc_write_file(FAULTS "probability", on ? "100" : "0");
}

/* Zone write plugs are of one of these, depending on the checks that the kernel has. */
static int mark_caches(const char *value)
{
	static const char * const sizes[] = { "96", "128", "192", "256" };
	char path[128];
	unsigned int i;
	int nr = 0;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/kmalloc-%s/failslab", sizes[i]);
		nr += !bc_write_file(path, value);
	}
	return nr;
}

struct scarce {
	struct bc_dev *dev;
	int bad;		/* what comes before the copy */
	struct bc_result r;
	bool done;
	pthread_t thread;
};

static void *write_two_zones_copy_to_a_third(void *arg)
{
	struct scarce *s = arg;
	char *buf = bc_alloc(4096);

	memset(buf, 0, 4096);
	s->bad = bc_write_file("/proc/thread-self/make-it-fail", "1") |
		 (pwrite(s->dev->fd, buf, 4096, 3 * ZONE) != 4096) |
		 (pwrite(s->dev->fd, buf, 4096, 4 * ZONE) != 4096);
	s->r = try(s->dev, 5 * ZONE, 2 * ZONE, BC_MIB);
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	free(buf);
	return NULL;
}

/*
 * Two zones have the two zone write plugs in reserve. There will not be a third one
 * before one of these zones is full or empty: a nested destination does not wait.
 */
TEST_F(zone_rules, no_memory_for_a_plug)
{
	struct bc_stack s = { 0 };
	struct bc_win src = { 0 };
	struct scarce t = { .dev = &s.top };
	int i;

	if (access(FAULTS "cache-filter", W_OK))
		SKIP(return, "the kernel has no failing slabs (CONFIG_FAILSLAB), or no debugfs");
	MAKE("zone_max_active=2 zone_max_open=2", 0);
	ASSERT_EQ(0, bc_zone_finish(self->dev, 0));
	BC_REQUIRE(make_linear(&s, self->dev));
	ASSERT_EQ(0, bc_win_init(&src, &s.top, 2 * ZONE, BC_MIB));
	ASSERT_EQ(0, bc_zone_finish(&s.top, 2 * ZONE));
	/* The plugs of the full zones are freed later, which fills up the reserve again. */
	usleep(500000);
	if (!mark_caches("1"))
		SKIP(return, "no cache in /sys/kernel/slab can be made to fail: try slab_nomerge");
	ASSERT_EQ(0, no_memory(true));
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, write_two_zones_copy_to_a_third, &t));
	for (i = 0; i < 200 && !__atomic_load_n(&t.done, __ATOMIC_ACQUIRE); i++)
		usleep(100000);
	EXPECT_TRUE(t.done) TH_LOG("the copy waits for a zone write plug");
	EXPECT_EQ(0, no_memory(false));
	mark_caches("0");
	pthread_join(t.thread, NULL);
	EXPECT_EQ(0, t.bad);
	EXPECT_EQ(0, bc_refused(t.r, EAGAIN, "no memory"));
	EXPECT_EQ(0, bc_zone_expect(&s.top, 5 * ZONE, 0));
	ASSERT_EQ(0, bc_zone_reset(&s.top, 3 * ZONE));
	EXPECT_EQ(0, try(&s.top, 5 * ZONE, 2 * ZONE, BC_MIB).err);
	EXPECT_EQ(0, bc_zone_expect(&s.top, 5 * ZONE, BC_MIB));
	EXPECT_EQ(0, bc_win_check(&src));
	bc_win_free(&src);
	EXPECT_EQ(0, bc_stack_remove(&s));
}

TEST_HARNESS_MAIN
