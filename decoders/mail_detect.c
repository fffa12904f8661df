/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which protocol is it? By what the server says first, by what the client
 * says, by the port where the content leaves it open. A server's 220 may be
 * FTP: off the SMTP ports it counts only with the word SMTP, or once the
 * client says EHLO. Who speaks HTTP on a mail port is left alone.
 */
#include <ctype.h>

#include "decoders/imap.h"
#include "decoders/mail_core.h"
#include "decoders/sieve.h"

#define STRANGE_MAX 400 /* lines that tell nothing, flow met in mid-stream */

const struct mail_ops *
mail_ops_of(enum proto proto)
{
	static const struct mail_ops *const ops[PROTO_COUNT] = {
	    [PROTO_SMTP] = &smtp_ops,
	    [PROTO_IMAP] = &imap_ops,
	    [PROTO_POP3] = &pop3_ops,
	    [PROTO_SIEVE] = &sieve_ops};

	return ops[proto];
}

enum proto
mail_port_proto(uint16_t port)
{
	switch (port) {
	case 24: /* LMTP */
	case 25:
	case 465:
	case 587:
	case 2525:
		return PROTO_SMTP;
	case 143:
	case 993:
		return PROTO_IMAP;
	case 110:
	case 995:
		return PROTO_POP3;
	case 4190:
		return PROTO_SIEVE;
	default:
		return PROTO_UNKNOWN;
	}
}

bool
mail_port_is_tls(uint16_t port)
{
	return port == 465 || port == 993 || port == 995;
}

bool
mail_port(uint16_t port)
{
	return mail_port_proto(port) != PROTO_UNKNOWN;
}

/* Does s start with word, or word with s? */
static bool
prefix_either_way(struct slice s, const char *word)
{
	size_t i;

	for (i = 0; word[i] != '\0' && i < s.len; i++)
		if (toupper(s.p[i]) != word[i])
			return false;
	return i > 0;
}

bool
mail_looks_like(enum dir dir, struct slice s)
{
	static const char *const server[] = {"220 ", "220-", "554 ", "554-",
	    "421 ", "* OK", "* PREAUTH", "* BYE", "+OK", "-ERR",
	    "\"IMPLEMENTATION\"", "\"SIEVE\""};
	static const char *const client[] = {"EHLO ", "HELO ", "LHLO ",
	    "PROXY ", "\r\n\r\n", "CAPA\r", "STLS\r", "STARTTLS\r"};
	const char *const *words = dir == DIR_S2C ? server : client;
	size_t n = dir == DIR_S2C ? sizeof(server) / sizeof(server[0])
				  : sizeof(client) / sizeof(client[0]);

	for (size_t i = 0; i < n; i++)
		if (prefix_either_way(s, words[i]))
			return true;
	return false;
}

/* Three digits, then blank, hyphen or the end. */
static unsigned
reply_code(struct slice s)
{
	if (s.len < 3 || !isdigit(s.p[0]) || !isdigit(s.p[1]) ||
	    !isdigit(s.p[2]))
		return 0;
	if (s.len > 3 && s.p[3] != ' ' && s.p[3] != '-')
		return 0;
	return (s.p[0] - '0') * 100u + (s.p[1] - '0') * 10u + (s.p[2] - '0');
}

static bool
says_smtp(struct slice s)
{
	return slice_has(s, "SMTP") || slice_has(s, "LMTP");
}

/* Replies in the middle of an IMAP dialogue. */
static bool
imap_reply(struct slice s)
{
	struct slice tag = slice_word(&s), word = slice_word(&s);

	return tag.len > 0 &&
	       (slice_is(tag, "*") || slice_is(word, "OK") ||
		   slice_is(word, "NO") || slice_is(word, "BAD"));
}

/* A status, or a capability, whatever is left of it. */
static bool
sieve_reply(struct slice s)
{
	struct slice word = slice_word(&s);

	return slice_starts(word, "\"") || slice_is(word, "OK") ||
	       slice_is(word, "NO") || slice_is(word, "BYE");
}

static enum proto
server_line(struct mail *m, struct slice s)
{
	enum proto port = mail_port_proto(m->server_port);
	unsigned code = reply_code(s);

	if (port == PROTO_SMTP && code >= 200 && code < 600)
		return PROTO_SMTP;
	if (port == PROTO_IMAP && (imap_reply(s) || imap_old_greeting(s)))
		return PROTO_IMAP;
	if (sieve_greets(s) || (port == PROTO_SIEVE && sieve_reply(s)))
		return PROTO_SIEVE;
	if (slice_starts(s, "* OK") || slice_starts(s, "* PREAUTH") ||
	    slice_starts(s, "* BYE"))
		return PROTO_IMAP;
	if (slice_starts(s, "+OK") ||
	    (port == PROTO_POP3 && slice_starts(s, "-ERR")))
		return PROTO_POP3;
	if (code >= 200 && code < 600 && says_smtp(s))
		return PROTO_SMTP;
	if (code == 220 && port == PROTO_UNKNOWN && m->server_port != 21)
		return PROTO_SMTP; /* provisional, see smtp.c */
	return PROTO_UNKNOWN;
}

static bool
in_list(struct slice word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (slice_is(word, *list))
			return true;
	return false;
}

/* Commands that show the protocol where the port says so too. */
static enum proto
client_line_by_port(struct mail *m, struct slice s)
{
	static const char *const smtp[] = {"MAIL", "RCPT", "AUTH", "STARTTLS",
	    "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", NULL};
	static const char *const imap[] = {"LOGIN", "AUTHENTICATE",
	    "CAPABILITY", "STARTTLS", "NOOP", "ID", "SELECT", "EXAMINE",
	    "LOGOUT", "IDLE", "FETCH", "UID", "LIST", "STATUS", "ENABLE",
	    "NAMESPACE", NULL};
	static const char *const pop3[] = {"USER", "PASS", "APOP", "AUTH",
	    "CAPA", "STLS", "STAT", "LIST", "RETR", "UIDL", "TOP", "DELE",
	    "NOOP", "RSET", "QUIT", NULL};
	struct slice first = slice_word(&s), second = slice_word(&s);

	switch (mail_port_proto(m->server_port)) {
	case PROTO_SMTP:
		return in_list(first, smtp) ? PROTO_SMTP : PROTO_UNKNOWN;
	case PROTO_IMAP:
		return in_list(second, imap) ? PROTO_IMAP : PROTO_UNKNOWN;
	case PROTO_POP3:
		return in_list(first, pop3) ? PROTO_POP3 : PROTO_UNKNOWN;
	case PROTO_SIEVE:
		return sieve_command_is_known(first) ? PROTO_SIEVE
						     : PROTO_UNKNOWN;
	default:
		return PROTO_UNKNOWN;
	}
}

/* HELO belongs to other worlds too; it needs a name behind it. */
static enum proto
client_line(struct mail *m, struct slice s)
{
	struct slice rest = s, verb = slice_word(&rest);

	if (rest.len > 0 && (slice_is(verb, "EHLO") || slice_is(verb, "HELO") ||
				slice_is(verb, "LHLO")))
		return PROTO_SMTP;
	return client_line_by_port(m, s);
}

enum proto
mail_detect(struct mail *m, enum dir dir, const struct line *l)
{
	struct half *h = &m->half[dir];
	bool patient = (m->vis & (VIS_MIDSTREAM | VIS_GAP_C2S | VIS_GAP_S2C |
				     VIS_ONE_WAY)) != 0 &&
		       mail_port(m->server_port);
	enum proto p;

	p = dir == DIR_S2C ? server_line(m, l->text) : client_line(m, l->text);
	if (p != PROTO_UNKNOWN)
		return p;
	h->strange++;
	return patient && h->strange < STRANGE_MAX ? PROTO_UNKNOWN
						   : PROTO_OTHER;
}
