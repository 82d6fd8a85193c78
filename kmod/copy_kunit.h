/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KUnit suites of the in-kernel copy interface share: a model of what
 * a disk must hold, a model of the commands that it must see, and copies that
 * run while the test looks on.
 */
#ifndef COPY_KUNIT_H
#define COPY_KUNIT_H

#include <linux/prandom.h>
#include <linux/workqueue.h>

#include "fake_disk.h"

#define COPY_MAX_EXTENTS	300

/* ---- what a disk must hold ---- */

struct copy_model {
	struct kunit		*test;
	struct fake_disk	*fake;
	u32			tag[FAKE_SECTORS];
};

struct copy_model *copy_model_new(struct kunit *test, struct fake_disk *fake);
void copy_model_reset(struct copy_model *model);
void copy_model_copy(struct copy_model *model, sector_t dst,
		     const struct bio_copy_extent *ext, unsigned int nr,
		     sector_t sectors);
void copy_model_cmd(struct copy_model *model, const struct fake_cmd *cmd,
		    unsigned int sectors);
void copy_model_check(struct copy_model *model);

/* ---- which commands it must see ---- */

struct copy_ref {
	unsigned int		nr_cmds;
	struct fake_cmd		cmds[FAKE_MAX_CMDS];
};

void copy_ref_add(struct kunit *test, struct copy_ref *ref,
		  const struct fake_disk_conf *conf, sector_t dst,
		  const struct bio_copy_extent *ext, unsigned int nr);
void copy_ref_check(struct kunit *test, const struct copy_ref *ref,
		    struct fake_disk *fake);

/* What a test works with: of any @type that has a disk and its model in it. */
#define copy_ctx_new(test, type, conf)					\
({									\
	struct kunit *__test = (test);					\
	type *__ctx = kunit_kzalloc(__test, sizeof(type), GFP_KERNEL);	\
									\
	KUNIT_ASSERT_NOT_NULL(__test, __ctx);				\
	__ctx->fake = fake_disk_new(__test, conf);			\
	__ctx->model = copy_model_new(__test, __ctx->fake);		\
	__ctx;								\
})

/* For those that need nothing else. */
struct copy_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
};

/* ---- copies ---- */

/* A bio of bio_alloc_copy(), kept until the test ends to see it end once. */
struct copy_async {
	struct bio		*bio;
	struct bio_copy		copy;
	struct completion	done;
	atomic_t		ends;
	blk_status_t		status;
	struct bio_copy_extent	ext[COPY_MAX_EXTENTS];
};

struct copy_async *copy_async_new(struct kunit *test, struct block_device *dst,
				  sector_t sector, struct block_device *src,
				  const struct bio_copy_extent *ext,
				  unsigned int nr);
void copy_async_submit(struct copy_async *async);
struct copy_async *copy_async_start(struct kunit *test,
				    struct block_device *dst, sector_t sector,
				    struct block_device *src,
				    const struct bio_copy_extent *ext,
				    unsigned int nr);
void copy_async_wait(struct kunit *test, struct copy_async *async);
blk_status_t copy_async_run(struct kunit *test, struct block_device *dst,
			    sector_t sector, struct block_device *src,
			    const struct bio_copy_extent *ext, unsigned int nr);

/* blkdev_copy() in another task. */
struct copy_sync {
	struct work_struct	work;
	struct completion	done;
	struct block_device	*dst;
	struct block_device	*src;
	sector_t		sector;
	sector_t		copied;
	gfp_t			gfp;
	int			ret;
	unsigned int		nr;
	struct bio_copy_extent	ext[COPY_MAX_EXTENTS];
};

struct copy_sync *copy_sync_start(struct kunit *test, struct block_device *dst,
				  sector_t sector, struct block_device *src,
				  const struct bio_copy_extent *ext,
				  unsigned int nr);
void copy_sync_wait(struct kunit *test, struct copy_sync *sync);
int copy_sync_run(struct kunit *test, struct block_device *dst, sector_t sector,
		  struct block_device *src, const struct bio_copy_extent *ext,
		  unsigned int nr, sector_t *copied);

/* ---- helpers ---- */

/* For blk_status_t, which sparse doesn't let KUnit print. */
#define COPY_EXPECT_STS(test, status, want)				\
	KUNIT_EXPECT_EQ(test, (__force u8)(status), (__force u8)(want))
#define COPY_EXPECT_STS_MSG(test, status, want, fmt, ...)		\
	KUNIT_EXPECT_EQ_MSG(test, (__force u8)(status),			\
			    (__force u8)(want), fmt, ##__VA_ARGS__)

/* Where 8 sectors are too many for a disk, or are where it has none. */
#define COPY_NR_BEYOND		7
extern const sector_t copy_beyond[COPY_NR_BEYOND];

sector_t copy_sectors(const struct bio_copy_extent *ext, unsigned int nr);
void copy_random_extents(struct rnd_state *rnd, struct bio_copy_extent *ext,
			 unsigned int nr, unsigned int max_len,
			 unsigned int block, sector_t below);
bool copy_next_permutation(unsigned int *perm, unsigned int nr);

extern struct kunit_suite copy_iter_suite;
extern struct kunit_suite copy_split_suite;
extern struct kunit_suite copy_merge_suite;
extern struct kunit_suite copy_submit_suite;
extern struct kunit_suite copy_order_suite;
extern struct kunit_suite copy_sync_suite;
extern struct kunit_suite copy_stack_suite;
extern struct kunit_suite copy_nested_suite;
extern struct kunit_suite copy_bottom_suite;
extern struct kunit_suite copy_fault_suite;
extern struct kunit_suite copy_kcopyd_suite;
extern struct kunit_suite copy_kcopyd_fail_suite;

#endif /* COPY_KUNIT_H */
