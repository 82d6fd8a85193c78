// SPDX-License-Identifier: GPL-2.0
/* Rules: their words, and what they say about a bio. */
#include <linux/string.h>

#include "copytest.h"

#define CT_MAX_US	(10 * USEC_PER_SEC)
#define CT_MAX_MS	(10 * MSEC_PER_SEC)
#define CT_CHANCES	1000
#define CT_ALL		(BIT(CT_NR_CLASSES) - 1)
#define CT_DST		(BIT(CT_DIRECT) | BIT(CT_NESTED))

static const struct {
	const char *name;
	unsigned int classes;
} ct_class_names[] = {
	/* The first ones stand for one class each, in the order of the enum. */
	{ "src", BIT(CT_SRC) }, { "direct", BIT(CT_DIRECT) }, { "nested", BIT(CT_NESTED) },
	{ "read", BIT(CT_READ) }, { "write", BIT(CT_WRITE) },
	{ "dst", CT_DST }, { "copy", BIT(CT_SRC) | CT_DST },
	{ "io", BIT(CT_READ) | BIT(CT_WRITE) }, { "all", CT_ALL },
};

static const struct {
	const char *name;
	unsigned int nr_args;
} ct_actions[CT_NR_ACTIONS] = {
	[CT_DEFER] = { "defer", 0 },
	[CT_DELAY] = { "delay", 2 },		/* microseconds, from and to */
	[CT_REORDER] = { "reorder", 1 },	/* bios that wait for each other */
	[CT_SPLIT] = { "split", 2 },		/* sectors, from and to */
	[CT_FAIL] = { "fail", 1 },		/* index of the status */
	[CT_FAIL_END] = { "fail_end", 1 },
	[CT_REQUEUE] = { "requeue", 0 },
	[CT_HOLD] = { "hold", 0 },
	[CT_HOLD_END] = { "hold_end", 0 },
	[CT_LINGER] = { "linger", 1 },		/* milliseconds */
};

static const char * const ct_whens[CT_NR_WHENS] = {
	[CT_ALWAYS] = "always", [CT_NTH] = "nth", [CT_FROM] = "from",
	[CT_EVERY] = "every", [CT_CHANCE] = "chance",
};

static const struct {
	const char *name;
	blk_status_t status;
} ct_statuses[] = {
	{ "ioerr", BLK_STS_IOERR }, { "again", BLK_STS_AGAIN }, { "notsupp", BLK_STS_NOTSUPP },
	{ "nospc", BLK_STS_NOSPC }, { "timeout", BLK_STS_TIMEOUT }, { "target", BLK_STS_TARGET },
	{ "medium", BLK_STS_MEDIUM }, { "transport", BLK_STS_TRANSPORT },
	{ "protection", BLK_STS_PROTECTION }, { "resource", BLK_STS_RESOURCE },
	{ "requeue", BLK_STS_DM_REQUEUE },
};

char *ct_parse_u32(const char *word, unsigned int *value)
{
	if (!word || kstrtouint(word, 10, value))
		return "A number was expected";
	return NULL;
}

char *ct_parse_classes(char *word, unsigned int *classes)
{
	char *name;
	int i;

	*classes = 0;
	while ((name = strsep(&word, ",")) != NULL) {
		for (i = 0; i < ARRAY_SIZE(ct_class_names); i++)
			if (!strcmp(name, ct_class_names[i].name))
				break;
		if (i == ARRAY_SIZE(ct_class_names))
			return "Not a class (src, direct, nested, read, write, dst, copy, io, all)";
		*classes |= ct_class_names[i].classes;
	}
	return *classes ? NULL : "A rule needs classes of bios";
}

static char *ct_find_status(const char *word, unsigned int *index)
{
	unsigned int i;

	for (i = 0; word && i < ARRAY_SIZE(ct_statuses); i++) {
		if (!strcmp(word, ct_statuses[i].name)) {
			*index = i;
			return NULL;
		}
	}
	return "Not a status: ioerr, again, notsupp, requeue and others have names";
}

char *ct_parse_status(const char *word, blk_status_t *status)
{
	unsigned int index;
	char *error = ct_find_status(word, &index);

	if (!error)
		*status = ct_statuses[index].status;
	return error;
}

static char *ct_parse_when(char *word, struct ct_rule *rule)
{
	char *name = word ? strsep(&word, ":") : NULL;
	char *error;

	for (rule->when = 0; name && rule->when < CT_NR_WHENS; rule->when++)
		if (!strcmp(name, ct_whens[rule->when]))
			break;
	if (!name || rule->when == CT_NR_WHENS)
		return "Not a time (always, nth:N, from:N, every:N, chance:N)";
	if (rule->when == CT_ALWAYS)
		return word ? "always takes no number" : NULL;
	error = ct_parse_u32(word, &rule->n);
	if (error)
		return error;
	if (!rule->n)
		return "The number of a time starts at 1";
	if (rule->when == CT_CHANCE && rule->n > CT_CHANCES)
		return "A chance is one in 1000, up to 1000";
	return NULL;
}

static char *ct_parse_args(struct dm_arg_set *as, struct ct_rule *rule)
{
	unsigned int i;
	char *error;

	for (i = 0; i < ct_actions[rule->action].nr_args; i++) {
		const char *word = dm_shift_arg(as);

		if (rule->action == CT_FAIL || rule->action == CT_FAIL_END)
			error = ct_find_status(word, &rule->arg[i]);
		else
			error = ct_parse_u32(word, &rule->arg[i]);
		if (error)
			return error;
	}
	if (i == 2 && rule->arg[0] > rule->arg[1])
		return "A range goes from the smaller number to the larger one";
	if (rule->action == CT_DELAY && rule->arg[1] > CT_MAX_US)
		return "A delay is 10 seconds at most";
	if (rule->action == CT_LINGER && rule->arg[0] > CT_MAX_MS)
		return "Nobody lingers for more than 10 seconds";
	if (rule->action == CT_SPLIT && !rule->arg[0])
		return "A split leaves one sector at least";
	if (rule->action == CT_REORDER && rule->arg[0] < 2)
		return "It takes two bios to change their order";
	return NULL;
}

char *ct_rules_add(struct ct_rules *rules, struct dm_arg_set *as, bool only)
{
	const char *name = dm_shift_arg(as);
	struct ct_rule rule = { };
	char *error;

	for (rule.action = 0; name && rule.action < CT_NR_ACTIONS; rule.action++)
		if (!strcmp(name, ct_actions[rule.action].name))
			break;
	if (!name || rule.action == CT_NR_ACTIONS)
		return "Neither an option nor an action that copytest knows";
	error = ct_parse_classes((char *)dm_shift_arg(as), &rule.classes);
	if (!error)
		error = ct_parse_when((char *)dm_shift_arg(as), &rule);
	if (!error)
		error = ct_parse_args(as, &rule);
	if (!error && only && as->argc)
		error = "A message is one rule";
	if (error)
		return error;

	spin_lock(&rules->lock);
	if (rules->nr < CT_MAX_RULES)
		rules->rule[rules->nr++] = rule;
	else
		error = "There are 16 rules already";
	spin_unlock(&rules->lock);
	return error;
}

void ct_rules_init(struct ct_rules *rules, u64 seed)
{
	spin_lock_init(&rules->lock);
	prandom_seed_state(&rules->rnd, seed);
}

void ct_rules_clear(struct ct_rules *rules)
{
	spin_lock(&rules->lock);
	rules->nr = 0;
	spin_unlock(&rules->lock);
}

static bool ct_rule_fires(struct ct_rules *rules, struct ct_rule *rule)
{
	u64 seen = ++rule->seen;

	switch (rule->when) {
	case CT_NTH:
		return seen == rule->n;
	case CT_FROM:
		return seen >= rule->n;
	case CT_EVERY:
		return do_div(seen, rule->n) == 0;
	case CT_CHANCE:
		return prandom_u32_state(&rules->rnd) % CT_CHANCES < rule->n;
	default:
		return true;
	}
}

static void ct_rule_apply(struct ct_rules *rules, const struct ct_rule *rule,
			  struct ct_verdict *verdict)
{
	unsigned int span = rule->arg[1] - rule->arg[0] + 1;
	unsigned int value = rule->arg[0];

	switch (rule->action) {
	case CT_DELAY:
		verdict->delay_us = value + prandom_u32_state(&rules->rnd) % span;
		break;
	case CT_SPLIT:
		verdict->split = value + prandom_u32_state(&rules->rnd) % span;
		break;
	case CT_REORDER:
		verdict->reorder = value;
		break;
	case CT_LINGER:
		verdict->linger_ms = value;
		break;
	case CT_FAIL:
		verdict->fail = ct_statuses[value].status;
		break;
	case CT_FAIL_END:
		verdict->fail_end = ct_statuses[value].status;
		break;
	default:
		break;
	}
	verdict->actions |= BIT(rule->action);
}

/* Every rule counts the bio; of those with one action the last decides. */
void ct_rules_judge(struct ct_rules *rules, enum ct_class class, struct ct_verdict *verdict)
{
	unsigned int i;

	memset(verdict, 0, sizeof(*verdict));
	if (!READ_ONCE(rules->nr))
		return;
	spin_lock(&rules->lock);
	for (i = 0; i < rules->nr; i++) {
		struct ct_rule *rule = &rules->rule[i];

		if ((rule->classes & BIT(class)) && ct_rule_fires(rules, rule))
			ct_rule_apply(rules, rule, verdict);
	}
	spin_unlock(&rules->lock);
}

static unsigned int ct_rule_emit(const struct ct_rule *rule, char *result, unsigned int sz,
				 unsigned int maxlen)
{
	unsigned int i;
	char mark = ' ';

	DMEMIT(" %s", ct_actions[rule->action].name);
	for (i = 0; i < CT_NR_CLASSES; i++) {
		if (!(rule->classes & BIT(i)))
			continue;
		DMEMIT("%c%s", mark, ct_class_names[i].name);
		mark = ',';
	}
	DMEMIT(" %s", ct_whens[rule->when]);
	if (rule->when != CT_ALWAYS)
		DMEMIT(":%u", rule->n);
	for (i = 0; i < ct_actions[rule->action].nr_args; i++) {
		if (rule->action == CT_FAIL || rule->action == CT_FAIL_END)
			DMEMIT(" %s", ct_statuses[rule->arg[i]].name);
		else
			DMEMIT(" %u", rule->arg[i]);
	}
	return sz;
}

unsigned int ct_rules_emit(struct ct_rules *rules, char *result, unsigned int sz,
			   unsigned int maxlen)
{
	unsigned int i;

	spin_lock(&rules->lock);
	for (i = 0; i < rules->nr; i++)
		sz = ct_rule_emit(&rules->rule[i], result, sz, maxlen);
	spin_unlock(&rules->lock);
	return sz;
}
