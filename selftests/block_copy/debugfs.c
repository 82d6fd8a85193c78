// SPDX-License-Identifier: GPL-2.0
/* A request that copies has its name in debugfs. Needs a slow drive. */
#include <glob.h>

#include "blkcopy_test.h"
#include "stack.h"

#define LEN	(16 * BC_MIB)
#define TRIES	200

/* Whether a file that the pattern stands for has the text. */
static bool anywhere(const char *pattern, const char *text)
{
	char *buf = malloc(BC_MIB);
	bool found = false;
	glob_t files;
	size_t i;

	if (glob(pattern, 0, NULL, &files))
		files.gl_pathc = 0;
	for (i = 0; buf && i < files.gl_pathc && !found; i++) {
		int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = 0, got;

		if (fd < 0)
			continue;
		while ((got = read(fd, buf + n, BC_MIB - 1 - n)) > 0)
			n += got;
		close(fd);
		buf[n] = '\0';
		found = strstr(buf, text);
	}
	if (files.gl_pathc)
		globfree(&files);
	free(buf);
	return found;
}

TEST(requests_have_a_name)
{
	struct bc_async async = { 0 };
	struct bc_win win;
	struct bc_dev dev;
	char busy[128];
	int tries;

	BC_REQUIRE(bc_open(&dev, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&dev));
	snprintf(busy, sizeof(busy), "/sys/kernel/debug/block/%s/hctx*/busy", dev.disk);
	if (access("/sys/kernel/debug/block", F_OK))
		SKIP(return, "the kernel has no /sys/kernel/debug/block");
	ASSERT_EQ(0, bc_win_init(&win, &dev, 0, LEN));
	EXPECT_FALSE(anywhere(busy, "COPY_DST"));
	ASSERT_EQ(0, bc_async_start(&async, BC_IOCTL, &win, LEN / 2, &win, 0, LEN / 2));
	for (tries = 0; tries < TRIES && !anywhere(busy, ".op=COPY_DST"); tries++)
		usleep(5000);
	EXPECT_GT(TRIES, tries)
		TH_LOG("no request in %s is a copy", busy);
	EXPECT_EQ(0, bc_async_end(&async, 0, 60000));
	EXPECT_EQ(0, bc_win_check(&win));
	bc_win_free(&win);
	bc_close(&dev);
}

TEST_HARNESS_MAIN
