// SPDX-License-Identifier: GPL-2.0
/* Shared mappings of the block device, as source and as destination. */
#include <sys/ioctl.h>
#include <linux/fs.h>

#include "blkcopy_test.h"

#define BASE	(32 * BC_MIB)
#define LEN	(2 * BC_MIB)
#define COPY	(64 * BC_KIB)

FIXTURE(mapped) {
	struct bc_dev dev;
	struct bc_win win;
	char *map;
	__u64 src, dst;
};

BC_IFACE_VARIANTS(mapped);

FIXTURE_SETUP(mapped)
{
	BC_SETUP(BASE, LEN);
	self->src = BASE + 64 * BC_KIB;
	self->dst = BASE + LEN / 2;
	self->map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, self->dev.bfd, BASE);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(mapped)
{
	munmap(self->map, LEN);
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

static int copy(struct bc_win *w, enum bc_iface iface, __u64 dst, __u64 src, __u64 len)
{
	struct blk_copy_extent ext = { src, len };
	struct bc_result r = bc_copy(iface, w->dev->fd, dst, w->dev->fd, &ext, 1);

	if (r.err || r.copied != len) {
		bc_log("%s, %llu bytes reported", r.err ? strerror(r.err) : "no error",
		       r.copied);
		return -1;
	}
	bc_win_copied(w, dst, w, &ext, 1, len);
	return 0;
}

TEST_F(mapped, dirty_source)
{
	struct bc_win *w = &self->win;

	bc_win_generate(w, self->map + (self->src - BASE), self->src, COPY);
	ASSERT_EQ(0, copy(w, variant->iface, self->dst, self->src, COPY));
	EXPECT_EQ(0, bc_win_check_range(w, self->dev.fd, self->dst, COPY));
	EXPECT_EQ(0, bc_check_buf(w, self->map, BASE, LEN));
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_F(mapped, read_destination)
{
	struct bc_win *w = &self->win;

	/* Touch all of it: the mapping must be torn down by the copy. */
	ASSERT_EQ(0, bc_check_buf(w, self->map, BASE, LEN));
	ASSERT_EQ(0, copy(w, variant->iface, self->dst, self->src, COPY));
	EXPECT_EQ(0, bc_check_buf(w, self->map, BASE, LEN));
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_F(mapped, dirty_destination)
{
	struct bc_win *w = &self->win;

	bc_win_generate(w, self->map + (self->dst - BASE), self->dst, COPY);
	ASSERT_EQ(0, copy(w, variant->iface, self->dst, self->src, COPY));
	EXPECT_EQ(0, bc_check_buf(w, self->map, BASE, LEN));
	ASSERT_EQ(0, msync(self->map, LEN, MS_SYNC));
	ASSERT_EQ(0, ioctl(self->dev.bfd, BLKFLSBUF));
	EXPECT_EQ(0, bc_win_check(w));
}

/* Written through the mapping after the copy: that wins. */
TEST_F(mapped, destination_written_after_the_copy)
{
	struct bc_win *w = &self->win;

	bc_win_generate(w, self->map + (self->dst - BASE), self->dst, COPY);
	ASSERT_EQ(0, copy(w, variant->iface, self->dst, self->src, COPY));
	bc_win_generate(w, self->map + (self->dst - BASE) + 4096, self->dst + 4096, 8192);
	EXPECT_EQ(0, bc_check_buf(w, self->map, BASE, LEN));
	ASSERT_EQ(0, msync(self->map, LEN, MS_SYNC));
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_F(mapped, dirty_neighbours_in_the_page)
{
	struct bc_win *w = &self->win;
	__u64 lbs = self->dev.lbs;

	if (lbs >= 4096)
		SKIP(return, "a block of %llu bytes leaves no neighbours in a page", lbs);
	bc_win_generate(w, self->map + (self->dst - BASE), self->dst, 8192);
	ASSERT_EQ(0, copy(w, variant->iface, self->dst + 3 * lbs, self->src + lbs, 7 * lbs));
	EXPECT_EQ(0, bc_check_buf(w, self->map, BASE, LEN));
	ASSERT_EQ(0, msync(self->map, LEN, MS_SYNC));
	ASSERT_EQ(0, ioctl(self->dev.bfd, BLKFLSBUF));
	EXPECT_EQ(0, bc_win_check(w));
}

struct toucher {
	const char *at;
	bool stop;
	unsigned long sum;
};

static void *touch(void *arg)
{
	struct toucher *t = arg;
	__u64 i;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED))
		for (i = 0; i < COPY; i += 512)
			t->sum += ((const volatile char *)t->at)[i];
	return NULL;
}

/*
 * Somebody faults the destination's pages in all the time. Whatever he sees
 * meanwhile, after a copy has returned the old data must be gone.
 */
TEST_F_TIMEOUT(mapped, readers_while_copying, 120)
{
	struct toucher t = { .at = self->map + (self->dst - BASE) };
	struct bc_win *w = &self->win;
	pthread_t thread;
	int i, bad = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, touch, &t));
	for (i = 0; i < 100 && !bad; i++) {
		bad = copy(w, variant->iface, self->dst, self->src + i * self->dev.lbs, COPY) ?:
		      bc_check_buf(w, self->map + (self->dst - BASE), self->dst, COPY) ?:
		      bc_win_check_range(w, self->dev.bfd, self->dst, COPY);
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_HARNESS_MAIN
