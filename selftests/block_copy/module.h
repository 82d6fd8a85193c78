/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel modules that tests bring along. */
#ifndef BLKCOPY_MODULE_H
#define BLKCOPY_MODULE_H

/*
 * Loads COPY_MODULES/NAME.ko (/lib/modules where that is not set), unless it
 * is there already. Returns 0, 1 to skip (there is no such file) or -1, see
 * bc_reason().
 */
int bc_load_module(const char *name);

#endif /* BLKCOPY_MODULE_H */
