// SPDX-License-Identifier: GPL-2.0
/* What dm-copytest's knobs do to copies, and that it sees both halves as what they are. */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

#define BLOCKS	2000ULL
#define LEN	100ULL		/* blocks of one copy; one command where limits are usual */

FIXTURE(copies) {
	struct bc_dev drive;
	struct bc_win win, beside;	/* of the target, and of the drive */
	struct bc_stack stack;
	struct bc_dm *dm;
	__u64 lbs;
};

FIXTURE_SETUP(copies)
{
	static const char *const tables[BC_STACK_MOST] = { "0 @2000 copytest %a @4096\n" };

	self->drive.fd = -1;
	self->drive.bfd = -1;
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->drive));
	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	self->dm = &self->stack.dm[0];
	self->lbs = self->drive.lbs;
	ASSERT_EQ(0, bc_win_init(&self->win, &self->stack.top, 0, BLOCKS * self->lbs));
	ASSERT_EQ(0, bc_win_init(&self->beside, &self->drive, 32 * BC_MIB, BC_MIB));
	ASSERT_EQ(0, bc_dm_message(self->dm, "zero"));
}

FIXTURE_TEARDOWN(copies)
{
	EXPECT_EQ(0, bc_win_end(&self->win));
	EXPECT_EQ(0, bc_win_end(&self->beside));
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

#define SAY(text)	ASSERT_EQ(0, bc_dm_message(self->dm, text))

static __u64 count(FIXTURE_DATA(copies) *self, const char *word)
{
	__u64 value = ~0ULL;

	bc_dm_status(self->dm, word, &value);
	return value;
}

/* Copies LEN blocks to block @dst of the first window, from @src of the second. */
static struct bc_result copy(struct bc_win *to, struct bc_win *from, __u64 dst, __u64 src)
{
	__u64 lbs = to->dev->lbs;
	struct blk_copy_extent ext = { from->base + src * lbs, LEN * lbs };

	return bc_copy(BC_IOCTL, to->dev->fd, to->base + dst * lbs, from->dev->fd, &ext, 1);
}

/* The same, and it must go well. */
static int step(struct bc_win *to, struct bc_win *from, __u64 dst, __u64 src)
{
	__u64 lbs = to->dev->lbs;
	struct blk_copy_extent ext = { from->base + src * lbs, LEN * lbs };
	struct bc_result r = copy(to, from, dst, src);

	if (r.err || r.copied != LEN * lbs) {
		bc_log("%s, %llu of %llu bytes copied", strerror(r.err), r.copied, LEN * lbs);
		return -1;
	}
	bc_win_copied(to, to->base + dst * lbs, from, &ext, 1, LEN * lbs);
	return 0;
}

TEST_F(copies, halves_are_told_apart)
{
	EXPECT_EQ(0, step(&self->win, &self->win, 1000, 10));
	EXPECT_EQ(1, count(self, "src"));
	EXPECT_EQ(1, count(self, "nested"));
	EXPECT_EQ(0, count(self, "direct"));

	SAY("zero");
	EXPECT_EQ(0, step(&self->win, &self->beside, 500, 10));
	EXPECT_EQ(0, count(self, "src"));
	EXPECT_EQ(0, count(self, "nested"));
	EXPECT_EQ(1, count(self, "direct"));

	SAY("zero");
	EXPECT_EQ(0, step(&self->beside, &self->win, 500, 10));
	EXPECT_EQ(1, count(self, "src"));
	EXPECT_EQ(0, count(self, "nested"));
	EXPECT_EQ(0, count(self, "direct"));
	EXPECT_EQ(0, count(self, "read"));
	EXPECT_EQ(0, count(self, "write"));
}

TEST_F(copies, halves_are_split)
{
	char rule[64];

	snprintf(rule, sizeof(rule), "split src always %llu %llu", 9 * self->lbs / BC_SECTOR,
		 9 * self->lbs / BC_SECTOR);
	SAY(rule);
	EXPECT_EQ(0, step(&self->win, &self->win, 1000, 10));
	EXPECT_EQ(12, count(self, "src"));
	EXPECT_EQ(12, count(self, "nested"));
	EXPECT_EQ(11, count(self, "splits"));

	SAY("clear");
	SAY("zero");
	snprintf(rule, sizeof(rule), "split dst always %llu %llu", 7 * self->lbs / BC_SECTOR,
		 7 * self->lbs / BC_SECTOR);
	SAY(rule);
	EXPECT_EQ(0, step(&self->win, &self->win, 1200, 30));
	EXPECT_EQ(1, count(self, "src"));
	EXPECT_EQ(15, count(self, "nested"));
	SAY("zero");
	EXPECT_EQ(0, step(&self->win, &self->beside, 1500, 30));
	EXPECT_EQ(15, count(self, "direct"));
}

TEST_F(copies, workers)
{
	static const char * const rules[] = {
		"defer copy always", "delay copy always 100 3000", "reorder copy always 4",
	};
	unsigned int i, j;
	char rule[64];

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		SAY("clear");
		SAY("zero");
		snprintf(rule, sizeof(rule), "split copy always %llu %llu",
			 self->lbs / BC_SECTOR, 40 * self->lbs / BC_SECTOR);
		SAY(rule);
		SAY(rules[i]);
		for (j = 0; j < 10; j++)
			EXPECT_EQ(0, step(&self->win, &self->win, 1000 + 20 * i + j, 10 + 50 * j));
		EXPECT_EQ(count(self, "src") + count(self, "nested"), count(self, "deferred"));
		EXPECT_LT(20, count(self, "deferred"));
		EXPECT_EQ(0, bc_win_check(&self->win));
	}
}

TEST_F(copies, halves_fail)
{
	static const struct {
		const char *rule;
		int err;
		__u64 src, nested, failed;	/* 0: as many as there are retries */
	} fails[] = {
		{ "fail src always ioerr", EIO, 1, 0, 1 },
		{ "fail nested always ioerr", EIO, 1, 1, 1 },
		{ "fail src always notsupp", EOPNOTSUPP, 1, 0, 1 },
		{ "fail dst always nospc", ENOSPC, 1, 1, 1 },
		{ "fail direct,write always ioerr", 0, 1, 1, 0 },
		{ "fail src nth:1 again", 0, 2, 1, 1 },
		{ "fail nested nth:1 again", 0, 2, 2, 1 },
		{ "requeue nested nth:1", 0, 2, 2, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fails); i++) {
		SAY("clear");
		SAY("zero");
		SAY(fails[i].rule);
		if (fails[i].err) {
			EXPECT_EQ(0, bc_refused(copy(&self->win, &self->win, 1000, 10),
						fails[i].err, fails[i].rule));
		} else {
			EXPECT_EQ(0, step(&self->win, &self->win, 1000, 10))
				TH_LOG("%s", fails[i].rule);
		}
		EXPECT_EQ(fails[i].src, count(self, "src"))
			TH_LOG("%s", fails[i].rule);
		EXPECT_EQ(fails[i].nested, count(self, "nested"))
			TH_LOG("%s", fails[i].rule);
		EXPECT_EQ(fails[i].failed, count(self, "failed"))
			TH_LOG("%s", fails[i].rule);
		EXPECT_EQ(0, bc_win_check(&self->win));
	}
}

/* The copy is there, but nobody says so. */
TEST_F(copies, halves_fail_at_the_end)
{
	static const char * const rules[] = {
		"fail_end src always medium", "fail_end nested always medium",
	};
	struct blk_copy_extent ext = { 10 * self->lbs, LEN * self->lbs };
	struct bc_result r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		SAY("clear");
		SAY(rules[i]);
		r = copy(&self->win, &self->win, 1000 + 200 * i, 10);
		EXPECT_EQ(0, bc_refused(r, ENODATA, rules[i]));
		bc_win_copied(&self->win, (1000 + 200 * i) * self->lbs, &self->win, &ext, 1,
			      LEN * self->lbs);
		EXPECT_EQ(0, bc_win_check(&self->win));
	}
}

TEST_F(copies, without_copies)
{
	char *table = bc_stack_table(&self->stack, "0 @2000 copytest %a @4096 nocopy\n",
				     &self->drive, NULL);

	ASSERT_EQ(0, bc_dm_swap(self->dm, table, BC_DM_FLUSH));
	free(table);
	EXPECT_EQ(0, bc_expect_no_limits(&self->stack.top));
	EXPECT_EQ(0, bc_refused(copy(&self->win, &self->win, 1000, 10), EOPNOTSUPP, "nocopy"));
	EXPECT_EQ(0, bc_refused(copy(&self->win, &self->beside, 1000, 10), EOPNOTSUPP, "nocopy"));
	EXPECT_EQ(0, bc_refused(copy(&self->beside, &self->win, 1000, 10), EOPNOTSUPP, "nocopy"));
	EXPECT_EQ(0, count(self, "src") + count(self, "nested") + count(self, "direct"));
}

TEST_HARNESS_MAIN
