// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that must not offer copies: drives that cannot, namespaces with
 * metadata. Zeroes in sysfs, and a refusal that changes nothing.
 */
#include "blkcopy_test.h"

#define LEN	(2 * BC_MIB)
#define COPY	(64 * BC_KIB)

FIXTURE(nocopy) {
	struct bc_dev dev;
	struct bc_win win;
};

FIXTURE_VARIANT(nocopy) {
	const char *var;
};

FIXTURE_VARIANT_ADD(nocopy, first_device) { .var = "COPY_DEV" };
FIXTURE_VARIANT_ADD(nocopy, second_device) { .var = "COPY_DEV2" };

FIXTURE_SETUP(nocopy)
{
	const char *expect = getenv("COPY_EXPECT");

	BC_REQUIRE(bc_open(&self->dev, variant->var));
	if (!expect || strcmp(expect, "absent"))
		SKIP(return, "COPY_EXPECT does not say that %s must not offer copies",
		     self->dev.path);
	if (!self->dev.size)
		SKIP(return, "%s has no size: the kernel does not read or write its format",
		     self->dev.path);
	ASSERT_EQ(0, bc_win_init(&self->win, &self->dev, 0, LEN));
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(nocopy)
{
	EXPECT_EQ(0, bc_win_check(&self->win));
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

TEST_F(nocopy, sysfs_says_zero)
{
	static const char * const attrs[] = {
		"copy_max_bytes", "copy_max_extent_bytes", "copy_max_extents",
		"copy_max_hw_bytes", "copy_max_hw_extent_bytes", "copy_max_hw_extents",
	};
	__u64 value, i;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		ASSERT_EQ(0, bc_queue_read(&self->dev, attrs[i], &value))
			TH_LOG("no file number %llu: has the kernel block copy?", i);
		EXPECT_EQ(0, value);
	}
	/* Writing what the hardware cannot do does not make it able to. */
	for (i = 0; i < 3; i++) {
		bc_queue_write(&self->dev, attrs[i], BC_MIB);
		EXPECT_EQ(0, bc_queue_read(&self->dev, attrs[i], &value));
		EXPECT_EQ(0, value);
	}
}

TEST_F(nocopy, is_refused)
{
	struct blk_copy_extent ext[2] = { { 0, COPY }, { 2 * COPY, COPY } };
	int fd = self->dev.fd;

	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, LEN / 2, fd, ext, 1), EOPNOTSUPP,
				"BLKCOPY"));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, LEN / 2, fd, ext, 2), EOPNOTSUPP,
				"BLKCOPY of two extents"));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_CFR, fd, LEN / 2, fd, ext, 1), EOPNOTSUPP,
				"copy_file_range"));
	if (bc_have_witness())
		EXPECT_EQ(0, bc_expect_no_copies());
}

/* What is wrong with an argument does not depend on the device. */
TEST_F(nocopy, wrong_arguments_come_first)
{
	struct blk_copy_extent ext = { 0, COPY };
	int fd = self->dev.fd, iface;

	for (iface = BC_IOCTL; iface <= BC_CFR; iface++) {
		EXPECT_EQ(0, bc_refused(bc_copy(iface, fd, LEN / 2 + 1, fd, &ext, 1), EINVAL,
					"unaligned destination"));
		EXPECT_EQ(0, bc_refused(bc_copy(iface, fd, self->dev.lbs, fd, &ext, 1), EINVAL,
					"overlap"));
	}
	EXPECT_EQ(0, bc_refused(bc_copy(BC_IOCTL, fd, self->dev.size, fd, &ext, 1), EINVAL,
				"destination at the end"));
	EXPECT_EQ(0, bc_refused(bc_copy(BC_CFR, fd, self->dev.size, fd, &ext, 1), ENOSPC,
				"destination at the end"));
}

TEST_HARNESS_MAIN
