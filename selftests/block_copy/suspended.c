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

#define DELAY_MS	300
#define SOON_MS		8000	/* for what must not wait */

enum { SLOW, FAST, OTHER, DRIVE, DEVICES };

FIXTURE(suspended) {
	struct bc_dev dev[DEVICES];
	struct bc_win win[DEVICES];
	struct bc_stack stack;
	struct bc_dm *dm[DRIVE];
	__u64 lbs, len;
	struct bc_async copy;
};

FIXTURE_VARIANT(suspended) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(suspended, flush) { .flags = BC_DM_FLUSH };
FIXTURE_VARIANT_ADD(suspended, noflush) { .flags = BC_DM_NOFLUSH };
FIXTURE_VARIANT_ADD(suspended, nolockfs) { .flags = BC_DM_NOLOCKFS };
FIXTURE_VARIANT_ADD(suspended, noflush_nolockfs) { .flags = BC_DM_NOFLUSH | BC_DM_NOLOCKFS };

FIXTURE_SETUP(suspended)
{
	const char *tables[BC_STACK_MOST] = {
		"0 @4000 delay %a @5000 300 %a @5000 0\n", "0 @1000 linear %0 @1000\n",
		"0 @1000 linear %a @12000\n", "0 @1000 linear %a @14000\n",
	};
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		self->dev[i].fd = self->dev[i].bfd = -1;
	BC_REQUIRE(bc_open(&self->dev[DRIVE], "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->dev[DRIVE]));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->dev[DRIVE], NULL));
	for (i = 0; i < DRIVE; i++) {
		self->dm[i] = &self->stack.dm[1 + i];
		ASSERT_EQ(0, bc_open_path(&self->dev[i], self->dm[i]->path));
		BC_REQUIRE(bc_need_copy(&self->dev[i]));
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dev[i], 0, self->dev[i].size));
	}
	ASSERT_EQ(0, bc_win_init(&self->win[DRIVE], &self->dev[DRIVE], 32 * BC_MIB, BC_MIB));
	self->lbs = self->dev[DRIVE].lbs;
	/* two commands, where the drive has usual limits */
	self->len = 200 * self->lbs;
}

FIXTURE_TEARDOWN(suspended)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		if (self->win[i].tag)
			EXPECT_EQ(0, bc_win_check(&self->win[i]));
		bc_win_free(&self->win[i]);
		if (i < DRIVE)
			bc_close(&self->dev[i]);
	}
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->dev[DRIVE]);
}

#define START(to, from)								\
	ASSERT_EQ(0, bc_async_start(&self->copy, BC_IOCTL, &self->win[to],	\
				    500 * self->lbs, &self->win[from],		\
				    20 * self->lbs, self->len))
#define SUSPEND(i)	ASSERT_EQ(0, bc_dm_suspend(self->dm[i], variant->flags))
#define RESUME(i)	ASSERT_EQ(0, bc_dm_resume(self->dm[i]))
#define END(err)	ASSERT_EQ(0, bc_async_end(&self->copy, err, SOON_MS))

/*
 * The suspend waits for the source, which waits for a destination that comes
 * to the suspended device: it has to fail there. Then all of the copy waits.
 */
TEST_F(suspended, source_and_destination)
{
	__u64 start;

	START(SLOW, SLOW);
	usleep(DELAY_MS * 1000 / 3);
	start = bc_now_ms();
	SUSPEND(SLOW);
	EXPECT_GT(SOON_MS, bc_now_ms() - start);
	usleep(DELAY_MS * 1500);
	EXPECT_FALSE(bc_async_done(&self->copy));
	RESUME(SLOW);
	END(0);
}

/* The same, and the data are somewhere else when the device is resumed. */
TEST_F(suspended, source_and_destination_and_moved)
{
	struct bc_dev *drive = &self->dev[DRIVE];
	__u64 size = self->dev[SLOW].size;
	char *buf = bc_alloc(size), *table;

	START(SLOW, SLOW);
	usleep(DELAY_MS * 1000 / 3);
	SUSPEND(SLOW);
	ASSERT_EQ(size, pread(drive->fd, buf, size, 6000 * self->lbs));
	ASSERT_EQ(size, pwrite(drive->fd, buf, size, 7500 * self->lbs));
	memset(buf, 0xdb, size);
	ASSERT_EQ(size, pwrite(drive->fd, buf, size, 6000 * self->lbs));
	free(buf);
	table = bc_stack_table(&self->stack, "0 @1000 linear %0 @2500\n", drive, NULL);
	ASSERT_EQ(0, bc_dm_load(self->dm[SLOW], table));
	free(table);
	RESUME(SLOW);
	END(0);
}

/* The source may not be kept while the other device sleeps. */
TEST_F(suspended, destination_for_too_long)
{
	SUSPEND(OTHER);
	START(OTHER, FAST);
	END(EAGAIN);
	/* ten sleeps */
	EXPECT_LT(500, self->copy.took_ms);
	ASSERT_EQ(0, bc_async_start(&self->copy, BC_CFR, &self->win[OTHER], 0,
				    &self->win[FAST], 0, self->len));
	END(EAGAIN);
	RESUME(OTHER);
}

TEST_F(suspended, destination_for_a_while)
{
	SUSPEND(OTHER);
	START(OTHER, FAST);
	usleep(150000);
	EXPECT_FALSE(bc_async_done(&self->copy));
	/* Meanwhile the source is free. */
	ASSERT_EQ(0, bc_dm_suspend(self->dm[FAST], variant->flags));
	RESUME(FAST);
	RESUME(OTHER);
	END(0);
}

/* Nothing is kept in flight for it, so it may sleep as a write does. */
TEST_F(suspended, destination_of_a_drive)
{
	SUSPEND(OTHER);
	START(OTHER, DRIVE);
	usleep(1500000);
	EXPECT_FALSE(bc_async_done(&self->copy));
	RESUME(OTHER);
	END(0);
}

TEST_F(suspended, source)
{
	SUSPEND(FAST);
	START(DRIVE, FAST);
	usleep(200000);
	EXPECT_FALSE(bc_async_done(&self->copy));
	RESUME(FAST);
	END(0);
}

TEST_F(suspended, killed_while_it_tries_again)
{
	struct blk_copy_extent ext = { 0, self->len };
	__u64 start;
	int status;
	pid_t pid;

	SUSPEND(OTHER);
	fflush(stdout);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(bc_copy(BC_IOCTL, self->dev[OTHER].fd, 0, self->dev[FAST].fd, &ext, 1).err);
	usleep(100000);
	start = bc_now_ms();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	bc_log("gone after %llu ms", bc_now_ms() - start);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_GT(600, bc_now_ms() - start);
	RESUME(OTHER);
}

/* A target that knows nothing of copies is there when the bio comes. */
#define NOW_DUST(i)								\
	do {									\
		char *table = bc_stack_table(&self->stack, dust[i],		\
					     &self->dev[DRIVE], NULL);		\
										\
		if (!bc_dm_has_target("dust"))					\
			SKIP(return, "the kernel has no dm target 'dust'");	\
		ASSERT_EQ(0, bc_dm_load(self->dm[i], table));			\
		free(table);							\
	} while (0)

static const char * const dust[] = {
	[FAST] = "0 @1000 dust %a @12000 512\n", [OTHER] = "0 @1000 dust %a @14000 512\n",
};

TEST_F(suspended, destination_that_cannot_any_more)
{
	START(OTHER, SLOW);
	usleep(DELAY_MS * 1000 / 3);
	SUSPEND(OTHER);
	NOW_DUST(OTHER);
	RESUME(OTHER);
	END(EOPNOTSUPP);
}

TEST_F(suspended, destination_of_a_drive_that_cannot_any_more)
{
	SUSPEND(OTHER);
	START(OTHER, DRIVE);
	usleep(100000);
	NOW_DUST(OTHER);
	RESUME(OTHER);
	END(EOPNOTSUPP);
}

TEST_F(suspended, source_that_cannot_any_more)
{
	SUSPEND(FAST);
	START(DRIVE, FAST);
	usleep(100000);
	NOW_DUST(FAST);
	RESUME(FAST);
	END(EOPNOTSUPP);
}

TEST_HARNESS_MAIN
