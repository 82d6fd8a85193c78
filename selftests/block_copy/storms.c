// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks copy through a stack while queues are frozen, limits change and the
 * controller is reset below it. Nobody may hang, and whatever is reported as
 * copied must be there.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define TASKS	2
#define DEVICES	(2 + TASKS)

enum storm { ELEVATOR, DEPTH, ATTRIBUTES, LIMITS, LIMITS_OF_DM, RESET };

FIXTURE(storms) {
	struct bc_dev a, dm[DEVICES];
	struct bc_win win[TASKS];
	struct bc_stack stack;
	char elevator[256];
	__u64 depth;
};

FIXTURE_VARIANT(storms) {
	enum storm storm;
	unsigned int delay;	/* of source halves, ms */
};

#define VARIANT(name, ...) FIXTURE_VARIANT_ADD(storms, name) { __VA_ARGS__ };
VARIANT(elevator, ELEVATOR, 0)
VARIANT(elevator_delayed, ELEVATOR, 1)
VARIANT(nr_requests, DEPTH, 0)
VARIANT(attributes, ATTRIBUTES, 0)
VARIANT(attributes_delayed, ATTRIBUTES, 1)
VARIANT(limits_of_the_drive, LIMITS, 0)
VARIANT(limits_of_the_stack, LIMITS_OF_DM, 0)
VARIANT(controller_reset, RESET, 0)
VARIANT(controller_reset_delayed, RESET, 1)

FIXTURE_SETUP(storms)
{
	char bottom[128];
	const char *tables[BC_STACK_MOST] = {
		bottom, "0 @6144 striped 2 @16 %0 0 %0 @3072\n",
		"0 @1001 linear %1 @2001\n@1001 @2001 linear %1 0\n",
		"0 @3000 linear %1 @3100\n",
	};
	unsigned int i;

	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	snprintf(bottom, sizeof(bottom), "0 @8000 delay %%a @5000 %u %%a @5000 0\n",
		 variant->delay);
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_stack_open(&self->stack, 0, self->dm, DEVICES));
	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dm[2 + i], 0,
					 self->dm[2 + i].size));
	ASSERT_EQ(0, bc_queue_read_str(&self->a, "scheduler", self->elevator,
				       sizeof(self->elevator)));
	ASSERT_EQ(0, bc_queue_read(&self->a, "nr_requests", &self->depth));
}

FIXTURE_TEARDOWN(storms)
{
	char *name = strchr(self->elevator, '[');
	unsigned int i;

	if (name) {
		name[strcspn(name, "]")] = '\0';
		bc_queue_write_str(&self->a, "scheduler", name + 1);
		bc_queue_write(&self->a, "nr_requests", self->depth);
	}
	bc_reset_limits(&self->a);
	for (i = 0; i < TASKS; i++)
		EXPECT_EQ(0, bc_win_end(&self->win[i]));
	for (i = 0; i < DEVICES; i++)
		bc_close(&self->dm[i]);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

/* One gust; @i counts them. */
static int blow(FIXTURE_DATA(storms) *self, enum storm storm, __u64 i)
{
	static const char * const elevators[] = { "none", "mq-deadline", "kyber", "bfq" };
	struct bc_dev *a = &self->a, *dm = &self->dm[i % DEVICES];
	char path[256];
	int ret = 0;

	switch (storm) {
	case ELEVATOR:
		/* Not every kernel has all of them. */
		bc_queue_write_str(a, "scheduler", elevators[i % 4]);
		break;
	case DEPTH:
		if (i % 8 == 0)
			bc_queue_write_str(a, "scheduler", elevators[i / 8 % 2]);
		bc_queue_write(a, "nr_requests", 4 + i % 5 * 7);
		break;
	case ATTRIBUTES:
		/* Each is written with the queue frozen, if it has bios or requests. */
		ret = bc_queue_write(dm, "read_ahead_kb", 64 + i % 64) ?:
		      bc_queue_write(a, "read_ahead_kb", 64 + i % 64);
		break;
	case LIMITS:
		ret = bc_queue_write(a, "copy_max_bytes", i % 7 * 3 * a->lbs);
		if (i % 3 == 2)
			ret = bc_reset_limits(a);
		break;
	case LIMITS_OF_DM:
		ret = bc_queue_write(dm, "copy_max_bytes", i % 5 * 5 * a->lbs);
		if (i % 3 == 2)
			ret = bc_reset_limits(dm);
		break;
	case RESET:
		snprintf(path, sizeof(path), "/sys/block/%s/device/reset_controller", a->disk);
		ret = bc_write_file(path, "1");
		if (ret == -ENOENT)
			return 1;
		/* What is in flight is tried again only a few times. */
		usleep(150000);
		break;
	}
	usleep(i % 7 * 500);
	return ret;
}

TEST_F_TIMEOUT(storms, under_copies, 180)
{
	/* A limit that gets smaller, or 0, under way; a command that was aborted too often. */
	static const int may[][4] = {
		[ELEVATOR] = { EAGAIN }, [DEPTH] = { EAGAIN }, [ATTRIBUTES] = { EAGAIN },
		[LIMITS] = { EAGAIN, EOPNOTSUPP }, [LIMITS_OF_DM] = { EAGAIN, EOPNOTSUPP },
		[RESET] = { EAGAIN, EIO },
	};
	struct bc_copier c[TASKS] = { 0 };
	__u64 end = bc_now_ms() + (bc_full() ? 30000 : 400), gusts = 0;
	__u64 done = 0, failed = 0, again = 0, slowest = 0;
	int i, bad = 0;

	bc_again_start(&self->dm[2], &self->dm[3]);
	for (i = 0; i < TASKS; i++) {
		c[i].win = &self->win[i];
		c[i].rng = bc_seed + i;
		c[i].may = may[variant->storm];
		/* Limits of a few blocks make many commands. */
		if (variant->storm == LIMITS || variant->storm == LIMITS_OF_DM)
			c[i].longest = 32 * BC_KIB;
		ASSERT_EQ(0, bc_copier_start(&c[i]));
	}
	bc_watch("one task", &c[0].done);
	bc_watch("the other task", &c[1].done);
	bc_watch("the storm", &gusts);
	while (!bc_copiers_had_enough(c, TASKS, end) && !bad) {
		bad = blow(self, variant->storm, gusts);
		__atomic_store_n(&gusts, gusts + 1, __ATOMIC_RELAXED);
	}
	for (i = 0; i < TASKS; i++) {
		EXPECT_EQ(0, bc_copier_stop(&c[i]));
		done += c[i].done;
		failed += c[i].failed;
		again += c[i].again;
		if (c[i].slowest_ms > slowest)
			slowest = c[i].slowest_ms;
	}
	bc_unwatch();
	bc_again_log();
	if (bad > 0)
		SKIP(return, "the drive has no controller that can be reset");
	EXPECT_EQ(0, bad);
	EXPECT_NE(0, done);
	bc_log("%llu gusts, %llu copies: %llu refused or failed, %llu EAGAIN; the slowest took %llu ms",
	       gusts, done, failed, again, slowest);
}

TEST_HARNESS_MAIN
