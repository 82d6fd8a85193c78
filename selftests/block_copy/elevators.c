// SPDX-License-Identifier: GPL-2.0
/*
 * I/O schedulers on one hardware queue, where requests of different tasks
 * meet: copies with touching destinations may be merged, and then must be
 * right whatever their lengths and number of ranges.
 */
#include "blkcopy_test.h"

#define BASE	(16 * BC_MIB)
#define LEN	(16 * BC_MIB)
#define TASKS	12
#define ROUNDS	25

FIXTURE(elevators) {
	struct bc_dev dev;
	struct bc_win win;
	char before[256];
};

FIXTURE_VARIANT(elevators) {
	const char *name;
	bool merges;
};

FIXTURE_VARIANT_ADD(elevators, none) { .name = "none" };
FIXTURE_VARIANT_ADD(elevators, mq_deadline) { .name = "mq-deadline", .merges = true };
FIXTURE_VARIANT_ADD(elevators, kyber) { .name = "kyber", .merges = true };
FIXTURE_VARIANT_ADD(elevators, bfq) { .name = "bfq", .merges = true };

FIXTURE_SETUP(elevators)
{
	char now[256], want[64];

	BC_SETUP(BASE, LEN);
	ASSERT_EQ(0, bc_queue_read_str(&self->dev, "scheduler", self->before,
				       sizeof(self->before)));
	if (bc_queue_write_str(&self->dev, "scheduler", variant->name))
		SKIP(return, "the kernel has no I/O scheduler %s", variant->name);
	ASSERT_EQ(0, bc_queue_read_str(&self->dev, "scheduler", now, sizeof(now)));
	snprintf(want, sizeof(want), "[%s]", variant->name);
	ASSERT_NE(NULL, strstr(now, want));
}

FIXTURE_TEARDOWN(elevators)
{
	char *name = strchr(self->before, '[');

	if (name) {
		name[strcspn(name, "]")] = '\0';
		bc_queue_write_str(&self->dev, "scheduler", name + 1);
	}
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F_TIMEOUT(elevators, long_copies_and_many_extents, 60)
{
	__u64 lbs = self->dev.lbs;
	struct blk_copy_extent one = { BASE + lbs, BC_MIB + 3 * lbs }, many[200];
	unsigned int i, iface;

	for (i = 0; i < 200; i++)
		many[i] = (struct blk_copy_extent){ BASE + i * 11 * lbs, (1 + i % 7) * lbs };
	for (iface = BC_IOCTL; iface <= BC_CFR; iface++) {
		one.offset += lbs;
		EXPECT_EQ(0, bc_step(&self->win, iface, BASE + LEN / 2, &one, 1));
		EXPECT_EQ(0, bc_win_check(&self->win));
	}
	EXPECT_EQ(0, bc_step(&self->win, BC_IOCTL, BASE + LEN / 4, many, 200));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

struct task {
	struct bc_dev *dev;
	__u64 dst;
	struct blk_copy_extent ext[3];
	__u32 nr;
	pthread_barrier_t *start;
	int bad;
};

static void *copy(void *arg)
{
	struct task *t = arg;
	struct bc_result r;

	pthread_barrier_wait(t->start);
	r = bc_copy(BC_IOCTL, t->dev->fd, t->dst, t->dev->fd, t->ext, t->nr);
	t->bad = r.err || r.copied != bc_total(t->ext, t->nr);
	return NULL;
}

/* How the tasks of a round differ. */
static void prepare(struct task *t, unsigned int kind, unsigned int i, __u64 src, __u64 lbs)
{
	unsigned int j;

	t->nr = kind == 2 ? 1 + i % 3 : 1;
	for (j = 0; j < t->nr; j++) {
		__u64 blocks = kind == 0 ? 4 : 1 + (i * 7 + j * 5) % 13;

		t->ext[j].offset = src + (i * 3 + j) * 32 * lbs;
		t->ext[j].length = blocks * lbs;
	}
}

/*
 * Tasks that copy to touching places at once, in three ways: all of one
 * length, of different lengths, with different numbers of extents. The device
 * must see no more commands than were asked for, and no larger ones than it
 * takes.
 */
TEST_F_TIMEOUT(elevators, touching_destinations, 120)
{
	struct bc_bound asked = { 0 };
	struct bc_win *w = &self->win;
	__u64 lbs = self->dev.lbs, dst = BASE + LEN / 2;
	struct task task[TASKS];
	pthread_t thread[TASKS];
	pthread_barrier_t start;
	struct bc_counts c;
	unsigned int i, round;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, TASKS));
	ASSERT_EQ(0, bc_mark());
	for (round = 0; round < 3 * ROUNDS; round++) {
		for (i = 0; i < TASKS; i++) {
			task[i] = (struct task){ .dev = &self->dev, .dst = dst, .start = &start };
			prepare(&task[i], round % 3, i, BASE + round * lbs, lbs);
			bc_win_copied(w, dst, w, task[i].ext, task[i].nr, ~0ULL);
			bc_bound_add(&asked, &self->dev.lim, lbs, task[i].ext, task[i].nr);
			dst += bc_total(task[i].ext, task[i].nr);
		}
		for (i = 0; i < TASKS; i++)
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, copy, &task[i]));
		for (i = 0; i < TASKS; i++) {
			pthread_join(thread[i], NULL);
			EXPECT_EQ(0, task[i].bad);
		}
	}
	pthread_barrier_destroy(&start);
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&c));
		bc_log("%s: %llu copies asked for, %llu commands, at most %llu ranges",
		       variant->name, asked.copies, c.copies, c.max_ranges);
		EXPECT_LE(c.copies, asked.copies);
		EXPECT_LT(0, c.copies);
		EXPECT_EQ(asked.blocks, c.blocks);
		EXPECT_EQ(asked.ranges, c.ranges);
		EXPECT_LE(c.max_ranges, self->dev.lim.max_extents);
		EXPECT_LE(c.max_range_blocks * lbs, self->dev.lim.max_extent_bytes);
		EXPECT_EQ(0, c.reads);
		EXPECT_EQ(0, c.writes);
	}
	EXPECT_EQ(0, bc_win_check(w));
}

/* Merging across the limits: they are lowered until merges must stop. */
TEST_F_TIMEOUT(elevators, merges_stop_at_the_limits, 120)
{
	struct bc_load load[4] = { 0 };
	struct bc_win win[4];
	struct bc_counts c;
	__u64 lbs = self->dev.lbs;
	unsigned int i;

	ASSERT_EQ(0, bc_queue_write(&self->dev, "copy_max_bytes", 9 * lbs));
	ASSERT_EQ(0, bc_queue_write(&self->dev, "copy_max_extents", 2));
	ASSERT_EQ(0, bc_read_limits(&self->dev));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, bc_win_init(&win[i], &self->dev, BASE + LEN + i * BC_MIB, BC_MIB));
		load[i] = (struct bc_load){ .win = &win[i], .ops = BC_OP_COPIES, .rng = bc_seed + i,
					    .longest = 16 * BC_KIB };
	}
	ASSERT_EQ(0, bc_mark());
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, bc_load_start(&load[i]));
	usleep(1000000);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, bc_load_stop(&load[i]));
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&c));
		EXPECT_GE(2, c.max_ranges);
	}
	EXPECT_EQ(0, bc_reset_limits(&self->dev));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, bc_win_check(&win[i]));
		bc_win_free(&win[i]);
	}
}

TEST_HARNESS_MAIN
