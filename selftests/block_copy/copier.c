// SPDX-License-Identifier: GPL-2.0
/* A task that copies at random inside a window, while others disturb it. */
#include "stack.h"

#define LONGEST		(256 * BC_KIB)
#define MOST_EXTENTS	6
#define CHECK_EVERY	16
#define ENOUGH		3

/* Short ones as likely as long ones. */
static __u64 choose_len(struct bc_copier *c)
{
	__u64 lbs = c->win->dev->lbs, most = (c->longest ?: LONGEST) / lbs;

	if (most > c->win->len / lbs / 4)
		most = c->win->len / lbs / 4;
	if (c->src && most > c->src->len / lbs / 4)
		most = c->src->len / lbs / 4;
	if (bc_below(&c->rng, 2) && most > 16)
		most = 16;
	return (1 + bc_below(&c->rng, most)) * lbs;
}

static __u64 choose_off(struct bc_copier *c, const struct bc_win *w, __u64 len)
{
	return w->base + bc_below(&c->rng, (w->len - len) / w->dev->lbs + 1) * w->dev->lbs;
}

/* Extents of @total bytes in all, outside of the destination. */
static __u32 choose_extents(struct bc_copier *c, struct blk_copy_extent *ext, __u32 most,
			    __u64 dst, __u64 total)
{
	__u64 lbs = c->win->dev->lbs, left = total, len, off;
	const struct bc_win *from = c->src ?: c->win;
	__u32 nr;

	for (nr = 0; left; nr++) {
		len = nr + 1 == most ? left : (1 + bc_below(&c->rng, left / lbs)) * lbs;
		do
			off = choose_off(c, from, len);
		while (!c->src && off < dst + total && off + len > dst);
		ext[nr] = (struct blk_copy_extent){ off, len };
		left -= len;
	}
	return nr;
}

int bc_copier_op(struct bc_copier *c)
{
	enum bc_iface iface = bc_below(&c->rng, 2) ? BC_IOCTL : BC_CFR;
	struct blk_copy_extent ext[MOST_EXTENTS];
	__u64 total = choose_len(c), dst = choose_off(c, c->win, total), start, took;
	__u32 most = iface == BC_CFR ? 1 : 1 + bc_below(&c->rng, MOST_EXTENTS);
	__u32 nr = choose_extents(c, ext, most, dst, total);
	int ret;

	start = bc_now_ms();
	ret = bc_stack_disturbed(c->win, c->src ?: c->win, iface, dst, ext, nr, c->may);
	took = bc_now_ms() - start;
	if (took > c->slowest_ms)
		c->slowest_ms = took;
	if (ret == EAGAIN)
		c->again++;
	else if (ret > 0)
		c->failed++;
	else if (!ret)
		c->copied_bytes += total;
	if (ret >= 0)
		ret = bc_win_check_range(c->win, c->win->dev->fd, dst, total);
	if (!ret && c->done % CHECK_EVERY == 0)
		ret = bc_win_check(c->win);
	if (ret) {
		c->bad++;
		bc_log("copy %llu of this task failed", c->done);
	}
	__atomic_store_n(&c->done, c->done + 1, __ATOMIC_RELAXED);
	return ret;
}

static void *run(void *arg)
{
	struct bc_copier *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED) && !c->bad)
		bc_copier_op(c);
	return NULL;
}

int bc_copier_start(struct bc_copier *c)
{
	int ret;

	c->stop = false;
	ret = pthread_create(&c->thread, NULL, run, c);
	if (ret)
		bc_log("cannot start a thread: %s", strerror(ret));
	return ret;
}

int bc_copier_stop(struct bc_copier *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	pthread_join(c->thread, NULL);
	return c->bad;
}

bool bc_copiers_had_enough(const struct bc_copier *c, unsigned int nr, __u64 end)
{
	bool enough = bc_now_ms() >= end;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (__atomic_load_n(&c[i].bad, __ATOMIC_RELAXED))
			return true;
		enough &= __atomic_load_n(&c[i].done, __ATOMIC_RELAXED) >= ENOUGH;
	}
	return enough;
}
