/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One table; a direction is named by who sent the bytes.
 */
#include "rules/visibility.h"

#include <stdio.h>
#include <string.h>

#include "decoders/obs.h"

static const struct {
	uint32_t bit;
	const char *name;
} words[] = {
    {VIS_MIDSTREAM, "midstream"},
    {VIS_ONE_WAY, "one-way"},
    {VIS_GAP_C2S, "gap-client"},
    {VIS_GAP_S2C, "gap-server"},
    {VIS_TRUNCATED, "truncated"},
    {VIS_AMBIGUOUS, "ambiguous"},
    {VIS_CUT, "cut"},
    {VIS_OVERLONG, "overlong"},
};

#define NWORDS (sizeof(words) / sizeof(words[0]))

const char *
vis_name(uint32_t bit)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (words[i].bit == bit)
			return words[i].name;
	return NULL;
}

uint32_t
vis_by_name(const char *name)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].bit;
	return 0;
}

char *
vis_format(char *buf, size_t cap, uint32_t vis)
{
	size_t used = 0;

	(void)snprintf(buf, cap, "complete");
	for (size_t i = 0; i < NWORDS && used < cap; i++)
		if (vis & words[i].bit)
			used += (size_t)snprintf(buf + used, cap - used, "%s%s",
			    used == 0 ? "" : ", ", words[i].name);
	return buf;
}
