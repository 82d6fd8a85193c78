// SPDX-License-Identifier: GPL-2.0
/* One copy by a thread of its own, that somebody else lets end, or not. */
#include "stack.h"

static void *run(void *arg)
{
	struct bc_async *t = arg;
	__u64 start = bc_now_ms();

	t->r = bc_copy(t->iface, t->dw->dev->fd, t->dst, t->sw->dev->fd, &t->ext, 1);
	t->took_ms = bc_now_ms() - start;
	__atomic_store_n(&t->done, true, __ATOMIC_RELEASE);
	return NULL;
}

int bc_async_start(struct bc_async *t, enum bc_iface iface, struct bc_win *dw, __u64 dst,
		   struct bc_win *sw, __u64 src, __u64 len)
{
	int ret;

	memset(t, 0, sizeof(*t));
	t->iface = iface;
	t->dw = dw;
	t->sw = sw;
	t->dst = dw->base + dst;
	t->ext = (struct blk_copy_extent){ sw->base + src, len };
	ret = pthread_create(&t->thread, NULL, run, t);
	if (ret)
		bc_log("cannot start a thread: %s", strerror(ret));
	return ret;
}

bool bc_async_done(const struct bc_async *t)
{
	return __atomic_load_n(&t->done, __ATOMIC_ACQUIRE);
}

int bc_async_end(struct bc_async *t, int err, unsigned int ms)
{
	__u64 end = bc_now_ms() + ms;

	while (!bc_async_done(t) && bc_now_ms() < end)
		usleep(1000);
	if (!bc_async_done(t)) {
		bc_log("a copy has not ended after %u ms", ms);
		bc_dump_blocked_tasks();
		return -1;
	}
	pthread_join(t->thread, NULL);
	bc_log("%s, %llu of %llu bytes, after %llu ms",
	       t->r.err ? strerrorname_np(t->r.err) : "no error", t->r.copied, t->ext.length,
	       t->took_ms);
	if (t->r.err != err || t->r.copied != (err ? 0 : t->ext.length)) {
		bc_log("must be %s, %llu bytes", err ? strerrorname_np(err) : "no error",
		       err ? 0 : t->ext.length);
		return -1;
	}
	bc_win_copied(t->dw, t->dst, t->sw, &t->ext, 1, t->r.copied);
	return 0;
}
