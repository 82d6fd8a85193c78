// SPDX-License-Identifier: GPL-2.0
/* dm-copytest takes what its README says, and refuses the rest with a sentence. */
#include "blkcopy_test.h"
#include "module.h"
#include "stack.h"

FIXTURE(args) {
	struct bc_dev drive;
	struct bc_stack stack;
	struct bc_dm *dm;
	int log;		/* of the kernel */
};

FIXTURE_SETUP(args)
{
	static const char *const tables[BC_STACK_MOST] = { "0 @1024 copytest %a @4096\n" };

	self->log = -1;
	self->drive.fd = -1;
	self->drive.bfd = -1;
	BC_REQUIRE(bc_open(&self->drive, "COPY_DEV"));
	BC_REQUIRE(bc_load_module("dm-copytest"));
	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->drive, NULL));
	self->dm = &self->stack.dm[0];
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(args)
{
	if (self->log >= 0)
		close(self->log);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->drive);
}

/* Whether the kernel has said so since it was asked last. */
static bool kernel_said(int log, const char *sentence)
{
	char record[2048];
	bool found = false;
	ssize_t n;

	while ((n = read(log, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (n <= 0)
			continue;
		record[n] = '\0';
		if (strstr(record, "copytest") && strstr(record, sentence))
			found = true;
	}
	return found;
}

/* 0 when the table was refused with this sentence. */
static int refuses(FIXTURE_DATA(args) *self, const char *arguments, const char *sentence)
{
	char line[1024], *table;
	int ret;

	lseek(self->log, 0, SEEK_END);
	snprintf(line, sizeof(line), "0 @1024 copytest %s\n", arguments);
	table = bc_stack_table(&self->stack, line, &self->drive, NULL);
	ret = bc_dm_load(self->dm, table);
	free(table);
	if (!ret) {
		bc_log("'%s' is taken", arguments);
		return -1;
	}
	if (!kernel_said(self->log, sentence)) {
		bc_log("'%s' is refused (%s), but not because: %s", arguments, strerror(-ret),
		       sentence);
		return -1;
	}
	return 0;
}

TEST_F(args, bad_tables)
{
	static const char *const bad[][2] = {
		{ "", "A device and an offset are needed" },
		{ "%a", "A device and an offset are needed" },
		{ "%a x", "The offset is not a number of sectors" },
		{ "%a -1", "The offset is not a number of sectors" },
		{ "999:999 0", "The device is not there" },
		{ "%a 0 seed", "The seed is not a number" },
		{ "%a 0 seed x", "The seed is not a number" },
		{ "%a 0 chunk", "A number was expected" },
		{ "%a 0 chunk 0", "is 0 or a part of a block" },
		{ "%a 0 max_io_len 0", "is 0 or a part of a block" },
		{ "%a 0 max_io_len 4294967296", "A number was expected" },
		{ "%a 0 chunk @1000", "The length is not a multiple of the chunk" },
		{ "%a 0 shuffle", "Neither an option nor an action" },
		{ "%a 0 hold src nth:1 seed 3", "Neither an option nor an action" },
		{ "%a 0 hold", "A rule needs classes of bios" },
		{ "%a 0 hold sources always", "Not a class" },
		{ "%a 0 hold src,,dst always", "Not a class" },
		{ "%a 0 hold src", "Not a time" },
		{ "%a 0 hold src sometimes", "Not a time" },
		{ "%a 0 hold src always:3", "always takes no number" },
		{ "%a 0 hold src nth", "A number was expected" },
		{ "%a 0 hold src nth:", "A number was expected" },
		{ "%a 0 hold src nth:0", "The number of a time starts at 1" },
		{ "%a 0 hold src chance:1001", "A chance is one in 1000" },
		{ "%a 0 fail src always", "Not a status" },
		{ "%a 0 fail src always broken", "Not a status" },
		{ "%a 0 delay src always 5", "A number was expected" },
		{ "%a 0 delay src always 6 5", "from the smaller number to the larger" },
		{ "%a 0 delay src always 0 10000001", "A delay is 10 seconds at most" },
		{ "%a 0 linger src always 10001", "Nobody lingers for more than 10 seconds" },
		{ "%a 0 split src always 0 5", "A split leaves one sector at least" },
		{ "%a 0 reorder src always 1", "It takes two bios" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(0, refuses(self, bad[i][0], bad[i][1]));
}

TEST_F(args, bad_messages)
{
	static const char *const bad[][2] = {
		{ "nonsense", "Neither an option nor an action" },
		{ "hold src nth:1 please", "A message is one rule" },
		{ "clear all", "Neither an option nor an action" },
		{ "zero 1", "Neither an option nor an action" },
		{ "release sources", "Not a class" },
		{ "release src broken", "Not a status" },
		{ "release src ioerr now", "release takes classes and a status" },
		{ "nap", "nap takes noflush or fast, and milliseconds" },
		{ "nap fast", "nap takes noflush or fast, and milliseconds" },
		{ "nap fast 1 2", "nap takes noflush or fast, and milliseconds" },
		{ "nap flush 1", "A nap is noflush or fast" },
		{ "nap fast soon", "A number was expected" },
		{ "nap fast 60001", "A nap takes a minute at most" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		lseek(self->log, 0, SEEK_END);
		EXPECT_EQ(-EINVAL, bc_dm_message(self->dm, bad[i][0]))
			TH_LOG("%s", bad[i][0]);
		EXPECT_TRUE(kernel_said(self->log, bad[i][1]))
			TH_LOG("%s: not because: %s", bad[i][0], bad[i][1]);
	}
}

TEST_F(args, sixteen_rules)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		EXPECT_EQ(0, bc_dm_message(self->dm, "delay src always 0 1"));
	lseek(self->log, 0, SEEK_END);
	EXPECT_EQ(-EINVAL, bc_dm_message(self->dm, "delay src always 0 1"));
	EXPECT_TRUE(kernel_said(self->log, "There are 16 rules already"));
	EXPECT_EQ(0, bc_dm_message(self->dm, "clear"));
	EXPECT_EQ(0, bc_dm_message(self->dm, "delay src always 0 1"));
}

/* What the target shows can be loaded again, and shows the same. */
TEST_F(args, table_shows_all)
{
	static const char arguments[] =
		"%a @4096 seed 12345678901234 chunk @64 max_io_len @48 nocopy "
		"defer src always delay direct,nested every:3 10 2000 reorder read chance:1000 4 "
		"split src,direct,nested,read,write from:7 1 99 fail src nth:5 again "
		"fail_end write always ioerr requeue read nth:2 hold nested nth:1 "
		"hold_end src,nested always linger src nth:3 7";
	char line[2100], shown[2][1024] = { "", "" }, *table, *expected;
	int i;

	snprintf(line, sizeof(line), "0 @1024 copytest %s\n", arguments);
	table = bc_stack_table(&self->stack, line, &self->drive, NULL);
	expected = bc_stack_table(&self->stack, arguments, &self->drive, NULL);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bc_dm_swap(self->dm, table, BC_DM_FLUSH));
		ASSERT_EQ(0, bc_dm_table(self->dm, shown[i], sizeof(shown[i])));
		EXPECT_STREQ(expected, shown[i]);
		free(table);
		snprintf(line, sizeof(line), "0 @1024 copytest %s\n", shown[i]);
		table = bc_stack_table(&self->stack, line, &self->drive, NULL);
	}
	free(table);
	free(expected);
	ASSERT_EQ(0, bc_dm_message(self->dm, "clear"));
	ASSERT_EQ(0, bc_dm_message(self->dm, "hold copy nth:2"));
	ASSERT_EQ(0, bc_dm_table(self->dm, shown[0], sizeof(shown[0])));
	EXPECT_NE(NULL, strstr(shown[0], " nocopy hold src,direct,nested nth:2"));
	ASSERT_EQ(0, bc_dm_message(self->dm, "clear"));
}

TEST_HARNESS_MAIN
