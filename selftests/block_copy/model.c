// SPDX-License-Identifier: GPL-2.0
/*
 * Random copies through each stack against a model in memory.
 *
 *   model [--seed N] [--count N] [--full] [--shape NAME] [--copy CASE]
 *
 * Which copies are made follows from the seed, and not from what went before:
 * a case that fails is tried again alone, made smaller for as long as it still
 * fails, and printed as the command line that repeats just this copy.
 */
#include "blkcopy_test.h"
#include "stack.h"

#define COUNT		150
#define COUNT_FULL	10000
#define BATCH		25	/* copies between two looks at all of the data */
#define MOST_EXTENTS	8
#define LONGEST		(256 * BC_KIB)
#define MOST_TRIES	200

struct one {
	enum bc_iface iface;
	__u64 dst;
	__u32 nr;
	struct blk_copy_extent ext[MOST_EXTENTS];
};

static __u64 seed, count;
static char *only_copy;

FIXTURE(model) {
	struct bc_dev a;
	struct bc_win win;
	struct bc_stack stack;
};

FIXTURE_VARIANT(model) {
	enum bc_shape shape;
};

#define VARIANT(name) FIXTURE_VARIANT_ADD(model, name) { .shape = BC_SHAPE_##name };
BC_SHAPES(VARIANT)

FIXTURE_SETUP(model)
{
	BC_REQUIRE(bc_open(&self->a, "COPY_DEV"));
	BC_REQUIRE(bc_need_copy(&self->a));
	BC_REQUIRE(bc_shape_make(&self->stack, variant->shape, &self->a));
	BC_REQUIRE(bc_need_copy(&self->stack.top));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->stack.top, 0, self->stack.top.size));
}

FIXTURE_TEARDOWN(model)
{
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_stack_remove(&self->stack));
	bc_close(&self->a);
}

/* Case @number of the seed, on a device of @blocks. */
static void choose(struct one *c, __u64 number, __u64 blocks, __u64 lbs)
{
	__u64 rng = bc_mix(seed) + number * 0x632be59bd9b4e019ULL, dst, total, left, off, len;
	__u64 most = LONGEST / lbs < blocks / 4 ? LONGEST / lbs : blocks / 4;
	__u32 want;

	total = 1 + bc_below(&rng, bc_below(&rng, 2) ? most : most < 20 ? most : 20);
	dst = bc_below(&rng, blocks - total + 1);
	want = bc_below(&rng, 2) ? 1 : 1 + bc_below(&rng, MOST_EXTENTS);
	c->iface = want == 1 && bc_below(&rng, 2) ? BC_CFR : BC_IOCTL;
	c->dst = dst * lbs;
	left = total;
	for (c->nr = 0; left; c->nr++) {
		len = c->nr + 1 == want ? left : 1 + bc_below(&rng, left);
		do
			off = bc_below(&rng, blocks - len + 1);
		while (off < dst + total && off + len > dst);
		c->ext[c->nr] = (struct blk_copy_extent){ off * lbs, len * lbs };
		left -= len;
	}
}

static void print(const char *what, const char *shape, const struct one *c)
{
	char text[1024];
	__u32 i;
	int n = 0;

	for (i = 0; i < c->nr; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%llu+%llu", i ? "," : "",
			      c->ext[i].offset, c->ext[i].length);
	bc_log("%s: model --shape %s --copy %s:%s:%llu", what, shape,
	       c->iface == BC_CFR ? "cfr" : "ioctl", text, c->dst);
}

static int parse(const char *text, struct one *c)
{
	int n = 0;

	memset(c, 0, sizeof(*c));
	if (!strncmp(text, "cfr:", 4)) {
		c->iface = BC_CFR;
		text += 3;
	} else if (!strncmp(text, "ioctl:", 6)) {
		text += 5;
	} else {
		return -1;
	}
	while ((*text == ',' || !c->nr) && c->nr < MOST_EXTENTS) {
		struct blk_copy_extent *ext = &c->ext[c->nr++];

		if (sscanf(text + 1, "%llu+%llu%n", &ext->offset, &ext->length, &n) != 2)
			return -1;
		text += 1 + n;
	}
	return sscanf(text, ":%llu", &c->dst) == 1 ? 0 : -1;
}

/* Whether the copy, alone on fresh data, goes wrong. */
static bool fails(struct bc_win *w, const struct one *c)
{
	return bc_win_write(w, w->dev->fd, w->base, w->len) ||
	       bc_stack_step(w, c->iface, c->dst, c->ext, c->nr) || bc_win_check(w);
}

static bool fails_quietly(struct bc_win *w, const struct one *c)
{
	int out, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bool ret;

	fflush(stdout);
	out = dup(STDOUT_FILENO);
	dup2(null, STDOUT_FILENO);
	ret = fails(w, c);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(null);
	return ret;
}

/* Fewer extents, or less of one of them, from its start or its end. */
static bool smaller(const struct one *c, struct one *to, unsigned int way, __u64 lbs)
{
	__u32 i = way / 6, kind = way % 6;
	struct blk_copy_extent *ext = &to->ext[i];
	__u64 cut;

	*to = *c;
	if (i >= c->nr)
		return false;
	cut = kind < 2 ? ext->length : kind < 4 ? ext->length / 2 / lbs * lbs : lbs;
	if (!cut || (cut == ext->length && c->nr == 1))
		return true;
	/* What follows stays where it was, or all moves up. */
	if (kind % 2)
		to->dst += cut;
	if (cut == ext->length) {
		memmove(ext, ext + 1, (c->nr - i - 1) * sizeof(*ext));
		to->nr--;
	} else {
		ext->length -= cut;
		if (kind % 2)
			ext->offset += cut;
	}
	return true;
}

static void shrink(struct bc_win *w, const char *shape, struct one *c)
{
	unsigned int way = 0, tries = 0;
	struct one next;

	while (tries < MOST_TRIES && smaller(c, &next, way, w->dev->lbs)) {
		tries++;
		if (memcmp(&next, c, sizeof(next)) && fails_quietly(w, &next)) {
			*c = next;
			way = 0;
		} else {
			way++;
		}
	}
	bc_log("the smallest case that fails, after %u tries:", tries);
	print("repeat it with", shape, c);
	fails(w, c);
}

static int blame(struct bc_win *w, const char *shape, __u64 first, __u64 after)
{
	struct one c;
	__u64 i;

	for (i = first; i < after; i++) {
		choose(&c, i, w->len / w->dev->lbs, w->dev->lbs);
		if (!fails_quietly(w, &c))
			continue;
		print("case that fails alone", shape, &c);
		shrink(w, shape, &c);
		return -1;
	}
	bc_log("none of the copies %llu to %llu fails alone: repeat all of them with", first,
	       after - 1);
	bc_log("model --shape %s --seed 0x%llx --count %llu", shape, seed, after);
	return -1;
}

static int batch(struct bc_win *w, __u64 first, __u64 after, __u64 *commands, __u64 *least)
{
	struct bc_counts counts;
	struct bc_bound bound = { 0 };
	__u64 i, lbs = w->dev->lbs;
	int bad = bc_mark();

	for (i = first; i < after && !bad; i++) {
		struct one c;
		struct bc_result r;

		choose(&c, i, w->len / lbs, lbs);
		r = bc_copy(c.iface, w->dev->fd, c.dst, w->dev->fd, c.ext, c.nr);
		bad = r.err || r.copied != bc_total(c.ext, c.nr);
		if (bad)
			bc_log("copy %llu: %s, %llu bytes reported", i,
			       r.err ? strerrorname_np(r.err) : "no error", r.copied);
		bc_win_copied(w, c.dst, w, c.ext, c.nr, ~0ULL);
		bc_bound_add(&bound, &w->dev->lim, lbs, c.ext, c.nr);
	}
	if (!bad && bc_have_witness()) {
		bad = bc_count(&counts);
		*commands += counts.copies;
		*least += bound.copies;
		if (counts.blocks != bound.blocks || counts.reads || counts.writes) {
			bc_log("the device saw %llu blocks copied, %llu reads, %llu writes; must be %llu, 0, 0",
			       counts.blocks, counts.reads, counts.writes, bound.blocks);
			bad = -1;
		}
	}
	return bad ?: bc_win_check(w);
}

TEST_F_TIMEOUT(model, random_copies, 600)
{
	const char *shape = bc_shape_name(variant->shape);
	__u64 done, next, commands = 0, least = 0;
	struct one c;

	if (only_copy) {
		ASSERT_EQ(0, parse(only_copy, &c));
		print("this copy", shape, &c);
		EXPECT_FALSE(fails(&self->win, &c));
		return;
	}
	bc_log("model --shape %s --seed 0x%llx --count %llu", shape, seed, count);
	for (done = 0; done < count; done = next) {
		next = done + BATCH < count ? done + BATCH : count;
		if (batch(&self->win, done, next, &commands, &least)) {
			EXPECT_EQ(0, blame(&self->win, shape, done, next));
			return;
		}
	}
	bc_log("%llu copies, %llu commands, the least that limits allow is %llu", count, commands,
	       least);
}

int main(int argc, char **argv)
{
	char *shape = NULL;
	bool full = bc_full();
	const struct bc_option options[] = {
		{ "--seed", .number = &seed },
		{ "--count", .number = &count },
		{ "--full", .flag = &full },
		{ "--copy", .text = &only_copy },
		{ "--shape", .text = &shape },
		{ NULL }
	};

	seed = bc_seed;
	if (argc > 1 && argv[1][1] != '-')
		return test_harness_run(argc, argv);
	if (bc_options(argc, argv, options)) {
		fprintf(stderr,
			"Usage: model [--seed N] [--count N] [--full] [--shape NAME] [--copy CASE]\n");
		return 2;
	}
	if (!count)
		count = full ? COUNT_FULL : COUNT;
	return bc_run_variant(argv[0], shape);
}
