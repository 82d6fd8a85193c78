// SPDX-License-Identifier: GPL-2.0
/*
 * A device gets one table after the other while tasks copy from it, to it and
 * inside it. Each table has some segments elsewhere: they are moved while the
 * device sleeps, and the old places are scribbled upon before it wakes, so
 * that a copy with a stale mapping brings wrong data, or gets lost.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define SEGMENTS	8
#define SLOTS		20
#define SLOT		251ULL	/* blocks */
#define SLOTS_FIRST	5000ULL	/* block on the drive */

enum where { SOURCE, DESTINATION, BOTH, BELOW };

FIXTURE(reload) {
	struct bc_dev a, other;
	struct bc_win win, other_win[2], half[2];
	struct bc_stack stack;
	int slot[SEGMENTS];	/* of each segment */
	struct bc_dm *dm;	/* what is reloaded */
	__u64 swaps, rng;
	unsigned int flags;
	bool stop;
	int bad;
};

FIXTURE_VARIANT(reload) {
	enum where where;
	unsigned int flags;
	unsigned int delay;	/* of source halves, ms */
};

#define VARIANT(name, ...) FIXTURE_VARIANT_ADD(reload, name) { __VA_ARGS__ };
VARIANT(both_flush, BOTH, BC_DM_FLUSH, 0)
VARIANT(both_noflush, BOTH, BC_DM_NOFLUSH, 0)
VARIANT(both_delayed_flush, BOTH, BC_DM_FLUSH, 1)
VARIANT(both_delayed_noflush, BOTH, BC_DM_NOFLUSH | BC_DM_NOLOCKFS, 1)
VARIANT(source_flush, SOURCE, BC_DM_FLUSH, 1)
VARIANT(source_noflush, SOURCE, BC_DM_NOFLUSH, 0)
VARIANT(destination_flush, DESTINATION, BC_DM_FLUSH, 1)
VARIANT(destination_noflush, DESTINATION, BC_DM_NOFLUSH, 0)
VARIANT(below_flush, BELOW, BC_DM_FLUSH, 0)
VARIANT(below_noflush, BELOW, BC_DM_NOFLUSH, 1)

/* The table with the segments where they are now. */
static char *table(const struct bc_stack *stack, const struct bc_dev *a, const int *slot)
{
	char text[1024];
	int i, n = 0;

	for (i = 0; i < SEGMENTS; i++)
		n += snprintf(text + n, sizeof(text) - n, "@%llu @%llu linear %%0 @%llu\n",
			      i * SLOT, SLOT, slot[i] * SLOT);
	return bc_stack_table(stack, text, a, NULL);
}

FIXTURE_SETUP(reload)
{
	__u64 len = SEGMENTS * SLOT;
	char bottom[128], *first;
	const char *tables[BC_STACK_MOST] = {
		bottom, NULL, "0 @3000 linear %a @12000\n", "0 @2008 linear %1 0\n",
	};
	struct bc_dev *top = &self->stack.top;
	unsigned int i;

	self->other.fd = self->other.bfd = -1;
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	snprintf(bottom, sizeof(bottom), "0 @%llu delay %%a @%llu %u %%a @%llu 0\n",
		 SLOTS * SLOT, SLOTS_FIRST, variant->delay, SLOTS_FIRST);
	for (i = 0; i < SEGMENTS; i++)
		self->slot[i] = (i * 7 + 3) % SLOTS;
	/* The names are replaced when it is made: only the shape matters now. */
	first = "0 @2008 linear %0 0\n";
	tables[1] = first;
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	self->dm = &self->stack.dm[1];
	first = table(&self->stack, &self->a, self->slot);
	ASSERT_EQ(0, bc_dm_swap(self->dm, first, BC_DM_FLUSH));
	free(first);
	BC_REQUIRE(bc_open_path(&self->other, self->stack.dm[2].path));
	if (variant->where != BELOW) {
		/* The reloaded device itself, not the one above. */
		bc_close(top);
		BC_REQUIRE(bc_open_path(top, self->dm->path));
	}
	BC_REQUIRE(bc_need_copy(top));
	BC_REQUIRE(bc_need_copy(&self->other));
	len *= self->a.lbs;
	ASSERT_EQ(len, top->size);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bc_win_init(&self->half[i], top, i * len / 2, len / 2));
		ASSERT_EQ(0, bc_win_init(&self->other_win[i], &self->other,
					 i * 1500 * self->a.lbs, 1500 * self->a.lbs));
	}
	self->flags = variant->flags;
	self->rng = bc_seed;
}

FIXTURE_TEARDOWN(reload)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		bc_win_free(&self->half[i]);
		bc_win_free(&self->other_win[i]);
	}
	bc_close(&self->other);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

static bool used(const int *slot, int which)
{
	int i;

	for (i = 0; i < SEGMENTS; i++)
		if (slot[i] == which)
			return true;
	return false;
}

/* Takes a segment to a free slot, and leaves rubbish where it was. */
static int move(FIXTURE_DATA(reload) *self, int segment, char *buf)
{
	__u64 bytes = SLOT * self->a.lbs, first = SLOTS_FIRST * self->a.lbs;
	int from = self->slot[segment], to;

	do
		to = bc_below(&self->rng, SLOTS);
	while (used(self->slot, to));
	if (pread(self->a.fd, buf, bytes, first + from * bytes) != (ssize_t)bytes ||
	    pwrite(self->a.fd, buf, bytes, first + to * bytes) != (ssize_t)bytes)
		return -1;
	memset(buf, 0xdb, bytes);
	if (pwrite(self->a.fd, buf, bytes, first + from * bytes) != (ssize_t)bytes)
		return -1;
	self->slot[segment] = to;
	return 0;
}

static int swap_once(FIXTURE_DATA(reload) *self, char *buf)
{
	int ret, i, nr = 1 + bc_below(&self->rng, SEGMENTS);
	char *text;

	ret = bc_dm_suspend(self->dm, self->flags);
	for (i = 0; !ret && i < nr; i++)
		ret = move(self, bc_below(&self->rng, SEGMENTS), buf);
	text = table(&self->stack, &self->a, self->slot);
	ret = ret ?: bc_dm_load(self->dm, text) ?: bc_dm_resume(self->dm);
	free(text);
	return ret;
}

static void *swapper(void *arg)
{
	FIXTURE_DATA(reload) *self = arg;
	char *buf = bc_alloc(SLOT * self->a.lbs);

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED) && !self->bad) {
		usleep(bc_below(&self->rng, 30000));
		self->bad = swap_once(self, buf);
		__atomic_store_n(&self->swaps, self->swaps + 1, __ATOMIC_RELAXED);
	}
	free(buf);
	return NULL;
}

TEST_F_TIMEOUT(reload, under_copies, 180)
{
	static const int may[] = { EAGAIN, 0 };
	struct bc_copier c[2] = { 0 };
	__u64 end = bc_now_ms() + (bc_full() ? 20000 : 500);
	pthread_t thread;
	int i;

	for (i = 0; i < 2; i++) {
		c[i].rng = bc_seed + i;
		c[i].may = may;
		c[i].longest = 100 * BC_KIB;
		c[i].win = variant->where == SOURCE ? &self->other_win[i] : &self->half[i];
		if (variant->where == SOURCE)
			c[i].src = &self->half[0];
		else if (variant->where == DESTINATION)
			c[i].src = &self->other_win[0];
	}
	bc_again_start(&self->stack.top, &self->other);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, bc_copier_start(&c[i]));
	ASSERT_EQ(0, pthread_create(&thread, NULL, swapper, self));
	bc_watch("one task", &c[0].done);
	bc_watch("the other task", &c[1].done);
	bc_watch("who swaps tables", &self->swaps);
	while (!bc_copiers_had_enough(c, 2, end) && !self->bad)
		usleep(20000);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, bc_copier_stop(&c[i]));
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	bc_unwatch();
	bc_again_log();
	EXPECT_EQ(0, self->bad);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, bc_win_check(&self->half[i]));
		EXPECT_EQ(0, bc_win_check(&self->other_win[i]));
		EXPECT_NE(0, c[i].done);
	}
	EXPECT_NE(0, self->swaps);
	bc_log("%llu swaps, %llu copies, %llu of them ended with EAGAIN; the slowest took %llu ms",
	       self->swaps, c[0].done + c[1].done, c[0].again + c[1].again,
	       c[0].slowest_ms > c[1].slowest_ms ? c[0].slowest_ms : c[1].slowest_ms);
}

TEST_HARNESS_MAIN
