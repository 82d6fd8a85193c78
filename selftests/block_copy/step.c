// SPDX-License-Identifier: GPL-2.0
/* One copy with all that can be checked about it without reading data. */
#include "blkcopy_lib.h"

int bc_step2(struct bc_win *dw, int dst_fd, struct bc_win *sw, int src_fd,
	     enum bc_iface iface, __u64 dst, const struct blk_copy_extent *ext, __u32 nr)
{
	struct bc_bound bound = bc_bound_for(iface, dw->dev, ext, nr);
	__u64 total = bc_total(ext, nr);
	struct bc_result r;
	int ret;

	ret = bc_mark();
	if (ret)
		return ret;
	r = bc_copy(iface, dst_fd, dst, src_fd, ext, nr);
	if (r.err || r.copied != total) {
		bc_log("%s of %u extents from %llu to %llu, %llu bytes: %s, %llu bytes reported",
		       bc_iface_name(iface), nr, ext[0].offset, dst, total,
		       r.err ? strerror(r.err) : "no error", r.copied);
		ret = -1;
	}
	bc_win_copied(dw, dst, sw, ext, nr, r.copied == BC_POISON ? 0 : r.copied);
	if (bc_expect_counts(&bound)) {
		bc_log("... %s, %u extents from %llu to %llu, %llu bytes, limits %llu %llu %llu",
		       bc_iface_name(iface), nr, ext[0].offset, dst, total,
		       dw->dev->lim.max_bytes, dw->dev->lim.max_extent_bytes,
		       dw->dev->lim.max_extents);
		ret = -1;
	}
	return ret;
}

int bc_step(struct bc_win *w, enum bc_iface iface, __u64 dst,
	    const struct blk_copy_extent *ext, __u32 nr)
{
	return bc_step2(w, w->dev->fd, w, w->dev->fd, iface, dst, ext, nr);
}

int bc_refused(struct bc_result r, int err, const char *what)
{
	int ret = 0;

	if (r.err != err) {
		bc_log("%s: must fail with %s, got %s", what, strerrorname_np(err),
		       r.err ? strerrorname_np(r.err) : "success");
		ret = -1;
	}
	if (r.copied) {
		bc_log("%s: reports %llu bytes as copied, must be 0", what, r.copied);
		ret = -1;
	}
	return ret;
}
