// SPDX-License-Identifier: GPL-2.0
/* Questions to the host of a virtual machine, over a serial port. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "port.h"

static int port = -1;
static char error[256];

bool bc_port_present(void)
{
	return !access(BC_PORT, F_OK);
}

const char *bc_port_error(void)
{
	return error;
}

/* The port can be open only once: other programs let go of it soon. */
static int open_port(void)
{
	int tries;

	if (port >= 0)
		return 0;
	for (tries = 0; tries < 100; tries++) {
		port = open(BC_PORT, O_RDWR | O_CLOEXEC);
		if (port >= 0 || errno != EBUSY)
			break;
		usleep(20000);
	}
	if (port >= 0)
		return 0;
	snprintf(error, sizeof(error), "cannot ask the device's witness: %s: %s", BC_PORT,
		 strerror(errno));
	return -1;
}

int bc_port_tell(const char *line)
{
	if (open_port())
		return -1;
	if (write(port, line, strlen(line)) == (ssize_t)strlen(line))
		return 0;
	snprintf(error, sizeof(error), "the witness takes no question: %s", strerror(errno));
	return -1;
}

int bc_port_ask(const char *line, char *answer, size_t len, int ms)
{
	size_t have = 0;

	if (bc_port_tell(line))
		return -1;
	while (have < len - 1) {
		struct pollfd p = { .fd = port, .events = POLLIN };
		ssize_t n = poll(&p, 1, ms);

		if (n > 0)
			n = read(port, answer + have, len - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			snprintf(error, sizeof(error), "the witness does not answer");
			return -1;
		}
		have += n;
		if (memchr(answer, '\n', have))
			break;
	}
	answer[have] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return 0;
}
