/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signs, colours, cleaning and wrapping. Everything is one column wide per
 * character: our own signs are, and text from the wire is ASCII by contract;
 * if it is not, a column may be off, nothing worse. Times are in text_time.c.
 */
#include "sensor/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "decoders/obs.h"
#include "rules/finding.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 40
#define WIDTH_MAX 1000
#define LABEL_COLUMN (TEXT_INDENT + 7)
#define BAD_CHAR 0xfffffffful

static const struct {
	const char *utf8, *ascii;
} signs[SIGN_COUNT] = {
    [SIGN_RIGHT] = {"\u2192", "->"},
    [SIGN_LEFT] = {"\u2190", "<-"},
    [SIGN_FORGED_RIGHT] = {"\u21e2", "=>"},
    [SIGN_FORGED_LEFT] = {"\u21e0", "<="},
    [SIGN_WRONG] = {"\u25c0", "<<"},
    [SIGN_SKIPPED] = {"\u22ee", ":"},
    [SIGN_DOT] = {"\u00b7", "-"},
    [SIGN_MORE] = {"\u2026", "~"},
};

/* What sentences of ours may contain, where the locale has no UTF-8. */
static const struct {
	uint32_t code;
	const char *ascii;
} plain[] = {
    {0xb7, "-"},
    {0x2013, "-"},
    {0x2014, "-"},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201c, "\""},
    {0x201d, "\""},
    {0x2026, "..."},
    {0x2190, "<-"},
    {0x2192, "->"},
    {0x2264, "<="},
    {0x2265, ">="},
};

static bool
locale_is_utf8(void)
{
	locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool yes;

	if (l == (locale_t)0)
		return false;
	yes = strcmp(nl_langinfo_l(CODESET, l), "UTF-8") == 0;
	freelocale(l);
	return yes;
}

static unsigned
terminal_width(int fd)
{
	const char *env = getenv("COLUMNS");
	struct winsize w;
	unsigned long n = 0;

	if (ioctl(fd, TIOCGWINSZ, &w) == 0)
		n = w.ws_col;
	if (n == 0 && env != NULL)
		n = strtoul(env, NULL, 10);
	if (n == 0)
		n = WIDTH_DEFAULT;
	return n < WIDTH_MIN   ? WIDTH_MIN
	       : n > WIDTH_MAX ? WIDTH_MAX
			       : (unsigned)n;
}

void
text_style_init(struct text_style *st, FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	st->tty = isatty(fileno(out)) == 1;
	st->utf8 = locale_is_utf8();
	st->colour = st->tty && (no_color == NULL || *no_color == '\0') &&
		     (term == NULL || strcmp(term, "dumb") != 0);
	st->width = st->tty ? terminal_width(fileno(out)) : 0;
}

const char *
text_sign(const struct text_style *st, enum text_sign sign)
{
	return st->utf8 ? signs[sign].utf8 : signs[sign].ascii;
}

const char *
text_on(const struct text_style *st, enum text_colour c)
{
	static const char *const codes[] = {[COLOUR_NONE] = "",
	    [COLOUR_BOLD] = "\033[1m",
	    [COLOUR_DIM] = "\033[2m",
	    [COLOUR_RED] = "\033[31m",
	    [COLOUR_BOLD_RED] = "\033[1;31m",
	    [COLOUR_YELLOW] = "\033[33m",
	    [COLOUR_CYAN] = "\033[36m"};

	return st->colour ? codes[c] : "";
}

const char *
text_off(const struct text_style *st)
{
	return st->colour ? "\033[0m" : "";
}

enum text_colour
text_severity_colour(int severity)
{
	switch (severity) {
	case SEV_CRITICAL:
		return COLOUR_BOLD_RED;
	case SEV_HIGH:
		return COLOUR_RED;
	case SEV_MEDIUM:
		return COLOUR_YELLOW;
	case SEV_LOW:
		return COLOUR_CYAN;
	default:
		return COLOUR_DIM;
	}
}

/* ---- characters ---- */

/* The next character of s; BAD_CHAR and one byte if it is not UTF-8. */
static uint32_t
next_char(const char *s, size_t *len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80	  ? 1
		   : p[0] >= 0xf8 ? 0
		   : p[0] >= 0xf0 ? 4
		   : p[0] >= 0xe0 ? 3
		   : p[0] >= 0xc2 ? 2
				  : 0;
	uint32_t c;

	*len = 1;
	if (n <= 1)
		return n == 1 ? p[0] : BAD_CHAR;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return BAD_CHAR;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return BAD_CHAR;
	*len = n;
	return c;
}

static bool
is_safe(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == BAD_CHAR)
		return false;
	/* of no width, or turning the direction of what follows */
	return !((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		 (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x61c ||
		 c >= 0xe0000);
}

static const char *
ascii_for(uint32_t c)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (plain[i].code == c)
			return plain[i].ascii;
	return "?";
}

char *
text_clean(char *dst, size_t cap, const char *src, const struct text_style *st)
{
	size_t n = 0, len;

	for (; *src != '\0'; src += len) {
		uint32_t c = next_char(src, &len);
		const char *out = src;
		size_t outlen = len;

		if (!is_safe(c) || (c >= 0x80 && !st->utf8)) {
			out = is_safe(c) ? ascii_for(c) : "?";
			outlen = strlen(out);
		}
		if (n + outlen >= cap)
			break;
		memcpy(dst + n, out, outlen);
		n += outlen;
	}
	dst[n] = '\0';
	return dst;
}

unsigned
text_columns(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Where the first n characters of cleaned text end. */
static size_t
char_offset(const char *s, unsigned n)
{
	size_t i = 0;

	for (; s[i] != '\0' && n > 0; n--)
		for (i++; ((unsigned char)s[i] & 0xc0) == 0x80; i++)
			;
	return i;
}

char *
text_fit(char *dst, size_t cap, const char *src, unsigned columns,
    const struct text_style *st)
{
	const char *more = text_sign(st, SIGN_MORE);
	size_t n, end;

	text_clean(dst, cap, src, st);
	if (text_columns(dst) > columns) {
		end = char_offset(dst, columns > 0 ? columns - 1 : 0);
		snprintf(dst + end, cap - end, "%s", columns > 0 ? more : "");
	}
	n = strlen(dst);
	for (unsigned c = text_columns(dst); c < columns && n + 1 < cap; c++)
		dst[n++] = ' ';
	dst[n] = '\0';
	return dst;
}

/* How many bytes of s go on a line of `room` columns. */
static size_t
line_break(const char *s, unsigned room)
{
	size_t hard = char_offset(s, room), n = hard;

	if (s[hard] == '\0')
		return hard;
	while (n > 0 && s[n] != ' ')
		n--;
	return n > 0 ? n : hard;
}

unsigned
text_wrap(
    FILE *out, const struct text_style *st, unsigned indent, const char *text)
{
	unsigned width = st->width != 0 ? st->width : TEXT_WIDTH_PLAIN;
	unsigned room = width > indent + 20 ? width - indent : 20;
	char clean[2048];
	char *s = text_clean(clean, sizeof(clean), text, st);

	for (;;) {
		size_t n = line_break(s, room);
		char *next = s + n;

		while (*next == ' ')
			next++;
		fprintf(out, "%.*s", (int)n, s);
		if (*next == '\0') {
			s[n] = '\0';
			return indent + text_columns(s);
		}
		fprintf(out, "\n%*s", (int)indent, "");
		s = next;
	}
}

char *
text_visibility(char *buf, size_t cap, uint32_t vis)
{
	static const struct {
		uint32_t bit;
		const char *words;
	} missing[] = {
	    {VIS_MIDSTREAM, "its beginning not seen"},
	    {VIS_ONE_WAY, "only one direction seen"},
	    {VIS_GAP_C2S, "bytes of the client missing"},
	    {VIS_GAP_S2C, "bytes of the server missing"},
	    {VIS_TRUNCATED, "packets cut by the capture"},
	    {VIS_AMBIGUOUS, "the hosts may have seen other bytes"},
	    {VIS_CUT, "its end not seen"},
	    {VIS_OVERLONG, "overlong lines not kept whole"},
	};
	size_t n = 0;

	snprintf(buf, cap, "seen whole");
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		if ((vis & missing[i].bit) == 0 || n >= cap)
			continue;
		n += (size_t)snprintf(buf + n, cap - n, "%s%s",
		    n != 0 ? ", " : "", missing[i].words);
	}
	return buf;
}

void
text_label(
    FILE *out, const struct text_style *st, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(out, "%*s%s%-5s%s  ", TEXT_INDENT, "", text_on(st, COLOUR_BOLD),
	    label, text_off(st));
	text_wrap(out, st, LABEL_COLUMN, text);
	fputc('\n', out);
}
