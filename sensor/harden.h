/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this process reads are other people's passwords. Nobody but the kernel
 * shall look into its memory: no core file, no debugger, no /proc/PID/mem to
 * others than root.
 */
#ifndef STRIPWIRE_HARDEN_H
#define STRIPWIRE_HARDEN_H

#include <stddef.h>

/* For the rest of the process's life, and that of its children until they
 * exec: RLIMIT_CORE 0 and PR_SET_DUMPABLE 0. Returns -1 with a sentence in
 * err. */
int harden_process(char *err, size_t cap) __attribute__((warn_unused_result));

/* Memory that will hold bytes of packets: left out of a core that is written
 * all the same (MADV_DONTDUMP, and so is what shares its first and last page).
 * p may be NULL. */
void harden_memory(void *p, size_t len);
/* Memory of zeros that children inherit and share, left out of core files too;
 * NULL: there is none. */
void *harden_shared(size_t size);
/* Of descriptors from 3 on the process keeps these only; they are sorted. */
void harden_close_others(int *fd, unsigned n);

#endif
