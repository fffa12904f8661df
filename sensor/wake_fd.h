/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An eventfd by which one side of a queue in shared memory wakes the other. It
 * holds no news: what there is stands in the memory, and is looked at again.
 */
#ifndef STRIPWIRE_WAKE_FD_H
#define STRIPWIRE_WAKE_FD_H

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* -1: errno. */
static inline int
wake_fd_new(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static inline void
wake_fd_signal(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

/* Until it is signalled, or for ms. */
static inline void
wake_fd_wait(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	(void)poll(&p, 1, ms);
}

static inline void
wake_fd_clear(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
}

#endif
