// SPDX-License-Identifier: GPL-2.0
/*
 * Others at work while copies are in flight: writers right beside source and
 * destination, in the same pages too, and readers. What they write must stay,
 * what they read must be right.
 */
#include "blkcopy_test.h"

#define BASE	(48 * BC_MIB)
#define LEN	(4 * BC_MIB)
#define AWAY	(2 * BC_MIB)
#define PAGE	4096ULL
#define LONGEST	(64 * BC_KIB)

FIXTURE(concurrent) {
	struct bc_dev dev;
	struct bc_win win, before, after;
};

BC_IFACE_VARIANTS(concurrent);

/* Three windows that touch: others work in the outer ones. */
FIXTURE_SETUP(concurrent)
{
	BC_SETUP(BASE, LEN);
	ASSERT_EQ(0, bc_win_init(&self->before, &self->dev, BASE - AWAY, AWAY));
	ASSERT_EQ(0, bc_win_init(&self->after, &self->dev, BASE + LEN, AWAY));
}

FIXTURE_TEARDOWN(concurrent)
{
	bc_win_free(&self->win);
	bc_win_free(&self->before);
	bc_win_free(&self->after);
	bc_close(&self->dev);
}

static int copies_under(struct bc_win *win, struct bc_win *before, struct bc_win *after,
			enum bc_iface iface, unsigned int ops, unsigned int ms)
{
	struct bc_load a = { .win = before, .ops = ops, .rng = bc_seed + 1, .longest = LONGEST };
	struct bc_load b = { .win = after, .ops = ops, .rng = bc_seed + 2, .longest = LONGEST };
	struct bc_load copies = {
		.win = win, .rng = bc_seed + 3,
		.ops = iface == BC_IOCTL ? BC_OP_IOCTL :
		       iface == BC_URING ? BC_OP_URING : BC_OP_CFR,
	};
	__u64 end = bc_now_ms() + ms;
	int bad = 0;

	if (bc_load_start(&a))
		return -1;
	if (bc_load_start(&b)) {
		bc_load_stop(&a);
		return -1;
	}
	while (!bad && bc_now_ms() < end)
		bad = bc_load_op(&copies);
	bad |= bc_load_stop(&a);
	bad |= bc_load_stop(&b);
	bc_log("%llu copies beside %llu operations of others", copies.copies, a.done + b.done);
	if (!copies.copies || !a.done || !b.done)
		return -1;
	return bad ?: bc_win_check(win) ?: bc_win_check(before) ?: bc_win_check(after);
}

TEST_F(concurrent, direct_writers)
{
	EXPECT_EQ(0, copies_under(&self->win, &self->before, &self->after, variant->iface,
				  BC_OP_WRITE_DIRECT | BC_OP_READ_DIRECT, 500));
}

TEST_F(concurrent, buffered_writers)
{
	EXPECT_EQ(0, copies_under(&self->win, &self->before, &self->after, variant->iface,
				  BC_OP_WRITE_BUFFERED | BC_OP_READ_BUFFERED, 500));
}

TEST_F(concurrent, readers)
{
	EXPECT_EQ(0, copies_under(&self->win, &self->before, &self->after, variant->iface,
				  BC_OP_READS, 300));
}

/* All kinds at once; reads and writes in flight must stay right. */
TEST_F(concurrent, everything)
{
	EXPECT_EQ(0, copies_under(&self->win, &self->before, &self->after, variant->iface,
				  BC_OP_ALL, 700));
}

struct neighbour {
	struct bc_win *win;
	__u64 off;
	bool stop, bad;
	__u64 done;
};

static void *write_blocks(void *arg)
{
	struct neighbour *n = arg;

	while (!__atomic_load_n(&n->stop, __ATOMIC_RELAXED) && !n->bad) {
		n->bad = bc_win_write(n->win, n->win->dev->bfd, n->off, n->win->dev->lbs) ||
			 bc_win_check_range(n->win, n->win->dev->bfd, n->off, n->win->dev->lbs);
		n->done++;
	}
	return NULL;
}

/*
 * A writer of the first block of the page in which the destination begins, and
 * one of the last block of the page in which it ends. Their pages must not be
 * read while the copy is under way and written back over it.
 */
TEST_F_TIMEOUT(concurrent, writers_in_the_same_page, 120)
{
	__u64 lbs = self->dev.lbs, dst = BASE + LEN / 2, len = 5 * PAGE - 2 * lbs;
	struct bc_win *w = &self->win;
	struct neighbour n[2] = {
		{ .win = w, .off = dst }, { .win = w, .off = dst + 5 * PAGE - lbs },
	};
	pthread_t thread[2];
	int i, bad = 0;

	if (lbs >= PAGE)
		SKIP(return, "a block of %llu bytes leaves no neighbours in a page", lbs);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, write_blocks, &n[i]));
	for (i = 0; i < 150 && !bad; i++) {
		struct blk_copy_extent ext = { BASE + (i + 1) * lbs, len };
		struct bc_result r = bc_copy(variant->iface, self->dev.fd, dst + lbs,
					     self->dev.fd, &ext, 1);

		/* The writers hold their pages: not being able to drop them is honest. */
		if (r.err == EBUSY && !r.copied)
			continue;
		bad = r.err || r.copied != len;
		bc_win_copied(w, dst + lbs, w, &ext, 1, r.copied);
		bad |= bc_win_check_range(w, self->dev.bfd, dst + lbs, len);
	}
	for (i = 0; i < 2; i++) {
		__atomic_store_n(&n[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(thread[i], NULL);
		EXPECT_FALSE(n[i].bad);
		EXPECT_NE(0, n[i].done);
	}
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, fsync(self->dev.bfd));
	EXPECT_EQ(0, bc_win_check(w));
}

TEST_HARNESS_MAIN
