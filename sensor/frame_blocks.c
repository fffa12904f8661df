/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/frame_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/harden.h"

#define ALL ((size_t)BLOCKS * BLOCK_BYTES)

struct frame_blocks {
	uint8_t *base;
	int fd;
};

/* The seal leaves this mapping as it is, and the one that inherits it; those
 * that are made later can only be read (memfd_create(2), F_SEAL_FUTURE_WRITE). */
static int
make(struct frame_blocks *b)
{
	void *p;

	b->fd = memfd_create("blocks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b->fd == -1 || ftruncate(b->fd, (off_t)ALL) == -1)
		return -1;
	p = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (p == MAP_FAILED)
		return -1;
	b->base = p;
	harden_memory(p, ALL);
	return fcntl(b->fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
}

struct frame_blocks *
frame_blocks_new(char *err, size_t errlen)
{
	struct frame_blocks *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	if (make(b) == 0)
		return b;
	(void)snprintf(
	    err, errlen, "no shared memory for the input: %s", strerror(errno));
	frame_blocks_free(b);
	return NULL;
}

void
frame_blocks_free(struct frame_blocks *b)
{
	if (b == NULL)
		return;
	if (b->base != NULL)
		(void)munmap(b->base, ALL);
	if (b->fd != -1)
		(void)close(b->fd);
	free(b);
}

uint8_t *
frame_blocks_at(const struct frame_blocks *b, unsigned number)
{
	return b->base + (size_t)number * BLOCK_BYTES;
}

int
frame_blocks_read_only(struct frame_blocks *b)
{
	void *p =
	    mmap(b->base, ALL, PROT_READ, MAP_SHARED | MAP_FIXED, b->fd, 0);

	if (p == MAP_FAILED)
		return -1;
	harden_memory(p, ALL);
	(void)close(b->fd); /* nor made again */
	b->fd = -1;
	return 0;
}
