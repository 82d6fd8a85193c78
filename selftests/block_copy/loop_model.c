// SPDX-License-Identifier: GPL-2.0
/*
 * Random work on loop devices against a model in memory: copies, writes, reads,
 * discards and zeroes, while the blocks of the file are shared ever more.
 *
 *   loop_model [--seed N] [--count N] [--verbose] [--device NAME]
 *
 * What is done follows from the seed alone.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "blkcopy_test.h"
#include "loopdev.h"
#include "stack.h"

#define COUNT		250
#define COUNT_FULL	10000
#define LOOK		100	/* operations between two looks at all of the data */
#define LEN		(4 * BC_MIB)
#define IMAGE		(16 * BC_MIB)
#define BLOCK		4096

static __u64 seed, count;
static bool verbose;

FIXTURE(loop_model) {
	struct bc_dev drive;
	struct bc_fs fs;
	struct bc_loop loop;
	struct bc_win win;
};

FIXTURE_VARIANT(loop_model) {
	const char *name;
	bool block;
	struct bc_loop_options opt;
};

FIXTURE_VARIANT_ADD(loop_model, xfs) { .name = "xfs", .opt = { .block_size = BLOCK } };
FIXTURE_VARIANT_ADD(loop_model, xfs_direct) {
	.name = "xfs_direct", .opt = { .block_size = BLOCK, .direct = true }
};
FIXTURE_VARIANT_ADD(loop_model, block) { .name = "block", .block = true };

FIXTURE_SETUP(loop_model)
{
	BC_REQUIRE(bc_loop_over(&self->loop, &self->fs, &self->drive, variant->block, IMAGE,
				&variant->opt));
	ASSERT_EQ(0, bc_win_init(&self->win, &self->loop.dev, 0, LEN));
}

FIXTURE_TEARDOWN(loop_model)
{
	bc_win_free(&self->win);
	EXPECT_EQ(0, bc_loop_remove(&self->loop));
	EXPECT_EQ(0, bc_fs_unmount(&self->fs));
	bc_close(&self->drive);
}

/* Punches a hole, or writes zeroes. */
static int zero_op(struct bc_load *l)
{
	__u64 b = l->win->dev->lbs, blocks = LEN / b, range[2], i;
	bool discard = bc_below(&l->rng, 2);

	range[1] = (1 + bc_below(&l->rng, 32)) * b;
	range[0] = bc_below(&l->rng, blocks - range[1] / b + 1) * b;
	if (verbose)
		bc_log("%llu: %s %llu+%llu", l->done, discard ? "discard" : "zero", range[0],
		       range[1]);
	/* Discarded blocks of a drive hold anything, those of a file zeroes. */
	if (ioctl(l->win->dev->fd, discard && b == BLOCK ? BLKDISCARD : BLKZEROOUT, range)) {
		bc_log("%s: %s", discard ? "discard" : "zero", strerror(errno));
		return -1;
	}
	for (i = range[0] / BC_SECTOR; i < (range[0] + range[1]) / BC_SECTOR; i++)
		l->win->tag[i] = 0;
	l->done++;
	return 0;
}

static int random_op(struct bc_load *l)
{
	__u64 what = bc_below(&l->rng, 20);

	if (what == 0) {
		if (verbose)
			bc_log("%llu: fsync", l->done);
		l->done++;
		return fsync(l->win->dev->bfd);
	}
	return what < 4 ? zero_op(l) : bc_load_op(l);
}

TEST_F_TIMEOUT(loop_model, random_work, 600)
{
	struct bc_load load = {
		.win = &self->win,
		.ops = BC_OP_ALL,
		.rng = bc_mix(seed),
		.longest = 512 * BC_KIB,
		.verbose = verbose,
	};
	int bad = 0;

	bc_log("loop_model --seed 0x%llx --count %llu --device %s", seed, count,
	       variant->name);
	while (load.done < count && !bad) {
		bad = random_op(&load);
		if (!bad && load.done % LOOK == 0)
			bad = bc_win_check(&self->win);
	}
	EXPECT_EQ(0, bad)
		TH_LOG("after operation %llu", load.done);
	EXPECT_LT(0, load.copies);
	EXPECT_EQ(0, bc_win_check(&self->win));
	bc_log("%llu operations, %llu copies, %llu bytes copied", load.done, load.copies,
	       load.copied_bytes);
	if (bad || variant->block)
		return;

	/* What the file holds is what the device has shown, also after a remount. */
	ASSERT_EQ(0, fsync(self->loop.dev.bfd));
	ASSERT_EQ(0, bc_loop_remove(&self->loop));
	ASSERT_EQ(0, bc_fs_unmount(&self->fs));
	BC_REQUIRE(bc_fs_mount(&self->fs, self->drive.path, "xfs"));
	BC_REQUIRE(bc_loop_make(&self->loop, self->fs.image, &variant->opt));
	EXPECT_EQ(0, bc_win_check(&self->win));
}

int main(int argc, char **argv)
{
	char *device = NULL;
	const struct bc_option options[] = {
		{ "--seed", .number = &seed },
		{ "--count", .number = &count },
		{ "--verbose", .flag = &verbose },
		{ "--device", .text = &device },
		{ NULL }
	};

	seed = bc_seed;
	if (bc_options(argc, argv, options)) {
		fprintf(stderr,
			"Usage: loop_model [--seed N] [--count N] [--verbose] [--device NAME]\n");
		return 2;
	}
	if (!count)
		count = bc_full() ? COUNT_FULL : COUNT;
	bc_loop_mkfs_first();
	return bc_run_variant(argv[0], device);
}
