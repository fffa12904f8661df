/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names for comparing and names for reading.
 */
#include "decoders/idn.h"

#include "tests/test.h"

TEST(names_for_comparing)
{
	static const struct {
		const char *in, *out; /* NULL: it is no name */
	} t[] = {
	    {"Mail.Example", "mail.example"},
	    {"xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
	    {"münchen.example", "xn--mnchen-3ya.example"},
	    {"MÜNCHEN.example", "xn--mnchen-3ya.example"},
	    {"mu\u0308nchen.example", "xn--mnchen-3ya.example"},
	    {"faß.example", "xn--fa-hia.example"}, /* IDNA2008, not 2003 */
	    {"почта.рф", "xn--80a1acny.xn--p1ai"},
	    {"_any.thing in ASCII*", "_any.thing in ascii*"},
	    {"", ""},
	    {"m\xfcnchen.example", NULL}, /* not UTF-8 */
	    {"a\u2028b.example", NULL},
	};
	char out[IDN_NAME_MAX], longer[400];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool ok = idn_to_ascii(out, t[i].in);

		CHECK_STR(ok ? out : "", t[i].out != NULL ? t[i].out : "");
		CHECK_INT(ok, t[i].out != NULL);
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	CHECK(!idn_to_ascii(out, longer));
}

TEST(names_for_reading)
{
	static const struct {
		const char *in, *out; /* "": as it stands */
	} t[] = {
	    {"mail.example", ""},
	    {"xn--mnchen-3ya.example", "münchen.example"},
	    {"XN--MNCHEN-3YA.example", "münchen.example"},
	    {"*.xn--mnchen-3ya.example", "*.münchen.example"},
	    {"xn--.example", ""},
	    {"xn--a.example", ""}, /* no Punycode */
	    {"xn--mail-.example", ""}, /* needs no A-label */
	    {"xn--99999999999.example", ""},
	    {"xn--80a1acny.xn--p1ai", "почта.рф"},
	    {"a\\x00.xn--mnchen-3ya.example", ""},
	};
	char out[IDN_TEXT_MAX];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_INT(idn_to_text(out, t[i].in), t[i].out[0] != '\0');
		CHECK_STR(out, t[i].out);
	}
}

TEST_MAIN
