// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that are suspended, or get another table, while a copy is under way
 * or wants to be. dm-delay keeps source halves for long enough to be sure of
 * what happens meanwhile. Nothing may hang, nothing go where it went before.
 */
#include <signal.h>
#include <sys/wait.h>

#include "blkcopy_test.h"
#include "stack.h"

#define DELAY_MS	200
#define SOON_MS		8000	/* for what must not wait */

enum { SLOW, FAST, OTHER, DRIVE = BC_SET_DRIVE };

/* Two commands, where the drive has usual limits. */
#define BLOCKS		200

/* Returns as bc_stack_make(). */
static int set_up(struct bc_set *s)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @4000 delay %a @5000 200 %a @5000 0\n", "0 @1000 linear %0 @1000\n",
		"0 @1000 linear %a @12000\n", "0 @1000 linear %a @14000\n",
	};

	return bc_set_make(s, tables, 1, BLOCKS);
}

#define START(to, from)	ASSERT_EQ(0, bc_set_copy(s, to, from))
#define SUSPEND(i, how)	ASSERT_EQ(0, bc_dm_suspend(s->dm[i], how))
#define RESUME(i)	ASSERT_EQ(0, bc_dm_resume(s->dm[i]))
#define END(err)	ASSERT_EQ(0, bc_async_end(&s->copy, err, SOON_MS))

FIXTURE(suspended) {
	struct bc_set set;
};

FIXTURE_VARIANT(suspended) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(suspended, flush) { .flags = BC_DM_FLUSH };
FIXTURE_VARIANT_ADD(suspended, noflush) { .flags = BC_DM_NOFLUSH | BC_DM_NOLOCKFS };

FIXTURE_SETUP(suspended)
{
	BC_REQUIRE(set_up(&self->set));
}

FIXTURE_TEARDOWN(suspended)
{
	EXPECT_EQ(0, bc_set_remove(&self->set));
}

/*
 * The suspend waits for the source, which waits for a destination that comes
 * to the suspended device: it has to fail there. Then all of the copy waits.
 */
TEST_F_TIMEOUT(suspended, source_and_destination, 60)
{
	struct bc_set *s = &self->set;
	__u64 start;

	START(SLOW, SLOW);
	usleep(DELAY_MS * 1000 / 3);
	start = bc_now_ms();
	SUSPEND(SLOW, variant->flags);
	EXPECT_GT(SOON_MS, bc_now_ms() - start);
	usleep(DELAY_MS * 1000);
	EXPECT_FALSE(bc_async_done(&s->copy));
	RESUME(SLOW);
	END(0);
}

/* The same, and the data are somewhere else when the device is resumed. */
TEST_F_TIMEOUT(suspended, source_and_destination_and_moved, 60)
{
	struct bc_set *s = &self->set;

	START(SLOW, SLOW);
	usleep(DELAY_MS * 1000 / 3);
	SUSPEND(SLOW, variant->flags);
	ASSERT_EQ(0, bc_set_move(s, SLOW, 6000, 7500));
	ASSERT_EQ(0, bc_set_load(s, SLOW, "0 @1000 linear %0 @2500\n"));
	RESUME(SLOW);
	END(0);
}

TEST_F_TIMEOUT(suspended, destination_for_a_while, 60)
{
	struct bc_set *s = &self->set;

	SUSPEND(OTHER, variant->flags);
	START(OTHER, FAST);
	usleep(150000);
	EXPECT_FALSE(bc_async_done(&s->copy));
	RESUME(OTHER);
	END(0);
}

/* A target that knows nothing of copies is there when the bio comes. */
#define NOW_DUST(i)								\
	do {									\
		if (!bc_dm_has_target("dust"))					\
			SKIP(return, "the kernel has no dm target 'dust'");	\
		ASSERT_EQ(0, bc_set_load(s, i, dust[i]));			\
	} while (0)

static const char * const dust[] = {
	[FAST] = "0 @1000 dust %a @12000 512\n", [OTHER] = "0 @1000 dust %a @14000 512\n",
};

TEST_F_TIMEOUT(suspended, destination_that_cannot_any_more, 60)
{
	struct bc_set *s = &self->set;

	START(OTHER, SLOW);
	usleep(DELAY_MS * 1000 / 3);
	SUSPEND(OTHER, variant->flags);
	NOW_DUST(OTHER);
	RESUME(OTHER);
	END(EOPNOTSUPP);
}

TEST_F_TIMEOUT(suspended, destination_of_a_drive_that_cannot_any_more, 60)
{
	struct bc_set *s = &self->set;

	SUSPEND(OTHER, variant->flags);
	START(OTHER, DRIVE);
	usleep(100000);
	NOW_DUST(OTHER);
	RESUME(OTHER);
	END(EOPNOTSUPP);
}

TEST_F_TIMEOUT(suspended, source_that_cannot_any_more, 60)
{
	struct bc_set *s = &self->set;

	SUSPEND(FAST, variant->flags);
	START(DRIVE, FAST);
	usleep(100000);
	NOW_DUST(FAST);
	RESUME(FAST);
	END(EOPNOTSUPP);
}

FIXTURE(asleep) {
	struct bc_set set;
};

FIXTURE_SETUP(asleep)
{
	BC_REQUIRE(set_up(&self->set));
}

FIXTURE_TEARDOWN(asleep)
{
	EXPECT_EQ(0, bc_set_remove(&self->set));
}

/* The source may not be kept while the other device sleeps. */
TEST_F_TIMEOUT(asleep, destination_for_too_long, 60)
{
	struct bc_set *s = &self->set;
	struct bc_async range;
	__u64 again;

	bc_again_start(&s->dev[FAST], NULL);
	SUSPEND(OTHER, BC_DM_FLUSH);
	ASSERT_EQ(0, bc_async_start(&range, BC_CFR, &s->win[OTHER], 0, &s->win[FAST], 0,
				    s->len));
	START(OTHER, FAST);
	usleep(50000);
	/* Meanwhile the source can be suspended itself. */
	SUSPEND(FAST, BC_DM_NOFLUSH);
	RESUME(FAST);
	END(EAGAIN);
	ASSERT_EQ(0, bc_async_end(&range, EAGAIN, SOON_MS));
	/* ten sleeps */
	EXPECT_LT(500, s->copy.took_ms);
	EXPECT_LT(500, range.took_ms);
	if (!bc_again_stop(&again)) {
		bc_log("%llu source halves ended with EAGAIN", again);
		EXPECT_LE(2 * 11, again);
	}
	RESUME(OTHER);
}

/* Nothing is kept in flight for it, so it may sleep as a write does. */
TEST_F_TIMEOUT(asleep, destination_of_a_drive, 60)
{
	struct bc_set *s = &self->set;

	SUSPEND(OTHER, BC_DM_FLUSH);
	START(OTHER, DRIVE);
	usleep(1500000);
	EXPECT_FALSE(bc_async_done(&s->copy));
	RESUME(OTHER);
	END(0);
}

TEST_F_TIMEOUT(asleep, source, 60)
{
	struct bc_set *s = &self->set;

	SUSPEND(FAST, BC_DM_NOFLUSH);
	START(DRIVE, FAST);
	usleep(200000);
	EXPECT_FALSE(bc_async_done(&s->copy));
	RESUME(FAST);
	END(0);
}

TEST_F_TIMEOUT(asleep, killed_while_it_tries_again, 60)
{
	struct bc_set *s = &self->set;
	struct blk_copy_extent ext = { 0, s->len };
	__u64 start;
	int status;
	pid_t pid;

	SUSPEND(OTHER, BC_DM_FLUSH);
	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(bc_copy(BC_IOCTL, s->dev[OTHER].fd, 0, s->dev[FAST].fd, &ext, 1).err);
	usleep(100000);
	start = bc_now_ms();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	bc_log("gone after %llu ms", bc_now_ms() - start);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_GT(600, bc_now_ms() - start);
	RESUME(OTHER);
}

TEST_HARNESS_MAIN
