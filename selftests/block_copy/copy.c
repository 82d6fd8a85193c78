// SPDX-License-Identifier: GPL-2.0
/* The ways to ask for a copy, and what the device must be asked for. */
#include <sys/ioctl.h>

#include "blkcopy_lib.h"

__u64 bc_total(const struct blk_copy_extent *ext, __u32 nr)
{
	__u64 total = 0;
	__u32 i;

	for (i = 0; i < nr; i++)
		total += ext[i].length;
	return total;
}

const char *bc_iface_name(enum bc_iface iface)
{
	static const char *const names[] = {
		[BC_IOCTL] = "BLKCOPY",
		[BC_URING] = "BLKCOPY through io_uring",
		[BC_CFR] = "copy_file_range",
	};

	return names[iface];
}

struct blk_copy_arg bc_copy_arg(__u64 dst, int src_fd, const struct blk_copy_extent *ext, __u32 nr)
{
	return (struct blk_copy_arg){
		.src_fd = src_fd,
		.dst_offset = dst,
		.extents = (uintptr_t)ext,
		.nr_extents = nr,
	};
}

static struct bc_result copy_ioctl(int dst_fd, __u64 dst, int src_fd,
				   const struct blk_copy_extent *ext, __u32 nr)
{
	struct blk_copy_arg arg = bc_copy_arg(dst, src_fd, ext, nr);
	struct bc_result r = { 0 };

	arg.copied = BC_POISON;
	if (ioctl(dst_fd, BLKCOPY, &arg))
		r.err = errno;
	r.copied = arg.copied;
	return r;
}

static struct bc_result copy_range(int dst_fd, __u64 dst, int src_fd,
				   const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_result r = { 0 };
	__u32 i;

	for (i = 0; i < nr; i++) {
		off64_t in = ext[i].offset;
		off64_t out = dst + r.copied;
		ssize_t n = copy_file_range(src_fd, &in, dst_fd, &out, ext[i].length, 0);
		__u64 moved = n < 0 ? 0 : n;

		if (n < 0)
			r.err = errno;
		if ((__u64)in != ext[i].offset + moved ||
		    (__u64)out != dst + r.copied + moved) {
			bc_log("copy_file_range returned %zd, moved its offsets by %lld and %lld",
			       n, (long long)(in - ext[i].offset),
			       (long long)(out - dst - r.copied));
			r.err = EBADMSG;
		}
		r.copied += moved;
		if (r.err || moved != ext[i].length)
			break;
	}
	return r;
}

struct bc_result bc_copy(enum bc_iface iface, int dst_fd, __u64 dst, int src_fd,
			 const struct blk_copy_extent *ext, __u32 nr)
{
	switch (iface) {
	case BC_URING:
		return bc_copy_uring(dst_fd, dst, src_fd, ext, nr);
	case BC_CFR:
		return copy_range(dst_fd, dst, src_fd, ext, nr);
	default:
		return copy_ioctl(dst_fd, dst, src_fd, ext, nr);
	}
}

static void max_of(__u64 *max, __u64 value)
{
	if (value > *max)
		*max = value;
}

/*
 * Extents are cut at the extent limit, commands are filled in order until one
 * of the limits on bytes and extents is reached: no split needs fewer.
 */
void bc_bound_add(struct bc_bound *b, const struct bc_limits *lim, __u32 lbs,
		  const struct blk_copy_extent *ext, __u32 nr)
{
	__u64 bytes = lim->max_bytes, ranges = 0;	/* of the open command */
	__u32 i;

	for (i = 0; i < nr; i++) {
		__u64 left = ext[i].length;

		while (left) {
			__u64 piece = left;

			if (bytes == lim->max_bytes || ranges == lim->max_extents) {
				b->copies++;
				bytes = 0;
				ranges = 0;
			}
			if (piece > lim->max_extent_bytes)
				piece = lim->max_extent_bytes;
			if (piece > lim->max_bytes - bytes)
				piece = lim->max_bytes - bytes;
			left -= piece;
			bytes += piece;
			ranges++;
			b->ranges++;
			b->blocks += piece / lbs;
			max_of(&b->max_ranges, ranges);
			max_of(&b->max_blocks, bytes / lbs);
			max_of(&b->max_range_blocks, piece / lbs);
		}
	}
}

struct bc_bound bc_bound_for(enum bc_iface iface, const struct bc_dev *dev,
			     const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_bound b = { 0 };
	__u32 i;

	if (!dev->lim.max_bytes)
		return b;
	if (iface == BC_CFR)
		for (i = 0; i < nr; i++)
			bc_bound_add(&b, &dev->lim, dev->lbs, &ext[i], 1);
	else
		bc_bound_add(&b, &dev->lim, dev->lbs, ext, nr);
	return b;
}
