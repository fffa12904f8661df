/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Internationalised host names (IDNA2008, RFC 5890): what stands in DNS,
 * certificates and server_name is ASCII ("xn--mnchen-3ya.example"); what
 * people type and read is not ("münchen.example").
 */
#ifndef STRIPWIRE_IDN_H
#define STRIPWIRE_IDN_H

#include <stdbool.h>

#define IDN_NAME_MAX 256 /* ASCII, with the NUL: RFC 1035 2.3.4 */
#define IDN_TEXT_MAX 1024 /* UTF-8 of it */

/* The form for comparing: A-labels, lower case. A name of plain ASCII is only
 * made lower case, whatever stands in it. false: it is no name. */
bool idn_to_ascii(char out[IDN_NAME_MAX], const char *name);

/* The form for reading, UTF-8. false, and "": there is none, the name has no
 * A-label or a wrong one. */
bool idn_to_text(char out[IDN_TEXT_MAX], const char *name);

#endif
