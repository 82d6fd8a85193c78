// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks of which a part fails: the errno is exact, what is reported as copied
 * has been copied, nothing beside the destination changes. dm-error and
 * dm-flakey, a drive that cannot write a sector, and dm-copytest, which fails
 * whatever half of a copy it is told to, with any status.
 */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

/* Blocks of all devices here, and of the part that cannot be read or written. */
#define BLOCKS	4000ULL
#define HOLE	2000ULL
#define HOLE_LEN	8ULL

FIXTURE(broken) {
	struct bc_dev a;
	struct bc_win win;	/* the hole holds nothing */
	struct bc_stack stack;
	__u64 lbs;
};

BC_IFACE_VARIANTS(broken);

FIXTURE_SETUP(broken)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	self->lbs = self->a.lbs;
}

FIXTURE_TEARDOWN(broken)
{
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

static int fill_around(struct bc_win *w, __u64 hole, __u64 behind)
{
	int fd = w->dev->fd;

	return bc_win_write(w, fd, 0, hole) ?: bc_win_write(w, fd, behind, w->len - behind);
}

static int check_around(struct bc_win *w, __u64 hole, __u64 behind)
{
	int fd = w->dev->fd;

	return bc_win_check_range(w, fd, 0, hole) ?:
	       bc_win_check_range(w, fd, behind, w->len - behind);
}

/*
 * Copies what fails @good bytes from its start. Commands that were sent before
 * must have been done: all but the last part of what is good, which fits one.
 */
static int expect(struct bc_win *w, enum bc_iface iface, __u64 dst, __u64 src, __u64 len,
		  __u64 good, const int *errs)
{
	struct blk_copy_extent ext = { src, len };
	struct bc_result r = bc_copy(iface, w->dev->fd, dst, w->dev->fd, &ext, 1);
	__u64 sure = good / w->dev->lim.max_bytes * w->dev->lim.max_bytes;
	bool is_short = iface == BC_CFR && sure;

	while (*errs && *errs != r.err)
		errs++;
	if ((is_short ? r.err : !*errs) || r.copied < sure || r.copied > good) {
		bc_log("%llu+%llu to %llu fails after %llu: %s, %llu bytes reported", src, len,
		       dst, good, r.err ? strerrorname_np(r.err) : "no error", r.copied);
		return -1;
	}
	return bc_win_partly_copied(w, dst, w, &ext, 1, r.copied);
}

static const int io_error[] = { EIO, 0 };

/* A segment of dm-error, in the source and then in the destination. */
TEST_F(broken, segment)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 @2000 linear %a @5000\n@2000 @8 error\n@2008 @1992 linear %a @9000\n",
		"0 @4000 linear %0 0\n",
	};
	const __u64 lbs = self->lbs, hole = HOLE * lbs, behind = (HOLE + HOLE_LEN) * lbs;
	const __u64 before[] = { 0, 1, 60, 129, 300 };
	struct bc_win *w = &self->win;
	unsigned int i;

	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	ASSERT_EQ(0, bc_win_init_zero(w, &self->stack.top, 0, BLOCKS * lbs));
	for (i = 0; i < ARRAY_SIZE(before); i++) {
		__u64 good = before[i] * lbs, len = good + 100 * lbs;

		ASSERT_EQ(0, fill_around(w, hole, behind));
		ASSERT_EQ(0, expect(w, variant->iface, 3000 * lbs, hole - good, len, good,
				    io_error));
		EXPECT_EQ(0, check_around(w, hole, behind));
		ASSERT_EQ(0, fill_around(w, hole, behind));
		ASSERT_EQ(0, expect(w, variant->iface, hole - good, 3000 * lbs, len, good,
				    io_error));
		EXPECT_EQ(0, check_around(w, hole, behind));
	}
}

/* A sector that the drive cannot write, below stacks. */
TEST_F(broken, drive)
{
	static const int medium[] = { EIO, ENODATA, 0 };
	const char *offset = getenv("COPY_FAIL_OFFSET"), *bytes = getenv("COPY_FAIL_BYTES");
	const char *tables[BC_STACK_MOST] = { NULL };
	const __u64 lbs = self->lbs, before[] = { 0, 40, 130, 400 };
	struct bc_win *w = &self->win;
	char bottom[160], top[160];
	__u64 fail, hole, behind;
	unsigned int i;

	if (!offset || !bytes)
		SKIP(return, "COPY_FAIL_OFFSET and COPY_FAIL_BYTES name no sector that fails");
	fail = strtoull(offset, NULL, 0) / lbs;
	hole = HOLE * lbs;
	behind = hole + (strtoull(bytes, NULL, 0) + lbs - 1) / lbs * lbs;
	snprintf(bottom, sizeof(bottom), "0 @1000 linear %%a @%llu\n@1000 @3000 linear %%a @%llu\n",
		 fail - 8000, fail - 1000);
	snprintf(top, sizeof(top), "0 @4000 delay %%0 0 1 %%0 0 0\n");
	tables[0] = bottom;
	tables[1] = top;
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	ASSERT_EQ(0, bc_win_init_zero(w, &self->stack.top, 0, BLOCKS * lbs));
	for (i = 0; i < ARRAY_SIZE(before); i++) {
		__u64 good = before[i] * lbs;

		ASSERT_EQ(0, fill_around(w, hole, behind));
		ASSERT_EQ(0, expect(w, variant->iface, hole - good, 2900 * lbs,
				    good + 200 * lbs, good, medium));
		EXPECT_EQ(0, check_around(w, hole, behind));
	}
}

/* dm-flakey when it is down; features that change data find none in a copy. */
TEST_F(broken, flakey)
{
	static const struct {
		const char *features;
		bool source, destination;	/* fails */
	} kinds[] = {
		{ "", true, true },
		{ " 1 error_reads", true, false },
		{ " 1 error_writes", false, true },
		{ " 5 corrupt_bio_byte 32 r 1 0", false, false },
		{ " 5 corrupt_bio_byte 32 w 1 0", false, false },
		{ " 2 random_read_corrupt 1000000000", false, false },
		{ " 2 random_write_corrupt 1000000000", false, false },
	};
	const char *tables[BC_STACK_MOST] = {
		"0 @2000 flakey %a @5000 3600 0\n@2000 @2000 linear %a @9000\n",
	};
	struct bc_win *w = &self->win;
	const __u64 lbs = self->lbs;
	unsigned int i;

	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	ASSERT_EQ(0, bc_win_init(w, &self->stack.top, 0, BLOCKS * lbs));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct blk_copy_extent ext = { 100 * lbs, 300 * lbs };
		char text[256], *table;
		struct bc_result r[2];

		snprintf(text, sizeof(text),
			 "0 @2000 flakey %%a @5000 0 3600%s\n@2000 @2000 linear %%a @9000\n",
			 kinds[i].features);
		table = bc_stack_table(&self->stack, text, &self->a, NULL);
		ASSERT_EQ(0, bc_dm_swap(&self->stack.dm[0], table, BC_DM_FLUSH));
		free(table);
		r[0] = bc_copy(variant->iface, w->dev->fd, 3000 * lbs, w->dev->fd, &ext, 1);
		bc_win_copied(w, 3000 * lbs, w, &ext, 1, r[0].err ? 0 : r[0].copied);
		ext.offset = 2100 * lbs;
		r[1] = bc_copy(variant->iface, w->dev->fd, 1000 * lbs, w->dev->fd, &ext, 1);
		bc_win_copied(w, 1000 * lbs, w, &ext, 1, r[1].err ? 0 : r[1].copied);
		EXPECT_EQ(kinds[i].source ? EIO : 0, r[0].err)
			TH_LOG("source,%s", kinds[i].features);
		EXPECT_EQ(kinds[i].source ? 0 : ext.length, r[0].copied);
		EXPECT_EQ(kinds[i].destination ? EIO : 0, r[1].err)
			TH_LOG("destination,%s", kinds[i].features);
		EXPECT_EQ(kinds[i].destination ? 0 : ext.length, r[1].copied);
		/* Up again, to look at it. */
		table = bc_stack_table(&self->stack, tables[0], &self->a, NULL);
		ASSERT_EQ(0, bc_dm_swap(&self->stack.dm[0], table, BC_DM_FLUSH));
		free(table);
		ASSERT_EQ(0, bc_win_check(w));
	}
}

/* Each status, and each way to fail, of the first and of a later part. */
TEST_F_TIMEOUT(broken, half, 120)
{
	static const struct {
		const char *status;
		int err;
	} kinds[] = {
		{ "ioerr", EIO }, { "notsupp", EOPNOTSUPP }, { "nospc", ENOSPC },
		{ "timeout", ETIMEDOUT }, { "target", EREMOTEIO }, { "medium", ENODATA },
		{ "transport", ENOLINK }, { "protection", EILSEQ }, { "resource", ENOMEM },
	};
	static const char * const rules[] = {
		"fail src nth:%u %s", "fail nested nth:%u %s", "fail_end src nth:%u %s",
		"fail_end nested nth:%u %s",
	};
	const char *tables[BC_STACK_MOST] = { "0 @4000 copytest %a @5000\n" };
	struct bc_win *w = &self->win;
	const __u64 lbs = self->lbs;
	unsigned int i, j, nth;
	char text[64];

	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	ASSERT_EQ(0, bc_win_init(w, &self->stack.top, 0, BLOCKS * lbs));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const int errs[] = { kinds[i].err, 0 };

		for (j = 0; j < ARRAY_SIZE(rules); j++) {
			/* All ways with the first status, then one each. */
			if (i && i % ARRAY_SIZE(rules) != j)
				continue;
			nth = 1 + (i + j) % 3;
			/* After a short result the rest is asked for again, and copied then. */
			if (variant->iface == BC_URING && nth > 1)
				continue;
			snprintf(text, sizeof(text), rules[j], nth, kinds[i].status);
			ASSERT_EQ(0, bc_dm_message(&self->stack.dm[0], text));
			/* One half for each command of the drive. */
			ASSERT_EQ(0, expect(w, variant->iface, (2000 + i) * lbs, 100 * j * lbs,
					    5 * w->dev->lim.max_bytes,
					    (nth - 1) * w->dev->lim.max_bytes, errs))
				TH_LOG("%s", text);
			ASSERT_EQ(0, bc_win_settle(w));
			ASSERT_EQ(0, bc_dm_message(&self->stack.dm[0], "clear"));
		}
	}
}

/* "Again" is tried again, for about a second, but not for ever. */
TEST_F_TIMEOUT(broken, half_again_and_again, 60)
{
	const char *tables[BC_STACK_MOST] = { "0 @4000 copytest %a @5000\n" };
	static const int again[] = { EAGAIN, 0 };
	struct bc_win *w = &self->win;
	const __u64 lbs = self->lbs;
	struct blk_copy_extent ext = { 7 * lbs, 300 * lbs };
	__u64 start;

	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->a, NULL));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	ASSERT_EQ(0, bc_win_init(w, &self->stack.top, 0, BLOCKS * lbs));
	ASSERT_EQ(0, bc_dm_message(&self->stack.dm[0], "fail nested every:3 again"));
	EXPECT_EQ(0, bc_stack_step(w, variant->iface, 1000 * lbs, &ext, 1));
	ASSERT_EQ(0, bc_dm_message(&self->stack.dm[0], "clear"));
	ASSERT_EQ(0, bc_dm_message(&self->stack.dm[0], "fail src always again"));
	start = bc_now_ms();
	EXPECT_EQ(0, expect(w, variant->iface, 2000 * lbs, 0, 300 * lbs, 0, again));
	EXPECT_GT(8000, bc_now_ms() - start);
	EXPECT_EQ(0, bc_win_settle(w));
}

TEST_HARNESS_MAIN
