// SPDX-License-Identifier: GPL-2.0
/*
 * The device's own word: the virtual machine's host counts the commands that
 * the emulated drive received and answers questions over a serial port. On a
 * real machine there is no such port, and only data are checked.
 *
 * A drive of null_blk, or of another driver whose test says so, is no drive of
 * QEMU's. What it was told is what the block layer counts for it: how many writes,
 * of how many bytes, and no reads. That a command kept to the limits it checks
 * itself.
 */
#include "blkcopy_lib.h"
#include "port.h"
#include "watch.h"

static bool told;		/* that there is no witness */
static bool blind;		/* the machine has no drive that could copy */

static struct bc_dev stat_dev;	/* whose statistics to ask; no disk: the port */
static struct bc_counts stat_mark;

void bc_witness_by_stat(const struct bc_dev *dev)
{
	stat_dev = *dev;
}

void bc_witness_disk(const struct bc_dev *dev)
{
	stat_dev.disk[0] = '\0';
	if (!strncmp(dev->disk, "nullb", 5))
		bc_witness_by_stat(dev);
}

static int stat_count(struct bc_counts *c)
{
	struct bc_iostat s;

	memset(c, 0, sizeof(*c));
	if (bc_iostat(&stat_dev, &s)) {
		bc_log("the statistics of %s cannot be read: %s", stat_dev.disk, strerror(errno));
		return -1;
	}
	c->reads = s.reads;
	c->read_bytes = s.read_sectors * BC_SECTOR;
	c->copies = s.writes;
	c->blocks = s.write_sectors * BC_SECTOR / stat_dev.lbs;
	if (!s.in_flight)
		return 0;
	bc_log("%s has I/O in flight for a second", stat_dev.disk);
	return -1;
}

bool bc_have_witness(void)
{
	if (stat_dev.disk[0])
		return true;
	return !blind && (getenv("COPY_MACHINE") || bc_port_present());
}

static int ask(const char *question, char *answer, size_t len)
{
	if (!bc_port_ask(question, answer, len, BC_PORT_MS))
		return 0;
	bc_log("%s", bc_port_error());
	return -1;
}

static bool refuses(const char *answer)
{
	const char *expect = getenv("COPY_EXPECT");

	if (!strstr(answer, "\"error\""))
		return false;
	blind = expect && !strcmp(expect, "absent");
	bc_log("the witness cannot tell: %s", answer);
	return true;
}

int bc_mark(void)
{
	char answer[256];

	if (stat_dev.disk[0])
		return stat_count(&stat_mark);
	if (!bc_have_witness()) {
		if (!told)
			bc_log("no port %s: what the device saw is not checked", BC_PORT);
		told = true;
		return 0;
	}
	if (ask("mark\n", answer, sizeof(answer)))
		return -1;
	if (refuses(answer))
		return blind ? 0 : -1;
	if (strcmp(answer, "ok")) {
		bc_log("the witness answered a mark with '%s'", answer);
		return -1;
	}
	return 0;
}

static int field(const char *answer, const char *name, __u64 *value)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(answer, key);
	if (!at) {
		bc_log("the witness does not tell %s: %s", name, answer);
		return -1;
	}
	*value = strtoull(at + strlen(key), NULL, 10);
	return 0;
}

int bc_count(struct bc_counts *c)
{
	char answer[1024];

	if (stat_dev.disk[0]) {
		if (stat_count(c))
			return -1;
		c->reads -= stat_mark.reads;
		c->read_bytes -= stat_mark.read_bytes;
		c->copies -= stat_mark.copies;
		c->blocks -= stat_mark.blocks;
		return 0;
	}
	memset(c, 0, sizeof(*c));
	if (ask("count\n", answer, sizeof(answer)) || refuses(answer))
		return -1;
	return field(answer, "copies", &c->copies) ?:
	       field(answer, "ranges", &c->ranges) ?:
	       field(answer, "blocks", &c->blocks) ?:
	       field(answer, "max_ranges", &c->max_ranges) ?:
	       field(answer, "max_blocks", &c->max_blocks) ?:
	       field(answer, "max_range_blocks", &c->max_range_blocks) ?:
	       field(answer, "reads", &c->reads) ?:
	       field(answer, "read_bytes", &c->read_bytes) ?:
	       field(answer, "writes", &c->writes) ?:
	       field(answer, "write_bytes", &c->write_bytes) ?:
	       field(answer, "write_zeroes", &c->write_zeroes) ?:
	       field(answer, "flushes", &c->flushes) ?:
	       field(answer, "other", &c->other);
}

static int same(const char *what, __u64 want, __u64 have)
{
	if (want == have)
		return 0;
	bc_log("the device saw %llu %s, must be %llu", have, what, want);
	return -1;
}

int bc_expect_counts(const struct bc_bound *b)
{
	struct bc_counts c;
	int bad = 0;

	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	bad |= same("copy commands", b->copies, c.copies);
	bad |= same("blocks copied", b->blocks, c.blocks);
	bad |= same("reads", 0, c.reads);
	if (stat_dev.disk[0])
		return bad;
	bad |= same("source ranges", b->ranges, c.ranges);
	bad |= same("ranges in the longest command", b->max_ranges, c.max_ranges);
	/* The drive's log mixes up the ranges of commands that run at once. */
	if (b->copies == 1)
		bad |= same("blocks in the largest command", b->max_blocks, c.max_blocks);
	bad |= same("blocks in the largest range", b->max_range_blocks, c.max_range_blocks);
	bad |= same("writes", 0, c.writes);
	bad |= same("write zeroes commands", 0, c.write_zeroes);
	return bad;
}

int bc_expect_no_copies(void)
{
	struct bc_counts c;
	int bad = 0;

	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	bad |= same("copy commands", 0, c.copies);
	bad |= same("writes", 0, c.writes);
	bad |= same("write zeroes commands", 0, c.write_zeroes);
	return bad;
}

void bc_power_cut(void)
{
	if (!bc_port_tell("power_cut\n"))
		usleep(BC_PORT_MS * 1000);
}

int bc_plug(const char *command, const char *device, unsigned int ms)
{
	__u64 end = bc_now_ms() + ms;
	char question[128], answer[256];

	snprintf(question, sizeof(question), "%s %s\n", command, device);
	for (;;) {
		if (ask(question, answer, sizeof(answer)))
			return -1;
		if (!strcmp(answer, "ok"))
			return 0;
		if (bc_now_ms() > end)
			break;
		usleep(50000);
	}
	bc_log("%s of %s: %s", command, device, answer);
	return -1;
}
