/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COPY_KUNIT_NESTED_H
#define COPY_KUNIT_NESTED_H

#include "copy_kunit.h"

/*
 * The stacks are cut every 10 and every 15 sectors:
 *
 *	source       |  disk 100   |  disk 300   |  disk 500   |  disk 700  ...
 *	destination  |     disk 2000    |     disk 2200    |     disk 2400  ...
 */
#define NESTED_SEGS	8
#define NESTED_SEG	10
#define NESTED_DST_SEG	15
#define NESTED_DST	2000
#define NESTED_LEN	40	/* what is copied, from and to the start */
#define NESTED_FRAGS	4	/* fragments of the source */
#define NESTED_CMDS	5	/* what they are cut into at the destination */

struct nested_ctx {
	struct fake_disk	*fake;
	struct copy_model	*model;
	struct fake_stack	*src;
	struct fake_stack	*top;	/* of the source, over all of @src */
	struct fake_stack	*dst;
};

extern const struct fake_disk_conf nested_conf;
extern const struct bio_copy_extent nested_ext;

struct nested_ctx *nested_start(struct kunit *test,
				const struct fake_disk_conf *conf);
void nested_model(struct nested_ctx *ctx, unsigned int from, unsigned int to);

#endif /* COPY_KUNIT_NESTED_H */
