// SPDX-License-Identifier: GPL-2.0
/*
 * Source and destination on different devices: dm and dm, dm and drive. Over
 * one drive the drive copies, between two drives nobody does. And two names
 * for the same sectors.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define LEN	(1 * BC_MIB)
#define COPY	(200 * BC_KIB)

enum { LINEAR, STRIPED, OTHER, SPAN, ALIAS, DRIVE_A, DRIVE_B, DEVICES };

FIXTURE(between) {
	struct bc_dev dev[DEVICES];
	struct bc_win win[DEVICES];
	struct bc_stack stack;
};

BC_IFACE_VARIANTS(between);

FIXTURE_SETUP(between)
{
	const char *tables[BC_STACK_MOST] = {
		"0 @1501 linear %a @9001\n@1501 @4499 linear %a @4500\n",
		"0 @6144 striped 3 @16 %a @13000 %a @16001 %a @20000\n",
		"0 @6000 linear %b @5000\n",
		"0 @3000 linear %a @30000\n@3000 @3000 linear %b @30000\n",
		/* the same sectors as the first, in one piece of its two */
		"0 @4499 linear %a @4500\n",
	};
	unsigned int i;

	BC_REQUIRE(bc_open(&self->dev[DRIVE_A], "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->dev[DRIVE_B], "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->dev[DRIVE_A]));
	BC_REQUIRE(bc_need_copy(&self->dev[DRIVE_B]));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->dev[DRIVE_A], &self->dev[DRIVE_B]));
	BC_REQUIRE(bc_stack_open(&self->stack, 0, self->dev, DRIVE_A));
	for (i = 0; i < ALIAS; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dev[i], 0, self->dev[i].size));
	for (i = DRIVE_A; i < DEVICES; i++)
		ASSERT_EQ(0, bc_win_init(&self->win[i], &self->dev[i], 64 * BC_MIB, LEN));
}

FIXTURE_TEARDOWN(between)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		EXPECT_EQ(0, bc_win_end(&self->win[i]));
		if (i < DRIVE_A)
			bc_close(&self->dev[i]);
	}
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->dev[DRIVE_A]);
	bc_close(&self->dev[DRIVE_B]);
}

#define STEP(to, dst, from, src, len)							\
	do {										\
		struct blk_copy_extent __e = {						\
			self->win[from].base + (src) * lbs, (len) * lbs			\
		};									\
											\
		EXPECT_EQ(0, bc_stack_step2(&self->win[to], &self->win[from],		\
					    variant->iface,				\
					    self->win[to].base + (dst) * lbs, &__e, 1));	\
	} while (0)

TEST_F(between, two_dm_devices)
{
	__u64 lbs = self->dev[DRIVE_A].lbs;

	STEP(STRIPED, 11, LINEAR, 3, 1);
	/* boundaries on both sides */
	STEP(STRIPED, 1003, LINEAR, 1201, 901);
	STEP(LINEAR, 1490, STRIPED, 16, 300);
	STEP(LINEAR, 3, STRIPED, 3, 500);
}

TEST_F(between, dm_and_drive)
{
	__u64 lbs = self->dev[DRIVE_A].lbs;

	STEP(DRIVE_A, 5, LINEAR, 1400, 300);
	STEP(LINEAR, 1380, DRIVE_A, 77, 300);
	STEP(DRIVE_A, 500, STRIPED, 9, 100);
	STEP(STRIPED, 400, DRIVE_A, 400, 200);
	STEP(DRIVE_B, 5, OTHER, 1400, 300);
}

TEST_F(between, dm_and_drive_with_many_extents)
{
	__u64 lbs = self->dev[DRIVE_A].lbs;
	struct blk_copy_extent ext[30];
	unsigned int i, from, to, pair;

	if (variant->iface == BC_CFR)
		SKIP(return, "copy_file_range has one extent");
	for (pair = 0; pair < 4; pair++) {
		from = pair == 1 ? DRIVE_A : pair == 2 ? STRIPED : LINEAR;
		to = pair == 0 ? DRIVE_A : pair == 1 ? STRIPED : pair == 2 ? LINEAR : STRIPED;
		for (i = 0; i < ARRAY_SIZE(ext); i++)
			ext[i] = (struct blk_copy_extent){
				self->win[from].base + (1700 - i * 31) * lbs, (1 + i * 3 % 40) * lbs
			};
		EXPECT_EQ(0, bc_stack_step2(&self->win[to], &self->win[from], BC_IOCTL,
					    self->win[to].base + 700 * lbs, ext,
					    ARRAY_SIZE(ext)));
	}
}

/* Nothing changes: all windows are checked at the end. */
TEST_F(between, different_drives)
{
	static const int pairs[][2] = {
		{ OTHER, LINEAR }, { LINEAR, OTHER }, { OTHER, STRIPED }, { OTHER, DRIVE_A },
		{ DRIVE_A, OTHER }, { DRIVE_B, LINEAR }, { LINEAR, DRIVE_B },
	};
	__u64 lbs = self->dev[DRIVE_A].lbs;
	unsigned int i;

	ASSERT_EQ(0, bc_mark());
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct bc_win *to = &self->win[pairs[i][0]], *from = &self->win[pairs[i][1]];
		struct blk_copy_extent ext = { from->base + 1490 * lbs, 300 * lbs };

		EXPECT_EQ(0, bc_refused(bc_copy(variant->iface, to->dev->fd, to->base + 100 * lbs,
						from->dev->fd, &ext, 1), EOPNOTSUPP, "copy"));
	}
	EXPECT_EQ(0, bc_expect_no_copies());
}

/* A device over two drives: inside each of them; not from one to the other. */
TEST_F(between, parts_of_a_device_over_two_drives)
{
	static const int may[] = { EOPNOTSUPP, 0 };
	__u64 lbs = self->dev[DRIVE_A].lbs;
	struct bc_win *w = &self->win[SPAN];
	struct blk_copy_extent ext = { 2900 * lbs, 200 * lbs };

	STEP(SPAN, 1000, SPAN, 10, 400);
	STEP(SPAN, 3000, SPAN, 3700, 400);
	ext.offset = 100 * lbs;
	EXPECT_EQ(0, bc_refused(bc_copy(variant->iface, w->dev->fd, 4000 * lbs, w->dev->fd, &ext,
					1), EOPNOTSUPP, "from the first to the second"));
	EXPECT_EQ(0, bc_win_check(w));

	/* Part of it can be copied: what is reported is there. */
	ext.offset = 2900 * lbs;
	EXPECT_LT(0, bc_stack_disturbed(w, w, variant->iface, 1000 * lbs, &ext, 1, may));
	ext.offset = 1000 * lbs;
	EXPECT_LT(0, bc_stack_disturbed(w, w, variant->iface, 2950 * lbs, &ext, 1, may));
}

/* That each sector of @buf is one of those of @w from @from to @end. */
static int all_from(const struct bc_win *w, const char *buf, __u64 len, __u64 from, __u64 end)
{
	__u64 i, j;

	for (i = 0; i < len / BC_SECTOR; i++) {
		for (j = from; j < end; j += BC_SECTOR)
			if (bc_sector_is(buf + i * BC_SECTOR, w->tag[j / BC_SECTOR]))
				break;
		if (j == end) {
			bc_log("sector %llu of the destination has data from elsewhere", i);
			return -1;
		}
	}
	return 0;
}

/*
 * Two devices with the same sectors below them. That source and destination
 * overlap cannot be seen from above: what then stands in the destination is
 * an undefined mixture of the sectors of both, as after a copy that was
 * repeated; all else stays as it was. Without an overlap all is well.
 */
TEST_F(between, aliases)
{
	__u64 lbs = self->dev[DRIVE_A].lbs, len = 300 * lbs, at = 1501 * lbs;
	struct bc_win *w = &self->win[LINEAR];
	struct bc_dev *alias = &self->dev[ALIAS];
	struct blk_copy_extent ext = { 100 * lbs, len };
	struct bc_result r;
	char *buf;

	/* LINEAR has at block 1501 what ALIAS has at 0. */
	r = bc_copy(variant->iface, w->dev->fd, at + 1000 * lbs, alias->fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(len, r.copied);
	ext.offset += at;
	bc_win_copied(w, at + 1000 * lbs, w, &ext, 1, len);
	ASSERT_EQ(0, bc_win_check(w));

	ext.offset = 100 * lbs;
	r = bc_copy(variant->iface, w->dev->fd, at + 250 * lbs, alias->fd, &ext, 1);
	bc_log("an overlap through an alias: %s, %llu bytes reported",
	       r.err ? strerrorname_np(r.err) : "no error", r.copied);
	EXPECT_TRUE(!r.err || r.err == EINVAL || r.err == EOPNOTSUPP || r.err == EIO);
	buf = bc_alloc(len);
	EXPECT_EQ(len, pread(w->dev->fd, buf, len, at + 250 * lbs));
	EXPECT_EQ(0, all_from(w, buf, len, at + 100 * lbs, at + 550 * lbs));
	free(buf);
	EXPECT_EQ(0, bc_win_check_range(w, w->dev->fd, 0, at + 250 * lbs));
	EXPECT_EQ(0, bc_win_check_range(w, w->dev->fd, at + 550 * lbs, w->len - at - 550 * lbs));
	EXPECT_EQ(0, bc_win_write(w, w->dev->fd, at, len + 250 * lbs));
}

TEST_HARNESS_MAIN
