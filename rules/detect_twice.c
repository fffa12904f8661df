/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * C12 and C13: what a host does once was done twice.
 *
 * Benign causes of two answers to one SYN: a SYN that was sent again reaches
 * another host of the same anycast address or load balancer, or the same host
 * answers with another SYN cookie; a firewall that completes handshakes itself
 * and is seen on both of its sides repeats the SYN too. Hence medium then. A
 * client that gives up and asks with a new number is another matter, and never
 * gets here.
 *
 * Benign causes of data beyond a FIN: none in a host (RFC 9293 3.6), but there
 * are devices that join two connections into one and close one side of it too
 * early. Hence never high. A FIN sent again, also with the last data, and a
 * half-closed connection contradict nothing.
 */
#include "rules/detect.h"
#include "rules/weights.h"

_Static_assert(W_AFTER_FIN + PLUS_OTHER_TTL + PLUS_FIN_HANDSHAKE < 85 &&
		   W_TWO_ANSWERS + LESS_ASKED_AGAIN + PLUS_OTHER_TTL < 85,
    "medium stays medium");
_Static_assert(W_AFTER_FIN >= 50 && W_TWO_ANSWERS + LESS_ASKED_AGAIN >= 50,
    "and is no mere suspicion: sensor.rules has no rule for one");

static const char *
sender(const struct obs *o)
{
	return o->dir == DIR_S2C ? "server" : "client";
}

void
detect_hijack(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct obs_answers *a = &o->u.answers;
	struct finding *out = detect_find(c, FIND_HANDSHAKE_HIJACK);

	(void)f;
	if (out == NULL)
		return;
	finding_add(out, W_TWO_ANSWERS,
	    "one SYN was answered twice with different numbers, %u and %u, "
	    "%u ms apart",
	    a->first.seq, o->pkt.seq,
	    (unsigned)(((uint64_t)o->pkt.time - (uint64_t)a->first.time) /
		       1000000));
	if (a->again)
		finding_add(out, LESS_ASKED_AGAIN,
		    "but the SYN was sent again or was not seen: SYN cookies "
		    "and anycast look like this");
	if (a->first.ttl != o->pkt.ttl)
		finding_add(out, PLUS_OTHER_TTL,
		    "TTL %u in the first answer, %u in the second",
		    a->first.ttl, o->pkt.ttl);
	if (a->taken)
		finding_add(
		    out, 0, "the client had gone on from the first answer");
}

static void
add_fin_circumstances(
    struct finding *f, const struct obs *o, const struct facts *flow)
{
	const struct obs_fin *r = &o->u.fin;

	if (r->data.ordinal != 0 && r->data.ttl != o->pkt.ttl)
		finding_add(f, PLUS_OTHER_TTL,
		    "TTL %u in the FIN, %u in the data", o->pkt.ttl,
		    r->data.ttl);
	if (facts_in_handshake(flow, o->pkt.time)) {
		f->tags |= EVT_DURING_TLS_HANDSHAKE;
		finding_add(
		    f, PLUS_FIN_HANDSHAKE, "while TLS was being set up");
	}
}

/* Here all stacks go by one rule (RFC 9293 3.10.7.4, before it RFC 793): a FIN
 * counts once all before it has arrived, what comes after it is dropped, and
 * one below what the receiver has is old. */
static void
add_fin_receiver(struct finding *f, const struct obs *o)
{
	const char *who = o->dir == DIR_S2C ? "client" : "server";

	if (o->u.fin.behind)
		finding_add(f, 0,
		    "what the %s does: every stack drops it as old, "
		    "unless the bytes beyond it had not arrived",
		    who);
	else
		finding_add(f, 0,
		    o->u.fin.acked
			? "what the %s does: it acknowledged the FIN, "
			  "and takes no more from the %s"
			: "what the %s does: every stack obeys once "
			  "all before it is there, and then takes no more from "
			  "the %s",
		    who, sender(o));
}

void
detect_fin(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct finding *out = detect_find(c, FIND_FIN_INJECTED);

	if (out == NULL)
		return;
	out->time = o->pkt.time;
	finding_add(out, W_AFTER_FIN,
	    o->u.fin.behind
		? "a FIN of the %s says that all was sent, %u bytes before "
		  "the end of what it had sent"
		: "a FIN of the %s said that all was sent, and %u bytes "
		  "followed",
	    sender(o), o->u.fin.beyond);
	add_fin_circumstances(out, o, f);
	add_fin_receiver(out, o);
}
