// SPDX-License-Identifier: GPL-2.0
/*
 * dm-thin and dm-cache, which copy blocks through dm-kcopyd when they are written
 * to or hot, on one drive: the drive copies, and the data are right.
 */
#include "blkcopy_test.h"
#include "kcopyd.h"

#define LEN		(8 * BC_MIB)
#define SECTORS		(LEN / BC_SECTOR)
#define BLOCK		(64 * BC_KIB)
#define BLOCKS		(LEN / BLOCK)
#define META		(2 * BC_MIB)	/* 8 MiB */
#define DATA		(12 * BC_MIB)	/* 24 MiB */
#define FAST		(40 * BC_MIB)	/* 4 MiB */

FIXTURE(pools) {
	struct kc kc;
	struct bc_dev dev[2];
	struct bc_win win[2];
};

FIXTURE_VARIANT(pools) {
	bool on;
};

FIXTURE_VARIANT_ADD(pools, offloaded) { .on = true };
FIXTURE_VARIANT_ADD(pools, off) { .on = false };

FIXTURE_SETUP(pools)
{
	self->dev[0].fd = self->dev[1].fd = -1;
	self->dev[0].bfd = self->dev[1].bfd = -1;
	BC_REQUIRE(kc_open(&self->kc));
	ASSERT_EQ(0, kc_param("kcopyd_copy_offload", variant->on ? "Y" : "N"))
		TH_LOG("this kernel's dm-kcopyd doesn't offload copies");
	ASSERT_EQ(0, kc_zero(&self->kc, META, BC_MIB));
}

FIXTURE_TEARDOWN(pools)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		bc_win_free(&self->win[i]);
		bc_close(&self->dev[i]);
	}
	EXPECT_EQ(0, kc_close(&self->kc));
}

/* A write to a block that a snapshot shares: it gets a copy first. */
TEST_F(pools, thin)
{
	struct kc *kc = &self->kc;
	struct bc_win *now = &self->win[0], *was = &self->win[1];
	char *buf = bc_alloc(4096);
	__u64 i;

	BC_REQUIRE(kc_add(kc, "0 16384 linear %%a %llu\n", kc_at(META)));
	BC_REQUIRE(kc_add(kc, "0 49152 linear %%a %llu\n", kc_at(DATA)));
	BC_REQUIRE(kc_add(kc, "0 49152 thin-pool %%0 %%1 128 0 1 skip_block_zeroing\n"));
	ASSERT_EQ(0, bc_dm_message(&kc->stack.dm[2], "create_thin 0"));
	BC_REQUIRE(kc_add(kc, "0 %llu thin %%2 0\n", SECTORS));
	BC_REQUIRE(bc_open_path(&self->dev[0], kc->stack.dm[3].path));
	ASSERT_EQ(0, bc_win_init(now, &self->dev[0], 0, LEN));
	ASSERT_EQ(0, bc_dm_suspend(&kc->stack.dm[3], 0));
	ASSERT_EQ(0, bc_dm_message(&kc->stack.dm[2], "create_snap 1 0"));
	ASSERT_EQ(0, bc_dm_resume(&kc->stack.dm[3]));
	BC_REQUIRE(kc_add(kc, "0 %llu thin %%2 1\n", SECTORS));
	BC_REQUIRE(bc_open_path(&self->dev[1], kc->stack.dm[4].path));
	ASSERT_EQ(0, bc_win_init_zero(was, &self->dev[1], 0, LEN));
	memcpy(was->tag, now->tag, SECTORS * sizeof(*was->tag));

	ASSERT_EQ(0, bc_mark());
	for (i = 0; i < BLOCKS; i++) {
		__u64 at = i * BLOCK + 4096 * (i % (BLOCK / 4096));

		bc_win_generate(now, buf, at, 4096);
		ASSERT_EQ(4096, pwrite(self->dev[0].fd, buf, 4096, at));
	}
	EXPECT_EQ(0, variant->on ? kc_expect(kc, LEN, LEN / 2, LEN / 2) : kc_expect_none(kc, LEN));
	EXPECT_EQ(0, bc_win_check(now));
	EXPECT_EQ(0, bc_win_check(was));
	free(buf);
}

struct cache_status {
	unsigned long long demotions, promotions, dirty;
};

static int cache_status(const struct kc *kc, struct cache_status *s)
{
	char line[512];

	if (bc_dm_status_line(&kc->stack.dm[3], line, sizeof(line)) ||
	    sscanf(line, "%*u %*s %*u %*s %*u %*u %*u %*u %llu %llu %llu", &s->demotions,
		   &s->promotions, &s->dirty) != 3) {
		bc_log("the cache has no status: %s", line);
		return -1;
	}
	return 0;
}

/* Blocks that are read often come to the fast part of the drive, and go back. */
TEST_F(pools, cache)
{
	const __u64 hot = 16;
	struct bc_win *w = &self->win[0];
	char *buf = bc_alloc(BLOCK), *table, text[128];
	struct cache_status s = { 0 };
	struct kc *kc = &self->kc;
	__u64 i, end, read = 0;

	BC_REQUIRE(kc_add(kc, "0 8192 linear %%a %llu\n", kc_at(META)));
	BC_REQUIRE(kc_add(kc, "0 8192 linear %%a %llu\n", kc_at(FAST)));
	BC_REQUIRE(kc_add(kc, "0 %llu linear %%a %llu\n", SECTORS, kc_at(DATA)));
	BC_REQUIRE(kc_add(kc, "0 %llu cache %%0 %%1 %%2 128 1 writeback smq 0\n", SECTORS));
	BC_REQUIRE(bc_open_path(&self->dev[0], kc->stack.dm[3].path));
	/* Straight to the slow part: what goes through the cache may stay in it. */
	ASSERT_EQ(0, kc_fill(kc, DATA, LEN));
	ASSERT_EQ(0, bc_win_init_zero(w, &self->dev[0], 0, LEN));
	memcpy(w->tag, kc->win.tag + DATA / BC_SECTOR, SECTORS * sizeof(*w->tag));

	ASSERT_EQ(0, cache_status(kc, &s));
	ASSERT_EQ(0, bc_mark());
	end = bc_now_ms() + 60000;
	do {
		for (i = 0; i < hot; i++, read += 4096)
			ASSERT_EQ(4096, pread(self->dev[0].fd, buf, 4096, i * BLOCK));
		ASSERT_EQ(0, cache_status(kc, &s));
	} while (s.promotions < hot && bc_now_ms() < end);
	ASSERT_GE(s.promotions, hot) TH_LOG("only %llu blocks were promoted", s.promotions);
	EXPECT_EQ(0, variant->on ? kc_expect(kc, s.promotions * BLOCK / 2, read + BC_MIB / 2,
					     BC_MIB / 2) :
				   kc_expect_none(kc, hot * BLOCK));
	EXPECT_EQ(0, bc_win_check(w));

	/* Dirty blocks are written back by the policy that wants them clean. */
	for (i = 0; i < hot; i++)
		ASSERT_EQ(0, bc_win_write(w, self->dev[0].fd, i * BLOCK + 8192, 4096));
	ASSERT_EQ(0, cache_status(kc, &s));
	EXPECT_GE(s.dirty, hot);
	snprintf(text, sizeof(text), "0 %llu cache %%0 %%1 %%2 128 1 writeback cleaner 0\n",
		 SECTORS);
	table = bc_stack_table(&kc->stack, text, &kc->a, NULL);
	ASSERT_EQ(0, bc_dm_suspend(&kc->stack.dm[3], 0));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, bc_dm_load(&kc->stack.dm[3], table));
	free(table);
	ASSERT_EQ(0, bc_dm_resume(&kc->stack.dm[3]));
	end = bc_now_ms() + 60000;
	do {
		usleep(5000);
		ASSERT_EQ(0, cache_status(kc, &s));
	} while (s.dirty && bc_now_ms() < end);
	EXPECT_EQ(0, s.dirty);
	EXPECT_EQ(0, variant->on ? kc_expect(kc, hot * BLOCK, BC_MIB / 2, BC_MIB / 2) :
				   kc_expect_none(kc, hot * BLOCK));
	EXPECT_EQ(0, bc_win_check(w));
	/* And on the slow part, without the cache. */
	bc_close(&self->dev[0]);
	ASSERT_EQ(0, bc_dm_remove(&kc->stack.dm[3]));
	kc->stack.nr = 3;
	BC_REQUIRE(bc_open_path(&self->dev[0], kc->stack.dm[2].path));
	EXPECT_EQ(0, bc_win_check(w));
	free(buf);
}

TEST_HARNESS_MAIN
