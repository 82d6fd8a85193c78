/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fio's side (engine.c, with fio's headers, which are C) knows of the other side, which is
 * C++. Offsets and lengths are in bytes.
 */
#ifndef BLKCOPY_FIO_MOVER_H
#define BLKCOPY_FIO_MOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum mover_mode {
    MOVER_OFFLOAD,
    MOVER_IOCTL,
    MOVER_COPY_FILE_RANGE,
    MOVER_READWRITE,
    MOVER_PASSTHROUGH,
    MOVER_FILL,
};

struct mover_job {
    const char *source;
    const char *destination; /* NULL: the source */
    enum mover_mode mode;
    unsigned int extents; /* sources per copy */
    uint64_t source_start, length;
    uint64_t destination_start;
    uint64_t block; /* the largest that will be moved at once */
    unsigned int depth;
    bool direct;
    /*
     * Before a block is copied, what fio wants to find in the copy is written to its sources, and
     * the destination is overwritten with zeroes.
     */
    bool prepare;
    bool writes; /* false: nothing is going to be copied */
};

struct mover;

/* NULL if it cannot be done: @sentence says why. Else it may have something to say as well. */
struct mover *mover_open(const struct mover_job *job, char *sentence, size_t size);
void mover_close(struct mover *mover);

/* Whether mover_copy() and mover_read() return only when all is done. */
bool mover_synchronous(const struct mover *mover);

/*
 * Copies a block, or reads the copy of that block. @offset is that of the source. Returns 1 if it
 * has ended, with an errno or 0 in @error; 0 if it goes on and mover_wait() will tell of @tag.
 */
int mover_copy(struct mover *mover, void *tag, uint64_t offset, uint64_t length, void *buffer,
               int *error);
int mover_read(struct mover *mover, void *tag, uint64_t offset, uint64_t length, void *buffer,
               int *error);
int mover_sync(struct mover *mover); /* the destination; an errno or 0 */

int mover_submit(struct mover *mover); /* -errno or 0 */
/* How many have ended, at least @least, or -errno. They can be asked for until the next call. */
int mover_wait(struct mover *mover, unsigned int least);
void *mover_ended(struct mover *mover, unsigned int i, int *error);

/* What an error of a copy means, or NULL; good until the next call. */
const char *mover_explain(struct mover *mover, int error);

#ifdef __cplusplus
}
#endif

#endif /* BLKCOPY_FIO_MOVER_H */
