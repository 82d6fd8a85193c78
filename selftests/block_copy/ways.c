// SPDX-License-Identifier: GPL-2.0
/*
 * The module copy-ways copies in each of its ways what it is told to, in as many
 * commands as the way has, and refuses with a sentence what it cannot do.
 */
#include "blkcopy_test.h"
#include "module.h"

#define FILES	"/sys/kernel/debug/copy-ways/"
#define BASE	(64 * BC_MIB)
#define LEN	(4 * BC_MIB)
#define DST	(2 * BC_MIB)
#define MOST	128

FIXTURE(ways) {
	struct bc_dev a;
	struct bc_win win;
};

FIXTURE_SETUP(ways)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	BC_REQUIRE(bc_load_module("copy-ways"));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->a, BASE, LEN));
}

FIXTURE_TEARDOWN(ways)
{
	/* Lets go of the device. */
	bc_write_file(FILES "copy", "none");
	bc_win_free(&self->win);
	bc_close(&self->a);
}

/* Scattered blocks, the last of which come first, to one place. */
static unsigned int describe(FIXTURE_DATA(ways) *self, unsigned int nr, struct blk_copy_extent *ext)
{
	static char text[8192];
	size_t len = snprintf(text, sizeof(text), "%s %llu", self->a.path,
			      (BASE + DST) / BC_SECTOR);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ext[i].offset = BASE + (nr - 1 - i) * 3ULL * self->a.lbs;
		ext[i].length = self->a.lbs;
		len += snprintf(text + len, sizeof(text) - len, " %llu+%llu",
				(unsigned long long)ext[i].offset / BC_SECTOR,
				(unsigned long long)ext[i].length / BC_SECTOR);
	}
	return bc_write_file(FILES "copy", text);
}

static const struct {
	const char *name;
	bool one_by_one;	/* a command for each extent */
} ways[] = {
	{ "one", false }, { "plug", false }, { "call", false }, { "apart", true }, { "turns", true },
};

TEST_F_TIMEOUT(ways, each_copies_in_its_commands, 120)
{
	static const unsigned int numbers[] = { 1, 2, 16, MOST };
	struct blk_copy_extent ext[MOST];
	unsigned int i, n, k;

	for (n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
		ASSERT_EQ(0, describe(self, numbers[n], ext));
		for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			struct bc_bound bound = { 0 };

			/* Old data, so that a way that copies nothing is seen. */
			ASSERT_EQ(0, bc_win_write(&self->win, self->a.fd, BASE + DST,
						  numbers[n] * self->a.lbs));
			for (k = 0; k < numbers[n] && ways[i].one_by_one; k++)
				bc_bound_add(&bound, &self->a.lim, self->a.lbs, ext + k, 1);
			if (!ways[i].one_by_one)
				bc_bound_add(&bound, &self->a.lim, self->a.lbs, ext, numbers[n]);
			ASSERT_EQ(0, bc_mark());
			ASSERT_EQ(0, bc_write_file(FILES "run", ways[i].name))
				TH_LOG("%s of %u", ways[i].name, numbers[n]);
			EXPECT_EQ(0, bc_expect_counts(&bound))
				TH_LOG("%s of %u", ways[i].name, numbers[n]);
			bc_win_copied(&self->win, BASE + DST, &self->win, ext, numbers[n], ~0ULL);
			ASSERT_EQ(0, bc_win_check(&self->win));
		}
	}
	ASSERT_EQ(0, bc_mark());
	ASSERT_EQ(0, bc_write_file(FILES "run", "none"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

static void read_error(char *buf, size_t len)
{
	int fd = open(FILES "error", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, len - 1);

	buf[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* After each of these nothing can be run until a copy has been described. */
TEST_F(ways, arguments_are_refused_with_a_sentence)
{
	static const struct {
		const char *text, *sentence;
		int error;
	} bad[] = {
		{ "", "wanted: DEVICE", EINVAL },
		{ "%s", "wanted: DEVICE", EINVAL },
		{ "%s 8", "wanted: DEVICE", EINVAL },
		{ "%s x 8+8", "the destination is no sector", EINVAL },
		{ "%s 8 16", "extent 0 is no SECTOR+SECTORS", EINVAL },
		{ "%s 8 16+8 +", "extent 1 is no SECTOR+SECTORS", EINVAL },
		{ "%s 8 16+0", "extent 0 is no SECTOR+SECTORS", EINVAL },
		{ "%s 8 16+8388608", "which one bio cannot copy", EINVAL },
		{ "%s 8 16+18446744073709551615 32+8", "which one bio cannot copy", EINVAL },
		{ "/dev/nothing 8 16+8", "cannot be opened", ENOENT },
		{ "/dev/null 8 16+8", "cannot be opened", ENOTBLK },
	};
	struct blk_copy_extent ext[1];
	char text[256], sentence[256];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ASSERT_EQ(0, describe(self, 1, ext));
		snprintf(text, sizeof(text), bad[i].text, self->a.path);
		/* An empty write never gets to the module. */
		EXPECT_EQ(-bad[i].error, bc_write_file(FILES "copy", *text ? text : " "))
			TH_LOG("'%s'", text);
		read_error(sentence, sizeof(sentence));
		EXPECT_NE(NULL, strstr(sentence, bad[i].sentence))
			TH_LOG("'%s': %s", text, sentence);
		EXPECT_EQ(-EINVAL, bc_write_file(FILES "run", "one"));
	}
	ASSERT_EQ(0, describe(self, 1, ext));
	EXPECT_EQ(-EINVAL, bc_write_file(FILES "run", "sideways"));
	read_error(sentence, sizeof(sentence));
	EXPECT_NE(NULL, strstr(sentence, "the ways are"));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

TEST_HARNESS_MAIN
