/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The serial port at whose other end the host of a virtual machine says what
 * the emulated drive saw (port.c). Also for C++, and without the library.
 */
#ifndef BLKCOPY_PORT_H
#define BLKCOPY_PORT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BC_PORT		"/dev/virtio-ports/org.blkcopy.witness"
#define BC_PORT_MS	20000	/* to wait for an answer */

bool bc_port_present(void);
/* Writes a line that has no answer: 0 or -1. */
int bc_port_tell(const char *line);
/*
 * Writes a line and reads one, without its end. @ms is how long to wait, -1: for
 * ever. Returns 0, or -1 with a sentence in bc_port_error().
 */
int bc_port_ask(const char *line, char *answer, size_t len, int ms);
const char *bc_port_error(void);

#ifdef __cplusplus
}
#endif

#endif /* BLKCOPY_PORT_H */
