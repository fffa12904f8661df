/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/capture_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
capture_plan_make(struct capture_plan *p, const char *const *paths, unsigned n,
    const struct capture_config *cfg, struct reader *r, char *err,
    size_t errlen)
{
	char why[READER_ERROR + 256];
	unsigned bad = 0;

	(void)snprintf(err, errlen, "no file was named");
	for (unsigned i = 0; i < n; i++) {
		if (file_list_add(
			&p->files, paths[i], r, cfg, why, sizeof(why)) == 0)
			continue;
		if (n > 1)
			capture_say(cfg, 1, "%s", why);
		if (bad++ == 0)
			(void)snprintf(err, errlen, "%s", why);
	}
	if (p->files.n > 0) {
		file_list_find_parts(&p->files, r);
		return 0;
	}
	if (bad > 1)
		(void)snprintf(
		    err, errlen, "none of the %u inputs can be read", n);
	return -1;
}

void
capture_plan_fini(struct capture_plan *p)
{
	file_list_free(&p->files);
}

unsigned
capture_plan_parts(const struct capture_plan *p)
{
	unsigned n = 1;

	for (uint32_t i = 0; i < p->files.n; i++)
		n += p->files.file[i].apart;
	return n;
}

void
capture_plan_part(
    const struct capture_plan *p, unsigned part, uint32_t *from, uint32_t *end)
{
	const struct file_list *l = &p->files;
	uint32_t i = 0;

	for (*from = 0; part > 0 && i < l->n; i++) {
		if (!l->file[i].apart)
			continue;
		*from = i;
		part--;
	}
	for (*end = *from + 1; *end < l->n && !l->file[*end].apart;)
		++*end;
}

uint64_t
capture_plan_bytes(const struct capture_plan *p, unsigned part)
{
	uint32_t from, end;
	uint64_t n = 0;

	capture_plan_part(p, part, &from, &end);
	for (uint32_t i = from; i < end; i++) {
		if (p->files.file[i].bytes == 0)
			return 0;
		n += p->files.file[i].bytes;
	}
	return n;
}
