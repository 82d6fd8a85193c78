// SPDX-License-Identifier: GPL-2.0
/*
 * Suspends that the kernel itself takes, as dm does below snapshots and thin
 * pools: dm-copytest has its own device suspended from within for a while,
 * with and without dm's usual ways. Copies neither hang nor go wrong.
 */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define SOON_MS	8000
#define NAP_MS	200
#define BLOCKS	100
#define TASKS	2

enum { NAPPER, FAST, OTHER, DRIVE = BC_SET_DRIVE };

FIXTURE(naps) {
	struct bc_set set;
};

FIXTURE_VARIANT(naps) {
	const char *how;
};

FIXTURE_VARIANT_ADD(naps, noflush) { .how = "noflush" };
FIXTURE_VARIANT_ADD(naps, fast) { .how = "fast" };

FIXTURE_SETUP(naps)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @2000 copytest %a @5000\n", "0 @1000 linear %a @12000\n",
		"0 @1000 linear %a @14000\n",
	};

	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_set_make(&self->set, tables, 0, BLOCKS));
}

FIXTURE_TEARDOWN(naps)
{
	EXPECT_EQ(0, bc_set_remove(&self->set));
}

static int nap(const struct bc_dm *dm, const char *how, unsigned int ms)
{
	char text[64];

	snprintf(text, sizeof(text), "nap %s %u", how, ms);
	return bc_dm_message(dm, text);
}

#define SAY(text)	ASSERT_EQ(0, bc_dm_message(s->dm[NAPPER], text))
#define AWAIT(word, n)	ASSERT_EQ(0, bc_dm_await(s->dm[NAPPER], word, n))
#define START(to, from)	ASSERT_EQ(0, bc_set_copy(s, to, from))
#define END(err)	ASSERT_EQ(0, bc_async_end(&s->copy, err, SOON_MS))
#define NAP(ms)		ASSERT_EQ(0, nap(s->dm[NAPPER], variant->how, ms))

/* The nap waits for what @rule holds of a copy, which the nap must not keep then. */
#define HOLD_AND_NAP(rule, word, to, from)					\
	do {									\
		__u64 naps = 1;							\
										\
		SAY(rule);							\
		START(to, from);						\
		AWAIT(word, 1);							\
		NAP(NAP_MS);							\
		usleep(100000);							\
		ASSERT_EQ(0, bc_dm_status(s->dm[NAPPER], "naps", &naps));	\
		EXPECT_EQ(0, naps);						\
		EXPECT_FALSE(bc_async_done(&s->copy));				\
		SAY("release");							\
		AWAIT("naps", 1);						\
	} while (0)

/* Its destination comes to the device that is falling asleep, and must fail. */
TEST_F_TIMEOUT(naps, source, 60)
{
	struct bc_set *s = &self->set;
	__u64 nested = 1, ended = 1;

	HOLD_AND_NAP("hold src nth:1", "held_src", NAPPER, NAPPER);
	EXPECT_EQ(0, bc_dm_status(s->dm[NAPPER], "nested", &nested));
	EXPECT_EQ(0, bc_dm_status(s->dm[NAPPER], "naps_ended", &ended));
	/* Later it may come, if this host is busy. */
	if (!ended)
		EXPECT_EQ(0, nested);
	END(0);
	AWAIT("naps_ended", 1);
}

TEST_F_TIMEOUT(naps, destination, 60)
{
	struct bc_set *s = &self->set;

	HOLD_AND_NAP("hold nested nth:1", "held_dst", NAPPER, FAST);
	END(0);
	AWAIT("naps_ended", 1);
}

/* Copies that come meanwhile: a direct destination sleeps, a nested one is tried again. */
TEST_F_TIMEOUT(naps, before_it_starts, 60)
{
	static const int from[] = { DRIVE, NAPPER, FAST };
	struct bc_set *s = &self->set;
	unsigned int i;
	bool in_time;
	__u64 begin;

	for (i = 0; i < 3; i++) {
		begin = bc_now_ms();
		NAP(NAP_MS);
		AWAIT("naps", i + 1);
		START(NAPPER, from[i]);
		in_time = bc_now_ms() < begin + NAP_MS / 2;
		END(0);
		if (in_time)
			EXPECT_LT(NAP_MS / 3, s->copy.took_ms);
		AWAIT("naps_ended", i + 1);
	}
}

/* Longer than copies are tried again for; the device of the source is not kept. */
TEST_F_TIMEOUT(naps, for_too_long, 60)
{
	struct bc_set *s = &self->set;

	NAP(3000);
	AWAIT("naps", 1);
	START(NAPPER, FAST);
	usleep(50000);
	ASSERT_EQ(0, bc_dm_suspend(s->dm[FAST], BC_DM_FLUSH));
	ASSERT_EQ(0, bc_dm_resume(s->dm[FAST]));
	END(EAGAIN);
	AWAIT("naps_ended", 1);
}

/* The user's suspend and the kernel's, one inside the other; then the data are elsewhere. */
TEST_F_TIMEOUT(naps, and_a_new_table, 60)
{
	struct bc_set *s = &self->set;

	HOLD_AND_NAP("hold src nth:1", "held_src", NAPPER, NAPPER);
	ASSERT_EQ(0, bc_dm_suspend(s->dm[NAPPER], BC_DM_NOFLUSH));
	ASSERT_EQ(0, bc_set_move(s, NAPPER, 5000, 17000));
	ASSERT_EQ(0, bc_set_load(s, NAPPER, "0 @2000 copytest %a @17000\n"));
	ASSERT_EQ(0, bc_dm_resume(s->dm[NAPPER]));
	END(0);
	START(NAPPER, NAPPER);
	END(0);
}

struct napper {
	const struct bc_dm *dm;
	const char *how;
	__u64 naps;
	bool stop;
};

/* A message while there is a nap is refused: that is the clock. */
static void *sleep_and_wake(void *arg)
{
	struct napper *n = arg;

	while (!__atomic_load_n(&n->stop, __ATOMIC_RELAXED)) {
		if (nap(n->dm, n->how, n->naps % 5 * 3))
			usleep(1000);
		else
			__atomic_store_n(&n->naps, n->naps + 1, __ATOMIC_RELAXED);
		usleep(n->naps % 7 * 700);
	}
	return NULL;
}

TEST_F_TIMEOUT(naps, under_copies, 120)
{
	static const int may[] = { EAGAIN, 0 };
	struct bc_set *s = &self->set;
	__u64 end = bc_now_ms() + (bc_full() ? 20000 : 700), done = 0, again = 0;
	struct napper n = { .dm = s->dm[NAPPER], .how = variant->how };
	struct bc_copier c[TASKS] = { 0 };
	struct bc_win half[TASKS];
	pthread_t thread;
	int i;

	bc_again_start(&s->dev[NAPPER], &s->dev[FAST]);
	SAY("delay copy chance:300 100 3000");
	for (i = 0; i < TASKS; i++) {
		ASSERT_EQ(0, bc_win_init(&half[i], &s->dev[NAPPER], i * 1000 * s->lbs,
					 1000 * s->lbs));
		c[i] = (struct bc_copier){ .win = &half[i], .rng = bc_seed + i, .may = may };
		c[i].src = i ? &s->win[FAST] : NULL;
		ASSERT_EQ(0, bc_copier_start(&c[i]));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, sleep_and_wake, &n));
	bc_watch("one task", &c[0].done);
	bc_watch("the other task", &c[1].done);
	bc_watch("the device's naps", &n.naps);
	while (!bc_copiers_had_enough(c, TASKS, end))
		usleep(20000);
	for (i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, bc_copier_stop(&c[i]));
		done += c[i].done;
		again += c[i].again;
	}
	__atomic_store_n(&n.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	bc_unwatch();
	bc_again_log();
	for (i = 0; i < TASKS; i++) {
		EXPECT_NE(0, c[i].done);
		EXPECT_EQ(0, bc_win_check(&half[i]));
		bc_win_free(&half[i]);
	}
	bc_win_free(&s->win[NAPPER]);
	EXPECT_NE(0, n.naps);
	bc_log("%llu naps, %llu copies, %llu of them ended with EAGAIN", n.naps, done, again);
}

TEST_HARNESS_MAIN
