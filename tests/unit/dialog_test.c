/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs the dialogues of tests/dialogs through the mail decoder: each whole,
 * byte by byte, and cut in two at every place, and compares the observations
 * with the lines in the file. tests/dialogs/README says how they are written.
 *
 *	dialog_test [--bless] [part of a name]
 *
 * --bless rewrites the expected lines of the dialogues that differ.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/mail.h"
#include "decoders/tls_record.h"
#include "tests/packed.h"

#define DIR_NAME "tests/dialogs"
#define OPS_MAX 256
#define BYTES_MAX 65536
#define TEXT_MAX 262144

enum op_kind { OP_DATA, OP_GAP, OP_EOF };

struct op {
	enum op_kind kind;
	enum dir dir;
	size_t at, len; /* in bytes[], or the length of the gap */
};

struct dialog {
	char path[512];
	uint16_t port;
	uint32_t vis;
	struct op ops[OPS_MAX];
	size_t nops;
	uint8_t bytes[BYTES_MAX];
	size_t nbytes;
	char secrets[8][64];
	size_t nsecrets;
	bool lines; /* lines are among the expected observations */
	char want[TEXT_MAX];
	char input[TEXT_MAX]; /* the file without its expected lines */
};

struct run {
	char got[TEXT_MAX];
	size_t len;
	const struct dialog *d;
	const char *leak;
	unsigned lent; /* parts, by now */
	unsigned asked, starve_at; /* lendings; the one refused */
	char lines[TEXT_MAX]; /* likewise, where they are not expected */
	size_t lines_len;
};

static struct dialog dlg;
static struct run run;

static void
die(const struct dialog *d, const char *what)
{
	fprintf(stderr, "%s: %s\n", d->path, what);
	exit(2);
}

/* ---- reading ---- */

static int
hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void
add_byte(struct dialog *d, int c)
{
	if (d->nbytes == BYTES_MAX)
		die(d, "too long");
	d->bytes[d->nbytes++] = (uint8_t)c;
	d->ops[d->nops - 1].len++;
}

/* \r \n \0 \\ \xNN; \*N repeats the byte before it to N in all */
static const char *
add_escape(struct dialog *d, const char *s)
{
	unsigned long n;
	char *end;

	switch (*s) {
	case 'r':
		add_byte(d, '\r');
		return s + 1;
	case 'n':
		add_byte(d, '\n');
		return s + 1;
	case '0':
		add_byte(d, 0);
		return s + 1;
	case 'x':
		add_byte(d, hex(s[1]) << 4 | hex(s[2]));
		return s + 3;
	case '*':
		n = strtoul(s + 1, &end, 10);
		while (n-- > 1)
			add_byte(d, d->bytes[d->nbytes - 1]);
		return end;
	default:
		add_byte(d, *s);
		return s + 1;
	}
}

static struct op *
next_op(struct dialog *d, enum op_kind kind, enum dir dir)
{
	struct op *last = d->nops ? &d->ops[d->nops - 1] : NULL;

	if (kind == OP_DATA && last != NULL && last->kind == OP_DATA &&
	    last->dir == dir)
		return last;
	if (d->nops == OPS_MAX)
		die(d, "too many turns");
	d->ops[d->nops] = (struct op){kind, dir, d->nbytes, 0};
	return &d->ops[d->nops++];
}

static void
read_option(struct dialog *d, char *s)
{
	if (strncmp(s, "port ", 5) == 0)
		d->port = (uint16_t)atoi(s + 5);
	else if (strcmp(s, "midstream") == 0)
		d->vis |= VIS_MIDSTREAM;
	else if (strncmp(s, "secret ", 7) == 0 && d->nsecrets < 8)
		snprintf(d->secrets[d->nsecrets++], 64, "%.63s", s + 7);
	else if (strcmp(s, "lines") == 0)
		d->lines = true;
	else
		die(d, "unknown option");
}

/* "C: line" CRLF is added, "C~ line" LF, "C= bytes" nothing, "C! n" a gap,
 * "C." end of the direction */
static void
read_turn(struct dialog *d, const char *s)
{
	enum dir dir = s[0] == 'C' ? DIR_C2S : DIR_S2C;
	char how = s[1];

	if (how == '!') {
		next_op(d, OP_GAP, dir)->len = strtoul(s + 2, NULL, 10);
		return;
	}
	if (how == '.') {
		next_op(d, OP_EOF, dir);
		return;
	}
	if (how != ':' && how != '~' && how != '=')
		die(d, "unknown turn");
	next_op(d, OP_DATA, dir);
	for (s += s[2] == ' ' ? 3 : 2; *s != '\0';)
		if (*s == '\\' && s[1] != '\0')
			s = add_escape(d, s + 1);
		else
			add_byte(d, *s++);
	if (how == ':')
		add_byte(d, '\r');
	if (how != '=')
		add_byte(d, '\n');
}

static void
append(char *dst, const char *s)
{
	size_t n = strlen(dst);

	snprintf(dst + n, TEXT_MAX - n, "%s\n", s);
}

static void
read_dialog(struct dialog *d)
{
	char line[16384];
	FILE *f = fopen(d->path, "r");

	if (f == NULL)
		die(d, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '=') {
			append(d->want, line + (line[1] == ' ' ? 2 : 1));
			continue;
		}
		append(d->input, line);
		if (line[0] == '@')
			read_option(d, line + 2);
		else if (line[0] == 'C' || line[0] == 'S')
			read_turn(d, line);
		else if (line[0] != '#' && line[0] != '\0')
			die(d, "a line begins with C S @ # or =");
	}
	fclose(f);
}

/* ---- running ---- */

static bool
holds(const void *mem, size_t len, const char *secret)
{
	return memmem(mem, len, secret, strlen(secret)) != NULL;
}

static void
check_leak(struct run *r, const void *mem, size_t len)
{
	for (size_t i = 0; i < r->d->nsecrets; i++)
		if (holds(mem, len, r->d->secrets[i]))
			r->leak = r->d->secrets[i];
}

static void
on_obs(void *ctx, struct obs *o)
{
	struct run *r = ctx;
	char line[8192];

	check_leak(r, o, o->size);
	if (!packed_survives(o))
		die(r->d, "an observation is another behind a queue");
	if (o->kind == OBS_LINE && !r->d->lines) {
		obs_format(line, sizeof(line), o, false);
		r->lines_len += (size_t)snprintf(r->lines + r->lines_len,
		    TEXT_MAX - r->lines_len, "%s\n", line);
		return;
	}
	if (o->kind >= OBS_TLS_CLIENT_HELLO &&
	    o->kind != OBS_LINE) /* tested where it is made */
		snprintf(line, sizeof(line), "%s %s%s",
		    obs_kind_name((enum obs_kind)o->kind),
		    o->dir ? "s2c" : "c2s", o->implicit_tls ? " implicit" : "");
	else
		obs_format(line, sizeof(line), o, false);
	r->len +=
	    (size_t)snprintf(r->got + r->len, TEXT_MAX - r->len, "%s\n", line);
}

static void
on_chain(void *ctx, const uint8_t id[32], const struct slice *der, unsigned n)
{
	(void)ctx;
	(void)id;
	(void)der;
	(void)n;
}

/* cut_at: bytes before it and behind it come apart; step: at most so many */
struct cutting {
	size_t step, cut_at;
	bool lines; /* lines are asked for */
	unsigned starve_at; /* the lending that is refused, from 1 */
};

/* What mail_data() says of it is so. */
static void
feed(const struct dialog *d, struct mail *m, enum dir dir, struct slice bytes,
    const struct pkt_ref *pkt)
{
	struct mail_state was = {0}, is = {0};
	unsigned fed;

	mail_state(m, &was);
	fed = mail_data(m, dir, bytes, pkt);
	mail_state(m, &is);
	if (((fed & MAIL_CHANGED) == 0 && memcmp(&was, &is, sizeof(is)) != 0) ||
	    ((fed & MAIL_PUBLIC) != 0) != mail_text_is_public(m, dir))
		die(d, "mail_data() does not say what has changed");
}

/* Nor does mail_eof() hide anything. */
static void
feed_eof(const struct dialog *d, struct mail *m, enum dir dir,
    const struct pkt_ref *pkt)
{
	struct mail_state was = {0}, is = {0};

	mail_state(m, &was);
	if (mail_eof(m, dir, pkt))
		return;
	mail_state(m, &is);
	if (memcmp(&was, &is, sizeof(is)) != 0)
		die(d, "mail_eof() does not say what has changed");
}

static void
run_op(struct mail *m, const struct dialog *d, const struct op *op,
    const struct cutting *c, struct pkt_ref *pkt)
{
	size_t at = op->at, end = op->at + op->len;

	pkt->dir = (uint8_t)op->dir;
	pkt->ordinal++;
	pkt->time++;
	if (op->kind == OP_GAP)
		mail_gap(m, op->dir, op->len, pkt);
	else if (op->kind == OP_EOF)
		feed_eof(d, m, op->dir, pkt);
	while (op->kind == OP_DATA && at < end) {
		size_t n = end - at < c->step ? end - at : c->step;
		uint8_t *copy;

		if (at < c->cut_at && c->cut_at < at + n)
			n = c->cut_at - at;
		copy = malloc(n); /* exact, for the sanitizer */
		memcpy(copy, d->bytes + at, n);
		feed(d, m, op->dir, (struct slice){copy, n}, pkt);
		free(copy);
		at += n;
	}
}

/* What is lent may be anything; what comes back must not hold a secret. */
static void *
lend(void *ctx, enum mail_part part)
{
	struct run *r = ctx;

	if (++r->asked == r->starve_at)
		return NULL;
	r->lent++;
	return memset(malloc(mail_part_size(part)), 0xa5, mail_part_size(part));
}

static void
give_back(void *ctx, enum mail_part part, void *p)
{
	struct run *r = ctx;

	r->lent--;
	check_leak(r, p, mail_part_size(part));
	free(p);
}

static void
run_dialog(const struct dialog *d, struct run *r, struct cutting c)
{
	struct mail_env env;
	struct mail_flow flow = {1, 40000, d->port, d->vis};
	struct mail *m = calloc(1, mail_size());
	struct pkt_ref pkt;

	memset(r, 0, sizeof(*r));
	r->d = d;
	r->starve_at = c.starve_at;
	memset(&env, 0, sizeof(env));
	memset(&pkt, 0, sizeof(pkt));
	env.sink =
	    (struct obs_sink){.emit = on_obs, .chain = on_chain, .ctx = r};
	env.lender = (struct mail_lender){lend, give_back, r};
	env.pool = tls_pool_new(1 << 20);
	if (c.lines || d->lines)
		memset(env.lines, 0xff, sizeof(env.lines));
	mail_init(m, &env, &flow);
	for (size_t i = 0; i < d->nops; i++)
		run_op(m, d, &d->ops[i], &c, &pkt);
	mail_end(m, pkt.time);
	check_leak(r, m, mail_size());
	if (r->lent != 0)
		r->leak = "a part that was not given back";
	free(m);
	tls_pool_free(env.pool);
}

/* ---- judging ---- */

static bool
differs(struct dialog *d, struct run *r, const char *how, size_t n)
{
	if (r->leak != NULL) {
		fprintf(stderr, "%s: %s %zu: secret \"%s\" was not masked\n",
		    d->path, how, n, r->leak);
		return true;
	}
	if (strcmp(r->got, d->want) == 0)
		return false;
	fprintf(stderr, "%s: %s %zu: observations differ; wanted\n%sgot\n%s",
	    d->path, how, n, d->want, r->got);
	return true;
}

static void
bless(struct dialog *d, const char *got)
{
	FILE *f = fopen(d->path, "w");
	const char *p = got;

	if (f == NULL)
		die(d, strerror(errno));
	fputs(d->input, f);
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		fprintf(f, "= %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	fclose(f);
	snprintf(d->want, sizeof(d->want), "%s", got);
	fprintf(stderr, "blessed %s:\n%s", d->path, got);
}

/* Lines are the same however they are cut, hold no secret, and change nothing
 * else. Only some cuts: the others are the same code. */
static bool
test_lines(struct dialog *d)
{
	static char whole[TEXT_MAX];
	struct cutting c = {BYTES_MAX, 0, true, 0};

	run_dialog(d, &run, c);
	if (differs(d, &run, "with lines", 0))
		return false;
	memcpy(whole, run.lines, sizeof(whole));
	for (unsigned i = 0; i < 8; i++) {
		c.step = i == 0 ? 1 : BYTES_MAX;
		c.cut_at = i * d->nbytes / 8;
		run_dialog(d, &run, c);
		if (differs(d, &run, "with lines, cut at", c.cut_at))
			return false;
		if (strcmp(whole, run.lines) == 0)
			continue;
		fprintf(stderr,
		    "%s: cut at %zu: lines differ; whole\n%sgot\n%s", d->path,
		    c.cut_at, whole, run.lines);
		return false;
	}
	return true;
}

/* Each lending is refused in turn: no secret shows, nothing stays lent. */
static bool
test_starved(struct dialog *d)
{
	struct cutting c = {BYTES_MAX, 0, true, 0};

	do {
		c.starve_at++;
		run_dialog(d, &run, c);
		if (run.leak == NULL)
			continue;
		fprintf(stderr, "%s: lending %u refused: \"%s\"\n", d->path,
		    c.starve_at, run.leak);
		return false;
	} while (run.asked >= c.starve_at);
	return true;
}

static bool
test_dialog(struct dialog *d, bool may_bless)
{
	struct cutting c = {BYTES_MAX, 0, false, 0};

	read_dialog(d);
	run_dialog(d, &run, c);
	if (may_bless && strcmp(run.got, d->want) != 0)
		bless(d, run.got);
	if (differs(d, &run, "whole", 0))
		return false;
	c.step = 1;
	run_dialog(d, &run, c);
	if (differs(d, &run, "byte by byte", 1))
		return false;
	c.step = BYTES_MAX;
	for (c.cut_at = 1; c.cut_at < d->nbytes; c.cut_at++) {
		run_dialog(d, &run, c);
		if (differs(d, &run, "cut at", c.cut_at))
			return false;
	}
	return test_lines(d) && test_starved(d);
}

static int
is_dialog(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot != NULL && strcmp(dot, ".txt") == 0;
}

int
main(int argc, char **argv)
{
	bool may_bless = argc > 1 && strcmp(argv[1], "--bless") == 0;
	const char *part = argc > 1 + may_bless ? argv[argc - 1] : "";
	unsigned passed = 0, failed = 0;
	struct dirent **names;
	int n = scandir(DIR_NAME, &names, is_dialog, alphasort);

	if (n <= 0) {
		fprintf(stderr, "no dialogues in %s\n", DIR_NAME);
		return 2;
	}
	for (int i = 0; i < n; i++) {
		memset(&dlg, 0, sizeof(dlg));
		dlg.port = 25;
		snprintf(dlg.path, sizeof(dlg.path), "%s/%s", DIR_NAME,
		    names[i]->d_name);
		if (strstr(names[i]->d_name, part) != NULL)
			test_dialog(&dlg, may_bless) ? passed++ : failed++;
		free(names[i]);
	}
	free(names);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
