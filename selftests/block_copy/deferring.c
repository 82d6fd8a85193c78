// SPDX-License-Identifier: GPL-2.0
/*
 * Several tasks, each with a device of its own, above one that hands all their
 * bios to a worker: the halves of different copies meet there, in any order.
 * None may get the data of another.
 */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define TASKS	4

FIXTURE(deferring) {
	struct bc_dev a, top[TASKS];
	struct bc_win win[TASKS];
	struct bc_stack stack;
};

FIXTURE_VARIANT(deferring) {
	const char *bottom;
	const char *module;
};

FIXTURE_VARIANT_ADD(deferring, delay) { .bottom = "0 @8000 delay %a @5000 1\n" };
/* Only destinations wait, or only sources. */
FIXTURE_VARIANT_ADD(deferring, delayed_sources) {
	.bottom = "0 @8000 delay %a @5000 1 %a @5000 0\n",
};
FIXTURE_VARIANT_ADD(deferring, delayed_destinations) {
	.bottom = "0 @8000 delay %a @5000 0 %a @5000 1\n",
};
FIXTURE_VARIANT_ADD(deferring, worker) {
	.bottom = "0 @8000 copytest %a @5000 seed 3 defer copy always\n",
	.module = "dm-copytest",
};
FIXTURE_VARIANT_ADD(deferring, reordering_worker) {
	.bottom = "0 @8000 copytest %a @5000 seed 4 split copy chance:200 @1 @40 "
		  "reorder copy always 3\n",
	.module = "dm-copytest",
};

FIXTURE_SETUP(deferring)
{
	const char *tables[BC_STACK_MOST] = {
		variant->bottom, "0 @2000 linear %0 0\n", "0 @2000 linear %0 @2000\n",
		"0 @2000 linear %0 @4000\n", "0 @2000 linear %0 @6000\n",
	};
	unsigned int i;

	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	if (variant->module)
		BC_REQUIRE(bc_load_module(variant->module));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_stack_open(&self->stack, 1, self->top, TASKS));
	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->top[i], 0, self->top[i].size));
}

FIXTURE_TEARDOWN(deferring)
{
	unsigned int i;

	for (i = 0; i < TASKS; i++) {
		bc_win_free(&self->win[i]);
		bc_close(&self->top[i]);
	}
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

static int all_copy(struct bc_win *win, unsigned int tasks, unsigned int ms)
{
	static const char * const names[TASKS] = { "task 1", "task 2", "task 3", "task 4" };
	struct bc_copier c[TASKS] = { 0 };
	__u64 copies = 0, end = bc_now_ms() + ms;
	unsigned int i;
	int bad = 0;

	for (i = 0; i < tasks; i++) {
		c[i].win = &win[i];
		c[i].rng = bc_seed + i;
		if (bc_copier_start(&c[i]))
			return -1;
		bc_watch(names[i], &c[i].done);
	}
	while (!bc_copiers_had_enough(c, tasks, end))
		usleep(50000);
	for (i = 0; i < tasks; i++)
		bad |= bc_copier_stop(&c[i]);
	bc_unwatch();
	for (i = 0; i < tasks; i++) {
		bad |= bc_win_check(&win[i]);
		copies += c[i].done;
		bad |= !c[i].done;
	}
	bc_log("%llu copies by %u tasks", copies, tasks);
	return bad;
}

TEST_F_TIMEOUT(deferring, two_tasks, 120)
{
	EXPECT_EQ(0, all_copy(self->win, 2, bc_full() ? 30000 : 700));
}

TEST_F_TIMEOUT(deferring, four_tasks, 120)
{
	EXPECT_EQ(0, all_copy(self->win, TASKS, bc_full() ? 30000 : 500));
}

TEST_HARNESS_MAIN
