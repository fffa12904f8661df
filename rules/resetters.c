/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whose resets are the operator's own.
 */
#include "rules/resetters.h"

#include <string.h>

static const char *const tools[] = {[TOOL_TCPKILL] = "tcpkill",
    [TOOL_LIBNIDS_KILL] = "libnids",
    [TOOL_IPS_REJECT] = "ips-reject",
    [TOOL_RAE] = "syn-copy",
    [TOOL_TRAIN_1460] = "train-1460"};
#define NTOOLS (sizeof(tools) / sizeof(tools[0]))

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* Six pairs of hexadecimal digits with one kind of separator. */
static bool
parse_mac(uint8_t mac[6], const char *s)
{
	if (strlen(s) != 17 || (s[2] != ':' && s[2] != '-'))
		return false;
	for (unsigned i = 0; i < 6; i++) {
		int high = hex_digit(s[3 * i]), low = hex_digit(s[3 * i + 1]);

		if (high == -1 || low == -1 || (i < 5 && s[3 * i + 2] != s[2]))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int
resetters_add(struct resetters *r, const char *who)
{
	uint8_t mac[6];

	for (unsigned i = TOOL_NONE + 1; i < NTOOLS; i++)
		if (strcmp(who, tools[i]) == 0) {
			r->tools |= 1u << i;
			return 0;
		}
	if (r->nmac == RESETTERS_MAX || !parse_mac(mac, who))
		return -1;
	memcpy(r->mac[r->nmac++], mac, sizeof(mac));
	return 0;
}

bool
resetters_include(const struct resetters *r, const struct obs_rst *rst)
{
	if (r == NULL)
		return false;
	if (rst->tool != TOOL_NONE && (r->tools >> (rst->tool & 31) & 1) != 0)
		return true;
	for (unsigned i = 0; rst->has_mac && i < r->nmac; i++)
		if (memcmp(r->mac[i], rst->mac, sizeof(rst->mac)) == 0)
			return true;
	return false;
}
