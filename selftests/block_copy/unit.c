// SPDX-License-Identifier: GPL-2.0
/* The helpers that the verdict of all other tests rests on. No device. */
#include "blkcopy_test.h"
#include "stack.h"

TEST(mix_is_inverted)
{
	__u64 i;

	for (i = 0; i < 10000; i++) {
		__u64 x = bc_rand();

		ASSERT_EQ(x, bc_unmix(bc_mix(x)));
	}
}

TEST(sectors_tell_what_they_are)
{
	__u64 gen = bc_new_gen();
	__u64 sector[64];
	char name[96], want[96];

	bc_sector_fill(sector, bc_tag(gen, 1ULL << 33));
	EXPECT_TRUE(bc_sector_is(sector, bc_tag(gen, 1ULL << 33)));
	EXPECT_FALSE(bc_sector_is(sector, bc_tag(gen, (1ULL << 33) + 1)));
	EXPECT_FALSE(bc_sector_is(sector, bc_tag(gen + 1, 1ULL << 33)));
	EXPECT_FALSE(bc_sector_is(sector, 0));
	snprintf(want, sizeof(want), "generation %llu of sector %llu", gen, 1ULL << 33);
	EXPECT_STREQ(want, bc_sector_name(sector, name, sizeof(name)));

	/* One bit, anywhere. */
	sector[63] ^= 1ULL << 60;
	EXPECT_FALSE(bc_sector_is(sector, bc_tag(gen, 1ULL << 33)));
	bc_sector_fill(sector, 0);
	EXPECT_TRUE(bc_sector_is(sector, 0));
	EXPECT_STREQ("zeroes", bc_sector_name(sector, name, sizeof(name)));
	sector[5] = 1;
	EXPECT_FALSE(bc_sector_is(sector, 0));
}

TEST(generations_are_never_reused)
{
	__u64 a = bc_new_gen();

	EXPECT_LT(a, bc_new_gen());
}

static struct bc_bound bound(__u64 bytes, __u64 extent, __u64 extents,
			     const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_limits lim = {
		.max_bytes = bytes * 512, .max_extent_bytes = extent * 512, .max_extents = extents,
	};
	struct bc_bound b = { 0 };

	bc_bound_add(&b, &lim, 512, ext, nr);
	return b;
}

#define EXPECT_BOUND(b, c, r, bl, mr, mb, mrb)		\
	do {						\
		struct bc_bound __b = (b);		\
							\
		EXPECT_EQ(c, __b.copies);		\
		EXPECT_EQ(r, __b.ranges);		\
		EXPECT_EQ(bl, __b.blocks);		\
		EXPECT_EQ(mr, __b.max_ranges);		\
		EXPECT_EQ(mb, __b.max_blocks);		\
		EXPECT_EQ(mrb, __b.max_range_blocks);	\
	} while (0)

TEST(bound_of_one_extent)
{
	struct blk_copy_extent ext = { 0, 512 };

	EXPECT_BOUND(bound(20, 7, 3, &ext, 1), 1, 1, 1, 1, 1, 1);
	ext.length = 7 * 512;
	EXPECT_BOUND(bound(20, 7, 3, &ext, 1), 1, 1, 7, 1, 7, 7);
	ext.length = 8 * 512;
	EXPECT_BOUND(bound(20, 7, 3, &ext, 1), 1, 2, 8, 2, 8, 7);
	ext.length = 20 * 512;
	EXPECT_BOUND(bound(20, 7, 3, &ext, 1), 1, 3, 20, 3, 20, 7);
	ext.length = 21 * 512;
	EXPECT_BOUND(bound(20, 7, 3, &ext, 1), 2, 4, 21, 3, 20, 7);
	/* 7 + 7 + 6, five times */
	ext.length = 100 * 512;
	EXPECT_BOUND(bound(20, 7, 3, &ext, 1), 5, 15, 100, 3, 20, 7);
	/* The number of extents ends a command first. */
	EXPECT_BOUND(bound(20, 7, 2, &ext, 1), 8, 15, 100, 2, 14, 7);
}

TEST(bound_of_many_extents)
{
	struct blk_copy_extent ext[300];
	unsigned int i;

	for (i = 0; i < 300; i++)
		ext[i] = (struct blk_copy_extent){ i * 1024, 512 };
	EXPECT_BOUND(bound(128, 128, 128, ext, 127), 1, 127, 127, 127, 127, 1);
	EXPECT_BOUND(bound(128, 128, 128, ext, 128), 1, 128, 128, 128, 128, 1);
	EXPECT_BOUND(bound(128, 128, 128, ext, 129), 2, 129, 129, 128, 128, 1);
	EXPECT_BOUND(bound(128, 128, 128, ext, 300), 3, 300, 300, 128, 128, 1);
	EXPECT_BOUND(bound(100000, 128, 128, ext, 300), 3, 300, 300, 128, 128, 1);
	for (i = 0; i < 300; i++)
		ext[i].length = 6 * 512;
	/* 6 + 6 + 6 ends by count, never reaching 20 */
	EXPECT_BOUND(bound(20, 7, 3, ext, 6), 2, 6, 36, 3, 18, 6);
	/* 6 + 6 + 6 + 2 ends by bytes inside the fourth */
	EXPECT_BOUND(bound(20, 7, 8, ext, 10), 3, 12, 60, 4, 20, 6);
}

TEST(total_length)
{
	struct blk_copy_extent ext[] = { { 0, 512 }, { 9, BC_GIB }, { 1, 1 } };

	EXPECT_EQ(BC_GIB + 513, bc_total(ext, 3));
	EXPECT_EQ(0, bc_total(ext, 0));
}

/* A window of a device that is only named: the model without the I/O. */
TEST(model_follows_copies)
{
	struct bc_dev dev = { .fd = -1, .bfd = -1, .path = "model", .size = BC_MIB, .lbs = 512 };
	struct blk_copy_extent ext[] = { { 512, 1024 }, { 4096, 512 } };
	char *buf = bc_alloc(BC_MIB);
	struct bc_win w;

	ASSERT_EQ(0, bc_win_init_zero(&w, &dev, 0, BC_MIB));
	bc_win_generate(&w, buf, 0, BC_MIB);
	EXPECT_EQ(0, bc_check_buf(&w, buf, 0, BC_MIB));
	bc_win_copied(&w, 65536, &w, ext, 2, ~0ULL);
	bc_log("the complaints that follow are wanted");
	EXPECT_NE(0, bc_check_buf(&w, buf, 0, BC_MIB));
	EXPECT_EQ(0, bc_check_buf(&w, buf, 0, 65536));
	memcpy(buf + 65536, buf + 512, 1024);
	EXPECT_NE(0, bc_check_buf(&w, buf, 0, BC_MIB));
	memcpy(buf + 65536 + 1024, buf + 4096, 512);
	EXPECT_EQ(0, bc_check_buf(&w, buf, 0, BC_MIB));

	/* 512 bytes for sure, the other 1024 perhaps, nothing after them. */
	ASSERT_EQ(0, bc_win_partly_copied(&w, 131072, &w, ext, 2, 512));
	EXPECT_NE(0, bc_check_buf(&w, buf, 0, BC_MIB));
	memcpy(buf + 131072, buf + 512, 512);
	EXPECT_EQ(0, bc_check_buf(&w, buf, 0, BC_MIB));
	memcpy(buf + 131072 + 1024, buf + 4096, 512);
	EXPECT_EQ(0, bc_check_buf(&w, buf, 0, BC_MIB));
	memcpy(buf + 131072 + 512, buf + 4096, 512);
	EXPECT_NE(0, bc_check_buf(&w, buf, 0, BC_MIB));
	bc_win_free(&w);
	free(buf);
}

TEST(small_devices_are_skipped)
{
	struct bc_dev dev = { .fd = -1, .path = "/dev/small", .size = 9 * BC_MIB };

	EXPECT_EQ(0, bc_need_bytes(&dev, 9 * BC_MIB));
	EXPECT_EQ(1, bc_need_bytes(&dev, 9 * BC_MIB + 1));
	EXPECT_STREQ("/dev/small has 9437184 bytes, the test needs 9437185", bc_reason());
}

/* The null device stands for a drive of 4096-byte blocks. */
TEST(tables_are_spelled_out)
{
	struct bc_dev dev = { .fd = open("/dev/null", O_RDWR | O_CLOEXEC), .lbs = 4096 };
	struct bc_stack s = { .nr = 2 };
	char *table;

	ASSERT_LE(0, dev.fd);
	snprintf(s.dm[0].dev, sizeof(s.dm[0].dev), "253:7");
	snprintf(s.dm[1].dev, sizeof(s.dm[1].dev), "253:8");
	table = bc_stack_table(&s, "0 @10 striped 2 8 %a @3 %1 5\n@10 @1 linear %0 0\n", &dev, NULL);
	EXPECT_STREQ("0 80 striped 2 8 1:3 24 253:8 5\n80 8 linear 253:7 0\n", table);
	free(table);
	close(dev.fd);
}

TEST_HARNESS_MAIN
