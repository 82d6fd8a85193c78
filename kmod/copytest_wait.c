// SPDX-License-Identifier: GPL-2.0
/* Bios that wait: in a lane until they are due, held until somebody says so. */
#include "copytest.h"

/* How long bios wait for others that may never come. */
#define CT_REORDER_NS	(5 * NSEC_PER_MSEC)

static struct bio *ct_bio_of(struct ct_bio *cb)
{
	return dm_bio_from_per_bio_data(cb, sizeof(*cb));
}

static enum hrtimer_restart ct_lane_timer(struct hrtimer *timer)
{
	struct ct_lane *lane = container_of(timer, struct ct_lane, timer);

	queue_work(lane->wq, &lane->work);
	return HRTIMER_NORESTART;
}

/* Sees to it that the worker runs when the first bio is due. */
static void ct_lane_kick(struct ct_lane *lane)
{
	struct ct_bio *first;

	lockdep_assert_held(&lane->lock);
	first = list_first_entry_or_null(&lane->bios, struct ct_bio, node);
	if (!first)
		return;
	if (ktime_compare(first->due, ktime_get()) <= 0)
		queue_work(lane->wq, &lane->work);
	else
		hrtimer_start(&lane->timer, first->due, HRTIMER_MODE_ABS_SOFT);
}

static void ct_lane_insert(struct ct_lane *lane, struct ct_bio *cb)
{
	struct ct_bio *before;

	/* From the end: most come in the order in which they are due. */
	list_for_each_entry_reverse(before, &lane->bios, node)
		if (ktime_compare(before->due, cb->due) <= 0)
			break;
	list_add(&cb->node, &before->node);
}

static void ct_lane_all_due(struct ct_lane *lane, bool only_reorder)
{
	struct ct_bio *cb, *next;
	LIST_HEAD(due);

	list_for_each_entry_safe(cb, next, &lane->bios, node) {
		if (only_reorder && !cb->reorder)
			continue;
		cb->due = 0;
		list_move_tail(&cb->node, &due);
	}
	list_splice(&due, &lane->bios);
}

void ct_lane_add(struct ct_lane *lane, struct ct_bio *cb, const struct ct_verdict *verdict)
{
	spin_lock(&lane->lock);
	cb->reorder = false;
	cb->due = 0;
	if (lane->hurry) {
		;
	} else if (verdict && ct_says(verdict, CT_DELAY)) {
		cb->due = ktime_add_us(ktime_get(), verdict->delay_us);
	} else if (verdict && ct_says(verdict, CT_REORDER)) {
		cb->reorder = true;
		cb->due = ktime_add_ns(ktime_get(), CT_REORDER_NS);
		lane->nr_reorder++;
	}
	ct_lane_insert(lane, cb);
	if (cb->reorder && lane->nr_reorder >= verdict->reorder)
		ct_lane_all_due(lane, true);
	ct_lane_kick(lane);
	spin_unlock(&lane->lock);
}

/* Somewhere among @to, if it is one of those that change their order. */
static void ct_lane_shuffle_in(struct ct_lane *lane, struct ct_bio *cb, struct list_head *to,
			       unsigned int nr)
{
	struct list_head *place = to;

	if (cb->reorder)
		for (nr = prandom_u32_state(&lane->rnd) % (nr + 1); nr; nr--)
			place = place->prev;
	list_add_tail(&cb->node, place);
}

static void ct_lane_work(struct work_struct *work)
{
	struct ct_lane *lane = container_of(work, struct ct_lane, work);
	struct ct_bio *cb, *next;
	unsigned int nr = 0;
	LIST_HEAD(due);
	ktime_t now;

	spin_lock(&lane->lock);
	now = ktime_get();
	list_for_each_entry_safe(cb, next, &lane->bios, node) {
		if (ktime_compare(cb->due, now) > 0)
			break;
		list_del(&cb->node);
		if (cb->reorder)
			lane->nr_reorder--;
		ct_lane_shuffle_in(lane, cb, &due, nr++);
	}
	ct_lane_kick(lane);
	spin_unlock(&lane->lock);

	list_for_each_entry_safe(cb, next, &due, node) {
		list_del(&cb->node);
		dm_submit_bio_remap(ct_bio_of(cb), NULL);
		cond_resched();
	}
}

void ct_lane_hurry(struct ct_lane *lane, bool hurry)
{
	spin_lock(&lane->lock);
	lane->hurry = hurry;
	if (hurry)
		ct_lane_all_due(lane, false);
	ct_lane_kick(lane);
	spin_unlock(&lane->lock);
}

int ct_lane_init(struct ct_lane *lane, const char *name, u64 seed)
{
	spin_lock_init(&lane->lock);
	INIT_LIST_HEAD(&lane->bios);
	prandom_seed_state(&lane->rnd, seed);
	hrtimer_init(&lane->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	lane->timer.function = ct_lane_timer;
	INIT_WORK(&lane->work, ct_lane_work);
	lane->wq = alloc_workqueue("copytest_%s", WQ_MEM_RECLAIM, 0, name);
	return lane->wq ? 0 : -ENOMEM;
}

/* No bio is in flight any more. */
void ct_lane_exit(struct ct_lane *lane)
{
	if (!lane->wq)
		return;
	WARN_ON_ONCE(!list_empty(&lane->bios));
	hrtimer_cancel(&lane->timer);
	destroy_workqueue(lane->wq);
}

void ct_held_init(struct ct_held *held)
{
	spin_lock_init(&held->lock);
	INIT_LIST_HEAD(&held->bios);
}

void ct_held_add(struct ct_held *held, struct ct_bio *cb)
{
	unsigned long flags;

	spin_lock_irqsave(&held->lock, flags);
	list_add_tail(&cb->node, &held->bios);
	held->nr[cb->class]++;
	spin_unlock_irqrestore(&held->lock, flags);
}

void ct_held_take(struct ct_held *held, unsigned int classes, struct list_head *to)
{
	struct ct_bio *cb, *next;
	unsigned long flags;

	spin_lock_irqsave(&held->lock, flags);
	list_for_each_entry_safe(cb, next, &held->bios, node) {
		if (!(classes & BIT(cb->class)))
			continue;
		held->nr[cb->class]--;
		list_move_tail(&cb->node, to);
	}
	spin_unlock_irqrestore(&held->lock, flags);
}
