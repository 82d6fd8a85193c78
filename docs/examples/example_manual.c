// SPDX-License-Identifier: GPL-2.0
/* The program in the manual page ioctl_blkcopy(2), as it is printed there. */
#include <limits.h>
#include <sys/wait.h>

#include "blkcopy_test.h"

#define BASE	(4 * BC_MIB)
#define LEN	(1 * BC_MIB)

FIXTURE(manual) {
	struct bc_dev dev;
	struct bc_win win;
	char program[PATH_MAX];
};

FIXTURE_VARIANT(manual) {
	const char *option;
};

FIXTURE_VARIANT_ADD(manual, ioctl) { NULL };
FIXTURE_VARIANT_ADD(manual, io_uring) { "-u" };

FIXTURE_SETUP(manual)
{
	ssize_t n = readlink("/proc/self/exe", self->program, sizeof(self->program) - 1);

	ASSERT_LT(0, n);
	strcpy(strrchr(self->program, '/'), "/blkcopy_example");
	BC_SETUP(BASE, LEN);
	ASSERT_EQ(0, bc_mark());
}

FIXTURE_TEARDOWN(manual)
{
	EXPECT_EQ(0, bc_win_check(&self->win));
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

/* Its exit code; "4194304" and the like are the offsets of the window. */
static int run(const char *program, const char *option, const char *device, const char *place)
{
	char *argv[12], **arg = argv;
	int status = -1;
	pid_t pid;

	*arg++ = "blkcopy_example";
	if (option)
		*arg++ = (char *)option;
	*arg++ = (char *)device;
	*arg++ = (char *)device;
	*arg++ = (char *)place;
	*arg++ = "4194304";
	*arg++ = "4096";
	*arg++ = "0x410000";
	*arg++ = "8192";
	*arg = NULL;
	pid = fork();
	if (!pid) {
		execv(program, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(manual, copies)
{
	struct blk_copy_extent ext[] = { { BASE, 4096 }, { 0x410000, 8192 } };
	struct bc_bound bound = bc_bound_for(BC_IOCTL, &self->dev, ext, 2);

	ASSERT_EQ(0, run(self->program, variant->option, self->dev.path, "4718592"));
	bc_win_copied(&self->win, 4718592, &self->win, ext, 2, ~0ULL);
	EXPECT_EQ(0, bc_expect_counts(&bound));
}

TEST_F(manual, says_what_is_refused)
{
	ASSERT_EQ(1, run(self->program, variant->option, self->dev.path, "4718593"));
	EXPECT_EQ(0, bc_expect_no_copies());
}

TEST_HARNESS_MAIN
