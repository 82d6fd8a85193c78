// SPDX-License-Identifier: GPL-2.0
/*
 * A sector that cannot be written, in the way of what dm-kcopyd's users copy: the
 * drive's copy fails there, and reading and writing tells them what it is. A mirror
 * drops the right leg, a snapshot becomes invalid, and all the rest is copied.
 */
#include "blkcopy_test.h"
#include "kcopyd.h"

#define LEN		(8 * BC_MIB)
#define SECTORS		(LEN / BC_SECTOR)
#define REGION		(512 * BC_KIB)
#define REGIONS		(LEN / REGION)
#define SRC		(2 * BC_MIB)
#define OTHER		(20 * BC_MIB)

FIXTURE(kcopyd_failing) {
	struct kc kc;
	__u64 fail, dst;	/* on the drive: what fails, and where a copy goes to */
};

FIXTURE_SETUP(kcopyd_failing)
{
	const char *offset = getenv("COPY_FAIL_OFFSET");

	if (!offset)
		SKIP(return, "COPY_FAIL_OFFSET names no sector that fails");
	BC_REQUIRE(kc_open(&self->kc));
	ASSERT_EQ(0, kc_fill(&self->kc, 0, 40 * BC_MIB));
	/* It is in the tenth region. */
	self->fail = strtoull(offset, NULL, 0);
	self->dst = self->fail / BC_MIB * BC_MIB - 9 * REGION;
}

FIXTURE_TEARDOWN(kcopyd_failing)
{
	EXPECT_EQ(0, kc_close(&self->kc));
}

/* All regions but the bad one, which is @len bytes from @off of the copy, hold the source. */
static int check(struct kc *kc, __u64 dst, __u64 off, __u64 len)
{
	struct blk_copy_extent ext = { KC_BASE + SRC, LEN };
	struct bc_win w;
	int ret;

	if (bc_win_init_zero(&w, &kc->a, dst, LEN))
		return -1;
	bc_win_copied(&w, dst, &kc->win, &ext, 1, LEN);
	ret = bc_win_check_range(&w, kc->a.fd, dst, off) ?:
	      bc_win_check_range(&w, kc->a.fd, dst + off + len, LEN - off - len);
	bc_win_free(&w);
	return ret;
}

/* The bad leg is the second of three, or the third. */
TEST_F(kcopyd_failing, mirror)
{
	struct kc *kc = &self->kc;
	struct bc_counts c;
	char line[256];
	__u64 end, i;

	for (i = 1; i <= 2; i++) {
		__u64 legs[2] = { kc_at(OTHER), kc_at(OTHER) };
		unsigned long long done = 0;

		legs[i - 1] = self->dst / BC_SECTOR;
		ASSERT_EQ(0, bc_mark());
		BC_REQUIRE(kc_add(kc, "0 %llu mirror core 1 1024 3 %%a %llu %%a %llu %%a %llu 1 handle_errors\n",
				  SECTORS, kc_at(SRC), legs[0], legs[1]));
		end = bc_now_ms() + 30000;
		do {
			usleep(5000);
			ASSERT_EQ(0, bc_dm_status_line(&kc->stack.dm[0], line, sizeof(line)));
			sscanf(line, "%*u %*s %*s %*s %llu/", &done);
		} while (done < REGIONS - 1 && bc_now_ms() < end);
		EXPECT_EQ(REGIONS - 1, done);
		EXPECT_NE(NULL, strstr(line, i == 1 ? " ASA " : " AAS ")) TH_LOG("%s", line);
		ASSERT_EQ(0, bc_stack_remove(&kc->stack));
		if (bc_have_witness()) {
			ASSERT_EQ(0, bc_count(&c));
			/* Both legs, but not what is left of one of them from the bad sector on. */
			EXPECT_LE((2 * REGIONS - 1) * REGION, c.blocks * kc->a.lbs);
			EXPECT_GE(REGION, c.read_bytes);
		}
		EXPECT_EQ(0, check(kc, self->dst, 9 * REGION, REGION));
		kc_copied(kc, OTHER, SRC, LEN);
		EXPECT_EQ(0, kc_check(kc, 0, 40 * BC_MIB));
		ASSERT_EQ(0, kc_fill(kc, SRC, LEN));
	}
}

/* Nothing can be kept in the bad sector: the snapshot is lost, the origin isn't. */
TEST_F(kcopyd_failing, snapshot)
{
	struct bc_dev origin = { .fd = -1, .bfd = -1 };
	struct kc *kc = &self->kc;
	char line[256], *buf = bc_alloc(4096);
	__u64 at = 0, end;

	BC_REQUIRE(kc_add(kc, "0 %llu linear %%a %llu\n", SECTORS, kc_at(SRC)));
	BC_REQUIRE(kc_add(kc, "0 %llu linear %%a %llu\n", SECTORS, self->dst / BC_SECTOR));
	BC_REQUIRE(kc_add(kc, "0 %llu snapshot-origin %%0\n", SECTORS));
	BC_REQUIRE(kc_add(kc, "0 %llu snapshot %%0 %%1 N 128\n", SECTORS));
	BC_REQUIRE(bc_open_path(&origin, kc->stack.dm[2].path));
	for (at = 0; at < LEN; at += 64 * BC_KIB) {
		bc_win_generate(&kc->win, buf, KC_BASE + SRC + at, 4096);
		ASSERT_EQ(4096, pwrite(origin.fd, buf, 4096, at));
	}
	end = bc_now_ms() + 10000;
	do {
		usleep(5000);
		ASSERT_EQ(0, bc_dm_status_line(&kc->stack.dm[3], line, sizeof(line)));
	} while (strcmp(line, "Invalid") && bc_now_ms() < end);
	EXPECT_STREQ("Invalid", line);
	bc_close(&origin);
	free(buf);
	ASSERT_EQ(0, bc_stack_remove(&kc->stack));
	EXPECT_EQ(0, kc_check(kc, 0, 40 * BC_MIB));
}

TEST_HARNESS_MAIN
