/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COPY_KUNIT_KCOPYD_H
#define COPY_KUNIT_KCOPYD_H

#include <linux/device-mapper.h>
#include <linux/dm-kcopyd.h>

#include "copy_kunit.h"

#define KC_SRC		50
#define KC_DST		2000
#define KC_SUB_JOB	1024	/* sectors, unless somebody has changed it */

/* A client of kcopyd, and the disk that its jobs copy on. */
struct kc_ctx {
	struct fake_disk		*fake;
	struct copy_model		*model;
	struct dm_kcopyd_client		*client;
	struct dm_kcopyd_throttle	throttle;
	bool				stuck;	/* a job never ended */
};

struct kc_job {
	struct kc_ctx		*ctx;
	struct completion	done;
	atomic_t		ends;
	int			read_err;
	unsigned long		write_err;
};

struct kc_ctx *kc_start(struct kunit *test, const struct fake_disk_conf *conf);
void kc_new_client(struct kunit *test, struct kc_ctx *ctx);
struct kc_job *kc_submit(struct kunit *test, struct kc_ctx *ctx,
			 struct block_device *src, sector_t sector,
			 sector_t count, struct dm_io_region *dests,
			 unsigned int nr, unsigned int flags);
void kc_wait(struct kunit *test, struct kc_job *job, int read_err,
	     unsigned long write_err);
void kc_copy(struct kunit *test, struct kc_ctx *ctx, sector_t src,
	     sector_t dst, sector_t count);
void kc_expect_io(struct kunit *test, struct fake_disk *fake,
		  unsigned int nr_read, unsigned int nr_written);

#endif /* COPY_KUNIT_KCOPYD_H */
