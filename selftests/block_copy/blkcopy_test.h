/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Glue between the kselftest harness and the library. Diagnostics go to
 * stdout, so that they stand among the results that they explain.
 */
#ifndef BLKCOPY_TEST_H
#define BLKCOPY_TEST_H

#include "blkcopy_lib.h"

#define TH_LOG_STREAM stdout
#include "kselftest_harness.h"

/* Kernels with all checks on, in emulated machines, are slow. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

/* Skips or fails with the library's sentence when @call says so. */
#define BC_REQUIRE(call)						\
	do {								\
		int __bc_ret = (call);					\
									\
		if (__bc_ret > 0)					\
			SKIP(return, "%s", bc_reason());		\
		ASSERT_EQ(0, __bc_ret)					\
			TH_LOG("%s", bc_reason());			\
	} while (0)

/* Opens COPY_DEV, which must offer copies, and fills a window of it. */
#define BC_SETUP(base, len)						\
	do {								\
		BC_REQUIRE(bc_open(&self->dev, "COPY_DEV"));		\
		BC_REQUIRE(bc_need_copy(&self->dev));			\
		BC_REQUIRE(bc_need_bytes(&self->dev, (base) + (len)));	\
		ASSERT_EQ(0, bc_win_init(&self->win, &self->dev, base, len)); \
	} while (0)

/* Runs each test of a fixture through all interfaces. */
#define BC_IFACE_VARIANTS(fixture)					\
	FIXTURE_VARIANT(fixture) { enum bc_iface iface; };		\
	FIXTURE_VARIANT_ADD(fixture, ioctl) { .iface = BC_IOCTL };	\
	FIXTURE_VARIANT_ADD(fixture, io_uring) { .iface = BC_URING };	\
	FIXTURE_VARIANT_ADD(fixture, copy_file_range) { .iface = BC_CFR }

/* Runs the tests of one variant; of all if it is NULL. */
static inline int bc_run_variant(char *program, char *variant)
{
	char *args[] = { program, "-v", variant, NULL };

	if (!variant)
		args[1] = NULL;
	return test_harness_run(variant ? 3 : 1, args);
}

#endif /* BLKCOPY_TEST_H */
