// SPDX-License-Identifier: GPL-2.0
/*
 * Both ends of a copy in the trace: the tracepoint block_copy, the blk tracer
 * and blktrace(8).
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include "blkcopy_test.h"
#include "stack.h"
#include "watch.h"

#define LEN	(2 * BC_MIB)
#define EVENT	"events/block/block_copy/enable"
#define TOOL_DIR "/tmp/block_copy_trace"

FIXTURE(tracing) {
	struct bc_dev dev, src;
	struct bc_win win;
	struct bc_stack stack;
	unsigned int maj, min;
};

FIXTURE_SETUP(tracing)
{
	self->src.fd = -1;
	self->src.bfd = -1;
	BC_SETUP(0, LEN);
	bc_dev_number(&self->dev, &self->maj, &self->min);
	if (!bc_tracefs())
		SKIP(return, "tracefs is not mounted");
}

static void trace_disk(const struct bc_dev *dev, const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/block/%s/trace/%s", dev->disk, file);
	bc_write_file(path, value);
}

FIXTURE_TEARDOWN(tracing)
{
	if (bc_tracefs()) {
		bc_trace_set(EVENT, "0");
		bc_trace_set("current_tracer", "nop");
	}
	trace_disk(&self->dev, "enable", "0");
	bc_close(&self->src);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_win_free(&self->win);
	bc_close(&self->dev);
}

#define START_EVENT()							\
	do {								\
		if (bc_trace_set(EVENT, "1"))				\
			SKIP(return, "the kernel has no tracepoint block_copy"); \
		ASSERT_EQ(0, bc_trace_set("trace", ""));		\
	} while (0)

/* How often the trace has exactly this event. */
static unsigned int events(unsigned int maj, unsigned int min, const char *rwbs, __u64 dst,
			   __u64 bytes, unsigned int src_maj, unsigned int src_min, __u64 src,
			   unsigned int nr)
{
	char want[256], line[1024];
	unsigned int found;

	snprintf(want, sizeof(want), "block_copy: %u,%u %s %llu + %llu <- (%u,%u) %llu %u [", maj,
		 min, rwbs, dst / BC_SECTOR, bytes / BC_SECTOR, src_maj, src_min, src / BC_SECTOR,
		 nr);
	found = bc_traced(want, "", line, sizeof(line));
	if (!found)
		bc_log("not in the trace: %s", want);
	return found;
}

static unsigned int all_events(void)
{
	char line[1024];

	return bc_traced("block_copy: ", "", line, sizeof(line));
}

TEST_F(tracing, an_extent)
{
	struct blk_copy_extent ext = { 64 * self->dev.lbs, 8 * self->dev.lbs };

	START_EVENT();
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	ASSERT_EQ(0, bc_trace_set(EVENT, "0"));
	EXPECT_EQ(1, events(self->maj, self->min, "WCS", LEN / 2, ext.length, self->maj, self->min,
			    ext.offset, 1));
	EXPECT_EQ(1, all_events());
	/* Off is off. */
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	EXPECT_EQ(1, all_events());
}

/* The first of them stands for all, whose number is told. */
TEST_F(tracing, several_extents)
{
	__u64 b = self->dev.lbs;
	struct blk_copy_extent ext[3] = { { 90 * b, 2 * b }, { 3 * b, b }, { 40 * b, 4 * b } };

	START_EVENT();
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, ext, 3));
	ASSERT_EQ(0, bc_trace_set(EVENT, "0"));
	EXPECT_EQ(1, events(self->maj, self->min, "WCS", LEN / 2, 7 * b, self->maj, self->min,
			    90 * b, 3));
	EXPECT_EQ(1, all_events());
}

TEST_F(tracing, a_copy_of_many_commands)
{
	__u64 most = self->dev.lim.max_bytes, done;
	struct blk_copy_extent ext = { 0, 3 * most };

	if (most > self->dev.lim.max_extent_bytes || 2 * ext.length > LEN)
		SKIP(return, "the limits are not those that this test is for");
	START_EVENT();
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	ASSERT_EQ(0, bc_trace_set(EVENT, "0"));
	for (done = 0; done < ext.length; done += most)
		EXPECT_EQ(1, events(self->maj, self->min, "WCS", LEN / 2 + done, most, self->maj,
				    self->min, done, 1));
	EXPECT_EQ(3, all_events());
}

/* Each device of the source's stack, and the disk at the bottom of the other. */
TEST_F(tracing, through_stacks)
{
	static const char * const tables[BC_STACK_MOST] = {
		"0 4096 linear %a 4096", "0 4096 linear %a 16384"
	};
	__u64 below_src = 4096 * BC_SECTOR, below_dst = 16384 * BC_SECTOR;
	struct blk_copy_extent ext = { 64 * BC_KIB, 32 * BC_KIB };
	unsigned int smaj, smin, dmaj, dmin;
	struct bc_result r;

	BC_REQUIRE(bc_stack_make(&self->stack, tables, &self->dev, NULL));
	BC_REQUIRE(bc_open_path(&self->src, self->stack.dm[0].path));
	bc_dev_number(&self->src, &smaj, &smin);
	bc_dev_number(&self->stack.top, &dmaj, &dmin);
	START_EVENT();
	r = bc_copy(BC_IOCTL, self->stack.top.fd, 4 * BC_KIB, self->src.fd, &ext, 1);
	ASSERT_EQ(0, bc_trace_set(EVENT, "0"));
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(1, events(dmaj, dmin, "RCS", 4 * BC_KIB, ext.length, smaj, smin, ext.offset, 1));
	EXPECT_EQ(1, events(dmaj, dmin, "RCS", 4 * BC_KIB, ext.length, self->maj, self->min,
			    below_src + ext.offset, 1));
	EXPECT_EQ(1, events(self->maj, self->min, "WCS", below_dst + 4 * BC_KIB, ext.length,
			    self->maj, self->min, below_src + ext.offset, 1));
	EXPECT_EQ(3, all_events());
}

/* The blk tracer prints what blktrace(8) would read. */
TEST_F(tracing, blk_tracer)
{
	struct blk_copy_extent ext = { 64 * self->dev.lbs, 8 * self->dev.lbs };
	char want[256], line[1024], number[32];

	if (bc_trace_set("current_tracer", "blk"))
		SKIP(return, "the kernel has no blk tracer");
	trace_disk(&self->dev, "enable", "1");
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	snprintf(want, sizeof(want), "copy WC %u,%u %llu + %llu <- (%u,%u) %llu 1", self->maj,
		 self->min, LEN / 2 / BC_SECTOR, ext.length / BC_SECTOR, self->maj, self->min,
		 ext.offset / BC_SECTOR);
	EXPECT_EQ(1, bc_traced(want, "  m ", line, sizeof(line)))
		TH_LOG("no message '%s'", want);
	bc_log("%s", line);
	snprintf(want, sizeof(want), " %llu + %llu ", LEN / 2 / BC_SECTOR, ext.length / BC_SECTOR);
	/* Queued, issued and completed as a write. */
	EXPECT_EQ(1, bc_traced("  Q  WS ", want, line, sizeof(line)));
	EXPECT_EQ(1, bc_traced("  D  WS ", want, line, sizeof(line)));
	EXPECT_EQ(1, bc_traced("  C  WS ", want, line, sizeof(line)));

	/* The filters are for it, too. */
	trace_disk(&self->dev, "act_mask", "issue");
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	EXPECT_EQ(0, bc_traced("copy WC", "", line, sizeof(line)));
	EXPECT_EQ(1, bc_traced("  D  WS ", want, line, sizeof(line)));
	trace_disk(&self->dev, "act_mask", "notify,read");
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	EXPECT_EQ(0, bc_traced("copy WC", "", line, sizeof(line)));
	trace_disk(&self->dev, "act_mask", "notify,write");
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	EXPECT_EQ(1, bc_traced("copy WC", "", line, sizeof(line)));
	snprintf(number, sizeof(number), "%llu", LEN / BC_SECTOR);
	trace_disk(&self->dev, "start_lba", number);
	ASSERT_EQ(0, bc_trace_set("trace", ""));
	ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
	EXPECT_EQ(0, bc_traced("copy WC", "", line, sizeof(line)));
}

static pid_t start(char *const argv[], const char *out)
{
	pid_t pid = fork();

	if (!pid) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static bool ended(pid_t pid, int *status, bool wait)
{
	if (waitpid(pid, status, wait ? 0 : WNOHANG) != pid)
		return false;
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 255;
	return true;
}

/* Whether the records of any CPU have this text. */
static bool recorded(const char *text)
{
	char path[128], *buf = malloc(BC_MIB);
	bool found = false;
	ssize_t n;
	int cpu, fd;

	for (cpu = 0; cpu < 64 && buf && !found; cpu++) {
		snprintf(path, sizeof(path), TOOL_DIR "/copy.blktrace.%d", cpu);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, buf, BC_MIB);
		found = n > 0 && memmem(buf, n, text, strlen(text));
		close(fd);
	}
	free(buf);
	return found;
}

/*
 * The programs that are on everybody's disk, which know nothing of copies. Where
 * the kernel has cgroups, blkparse prints messages from version 1.3 on.
 */
TEST_F(tracing, blktrace)
{
	struct blk_copy_extent ext = { 64 * self->dev.lbs, 8 * self->dev.lbs };
	char *record[] = { "blktrace", "-d", self->dev.path, "-D", TOOL_DIR, "-o", "copy",
			   "-w", "3", NULL };
	char *parse[] = { "blkparse", "-D", TOOL_DIR, "-i", "copy", NULL };
	char want[256], where[64], line[1024];
	bool queued = false, issued = false, completed = false;
	int status;
	pid_t pid;
	FILE *f;

	mkdir(TOOL_DIR, 0700);
	pid = start(record, TOOL_DIR "/log");
	/* It takes its time until it listens. */
	while (!ended(pid, &status, false)) {
		ASSERT_EQ(0, bc_step(&self->win, BC_IOCTL, LEN / 2, &ext, 1));
		usleep(50000);
	}
	if (status == 127)
		SKIP(return, "there is no blktrace here");
	ASSERT_EQ(0, status);
	snprintf(want, sizeof(want), "copy WC %u,%u %llu + %llu <- (%u,%u) %llu 1", self->maj,
		 self->min, LEN / 2 / BC_SECTOR, ext.length / BC_SECTOR, self->maj, self->min,
		 ext.offset / BC_SECTOR);
	EXPECT_TRUE(recorded(want))
		TH_LOG("no message '%s'", want);

	pid = start(parse, TOOL_DIR "/text");
	ASSERT_TRUE(ended(pid, &status, true));
	ASSERT_EQ(0, status);
	snprintf(where, sizeof(where), " %llu + %llu ", LEN / 2 / BC_SECTOR,
		 ext.length / BC_SECTOR);
	f = fopen(TOOL_DIR "/text", "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, where))
			continue;
		queued |= !!strstr(line, "  Q  WS ");
		issued |= !!strstr(line, "  D  WS ");
		completed |= !!strstr(line, "  C  WS ");
	}
	fclose(f);
	EXPECT_TRUE(queued && issued && completed)
		TH_LOG("queued %d, issued %d, completed %d", queued, issued, completed);
}

TEST_HARNESS_MAIN
