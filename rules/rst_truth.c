/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sources, by column:
 *
 * RFC 793, 3.4 "Reset Processing" and 3.9 "SEGMENT ARRIVES": a reset whose
 * number is in the window is obeyed, any other dropped; in SYN-SENT one that
 * acknowledges the SYN.
 *
 * RFC 5961, 3.2, since RFC 9293 3.10.7.4 part of the standard: the next number
 * is obeyed, another one in the window is answered with a challenge ACK, which
 * the true sender, if it has no connection, answers with a reset of the exact
 * number. Outside the window nothing changes, nor in SYN-SENT (3.10.7.3).
 *
 * Linux, net/ipv4/tcp_input.c, tcp_validate_incoming() and
 * tcp_rcv_synsent_state_process(): RFC 5961 since 3.6. Besides the next number
 * it obeys that of a FIN it has taken (since 4.11, tcp_reset_check(): some
 * systems reset with it), and the right edge of the last block it has beyond a
 * hole (since 4.7; the reset then has the number that the tap takes for the
 * next one). Challenge ACKs are limited in rate. A connection whose handshake
 * is not complete is a request, and that goes by the window alone
 * (net/ipv4/tcp_minisocks.c, tcp_check_req()).
 *
 * Windows: Microsoft's knowledge base, article 175523, quotes the reset
 * processing of RFC 793, and says that a SYN refused by a reset is sent up to
 * three times more. For connections that Windows had handed to a network card,
 * "Requirements for TCP Chimney NICs for Blind-Reset Attacks" (Windows driver
 * documentation, feature since withdrawn) wants RFC 5961. What its own stack
 * does with a number that is in the window and not the next one: not found.
 */
#include "rules/rst_truth.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct cell {
	enum rst_fate fate;
	const char *since; /* version of the stack, NULL: any */
};

#define ALL(f)                                   \
	{                                        \
		{f, NULL}, {f, NULL}, {f, NULL}, \
		{                                \
			f, NULL                  \
		}                                \
	}

static const struct cell truth[RST_AT_COUNT][STACK_COUNT] = {
    /* RFC 793, RFC 5961, Linux, Windows */
    [RST_AT_UNKNOWN] = ALL(FATE_UNKNOWN),
    [RST_AT_OUTSIDE] = ALL(FATE_IGNORED),
    [RST_AT_SYN_OTHER] = ALL(FATE_IGNORED),
    [RST_AT_OVER] = ALL(FATE_OVER),
    [RST_AT_FIN] = {{FATE_IGNORED, NULL}, {FATE_IGNORED, NULL},
	{FATE_DEAD, "4.11"}, {FATE_UNDOCUMENTED, NULL}},
    [RST_AT_SENT] = ALL(FATE_DEAD_IF_LATE),
    [RST_AT_WINDOW] = {{FATE_DEAD, NULL}, {FATE_CHALLENGE, NULL},
	{FATE_CHALLENGE, "3.6"}, {FATE_UNDOCUMENTED, NULL}},
    [RST_AT_SYN_RECEIVED] = {{FATE_DEAD, NULL}, {FATE_CHALLENGE, NULL},
	{FATE_DEAD, NULL}, {FATE_UNDOCUMENTED, NULL}},
    [RST_AT_NEXT] = ALL(FATE_DEAD),
    [RST_AT_SYN] = {{FATE_DEAD, NULL}, {FATE_DEAD, NULL}, {FATE_DEAD, NULL},
	{FATE_ASKS_AGAIN, NULL}},
};

static const char *const names[STACK_COUNT] = {
    "RFC 793", "RFC 5961", "Linux", "Windows"};

static const char *const fates[FATE_COUNT] = {
    [FATE_UNDOCUMENTED] = "are not documented",
    [FATE_DEAD] = "obey",
    [FATE_CHALLENGE] = "answer with a challenge ACK and live on",
    [FATE_IGNORED] = "ignore it",
    [FATE_ASKS_AGAIN] = "ask again first",
    [FATE_DEAD_IF_LATE] =
	"obey only if what was sent beyond it had not arrived",
    [FATE_OVER] = "have nothing left to end",
    [FATE_UNKNOWN] = "cannot be told, too little was seen",
};

static const char *const places[RST_AT_COUNT] = {
    [RST_AT_UNKNOWN] = "",
    [RST_AT_OUTSIDE] = "not in its window",
    [RST_AT_SYN_OTHER] = "does not acknowledge the SYN",
    [RST_AT_OVER] = "both had closed",
    [RST_AT_FIN] = "the number of a FIN",
    [RST_AT_SENT] = "number not acknowledged yet",
    [RST_AT_WINDOW] = "in its window",
    [RST_AT_SYN_RECEIVED] = "in its first window",
    [RST_AT_NEXT] = "exactly the next number",
    [RST_AT_SYN] = "acknowledges the SYN",
};

enum rst_fate
rst_truth(enum rst_place place, enum tcp_stack stack)
{
	return truth[place][stack].fate;
}

struct text {
	char *at;
	size_t cap, used;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->used + 1 >= t->cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->at + t->used, t->cap - t->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n;
}

static unsigned
count_fate(const struct cell row[STACK_COUNT], enum rst_fate fate)
{
	unsigned n = 0;

	for (unsigned i = 0; i < STACK_COUNT; i++)
		n += row[i].fate == fate;
	return n;
}

/* "RFC 5961 and Linux (since 3.6) stacks answer with ..." */
static void
add_fate(struct text *t, const struct cell row[STACK_COUNT], enum rst_fate fate)
{
	unsigned all = count_fate(row, fate), n = 0;

	for (unsigned i = 0; i < STACK_COUNT; i++) {
		if (row[i].fate != fate)
			continue;
		n++;
		add(t, "%s%s",
		    n == 1     ? ""
		    : n == all ? " and "
			       : ", ",
		    names[i]);
		if (row[i].since != NULL)
			add(t, " (since %s)", row[i].since);
	}
	add(t, " stacks %s", fates[fate]);
}

static void
add_place(struct text *t, const struct obs_rst *r, enum rst_place place)
{
	int64_t off = r->place_off;

	if (place == RST_AT_UNKNOWN)
		return;
	add(t, " (%s%s", r->count > 1 ? "one: " : "", places[place]);
	if (off != 0 && place != RST_AT_FIN)
		add(t, ", %" PRId64 " too %s", off < 0 ? -off : off,
		    off < 0 ? "low" : "high");
	add(t, ")");
}

char *
rst_truth_say(
    char *buf, size_t cap, const struct obs_rst *r, const char *receiver)
{
	enum rst_place place =
	    r->place < RST_AT_COUNT ? r->place : RST_AT_UNKNOWN;
	const struct cell *row = truth[place];
	struct text t = {buf, cap, 0};

	add(&t, "what the %s does: ", receiver);
	for (unsigned i = 0; i < STACK_COUNT; i++) {
		bool told = false;

		for (unsigned k = 0; k < i; k++)
			told |= row[k].fate == row[i].fate;
		if (told)
			continue;
		if (i > 0)
			add(&t, "; ");
		add_fate(&t, row, row[i].fate);
	}
	add_place(&t, r, place);
	return buf;
}
