// SPDX-License-Identifier: GPL-2.0
/* Notices tasks that make no progress: a hang has to end as a failure. */
#include <signal.h>

#include "stack.h"

#define MOST		16
#define PATIENCE_MS	20000

static struct {
	const char *name;
	const __u64 *counter;
	__u64 last, since;
} watched[MOST];
static unsigned int nr_watched;
static pthread_t watcher;
static bool stop;

void bc_dump_blocked_tasks(void)
{
	int ret = bc_write_file("/proc/sysrq-trigger", "w");

	if (ret)
		bc_log("cannot ask the kernel for its blocked tasks: %s", strerror(-ret));
}

static void *watch(void *arg)
{
	unsigned int i;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		__u64 now = bc_now_ms();

		for (i = 0; i < nr_watched; i++) {
			__u64 value = __atomic_load_n(watched[i].counter, __ATOMIC_RELAXED);

			/* Who is new may have come after we looked at the clock. */
			if (value != watched[i].last) {
				watched[i].last = value;
				watched[i].since = now;
			} else if (now > watched[i].since + PATIENCE_MS) {
				bc_log("%s makes no progress at %llu: blocked tasks are in the kernel's log",
				       watched[i].name, value);
				bc_dump_blocked_tasks();
				fflush(stdout);
				/*
				 * A task that hangs in the kernel keeps this process from
				 * ending. The harness waits for its parent, which runs the
				 * teardown, and both are a process group.
				 */
				kill(0, SIGKILL);
			}
		}
		usleep(100000);
	}
	return arg;
}

void bc_watch(const char *name, const __u64 *counter)
{
	bool first = !nr_watched;

	if (nr_watched == MOST)
		abort();
	if (first)
		stop = false;
	watched[nr_watched].name = name;
	watched[nr_watched].counter = counter;
	watched[nr_watched].last = *counter;
	watched[nr_watched].since = bc_now_ms();
	__atomic_store_n(&nr_watched, nr_watched + 1, __ATOMIC_RELEASE);
	if (first && pthread_create(&watcher, NULL, watch, NULL))
		abort();
}

void bc_unwatch(void)
{
	if (!nr_watched)
		return;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(watcher, NULL);
	nr_watched = 0;
}

bool bc_full(void)
{
	const char *full = getenv("COPY_FULL");

	return full && *full && strcmp(full, "0");
}

unsigned int bc_seconds(unsigned int quick, unsigned int full)
{
	return bc_full() ? full : quick;
}
