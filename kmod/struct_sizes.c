// SPDX-License-Identifier: GPL-2.0
/*
 * Never linked: the sizes of these arrays, read from the object file, are the
 * sizes of structures that a copy must not make bigger.
 */
#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>

char size_of_bio[sizeof(struct bio)];
char size_of_bio_vec[sizeof(struct bio_vec)];
char size_of_bvec_iter[sizeof(struct bvec_iter)];
char size_of_request[sizeof(struct request)];
