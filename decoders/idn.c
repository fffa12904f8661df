/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * By libidn2. A name to be read is one that converts back to the very name it
 * came from: what only looks like it is not shown.
 */
#include "decoders/idn.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <idn2.h>

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool
take(char *out, size_t cap, char *name)
{
	size_t n = name == NULL ? cap : strlen(name);
	bool fits = n < cap;

	if (fits)
		memcpy(out, name, n + 1);
	idn2_free(name);
	return fits;
}

static bool
copy_lower(char out[IDN_NAME_MAX], const char *name)
{
	size_t n = strlen(name);

	if (n >= IDN_NAME_MAX)
		return false;
	for (size_t i = 0; i <= n; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z'
			     ? (char)(name[i] - 'A' + 'a')
			     : name[i];
	return true;
}

bool
idn_to_ascii(char out[IDN_NAME_MAX], const char *name)
{
	char *ascii = NULL;

	out[0] = '\0';
	if (is_ascii(name))
		return copy_lower(out, name);
	/* UTS 46: what people type may be upper case, or not composed */
	if (idn2_to_ascii_8z(
		name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	return take(out, IDN_NAME_MAX, ascii);
}

bool
idn_to_text(char out[IDN_TEXT_MAX], const char *name)
{
	char *text = NULL, back[IDN_NAME_MAX], lower[IDN_NAME_MAX];
	const char *star = strncmp(name, "*.", 2) == 0 ? "*." : "";

	out[0] = '\0';
	name += strlen(star);
	if (strcasestr(name, "xn--") == NULL || strchr(name, '\\') != NULL ||
	    !copy_lower(lower, name) ||
	    idn2_to_unicode_8z8z(lower, &text, 0) != IDN2_OK)
		return false;
	(void)snprintf(out, IDN_TEXT_MAX, "%s", star);
	if (take(out + strlen(star), IDN_TEXT_MAX - strlen(star), text) &&
	    idn_to_ascii(back, out + strlen(star)) && strcmp(back, lower) == 0)
		return true;
	out[0] = '\0';
	return false;
}
