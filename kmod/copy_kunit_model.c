// SPDX-License-Identifier: GPL-2.0
/*
 * What must come out, worked out sector by sector, as slowly and as differently
 * from the block layer as it can be done.
 */
#include <linux/vmalloc.h>

#include "copy_kunit.h"

static void copy_model_free(void *context)
{
	vfree(context);
}

struct copy_model *copy_model_new(struct kunit *test, struct fake_disk *fake)
{
	struct copy_model *model = vzalloc(sizeof(*model));
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, model);
	ret = kunit_add_action_or_reset(test, copy_model_free, model);
	KUNIT_ASSERT_EQ(test, ret, 0);
	model->test = test;
	model->fake = fake;
	copy_model_reset(model);
	return model;
}

/* A new start: every sector is tagged with its number. */
void copy_model_reset(struct copy_model *model)
{
	sector_t sector;

	for (sector = 0; sector < FAKE_SECTORS; sector++) {
		model->tag[sector] = sector;
		fake_disk_set_tag(model->fake, sector, sector);
	}
	fake_disk_forget(model->fake);
}

/* The first @sectors of the extents have been copied to @dst. */
void copy_model_copy(struct copy_model *model, sector_t dst,
		     const struct bio_copy_extent *ext, unsigned int nr,
		     sector_t sectors)
{
	sector_t i;

	for (; nr; ext++, nr--) {
		for (i = 0; i < ext->nr_sectors; i++) {
			if (!sectors--)
				return;
			model->tag[dst++] = model->tag[ext->sector + i];
		}
	}
}

/* The first @sectors of a command have been carried out. */
void copy_model_cmd(struct copy_model *model, const struct fake_cmd *cmd,
		    unsigned int sectors)
{
	copy_model_copy(model, cmd->dst, cmd->ranges, cmd->nr_ranges, sectors);
}

/*
 * All of the disk, and what it has to say about the commands.  A test ends with
 * the first wrong sector, as the ones that follow say nothing new.
 */
void copy_model_check(struct copy_model *model)
{
	struct kunit *test = model->test;
	sector_t sector;
	u32 tag;

	KUNIT_ASSERT_NULL_MSG(test, model->fake->wrong, "the disk: %s",
			      model->fake->wrong);
	for (sector = 0; sector < FAKE_SECTORS; sector++) {
		tag = fake_disk_tag(model->fake, sector);
		if (tag == model->tag[sector])
			continue;
		KUNIT_FAIL_AND_ABORT(test,
				     "sector %llu holds %u instead of %u",
				     sector, tag, model->tag[sector]);
	}
}

/*
 * The commands for a copy, filled one block after the other: a block continues
 * the range, or starts one, or a command, whatever comes first within the limits.
 */
void copy_ref_add(struct kunit *test, struct copy_ref *ref,
		  const struct fake_disk_conf *conf, sector_t dst,
		  const struct bio_copy_extent *ext, unsigned int nr)
{
	unsigned int block = conf->block_sectors ?: 1;
	struct bio_copy_extent *range = NULL;
	struct fake_cmd *cmd = NULL;
	sector_t done;

	for (; nr; ext++, nr--) {
		range = NULL;
		for (done = 0; done < ext->nr_sectors; done += block) {
			if (range && range->nr_sectors + block >
				     conf->max_extent_sectors)
				range = NULL;
			if (cmd && cmd->nr_sectors + block > conf->max_sectors)
				cmd = NULL;
			if (cmd && !range &&
			    cmd->nr_ranges == conf->max_extents)
				cmd = NULL;
			if (!cmd) {
				KUNIT_ASSERT_LT(test, ref->nr_cmds,
						(unsigned int)FAKE_MAX_CMDS);
				cmd = &ref->cmds[ref->nr_cmds++];
				memset(cmd, 0, sizeof(*cmd));
				cmd->dst = dst;
				range = NULL;
			}
			if (!range) {
				KUNIT_ASSERT_LT(test, cmd->nr_ranges,
						(unsigned int)FAKE_MAX_RANGES);
				range = &cmd->ranges[cmd->nr_ranges++];
				range->sector = ext->sector + done;
				range->nr_sectors = 0;
			}
			range->nr_sectors += block;
			cmd->nr_sectors += block;
			dst += block;
		}
	}
}

static const struct fake_cmd *copy_find_cmd(const struct fake_disk *fake,
					    sector_t dst)
{
	unsigned int i;

	for (i = 0; i < fake->nr_cmds; i++)
		if (fake->cmds[i].dst == dst)
			return &fake->cmds[i];
	return NULL;
}

/* The disk has seen these commands, in any order, and no others. */
void copy_ref_check(struct kunit *test, const struct copy_ref *ref,
		    struct fake_disk *fake)
{
	const struct fake_cmd *want, *cmd;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, fake->nr_cmds, ref->nr_cmds);
	for (i = 0; i < ref->nr_cmds; i++) {
		want = &ref->cmds[i];
		cmd = copy_find_cmd(fake, want->dst);
		KUNIT_ASSERT_NOT_NULL_MSG(test, cmd,
					  "no command copies to sector %llu",
					  want->dst);
		KUNIT_ASSERT_EQ_MSG(test, cmd->nr_sectors, want->nr_sectors,
				    "in the copy to %llu", want->dst);
		KUNIT_ASSERT_EQ_MSG(test, cmd->nr_ranges, want->nr_ranges,
				    "in the copy to %llu", want->dst);
		KUNIT_ASSERT_MEMEQ(test, cmd->ranges, want->ranges,
				   want->nr_ranges * sizeof(*want->ranges));
	}
}

const sector_t copy_beyond[COPY_NR_BEYOND] = {
	FAKE_SECTORS - 7, FAKE_SECTORS - 1, FAKE_SECTORS, FAKE_SECTORS + 1,
	1ULL << 40, U64_MAX - 7, U64_MAX,
};

sector_t copy_sectors(const struct bio_copy_extent *ext, unsigned int nr)
{
	sector_t sectors = 0;

	for (; nr; ext++, nr--)
		sectors += ext->nr_sectors;
	return sectors;
}

/* Makes up @nr extents of up to @max_len, of whole blocks, and before @below. */
void copy_random_extents(struct rnd_state *rnd, struct bio_copy_extent *ext,
			 unsigned int nr, unsigned int max_len,
			 unsigned int block, sector_t below)
{
	unsigned int i, blocks = max(max_len / block, 1U), len, room;

	for (i = 0; i < nr; i++) {
		len = 1 + prandom_u32_state(rnd) % blocks;
		room = (unsigned int)below / block - len;
		ext[i].sector = prandom_u32_state(rnd) % room * block;
		ext[i].nr_sectors = len * block;
	}
}

/* The next order of @nr different numbers, false after the last one. */
bool copy_next_permutation(unsigned int *perm, unsigned int nr)
{
	unsigned int i = nr - 1, j;

	while (i && perm[i - 1] > perm[i])
		i--;
	if (!i)
		return false;
	for (j = nr - 1; perm[j] < perm[i - 1]; j--)
		;
	swap(perm[i - 1], perm[j]);
	for (j = nr - 1; i < j; i++, j--)
		swap(perm[i], perm[j]);
	return true;
}
