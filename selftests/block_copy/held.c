// SPDX-License-Identifier: GPL-2.0
/*
 * dm-copytest holds one half of a copy until it is told to let go: what
 * otherwise is a matter of luck (a suspend that comes just then, a bio that is
 * pushed back) happens for sure.
 */
#include <signal.h>
#include <sys/wait.h>

#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define SOON_MS	8000

enum { HELD, FAST, CUT, DRIVE = BC_SET_DRIVE };

/* One command, where the drive has usual limits. */
#define BLOCKS	100

/* Returns as bc_stack_make(). */
static int set_up(struct bc_set *s)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @1000 copytest %a @5000\n",
		"0 @1000 linear %a @12000\n",
		"0 @1000 copytest %a @14000 max_io_len @8\n",
	};

	return bc_load_module("dm-copytest") ?: bc_set_make(s, tables, 0, BLOCKS);
}

/* A suspend that may have to wait. */
struct suspend {
	const struct bc_dm *dm;
	unsigned int flags;
	pthread_t thread;
	int ret;
	bool done;
};

static void *suspend(void *arg)
{
	struct suspend *s = arg;

	s->ret = bc_dm_suspend(s->dm, s->flags);
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static int suspend_start(struct suspend *s, const struct bc_dm *dm, unsigned int flags)
{
	*s = (struct suspend){ .dm = dm, .flags = flags };
	return pthread_create(&s->thread, NULL, suspend, s);
}

static bool suspend_done(const struct suspend *s)
{
	return __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);
}

static int suspend_end(struct suspend *s)
{
	__u64 end = bc_now_ms() + SOON_MS;

	while (!suspend_done(s) && bc_now_ms() < end)
		usleep(1000);
	if (!suspend_done(s)) {
		bc_log("the suspend does not end");
		bc_dump_blocked_tasks();
		return -1;
	}
	pthread_join(s->thread, NULL);
	return s->ret;
}

#define START(to, from)	ASSERT_EQ(0, bc_set_copy(s, to, from))
#define END(err)	ASSERT_EQ(0, bc_async_end(&s->copy, err, SOON_MS))
#define SAY(i, text)	ASSERT_EQ(0, bc_dm_message(s->dm[i], text))
#define AWAIT(i, word, n)	ASSERT_EQ(0, bc_dm_await(s->dm[i], word, n))

/* Starts it, and sees that it waits for what is held. */
#define SUSPEND_WAITS(i, flags)							\
	do {									\
		ASSERT_EQ(0, suspend_start(&sus, s->dm[i], flags));		\
		usleep(150000);							\
		EXPECT_FALSE(suspend_done(&sus));				\
		EXPECT_FALSE(bc_async_done(&s->copy));				\
	} while (0)

/* The suspend of device @on waits for what @rule holds, and both end well. */
#define HOLD_WHILE_SUSPENDING(rule, word, to, from, on)			\
	do {									\
		struct bc_set *s = &self->set;					\
		struct suspend sus;						\
										\
		SAY(HELD, rule);						\
		START(to, from);						\
		AWAIT(HELD, word, 1);						\
		SUSPEND_WAITS(on, variant->flags);				\
		SAY(HELD, "release");						\
		ASSERT_EQ(0, suspend_end(&sus));				\
		END(0);								\
		ASSERT_EQ(0, bc_dm_resume(s->dm[on]));				\
	} while (0)

FIXTURE(held) {
	struct bc_set set;
};

FIXTURE_VARIANT(held) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(held, flush) { .flags = BC_DM_FLUSH };
FIXTURE_VARIANT_ADD(held, noflush_nolockfs) { .flags = BC_DM_NOFLUSH | BC_DM_NOLOCKFS };

FIXTURE_SETUP(held)
{
	BC_REQUIRE(set_up(&self->set));
}

FIXTURE_TEARDOWN(held)
{
	EXPECT_EQ(0, bc_set_remove(&self->set));
}

/* Its destination comes to the device that is being suspended, and must fail. */
TEST_F_TIMEOUT(held, source, 60)
{
	struct bc_set *s = &self->set;
	struct suspend sus;
	__u64 nested = 1;

	SAY(HELD, "hold src nth:1");
	START(HELD, HELD);
	AWAIT(HELD, "held_src", 1);
	SUSPEND_WAITS(HELD, variant->flags);
	SAY(HELD, "release");
	ASSERT_EQ(0, suspend_end(&sus));
	usleep(100000);
	EXPECT_FALSE(bc_async_done(&s->copy));
	EXPECT_EQ(0, bc_dm_status(s->dm[HELD], "nested", &nested));
	EXPECT_EQ(0, nested);
	ASSERT_EQ(0, bc_dm_resume(s->dm[HELD]));
	END(0);
}

/* Both halves are in flight, and both end before the device sleeps. */
TEST_F_TIMEOUT(held, destination, 60)
{
	HOLD_WHILE_SUSPENDING("hold nested nth:1", "held_dst", HELD, HELD, HELD);
}

/* Done, but nobody knows: a source is in flight until its destination ends. */
TEST_F_TIMEOUT(held, end_of_the_destination, 60)
{
	HOLD_WHILE_SUSPENDING("hold_end nested nth:1", "held", HELD, FAST, FAST);
}

TEST_F_TIMEOUT(held, end_of_the_source, 60)
{
	HOLD_WHILE_SUSPENDING("hold_end src nth:1", "held", FAST, HELD, HELD);
}

/* Between two devices; the source's sleeps, once the destination has ended. */
TEST_F_TIMEOUT(held, destination_on_another_device, 60)
{
	HOLD_WHILE_SUSPENDING("hold nested nth:1", "held_dst", HELD, FAST, FAST);
}

/* Whose source needs no half of its own. */
TEST_F_TIMEOUT(held, destination_of_a_drive, 60)
{
	HOLD_WHILE_SUSPENDING("hold direct nth:1", "held_dst", HELD, DRIVE, HELD);
}

FIXTURE(released) {
	struct bc_set set;
};

FIXTURE_SETUP(released)
{
	BC_REQUIRE(set_up(&self->set));
}

FIXTURE_TEARDOWN(released)
{
	EXPECT_EQ(0, bc_set_remove(&self->set));
}

/* Pushed back to a device that is being suspended: who comes back when it wakes? */
#define PUSH_BACK(to, from, on, rule, word, count, what)			\
	do {									\
		SAY(on, rule);							\
		START(to, from);						\
		AWAIT(on, word, count);						\
		SUSPEND_WAITS(on, BC_DM_NOFLUSH);				\
		SAY(on, "clear");						\
		SAY(on, "release " what " requeue");				\
		ASSERT_EQ(0, suspend_end(&sus));				\
		usleep(50000);							\
		EXPECT_FALSE(bc_async_done(&s->copy));				\
		ASSERT_EQ(0, bc_dm_resume(s->dm[on]));				\
		END(0);								\
	} while (0)

TEST_F_TIMEOUT(released, source_pushed_back, 60)
{
	struct bc_set *s = &self->set;
	struct suspend sus;

	PUSH_BACK(HELD, HELD, HELD, "hold src nth:1", "held_src", 1, "src");
	PUSH_BACK(FAST, HELD, HELD, "hold src nth:1", "held_src", 1, "src");
}

/* This one must not wait for the resume, which waits for its source. */
TEST_F_TIMEOUT(released, destination_pushed_back, 60)
{
	struct bc_set *s = &self->set;
	struct suspend sus;

	PUSH_BACK(HELD, HELD, HELD, "hold nested nth:1", "held_dst", 1, "nested");
}

TEST_F_TIMEOUT(released, destination_of_a_drive_pushed_back, 60)
{
	struct bc_set *s = &self->set;
	struct suspend sus;

	PUSH_BACK(HELD, DRIVE, HELD, "hold direct nth:1", "held_dst", 1, "direct");
}

/* dm cuts it to 13 pieces; those that come back must be the same ones. */
TEST_F_TIMEOUT(released, pieces_of_a_source_pushed_back, 60)
{
	struct bc_set *s = &self->set;
	struct suspend sus;

	PUSH_BACK(FAST, CUT, CUT, "hold src always", "held_src", 13, "src");
	PUSH_BACK(CUT, CUT, CUT, "hold src from:3", "held_src", 11, "src");
}

TEST_F_TIMEOUT(released, pieces_of_a_destination_pushed_back, 60)
{
	struct bc_set *s = &self->set;
	struct suspend sus;

	PUSH_BACK(CUT, DRIVE, CUT, "hold direct always", "held_dst", 13, "direct");
	PUSH_BACK(CUT, DRIVE, CUT, "hold direct from:3", "held_dst", 11, "direct");
	PUSH_BACK(CUT, CUT, CUT, "hold nested from:2", "held_dst", 12, "nested");
}

/* Without a suspend, pushing back is an error, and ends all of it. */
TEST_F_TIMEOUT(released, pushed_back_for_nothing, 60)
{
	struct bc_set *s = &self->set;

	SAY(HELD, "requeue src nth:1");
	START(FAST, HELD);
	END(EIO);
}

TEST_F_TIMEOUT(released, with_a_status, 60)
{
	struct bc_set *s = &self->set;

	SAY(HELD, "hold src nth:1");
	START(FAST, HELD);
	AWAIT(HELD, "held_src", 1);
	EXPECT_FALSE(bc_async_done(&s->copy));
	SAY(HELD, "release src transport");
	END(ENOLINK);
	/* Once: it is tried again, and works. */
	SAY(HELD, "hold nested nth:1");
	START(HELD, FAST);
	AWAIT(HELD, "held_dst", 1);
	SAY(HELD, "release nested again");
	END(0);
}

/* A task that is killed meanwhile ends when it can. */
TEST_F_TIMEOUT(released, the_task_was_killed, 60)
{
	struct bc_set *s = &self->set;
	struct blk_copy_extent ext = { 0, s->len };
	__u64 end;
	pid_t pid, got = 0;
	int status;

	SAY(HELD, "hold src nth:1");
	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(bc_copy(BC_IOCTL, s->dev[FAST].fd, 0, s->dev[HELD].fd, &ext, 1).err);
	AWAIT(HELD, "held_src", 1);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	usleep(100000);
	SAY(HELD, "release");
	for (end = bc_now_ms() + SOON_MS; !got && bc_now_ms() < end; usleep(1000))
		got = waitpid(pid, &status, WNOHANG);
	ASSERT_EQ(pid, got);
	EXPECT_TRUE(WIFSIGNALED(status));
	/* It was in flight, and ended well. */
	bc_win_copied(&s->win[FAST], 0, &s->win[HELD], &ext, 1, s->len);
}

/*
 * A bio was checked for a device, whose table is another one when the bio comes
 * to be mapped: the target may not know copies.
 */
FIXTURE(lingering) {
	struct bc_set set;
};

FIXTURE_SETUP(lingering)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @1000 linear %a @5000\n",
		"0 @1000 copytest %0 0\n",
		"0 @1000 linear %a @12000\n",
		"0 @1000 linear %a @14000\n",
	};

	if (!bc_dm_has_target("dust"))
		SKIP(return, "the kernel has no dm target 'dust'");
	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_set_make(&self->set, tables, 1, BLOCKS));
}

FIXTURE_TEARDOWN(lingering)
{
	EXPECT_EQ(0, bc_set_remove(&self->set));
}

#define LINGER(rule, to, from)							\
	do {									\
		struct bc_set *s = &self->set;					\
		struct bc_dm *below = &s->stack.dm[0];				\
		char *dust = bc_stack_table(&s->stack,				\
					    "0 @1000 dust %a @5000 512\n",	\
					    &s->dev[DRIVE], NULL);		\
										\
		SAY(HELD, rule);						\
		START(to, from);						\
		AWAIT(HELD, "deferred", 1);					\
		ASSERT_EQ(0, bc_dm_swap(below, dust, BC_DM_FLUSH));		\
		EXPECT_FALSE(bc_async_done(&s->copy));				\
		free(dust);							\
		END(EOPNOTSUPP);						\
	} while (0)

TEST_F_TIMEOUT(lingering, source, 60)
{
	LINGER("linger src nth:1 400", FAST, HELD);
}

TEST_F_TIMEOUT(lingering, destination, 60)
{
	LINGER("linger direct nth:1 400", HELD, DRIVE);
}

TEST_HARNESS_MAIN
