// SPDX-License-Identifier: GPL-2.0
/*
 * A suspend that the kernel itself takes, as dm does for snapshots and for
 * thin pools. It waits for those that use the live table, as messages do, so
 * it is a worker's task.
 */
#include <linux/delay.h>

#include "copytest.h"

#define CT_MAX_NAP_MS	60000

static void ct_nap_work(struct work_struct *work)
{
	struct ct_nap *nap = container_of(work, struct ct_nap, work);

	if (nap->fast)
		dm_internal_suspend_fast(nap->md);
	else
		dm_internal_suspend_noflush(nap->md);
	atomic64_inc(&nap->begun);
	msleep(nap->ms);
	if (nap->fast)
		dm_internal_resume_fast(nap->md);
	else
		dm_internal_resume(nap->md);
	atomic64_inc(&nap->ended);
	atomic_set(&nap->busy, 0);
	dm_put(nap->md);
}

void ct_nap_init(struct ct_nap *nap)
{
	INIT_WORK(&nap->work, ct_nap_work);
}

/* The device cannot go before it has been resumed, but its target can just then. */
void ct_nap_exit(struct ct_nap *nap)
{
	flush_work(&nap->work);
}

char *ct_nap_words(struct ct_nap *nap, struct dm_target *ti, struct dm_arg_set *as)
{
	struct mapped_device *md = dm_table_get_md(ti->table);
	const char *how = dm_shift_arg(as);
	unsigned int ms;
	char *error;
	bool fast;

	if (as->argc != 1)
		return "nap takes noflush or fast, and milliseconds";
	fast = !strcmp(how, "fast");
	if (!fast && strcmp(how, "noflush"))
		return "A nap is noflush or fast";
	error = ct_parse_u32(dm_shift_arg(as), &ms);
	if (error)
		return error;
	if (ms > CT_MAX_NAP_MS)
		return "A nap takes a minute at most";
	if (atomic_cmpxchg(&nap->busy, 0, 1))
		return "There is a nap already";
	if (dm_hold(md)) {
		atomic_set(&nap->busy, 0);
		return "The device is about to go";
	}
	nap->md = md;
	nap->fast = fast;
	nap->ms = ms;
	queue_work(system_unbound_wq, &nap->work);
	return NULL;
}
