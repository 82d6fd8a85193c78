// SPDX-License-Identifier: GPL-2.0
/*
 * Copies through stacks of many shapes, on machines where nothing else goes
 * on: inside and across boundaries, on both sides at once. What the stack
 * holds is checked through the stack, what it must not touch on the drive.
 */
#include "blkcopy_test.h"
#include "stack.h"

FIXTURE(shapes) {
	struct bc_dev a;
	struct bc_win raw, win;
	struct bc_stack stack;
	__u64 blocks;
};

FIXTURE_VARIANT(shapes) {
	enum bc_shape shape;
};

#define VARIANT(name) FIXTURE_VARIANT_ADD(shapes, name) { .shape = BC_SHAPE_##name };
BC_SHAPES(VARIANT)

FIXTURE_SETUP(shapes)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	ASSERT_EQ(0, bc_win_init(&self->raw, &self->a, BC_SHAPE_FIRST * self->a.lbs,
				 BC_SHAPE_BLOCKS * self->a.lbs));
	BC_REQUIRE(bc_shape_make(&self->stack, variant->shape, &self->a));
	ASSERT_EQ(0, bc_expect_stacked_limits(&self->stack.top, &self->a, &self->a));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->stack.top, 0, self->stack.top.size));
	self->blocks = self->win.len / self->a.lbs;
}

/* As many sectors of the drive may have changed as the stack has. */
static int nothing_beside_the_stack(const struct bc_win *raw, const struct bc_win *win)
{
	__u64 changed = 0, step = 256 * BC_KIB, off, i;
	char *buf = bc_alloc(step);

	for (off = 0; off < raw->len; off += step) {
		if (pread(raw->dev->fd, buf, step, raw->base + off) != (ssize_t)step) {
			bc_log("cannot read the drive: %s", strerror(errno));
			free(buf);
			return -1;
		}
		for (i = 0; i < step / BC_SECTOR; i++)
			changed += !bc_sector_is(buf + i * BC_SECTOR,
						 raw->tag[off / BC_SECTOR + i]);
	}
	free(buf);
	if (changed == win->len / BC_SECTOR)
		return 0;
	bc_log("%llu sectors of the drive have changed, the stack has %llu", changed,
	       win->len / BC_SECTOR);
	return -1;
}

FIXTURE_TEARDOWN(shapes)
{
	if (self->win.tag) {
		EXPECT_EQ(0, bc_win_check(&self->win));
		EXPECT_EQ(0, nothing_beside_the_stack(&self->raw, &self->win));
	}
	bc_win_free(&self->win);
	bc_win_free(&self->raw);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

/* All lengths from everywhere to everywhere, each interface in turn. */
TEST_F_TIMEOUT(shapes, one_extent, 180)
{
	const __u64 n = self->blocks, lbs = self->a.lbs;
	const __u64 lens[] = { 1, 9, 130, n / 5 };
	const __u64 from[] = { 0, 5, n / 4 - 3, n / 2 + 1 };
	unsigned int i, j, steps = 0;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (j = 0; j < ARRAY_SIZE(from); j++) {
			struct blk_copy_extent ext = { from[j] * lbs, lens[i] * lbs };
			/* Half of them downwards; the last to the very end. */
			__u64 dst = (j % 2 ? n - lens[i] - i : from[j] + lens[i] + i) * lbs;

			ASSERT_EQ(0, bc_stack_step(&self->win, steps++ % 2 ? BC_CFR : BC_IOCTL,
						   dst, &ext, 1));
		}
		ASSERT_EQ(0, bc_win_check(&self->win));
	}
}

/* Backwards through the device, touching, apart and repeated. */
TEST_F_TIMEOUT(shapes, many_extents, 180)
{
	const __u64 n = self->blocks, lbs = self->a.lbs;
	struct blk_copy_extent ext[40];
	unsigned int i, most = ARRAY_SIZE(ext);
	__u64 at = n / 2;

	for (i = 0; i < most; i++) {
		__u64 len = 1 + i * 5 % 13;

		if (i % 10)
			at -= len + i % 3;
		ext[i] = (struct blk_copy_extent){ at * lbs, len * lbs };
	}
	ASSERT_EQ(0, bc_stack_step(&self->win, BC_IOCTL, (n / 2 + 17) * lbs, ext, most));
	ASSERT_EQ(0, bc_win_check(&self->win));
	ext[0] = (struct blk_copy_extent){ (n - n / 4) * lbs, n / 5 * lbs };
	ext[1] = (struct blk_copy_extent){ n / 2 * lbs, n / 7 * lbs };
	ASSERT_EQ(0, bc_stack_step(&self->win, BC_IOCTL, 3 * lbs, ext, 2));
}

TEST_F(shapes, what_is_refused)
{
	const __u64 lbs = self->a.lbs, size = self->win.len;
	struct bc_dev *top = &self->stack.top;
	struct blk_copy_extent ext = { size - 8 * lbs, 9 * lbs };
	struct bc_result r;
	int fd = top->fd;

	ASSERT_EQ(0, bc_mark());
	/* past the end */
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, 0, fd, &ext, 1), EINVAL, "source"));
	ext.offset = 0;
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, size - 8 * lbs, fd, &ext, 1), EINVAL,
				"destination"));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_CFR, fd, size, fd, &ext, 1), ENOSPC, "destination"));
	/* overlap, by one block and in full */
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, 8 * lbs, fd, &ext, 1), EINVAL, "overlap"));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_CFR, fd, 0, fd, &ext, 1), EINVAL, "overlap"));
	EXPECT_EQ(0, bc_expect_no_copies());
	EXPECT_EQ(0, bc_win_check(&self->win));

	/* copy_file_range stops at the end instead. */
	r = bc_copy(BC_CFR, fd, size - 5 * lbs, fd, &ext, 1);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(5 * lbs, r.copied);
	bc_win_copied(&self->win, size - 5 * lbs, &self->win, &ext, 1, 5 * lbs);
}

TEST_HARNESS_MAIN
