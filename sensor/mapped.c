/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/mapped.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

volatile sig_atomic_t mapped_is_lost;

static uint8_t *volatile window; /* NULL: none */
static volatile size_t window_len;

/* The rest of the window becomes zeros, so that this happens once. Without
 * memory for them, or elsewhere, it is what SIGBUS always is. */
static void
on_bus(int sig, siginfo_t *info, void *ctx)
{
	uint8_t *at = info->si_addr, *from = window;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), skip;

	(void)ctx;
	if (from != NULL && at >= from && at < from + window_len) {
		skip = (size_t)(at - from) / page * page;
		mapped_is_lost = 1;
		if (mmap(from + skip, window_len - skip, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			0) != MAP_FAILED)
			return;
	}
	signal(sig, SIG_DFL); /* it is raised again */
}

static void
catch_bus(void)
{
	struct sigaction sa = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
	static bool done;

	if (!done)
		(void)sigaction(SIGBUS, &sa, NULL);
	done = true;
}

void
mapped_drop(void)
{
	uint8_t *old = window;

	window = NULL;
	mapped_is_lost = 0;
	if (old != NULL)
		(void)munmap(old, window_len);
}

const uint8_t *
mapped_move(int fd, uint64_t offset, size_t len)
{
	void *new;

	mapped_drop();
	catch_bus();
	new = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd,
	    (off_t)offset);
	if (new == MAP_FAILED)
		return NULL;
	(void)madvise(new, len, MADV_DONTDUMP);
	window_len = len;
	window = new;
	return new;
}
