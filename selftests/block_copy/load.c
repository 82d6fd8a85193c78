// SPDX-License-Identifier: GPL-2.0
/*
 * Random work on a window of a device, each operation checked against the
 * model: copies, writes and reads, direct and through the page cache.
 */
#include <time.h>

#include "blkcopy_lib.h"

#define LONGEST		(256 * BC_KIB)
#define MOST_EXTENTS	24

__u64 bc_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* A random part of the window, up to @most bytes, whole blocks. */
static void choose(struct bc_load *l, __u64 most, __u64 *off, __u64 *len)
{
	__u64 lbs = l->win->dev->lbs, blocks;

	if (most > l->win->len)
		most = l->win->len;
	/* Short ones as likely as long ones. */
	blocks = most / lbs;
	if (!bc_below(&l->rng, 2) && blocks > 16)
		blocks = 16;
	blocks = 1 + bc_below(&l->rng, blocks);
	*len = blocks * lbs;
	*off = l->win->base + bc_below(&l->rng, (l->win->len - *len) / lbs + 1) * lbs;
}

static enum bc_op choose_op(struct bc_load *l)
{
	unsigned int op;

	do
		op = 1U << bc_below(&l->rng, 7);
	while (!(l->ops & op));
	return op;
}

static int refused(struct bc_load *l, __u64 dst, const struct blk_copy_extent *ext, __u32 nr,
		   struct bc_result r)
{
	l->refused++;
	l->copied_bytes += r.copied;
	/*
	 * With nothing copied, too: what a lower limit had split may have been refused
	 * from the second part on, and then it isn't known how far the first has come.
	 */
	return bc_win_partly_copied(l->win, dst, l->win, ext, nr, r.copied) ?:
	       bc_win_settle(l->win);
}

static int copy_op(struct bc_load *l, enum bc_iface iface, __u64 longest)
{
	struct blk_copy_extent ext[MOST_EXTENTS];
	__u32 nr = iface == BC_CFR ? 1 : 1 + bc_below(&l->rng, MOST_EXTENTS);
	__u32 i, wanted = nr;
	__u64 dst, total, lbs = l->win->dev->lbs;
	struct bc_result r;

	/* The window must have room beside the destination. */
	if (longest > l->win->len / 4)
		longest = l->win->len / 4;
	choose(l, longest, &dst, &total);
	if (nr > total / lbs)
		nr = total / lbs;
	wanted = nr;
	for (nr = 0, i = 0; i < wanted; i++) {
		__u64 left = total - bc_total(ext, nr);
		__u64 off, len;
		int tries;

		if (!left)
			break;
		len = i + 1 == wanted ? left : lbs * (1 + bc_below(&l->rng, left / lbs));
		for (tries = 0; tries < 1000; tries++) {
			off = l->win->base + bc_below(&l->rng, (l->win->len - len) / lbs + 1) * lbs;
			if (off + len <= dst || off >= dst + total)
				break;
		}
		if (tries == 1000)
			break;
		ext[nr].offset = off;
		ext[nr++].length = len;
	}
	if (!nr)
		return 0;
	total = bc_total(ext, nr);
	if (l->verbose)
		for (i = 0; i < nr; i++)
			bc_log("%llu: %s extent %u of %u: %llu+%llu to %llu", l->done,
			       bc_iface_name(iface), i + 1, nr,
			       ext[i].offset, ext[i].length, dst);
	r = bc_copy(iface, l->win->dev->fd, dst, l->win->dev->fd, ext, nr);
	if (l->may_refuse && r.copied < total &&
	    (r.err == EOPNOTSUPP || r.err == EIO || (!r.err && r.copied)))
		return refused(l, dst, ext, nr, r);
	if (r.err || r.copied != total) {
		bc_log("%s of %u extents, %llu bytes, to %llu: %s, %llu bytes reported",
		       bc_iface_name(iface), nr, total, dst,
		       r.err ? strerror(r.err) : "no error", r.copied);
		return -1;
	}
	l->copies++;
	l->copied_bytes += total;
	bc_win_copied(l->win, dst, l->win, ext, nr, total);
	return 0;
}

static enum bc_iface iface_of(enum bc_op op)
{
	return op == BC_OP_IOCTL ? BC_IOCTL : op == BC_OP_URING ? BC_URING : BC_CFR;
}

int bc_load_op(struct bc_load *l)
{
	__u64 longest = l->longest ?: LONGEST, off, len;
	enum bc_op op = choose_op(l);
	struct bc_dev *dev = l->win->dev;
	bool direct = op & (BC_OP_READ_DIRECT | BC_OP_WRITE_DIRECT);
	int ret;

	if (op & BC_OP_COPIES) {
		ret = copy_op(l, iface_of(op), longest);
	} else {
		choose(l, longest, &off, &len);
		if (l->verbose)
			bc_log("%llu: %s %s %llu+%llu", l->done, direct ? "direct" : "buffered",
			       op & BC_OP_READS ? "read" : "write", off, len);
		ret = op & BC_OP_READS ?
			bc_win_check_range(l->win, direct ? dev->fd : dev->bfd, off, len) :
			bc_win_write(l->win, direct ? dev->fd : dev->bfd, off, len);
	}
	if (ret) {
		l->bad++;
		bc_log("operation %llu of this load failed", l->done);
	}
	l->done++;
	return ret;
}

static void *run(void *arg)
{
	struct bc_load *l = arg;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED) && !l->bad)
		bc_load_op(l);
	return NULL;
}

int bc_load_start(struct bc_load *l)
{
	int ret;

	l->stop = false;
	ret = pthread_create(&l->thread, NULL, run, l);
	if (ret)
		bc_log("cannot start a thread: %s", strerror(ret));
	return ret;
}

int bc_load_stop(struct bc_load *l)
{
	__atomic_store_n(&l->stop, true, __ATOMIC_RELAXED);
	pthread_join(l->thread, NULL);
	return l->bad;
}
