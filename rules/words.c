/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capability words: distance, masks, lists. The distance is the restricted
 * Damerau-Levenshtein one (Damerau 1964): a swap of neighbours is one slip.
 * Words that exist are never taken for others garbled: SASL is one letter and
 * a swap away from STLS, and lists grow new words all the time.
 */
#include "rules/words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "decoders/memo.h"

static const char *const known[] = {
    /* SMTP: the IANA registry and what servers in use say */
    "STARTTLS",
    "SIZE",
    "PIPELINING",
    "8BITMIME",
    "BINARYMIME",
    "CHUNKING",
    "DSN",
    "ETRN",
    "VRFY",
    "EXPN",
    "HELP",
    "AUTH",
    "ENHANCEDSTATUSCODES",
    "SMTPUTF8",
    "DELIVERBY",
    "MTRK",
    "NO-SOLICITING",
    "BURL",
    "FUTURERELEASE",
    "CONPERM",
    "CONNEG",
    "SUBMITTER",
    "MT-PRIORITY",
    "RRVS",
    "REQUIRETLS",
    "LIMITS",
    "TURN",
    "ATRN",
    "CHECKPOINT",
    "SEND",
    "SOML",
    "SAML",
    "UTF8SMTP",
    "XCLIENT",
    "XFORWARD",
    "XVERP",
    "XEXCH50",
    "XRDST",
    "XSHADOW",
    "XADR",
    "XSTA",
    "XCIR",
    "XGEN",
    "XLOOP",
    "XAUTH",
    "XONE",
    "XRSET",
    "XQUE",
    "XMRT",
    "XREMOTEQUEUE",
    "XSTARTTLS",
    /* POP3 and IMAP */
    "STLS",
    "SASL",
    "TOP",
    "UIDL",
    "USER",
    "EXPIRE",
    "IMPLEMENTATION",
    "UTF8",
    "LANG",
    "LOGIN-DELAY",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "STAT",
    "LIST",
    "IMAP4",
    "IMAP4REV1",
    "IMAP4REV2",
    "LOGINDISABLED",
    "LITERAL+",
    "LITERAL-",
    "SASL-IR",
    "IDLE",
    "NAMESPACE",
    "SORT",
    "ACL",
    "QUOTA",
    "THREAD",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "ENABLE",
    "CONDSTORE",
    "QRESYNC",
    "CHILDREN",
    "ID",
    "SEARCHRES",
    "WITHIN",
    "STATUS",
    "LISTEXT",
    "XLIST",
    "MOVE",
    "ESORT",
    "I18NLEVEL",
    "STATUS=SIZE",
    "STARTTLS=",
};
#define NKNOWN (sizeof(known) / sizeof(known[0]))

static unsigned char
upper(unsigned char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned char)(c - 'a' + 'A') : c;
}

static bool
is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_filler(unsigned char c)
{
	return c != '\0' && strchr("Xx0*#-_.=~?+@!$%&/:", c) != NULL;
}

/* A list is printable: a byte that was not stands there as \xNN, and counts
 * for one that hides a letter. */
static struct slice
fold_escapes(struct slice word, uint8_t to[WORD_MAX])
{
	struct slice out = {to, 0};

	for (size_t i = 0; i < word.len && out.len < WORD_MAX; i++) {
		bool esc = word.p[i] == '\\' && i + 3 < word.len &&
			   word.p[i + 1] == 'x';

		to[out.len++] = esc ? '?' : word.p[i];
		i += esc ? 3 : 0;
	}
	return out;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

struct rows { /* of the distance matrix: two back, one back, current */
	unsigned r[3][WORD_MAX + 1];
};

static void
distance_row(struct rows *m, struct slice a, struct slice b, size_t i)
{
	const unsigned *back2 = m->r[(i + 1) % 3], *back = m->r[(i + 2) % 3];
	unsigned *now = m->r[i % 3];

	now[0] = (unsigned)i;
	for (size_t j = 1; j <= b.len; j++) {
		unsigned char x = upper(a.p[i - 1]), y = upper(b.p[j - 1]);

		now[j] = min3(back[j] + 1, now[j - 1] + 1,
		    back[j - 1] + (x == y ? 0 : 1));
		if (i > 1 && j > 1 && x == upper(b.p[j - 2]) &&
		    upper(a.p[i - 2]) == y && back2[j - 2] + 1 < now[j])
			now[j] = back2[j - 2] + 1;
	}
}

unsigned
words_distance(struct slice a, struct slice b)
{
	struct rows m;

	if (a.len > WORD_MAX || b.len > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= b.len; j++)
		m.r[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++)
		distance_row(&m, a, b, i);
	return m.r[a.len % 3][b.len];
}

bool
words_is_mask(struct slice word)
{
	size_t run = 1;

	if (word.len < 3)
		return false;
	while (run < word.len && word.p[run] == word.p[0])
		run++;
	if (!is_filler(word.p[0])) /* nothing is called AAAAAAAA */
		return run == word.len && run > 3;
	if (run == word.len)
		return true;
	return run + 1 == word.len && run >= 3 && is_upper(word.p[run]);
}

bool
words_is_part_mask(struct slice word, const char *want)
{
	size_t same = 0, masked = 0;

	if (word.len != strlen(want))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (upper(word.p[i]) == (unsigned char)want[i])
			same++;
		else if (is_filler(word.p[i]))
			masked++;
		else
			return false;
	}
	return masked >= 2 && same >= 2;
}

bool
words_is_known(struct slice word)
{
	unsigned char first = word.len > 0 ? upper(word.p[0]) : '\0';

	for (size_t i = 0; i < NKNOWN; i++)
		if (known[i][0] == (char)first && words_equal(word, known[i]))
			return true;
	return word.len > 2 && upper(word.p[0]) == 'X' && word.p[1] == '-';
}

/* Same length and the same beginning, more than half of it: STARTFOO. */
static bool
same_beginning(struct slice word, const char *want)
{
	size_t len = strlen(want), n = 0;

	if (word.len != len || len < 8)
		return false;
	while (n < len && upper(word.p[n]) == (unsigned char)want[n])
		n++;
	return n > len / 2 && n < len;
}

enum word_damage
words_damage(struct slice word, const char *want)
{
	struct slice w = {(const uint8_t *)want, strlen(want)};
	unsigned limit = w.len >= 8 ? 2 : 1;
	uint8_t plain[WORD_MAX];

	if (memchr(word.p, '\\', word.len) != NULL)
		word = fold_escapes(word, plain);
	if (words_equal(word, want))
		return WORD_FINE;
	if (words_is_mask(word) || words_is_part_mask(word, want))
		return WORD_MASKED;
	if (words_is_known(word) || word.len == 0)
		return WORD_FINE;
	if (words_distance(word, w) <= limit || same_beginning(word, want))
		return WORD_GARBLED;
	return WORD_FINE;
}

bool
words_next_line(const char **list, struct slice *line)
{
	const char *p = *list, *end;

	while (*p == '\n')
		p++;
	if (*p == '\0')
		return false;
	end = strchrnul(p, '\n');
	*line = (struct slice){(const uint8_t *)p, (size_t)(end - p)};
	*list = end;
	return true;
}

bool
words_next(const char **list, struct slice *line, struct slice *token)
{
	size_t n = 0;

	if (!words_next_line(list, line))
		return false;
	while (n < line->len && line->p[n] != ' ' && line->p[n] != '=')
		n++;
	/* a mask of blanks or of '=' */
	*token = (struct slice){line->p, n > 0 ? n : line->len};
	return true;
}

/* "START TLS" */
static bool
is_parted(struct slice line, const char *want)
{
	return line.len == strlen(want) + 1 &&
	       words_distance(line,
		   (struct slice){(const uint8_t *)want, strlen(want)}) == 1;
}

static enum word_damage
find_damaged(const char *list, const char *want, struct slice *found)
{
	enum word_damage best = WORD_FINE, d;
	struct slice line, token;
	size_t len = strlen(want);

	while (words_next(&list, &line, &token)) {
		d = words_damage(token, want);
		if (token.len < line.len && is_parted(line, want)) {
			token = line;
			d = WORD_GARBLED;
		}
		if (d == WORD_FINE ||
		    (best != WORD_FINE &&
			(found->len == len || token.len != len)))
			continue;
		best = d;
		*found = token;
	}
	return best;
}

/* Servers give the same list to all their clients. */
enum word_damage
words_find_damaged(const char *list, const char *want, struct slice *found)
{
	static struct memo seen;
	struct {
		const char *want;
		enum word_damage damage;
		size_t at, len;
	} before;
	struct slice key;

	if (list[0] == '\0')
		return WORD_FINE;
	key = (struct slice){(const uint8_t *)list, strlen(list)};
	if (memo_get(&seen, key, &before, sizeof(before)) &&
	    before.want == want) {
		*found = (struct slice){key.p + before.at, before.len};
		return before.damage;
	}
	memset(&before, 0, sizeof(before));
	*found = key;
	before.want = want;
	before.damage = find_damaged(list, want, found);
	before.at = (size_t)(found->p - key.p);
	before.len = found->len;
	memo_put(&seen, key, &before, sizeof(before));
	return before.damage;
}

bool
words_replaced(
    const char *before, const char *now, const char *want, struct slice *found)
{
	struct slice a, b, token, word;
	unsigned hits = 0;

	while (words_next(&before, &a, &token)) {
		if (!words_next(&now, &b, &word))
			return false;
		if (words_equal(token, want) && word.len == token.len) {
			*found = word;
			hits++;
		} else if (a.len != b.len || memcmp(a.p, b.p, a.len) != 0) {
			return false;
		}
	}
	return hits == 1 && !words_next(&now, &b, &word) &&
	       !words_equal(*found, want);
}

void
words_copy(char *dst, size_t cap, const char *src)
{
	size_t n = src[0] != '\0' ? strnlen(src, cap - 1) : 0;

	if (n > 0)
		memcpy(dst, src, n);
	dst[n] = '\0';
}

bool
words_equal(struct slice a, const char *b)
{
	/* most are unlike from the beginning */
	if (a.len != 0 && upper(a.p[0]) != upper((unsigned char)b[0]))
		return false;
	return a.len == strlen(b) &&
	       strncasecmp((const char *)a.p, b, a.len) == 0;
}

bool
words_has(const char *list, const char *word)
{
	struct slice line, token;

	while (words_next(&list, &line, &token))
		if (words_equal(token, word) || words_equal(line, word))
			return true;
	return false;
}

unsigned
words_missing(const char *before, const char *now)
{
	char word[WORD_MAX + 1];
	struct slice line, token;
	unsigned n = 0;

	while (words_next(&before, &line, &token)) {
		if (line.len > WORD_MAX || words_equal(token, "STARTTLS") ||
		    words_equal(token, "LOGINDISABLED"))
			continue;
		memcpy(word, line.p, line.len);
		word[line.len] = '\0';
		n += !words_has(now, word);
	}
	return n;
}

/* Appends a name, with a comma before it; one that does not fit is left out. */
static void
lost_name(struct words_lost *lost, struct slice token)
{
	size_t used = strlen(lost->names);

	if (used + token.len + 3 > sizeof(lost->names))
		return;
	if (used > 0)
		used += (size_t)snprintf(
		    lost->names + used, sizeof(lost->names) - used, ", ");
	memcpy(lost->names + used, token.p, token.len);
	lost->names[used + token.len] = '\0';
}

void
words_lost(
    struct words_lost *lost, const char *before, const char *now, size_t len)
{
	char word[WORD_MAX + 1];
	struct slice line, token;

	memset(lost, 0, sizeof(*lost));
	while (words_next(&before, &line, &token)) {
		if (token.len > WORD_MAX)
			continue;
		memcpy(word, token.p, token.len);
		word[token.len] = '\0';
		if (words_has(now, word))
			continue;
		lost->n++;
		lost->as_long |= token.len == len;
		lost_name(lost, token);
	}
}
