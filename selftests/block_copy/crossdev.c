// SPDX-License-Identifier: GPL-2.0
/*
 * Two devices that are not one queue: namespaces, controllers or drives. A
 * copy between them is refused and changes neither; within each it works.
 */
#include "blkcopy_test.h"

#define LEN	BC_MIB
#define COPY	(64 * BC_KIB)

FIXTURE(crossdev) {
	struct bc_dev a, b;
	struct bc_win wa, wb;
};

BC_IFACE_VARIANTS(crossdev);

/* Different places: two controllers may be two ways to one namespace. */
FIXTURE_SETUP(crossdev)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_open(&self->b, "COPY_DEV2"));
	BC_REQUIRE(bc_need_copy(&self->a));
	BC_REQUIRE(bc_need_copy(&self->b));
	ASSERT_EQ(0, bc_win_init(&self->wa, &self->a, 8 * BC_MIB, LEN));
	ASSERT_EQ(0, bc_win_init(&self->wb, &self->b, 16 * BC_MIB, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(crossdev)
{
	EXPECT_EQ(0, bc_win_check(&self->wa));
	EXPECT_EQ(0, bc_win_check(&self->wb));
	bc_win_free(&self->wa);
	bc_win_free(&self->wb);
	bc_close(&self->a);
	bc_close(&self->b);
}

static struct bc_result try(enum bc_iface iface, struct bc_win *dst, struct bc_win *src)
{
	struct blk_copy_extent ext = { src->base + COPY, COPY };

	return bc_copy(iface, dst->dev->fd, dst->base + LEN / 2, src->dev->fd, &ext, 1);
}

TEST_F(crossdev, is_refused)
{
	EXPECT_EQ(0, bc_refused(try(variant->iface, &self->wb, &self->wa), EOPNOTSUPP,
				"from the first to the second"));
	EXPECT_EQ(0, bc_refused(try(variant->iface, &self->wa, &self->wb), EOPNOTSUPP,
				"from the second to the first"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

/* The place of the source on the wrong device must stay as it is, too. */
TEST_F(crossdev, is_refused_at_equal_offsets)
{
	struct blk_copy_extent ext = { self->wa.base + COPY, COPY };

	EXPECT_EQ(0, bc_refused(bc_copy(variant->iface, self->b.fd, ext.offset + COPY, self->a.fd,
					&ext, 1), EOPNOTSUPP, "to touching offsets"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_F(crossdev, wrong_arguments_come_first)
{
	struct blk_copy_extent ext = { self->wa.base + 1, COPY };

	EXPECT_EQ(0, bc_refused(bc_copy(variant->iface, self->b.fd, self->wb.base, self->a.fd,
					&ext, 1), EINVAL, "unaligned, and between two devices"));
	/* copy_file_range copies up to the end. */
	ext.offset = self->a.size - COPY + 512;
	if (variant->iface != BC_CFR)
		EXPECT_EQ(0, bc_refused(bc_copy(variant->iface, self->b.fd, self->wb.base,
						self->a.fd, &ext, 1), EINVAL,
					"past the end of the source"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_F(crossdev, within_each_works)
{
	struct blk_copy_extent a = { self->wa.base + COPY, COPY };
	struct blk_copy_extent b = { self->wb.base + COPY, COPY };

	EXPECT_EQ(0, bc_step(&self->wa, variant->iface, self->wa.base + LEN / 2, &a, 1));
	EXPECT_EQ(0, bc_step(&self->wb, variant->iface, self->wb.base + LEN / 2, &b, 1));
}

TEST_HARNESS_MAIN
