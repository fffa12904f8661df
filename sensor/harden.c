/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three belts, because each has its hole: the limit is not asked where cores
 * are piped into a program, being dumpable comes back with exec, and the
 * advice to leave memory out covers only what we allocate ourselves.
 */
#include "sensor/harden.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int
harden_process(char *err, size_t cap)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) == 0 &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return 0;
	(void)snprintf(err, cap,
	    "passwords on the wire could end up in a core file: %s",
	    strerror(errno));
	return -1;
}

void
harden_memory(void *p, size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)p & ~(page - 1);
	uintptr_t to = ((uintptr_t)p + len + page - 1) & ~(page - 1);

	if (p != NULL) /* neighbours join: few mappings, and nothing is lost */
		(void)madvise((void *)from, to - from, MADV_DONTDUMP);
}

void *
harden_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	harden_memory(p, size);
	return p;
}

static int
by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void
close_range_of(unsigned from, unsigned to)
{
	if (from <= to)
		(void)syscall(SYS_close_range, from, to, 0);
}

void
harden_close_others(int *fd, unsigned n)
{
	unsigned from = 3;

	qsort(fd, n, sizeof(fd[0]), by_value);
	for (unsigned i = 0; i < n; i++) {
		if (fd[i] < 3)
			continue;
		close_range_of(from, (unsigned)fd[i] - 1);
		from = (unsigned)fd[i] + 1;
	}
	close_range_of(from, ~0u);
}
