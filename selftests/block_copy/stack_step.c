// SPDX-License-Identifier: GPL-2.0
/* One copy through a stack, with all that can be checked about it. */
#include "stack.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static int is(const char *what, bool right, __u64 have, const char *relation, __u64 want)
{
	if (right)
		return 0;
	bc_log("the device saw %llu %s, must be %s%llu", have, what, relation, want);
	return -1;
}

static int expect_commands(const struct bc_dev *dev, const struct bc_bound *least)
{
	const struct bc_limits *lim = &dev->lim;
	struct bc_counts c;
	__u64 longest = lim->max_extent_bytes / dev->lbs;
	int bad = 0;

	if (!bc_have_witness())
		return 0;
	if (bc_count(&c))
		return -1;
	bad |= is("copy commands", c.copies >= least->copies, c.copies, "at least ", least->copies);
	bad |= is("blocks copied", c.blocks == least->blocks, c.blocks, "", least->blocks);
	bad |= is("ranges in a command", c.max_ranges <= lim->max_extents, c.max_ranges, "at most ",
		  lim->max_extents);
	bad |= is("blocks in a range", c.max_range_blocks <= longest, c.max_range_blocks, "at most ",
		  longest);
	bad |= is("reads", !c.reads, c.reads, "", 0);
	bad |= is("writes", !c.writes, c.writes, "", 0);
	bad |= is("write zeroes commands", !c.write_zeroes, c.write_zeroes, "", 0);
	return bad;
}

static void log_copy(enum bc_iface iface, __u64 dst, const struct blk_copy_extent *ext, __u32 nr,
		     struct bc_result r)
{
	bc_log("%s of %u extents from %llu to %llu, %llu bytes: %s, %llu bytes reported",
	       bc_iface_name(iface), nr, ext[0].offset, dst,
	       bc_total(ext, nr), r.err ? strerrorname_np(r.err) : "no error", r.copied);
}

int bc_stack_step2(struct bc_win *dw, struct bc_win *sw, enum bc_iface iface, __u64 dst,
		   const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_bound least = bc_bound_for(iface, dw->dev, ext, nr);
	struct bc_result r;
	int ret = bc_mark();

	if (ret)
		return ret;
	r = bc_copy(iface, dw->dev->fd, dst, sw->dev->fd, ext, nr);
	if (r.err || r.copied != bc_total(ext, nr))
		ret = -1;
	bc_win_copied(dw, dst, sw, ext, nr, r.copied == BC_POISON ? 0 : r.copied);
	ret |= expect_commands(dw->dev, &least);
	if (ret)
		log_copy(iface, dst, ext, nr, r);
	return ret;
}

int bc_stack_step(struct bc_win *w, enum bc_iface iface, __u64 dst,
		  const struct blk_copy_extent *ext, __u32 nr)
{
	return bc_stack_step2(w, w, iface, dst, ext, nr);
}

static bool among(int err, const int *may)
{
	while (may && *may)
		if (*may++ == err)
			return true;
	return false;
}

int bc_stack_disturbed(struct bc_win *dw, struct bc_win *sw, enum bc_iface iface, __u64 dst,
		       const struct blk_copy_extent *ext, __u32 nr, const int *may)
{
	struct bc_result r = bc_copy(iface, dw->dev->fd, dst, sw->dev->fd, ext, nr);
	__u64 total = bc_total(ext, nr);
	/* copy_file_range tells of an error at the next call, if something was copied. */
	bool is_short = may && iface == BC_CFR && !r.err && r.copied;

	if (!r.err && r.copied == total) {
		bc_win_copied(dw, dst, sw, ext, nr, total);
		return 0;
	}
	if (r.copied > total || (!is_short && !among(r.err, may))) {
		log_copy(iface, dst, ext, nr, r);
		return -1;
	}
	if (bc_win_partly_copied(dw, dst, sw, ext, nr, r.copied) || bc_win_settle(dw)) {
		log_copy(iface, dst, ext, nr, r);
		return -1;
	}
	return r.err ?: EIO;
}

static __u64 least_of(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

int bc_expect_stacked_limits(struct bc_dev *dev, struct bc_dev *a, struct bc_dev *b)
{
	const struct {
		const char *name;
		__u64 have, hard, a, b;
	} limits[] = {
		{ "bytes", dev->lim.max_bytes, dev->lim.hw_bytes, a->lim.hw_bytes,
		  b->lim.hw_bytes },
		{ "extent_bytes", dev->lim.max_extent_bytes, dev->lim.hw_extent_bytes,
		  a->lim.hw_extent_bytes, b->lim.hw_extent_bytes },
		{ "extents", dev->lim.max_extents, dev->lim.hw_extents, a->lim.hw_extents,
		  b->lim.hw_extents },
	};
	unsigned int i;
	int bad = 0;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limits[i].hard != least_of(limits[i].a, limits[i].b)) {
			bc_log("%s: copy_max_hw_%s is %llu, drives have %llu and %llu", dev->disk,
			       limits[i].name, limits[i].hard, limits[i].a, limits[i].b);
			bad = -1;
		}
		if (!limits[i].have || limits[i].have > limits[i].hard) {
			bc_log("%s: copy_max_%s is %llu, must be 1 to %llu", dev->disk,
			       limits[i].name, limits[i].have, limits[i].hard);
			bad = -1;
		}
	}
	return bad;
}

int bc_expect_no_limits(struct bc_dev *dev)
{
	static const char * const attrs[] = {
		"copy_max_bytes", "copy_max_extent_bytes", "copy_max_extents",
		"copy_max_hw_bytes", "copy_max_hw_extent_bytes", "copy_max_hw_extents",
	};
	unsigned int i;
	int bad = 0;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		__u64 value = 1;

		if (!bc_queue_read(dev, attrs[i], &value) && !value)
			continue;
		bc_log("%s: %s is %llu, must be 0", dev->disk, attrs[i], value);
		bad = -1;
	}
	return bad;
}
