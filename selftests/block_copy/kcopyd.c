// SPDX-License-Identifier: GPL-2.0
/*
 * Device-mapper targets that copy data through dm-kcopyd, on one drive: mirrors,
 * snapshots, clones. The drive copies, the data are right, nothing beside them
 * changes; and with offload turned off they are read and written.
 */
#include "blkcopy_test.h"
#include "kcopyd.h"

#define LEN		(4 * BC_MIB)
#define SECTORS		(LEN / BC_SECTOR)
/* Where things are in the window, with gaps between them. */
#define SRC		(1 * BC_MIB)
#define DST		(6 * BC_MIB)
#define META		(16 * BC_MIB)
#define THIRD		(18 * BC_MIB)
#define ALL		(23 * BC_MIB)

FIXTURE(kcopyd) {
	struct kc kc;
};

FIXTURE_VARIANT(kcopyd) {
	bool on;
	unsigned int chunk;	/* of snapshots and clones, sectors */
};

FIXTURE_VARIANT_ADD(kcopyd, offloaded) { .on = true, .chunk = 128 };
FIXTURE_VARIANT_ADD(kcopyd, offloaded_large) { .on = true, .chunk = 1024 };
FIXTURE_VARIANT_ADD(kcopyd, off) { .on = false, .chunk = 128 };

FIXTURE_SETUP(kcopyd)
{
	BC_REQUIRE(kc_open(&self->kc));
	ASSERT_EQ(0, kc_param("kcopyd_copy_offload", variant->on ? "Y" : "N"))
		TH_LOG("this kernel's dm-kcopyd doesn't offload copies");
	ASSERT_EQ(0, kc_fill(&self->kc, 0, ALL));
}

FIXTURE_TEARDOWN(kcopyd)
{
	EXPECT_EQ(0, kc_close(&self->kc));
}

static int judge(struct kc *kc, bool on, __u64 bytes, __u64 read, __u64 written)
{
	return on ? kc_expect(kc, bytes, read, written) : kc_expect_none(kc, bytes);
}

/* A leg that has to be brought up to date, as pvmove does it; two at a time. */
TEST_F(kcopyd, mirror)
{
	struct kc *kc = &self->kc;
	unsigned int legs;

	for (legs = 2; legs <= 3; legs++) {
		ASSERT_EQ(0, kc_fill(kc, SRC, LEN));
		ASSERT_EQ(0, bc_mark());
		BC_REQUIRE(legs == 2 ?
			   kc_add(kc, "0 %llu mirror core 1 1024 2 %%a %llu %%a %llu\n", SECTORS,
				  kc_at(SRC), kc_at(DST)) :
			   kc_add(kc, "0 %llu mirror core 1 1024 3 %%a %llu %%a %llu %%a %llu\n",
				  SECTORS, kc_at(SRC), kc_at(DST), kc_at(THIRD)));
		ASSERT_EQ(0, kc_await_ratio(kc, 0, 0));
		ASSERT_EQ(0, bc_stack_remove(&kc->stack));
		EXPECT_EQ(0, judge(kc, variant->on, variant->on ? (legs - 1) * LEN : LEN, 0, 0));
		kc_copied(kc, DST, SRC, LEN);
		if (legs == 3)
			kc_copied(kc, THIRD, SRC, LEN);
		EXPECT_EQ(0, kc_check(kc, 0, ALL));
	}
}

/* The origin is written to: chunks are copied away before. Then all is merged back. */
TEST_F(kcopyd, snapshot)
{
	const __u64 chunk = variant->chunk * BC_SECTOR, chunks = LEN / chunk;
	struct bc_dev origin = { .fd = -1, .bfd = -1 }, snap = { .fd = -1, .bfd = -1 };
	struct kc *kc = &self->kc;
	char text[128], *table, *buf = bc_alloc(4096);
	struct bc_win was;
	unsigned long long used, total, meta;
	char line[256];
	__u64 i;

	ASSERT_EQ(0, kc_zero(kc, DST, 65536));
	BC_REQUIRE(kc_add(kc, "0 %llu linear %%a %llu\n", SECTORS, kc_at(SRC)));
	BC_REQUIRE(kc_add(kc, "0 %llu linear %%a %llu\n", 2 * SECTORS, kc_at(DST)));
	BC_REQUIRE(kc_add(kc, "0 %llu snapshot-origin %%0\n", SECTORS));
	BC_REQUIRE(kc_add(kc, "0 %llu snapshot %%0 %%1 P %u\n", SECTORS, variant->chunk));
	BC_REQUIRE(bc_open_path(&origin, kc->stack.dm[2].path));
	BC_REQUIRE(bc_open_path(&snap, kc->stack.dm[3].path));

	/* 4 KiB of each chunk, each of which has to be kept for the snapshot first. */
	ASSERT_EQ(0, bc_win_init_zero(&was, &snap, 0, LEN));
	memcpy(was.tag, kc->win.tag + SRC / BC_SECTOR, SECTORS * sizeof(*was.tag));
	ASSERT_EQ(0, bc_mark());
	for (i = 0; i < chunks; i++) {
		__u64 at = SRC + i * chunk + 4096 * (i % (chunk / 4096));

		bc_win_generate(&kc->win, buf, KC_BASE + at, 4096);
		ASSERT_EQ(4096, pwrite(origin.fd, buf, 4096, at - SRC));
	}
	/* With each exception the store writes a chunk of metadata. */
	EXPECT_EQ(0, judge(kc, variant->on, LEN, 4096 + chunk,
			   chunks * 4096 + (chunks + 4) * chunk));
	EXPECT_EQ(0, kc_check(kc, SRC, LEN));
	EXPECT_EQ(0, bc_win_check(&was));

	/* The snapshot is written to as well, and becomes the origin. */
	for (i = 0; i < chunks; i += 3) {
		bc_win_generate(&was, buf, i * chunk, 4096);
		ASSERT_EQ(4096, pwrite(snap.fd, buf, 4096, i * chunk));
	}
	bc_close(&snap);
	bc_close(&origin);
	ASSERT_EQ(0, bc_dm_suspend(&kc->stack.dm[2], 0));
	ASSERT_EQ(0, bc_dm_remove(&kc->stack.dm[3]));
	kc->stack.nr = 3;
	snprintf(text, sizeof(text), "0 %llu snapshot-merge %%0 %%1 P %u\n", SECTORS,
		 variant->chunk);
	table = bc_stack_table(&kc->stack, text, &kc->a, NULL);
	ASSERT_EQ(0, bc_dm_load(&kc->stack.dm[2], table));
	free(table);
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, bc_dm_resume(&kc->stack.dm[2]));
	for (i = 0; i < 10000; i++) {
		ASSERT_EQ(0, bc_dm_status_line(&kc->stack.dm[2], line, sizeof(line)));
		if (sscanf(line, "%llu/%llu %llu", &used, &total, &meta) == 3 && used == meta)
			break;
		usleep(5000);
	}
	EXPECT_GT(10000, i) TH_LOG("it is not merged: %s", line);
	ASSERT_EQ(0, bc_stack_remove(&kc->stack));
	EXPECT_EQ(0, judge(kc, variant->on, LEN, (chunks + 8) * chunk, (chunks + 8) * chunk));
	free(buf);

	/* What was written to the origin after the snapshot was made is gone. */
	memcpy(kc->win.tag + SRC / BC_SECTOR, was.tag, SECTORS * sizeof(*was.tag));
	bc_win_free(&was);
	EXPECT_EQ(0, kc_check(kc, 0, DST));
}

/* The clone is not hydrated yet; then it does many regions at a time. */
static int add_clone(struct kc *kc, unsigned int region)
{
	return kc_zero(kc, META, BC_MIB) ?:
	       kc_add(kc, "0 %llu linear %%a %llu\n", SECTORS, kc_at(SRC)) ?:
	       kc_add(kc, "0 %llu linear %%a %llu\n", SECTORS, kc_at(DST)) ?:
	       kc_add(kc, "0 2048 linear %%a %llu\n", kc_at(META)) ?:
	       kc_add(kc, "0 %llu clone %%2 %%1 %%0 %u 1 no_hydration 4 hydration_threshold 64 hydration_batch_size 1\n",
		      SECTORS, region);
}

/* All of a device is copied to another one in the background. */
TEST_F(kcopyd, clone)
{
	struct kc *kc = &self->kc;

	BC_REQUIRE(add_clone(kc, variant->chunk));
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, bc_dm_message(&kc->stack.dm[3], "enable_hydration"));
	ASSERT_EQ(0, kc_await_ratio(kc, 3, 1));
	EXPECT_EQ(0, judge(kc, variant->on, LEN, BC_MIB, BC_MIB));
	ASSERT_EQ(0, bc_stack_remove(&kc->stack));
	kc_copied(kc, DST, SRC, LEN);
	EXPECT_EQ(0, kc_check(kc, 0, META));
	EXPECT_EQ(0, kc_check(kc, META + BC_MIB, ALL - META - BC_MIB));
}

/* Jobs that are smaller than the parameter says aren't offered. */
TEST_F(kcopyd, smallest)
{
	struct kc *kc = &self->kc;
	char text[16];
	int more;

	for (more = 0; more < 2; more++) {
		snprintf(text, sizeof(text), "%u", variant->chunk / 2 + more);
		ASSERT_EQ(0, kc_param("kcopyd_copy_offload_min_kb", text));
		BC_REQUIRE(add_clone(kc, variant->chunk));
		ASSERT_EQ(0, bc_mark());
		ASSERT_EQ(0, bc_dm_message(&kc->stack.dm[3], "enable_hydration"));
		ASSERT_EQ(0, kc_await_ratio(kc, 3, 1));
		EXPECT_EQ(0, judge(kc, variant->on && !more, LEN, BC_MIB, BC_MIB));
		ASSERT_EQ(0, bc_stack_remove(&kc->stack));
		kc_copied(kc, DST, SRC, LEN);
		EXPECT_EQ(0, kc_check(kc, 0, META));
	}
}

/*
 * No memory for bios but what is in reserve: a part is copied by the drive, the
 * rest is read and written, and all of it is right.
 */
TEST_F(kcopyd, no_memory)
{
	struct kc *kc = &self->kc;
	struct bc_counts c;

	if (!variant->on)
		SKIP(return, "nothing is offered");
	ASSERT_EQ(0, add_clone(kc, variant->chunk));
	BC_REQUIRE(bc_fail_bios_begin());
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, bc_fail_slabs(true));
	EXPECT_EQ(0, bc_dm_message(&kc->stack.dm[3], "enable_hydration"));
	EXPECT_EQ(0, kc_await_ratio(kc, 3, 1));
	bc_fail_bios_end();
	ASSERT_EQ(0, bc_stack_remove(&kc->stack));
	if (bc_have_witness()) {
		ASSERT_EQ(0, bc_count(&c));
		bc_log("copied %llu bytes, read %llu", c.blocks * kc->a.lbs, c.read_bytes);
		EXPECT_LT(0, c.copies);
		/* The reserve is good for some. */
		if (LEN / kc->a.lim.max_bytes > 32)
			EXPECT_LT(0, c.reads);
		EXPECT_LE(LEN, c.blocks * kc->a.lbs + c.read_bytes);
	}
	kc_copied(kc, DST, SRC, LEN);
	EXPECT_EQ(0, kc_check(kc, 0, META));
}

TEST_HARNESS_MAIN
