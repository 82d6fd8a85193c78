// SPDX-License-Identifier: GPL-2.0
/*
 * I/O schedulers on one hardware queue, where requests of different tasks
 * meet: copies with touching destinations may be merged, and then must be
 * right whatever their lengths and number of ranges.
 */
#include <sys/ioctl.h>
#include <linux/blkpg.h>

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
	bool merges;		/* neighbours of different tasks, if they wait */
};

FIXTURE_VARIANT_ADD(elevators, none) { .name = "none" };
FIXTURE_VARIANT_ADD(elevators, mq_deadline) { .name = "mq-deadline", .merges = true };
FIXTURE_VARIANT_ADD(elevators, kyber) { .name = "kyber" };
FIXTURE_VARIANT_ADD(elevators, bfq) { .name = "bfq" };

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

static void remove_partitions(struct bc_dev *dev);

FIXTURE_TEARDOWN(elevators)
{
	char *name = strchr(self->before, '[');

	bc_reset_limits(&self->dev);
	remove_partitions(&self->dev);
	if (name) {
		name[strcspn(name, "]")] = '\0';
		bc_queue_write_str(&self->dev, "scheduler", name + 1);
	}
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F_TIMEOUT(elevators, long_copies_and_many_extents, 120)
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
	int fd;			/* of a partition: each has a lock of its own */
	int src_fd;
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
	r = bc_copy(BC_IOCTL, t->fd, 0, t->src_fd, t->ext, t->nr);
	t->bad = r.err || r.copied != bc_total(t->ext, t->nr);
	return NULL;
}

static int partition(struct bc_dev *dev, int op, unsigned int nr, __u64 start, __u64 len)
{
	struct blkpg_partition part = { .pno = nr, .start = start, .length = len };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(part), .data = &part };

	return ioctl(dev->fd, BLKPG, &arg);
}

static void remove_partitions(struct bc_dev *dev)
{
	unsigned int i;

	for (i = 1; i <= TASKS; i++)
		partition(dev, BLKPG_DEL_PARTITION, i, 0, 0);
}

/* Blocks that task @i copies; kind 0: all the same. */
static __u64 task_blocks(unsigned int kind, unsigned int i)
{
	return kind == 0 ? 4 : 3 + i * 7 % 13;
}

/* Sources of task @i: one extent, or one to three in kind 2. */
static void prepare(struct task *t, unsigned int kind, unsigned int i, __u64 src, __u64 lbs)
{
	__u64 blocks = task_blocks(kind, i), part;
	unsigned int j;

	t->nr = kind == 2 ? 1 + i % 3 : 1;
	for (j = 0; j < t->nr; j++) {
		part = j + 1 < t->nr ? 1 : blocks;
		t->ext[j].offset = src + (i * 3 + j) * 32 * lbs;
		t->ext[j].length = part * lbs;
		blocks -= part;
	}
}

/*
 * Copies of one task go to the device one after the other, and so do those to
 * one block device, whose page cache is locked. Partitions without a gap, one
 * for each task, let copies to touching places meet in the queue.
 */
static int touching_rounds(struct bc_win *w, unsigned int kind, struct bc_bound *asked)
{
	__u64 lbs = w->dev->lbs, first = BASE + LEN / 2, at = first;
	struct task task[TASKS] = { 0 };
	pthread_barrier_t start;
	pthread_t thread[TASKS];
	unsigned int i, round;
	char path[160];
	int bad = 0;

	remove_partitions(w->dev);
	for (i = 0; i < TASKS; i++) {
		if (partition(w->dev, BLKPG_ADD_PARTITION, i + 1, at, task_blocks(kind, i) * lbs)) {
			bc_log("cannot add a partition: %s", strerror(errno));
			return -1;
		}
		at += task_blocks(kind, i) * lbs;
		snprintf(path, sizeof(path), "%sp%u", w->dev->path, i + 1);
		task[i].fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
		task[i].src_fd = w->dev->fd;
		task[i].start = &start;
		if (task[i].fd < 0) {
			bc_log("cannot open %s: %s", path, strerror(errno));
			return -1;
		}
	}
	pthread_barrier_init(&start, NULL, TASKS);
	for (round = 0; round < ROUNDS && !bad; round++) {
		at = first;
		for (i = 0; i < TASKS; i++) {
			prepare(&task[i], kind, i, BASE + round * lbs, lbs);
			bc_win_copied(w, at, w, task[i].ext, task[i].nr, ~0ULL);
			bc_bound_add(asked, &w->dev->lim, lbs, task[i].ext, task[i].nr);
			at += task_blocks(kind, i) * lbs;
			if (pthread_create(&thread[i], NULL, copy, &task[i]))
				abort();
		}
		for (i = 0; i < TASKS; i++) {
			pthread_join(thread[i], NULL);
			bad |= task[i].bad;
		}
		if (bad)
			bc_log("a copy of round %u, kind %u, failed", round, kind);
	}
	for (i = 0; i < TASKS; i++)
		close(task[i].fd);
	pthread_barrier_destroy(&start);
	remove_partitions(w->dev);
	return bad;
}

/* Requests wait in the scheduler only when the drive's queue is full. */
static bool shallow_queue(void)
{
	FILE *f = fopen("/sys/module/nvme/parameters/io_queue_depth", "r");
	unsigned int depth = 0;

	if (!f)
		return false;
	if (fscanf(f, "%u", &depth) != 1)
		depth = 0;
	fclose(f);
	if (depth > 4)
		bc_log("nvme.io_queue_depth is %u: merges are not demanded", depth);
	return depth && depth <= 4;
}

/*
 * In three ways: all of one length, of different lengths, with different
 * numbers of extents. The device must see no more commands than were asked
 * for, and none larger than it takes.
 */
TEST_F_TIMEOUT(elevators, touching_destinations, 120)
{
	struct bc_win *w = &self->win;
	__u64 lbs = self->dev.lbs, merged = 0;
	struct bc_counts c;
	unsigned int kind;

	for (kind = 0; kind < 3; kind++) {
		struct bc_bound asked = { 0 };

		ASSERT_EQ(0, bc_mark());
		EXPECT_EQ(0, touching_rounds(w, kind, &asked));
		if (bc_have_witness()) {
			ASSERT_EQ(0, bc_count(&c));
			bc_log("%s: %llu copies asked for, %llu commands, at most %llu ranges",
			       variant->name, asked.copies, c.copies, c.max_ranges);
			EXPECT_LE(c.copies, asked.copies);
			merged += asked.copies - c.copies;
			EXPECT_LT(0, c.copies);
			EXPECT_EQ(asked.blocks, c.blocks);
			EXPECT_EQ(asked.ranges, c.ranges);
			EXPECT_LE(c.max_ranges, self->dev.lim.max_extents);
			EXPECT_LE(c.max_range_blocks * lbs, self->dev.lim.max_extent_bytes);
			EXPECT_EQ(0, c.reads);
			EXPECT_EQ(0, c.writes);
		}
		ASSERT_EQ(0, bc_win_check(w));
	}
	if (variant->merges && bc_have_witness() && shallow_queue())
		EXPECT_LT(0, merged);
}

/*
 * Copies of 4 blocks each that touch: no more than two of them may become one
 * command, because of the limit on extents, then because of that on bytes.
 */
TEST_F_TIMEOUT(elevators, merges_stop_at_the_limits, 120)
{
	struct bc_win *w = &self->win;
	struct bc_counts c;
	unsigned int by_bytes;

	for (by_bytes = 0; by_bytes < 2; by_bytes++) {
		struct bc_bound asked = { 0 };

		ASSERT_EQ(0, bc_reset_limits(&self->dev));
		ASSERT_EQ(0, by_bytes ?
			  bc_queue_write(&self->dev, "copy_max_bytes", 9 * self->dev.lbs) :
			  bc_queue_write(&self->dev, "copy_max_extents", 2));
		ASSERT_EQ(0, bc_read_limits(&self->dev));
		ASSERT_EQ(0, bc_mark());
		EXPECT_EQ(0, touching_rounds(w, 0, &asked));
		if (bc_have_witness()) {
			ASSERT_EQ(0, bc_count(&c));
			EXPECT_GE(2, c.max_ranges);
			EXPECT_LE(asked.copies, 2 * c.copies);
			EXPECT_EQ(asked.blocks, c.blocks);
		}
		ASSERT_EQ(0, bc_win_check(w));
	}
	EXPECT_EQ(0, bc_reset_limits(&self->dev));
}

TEST_HARNESS_MAIN
