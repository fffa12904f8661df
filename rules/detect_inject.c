/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * C11: two contents for the same numbers of one direction. The faster one was
 * delivered; the slower one is the real sender's, or an attempt to replace
 * what was said.
 *
 * Benign causes, all told apart before an observation is made (evidence.h):
 * true retransmission, also cut anew; the garbage byte of a keep-alive; a
 * zero-window probe; frames mirrored twice; a segment spoilt on the wire; of
 * what is compared by hash, other cuts than those of the hashes. What is left and may still be honest: a device on the path that rewrites mail
 * (and is seen on both of its sides), and captures edited by hand.
 */
#include "rules/detect.h"
#include "rules/weights.h"

/* sensor.rules has no rule for less. These do not come together, since few
 * bytes with a wrong checksum, and any within TLS, are spoilt ones
 * (evidence.h). */
_Static_assert(W_CONFLICT + LESS_BAD_CHECKSUM >= 50, "no mere suspicion");
_Static_assert(W_CONFLICT + LESS_ONE_BYTE >= 50, "no mere suspicion");
_Static_assert(W_CONFLICT + LESS_IN_TLS >= 50, "no mere suspicion");

#define SURE 85 /* what was only medium is told again if it goes on */

static const char *
sender(const struct obs *o)
{
	return o->dir == DIR_S2C ? "server" : "client";
}

static const char *
version(uint8_t which)
{
	return which == 1 ? "first" : "second";
}

/* Which version the receiver used, and how that is known. */
static void
add_used(struct finding *f, const struct obs_conflict *r)
{
	static const struct {
		int weight;
		const char *words;
	} said[] = {
	    [USED_FIRST_ACKED] = {PLUS_ACKED,
		"the receiver had acknowledged the first version before the "
		"second came: it used the first"},
	    [USED_FIRST_SUM] = {LESS_BAD_CHECKSUM,
		"the second version has a wrong checksum where this sender's "
		"are right: hosts drop it and use the first"},
	    [USED_FIRST_END] = {0,
		"the receiver acknowledged just to the end of the first "
		"version: it used the first"},
	    [USED_FIRST_ECHO] = {0,
		"the receiver's acknowledgement echoes the timestamp of the "
		"first version: it used the first"},
	    [USED_FIRST_DUP] = {0,
		"the receiver reported the second version as a duplicate: it "
		"used the first"},
	    [USED_SECOND_SUM] = {0,
		"the first version has a wrong checksum where this sender's "
		"are right: hosts drop it and use the second"},
	    [USED_SECOND_END] = {0,
		"the receiver acknowledged just to the end of the second "
		"version: it used the second"},
	};

	if (r->used_by > 0 && r->used_by < sizeof(said) / sizeof(*said))
		finding_add(
		    f, said[r->used_by].weight, "%s", said[r->used_by].words);
	else
		finding_add(f, 0,
		    "which version the receiver used is not known; the %s is "
		    "what was read here",
		    r->used_first ? "first" : "second");
}

static void
add_circumstances(struct finding *f, const struct obs *o, bool again)
{
	const struct obs_conflict *r = &o->u.conflict;

	if (r->diff == 1 && r->len == 1 && !again)
		finding_add(f, LESS_ONE_BYTE, "it is a single byte");
	if (again)
		finding_add(f, 0, "and not for the first time here");
	add_used(f, r);
	if (r->other.ttl != o->pkt.ttl && o->pkt.ordinal != 0)
		finding_add(f, 0, "TTL %u the first time, %u the second",
		    o->pkt.ttl, r->other.ttl);
	if (r->odd_mac != 0)
		finding_add(f, 0,
		    "the %s version comes from another MAC address than all "
		    "else of the %s",
		    version(r->odd_mac), sender(o));
	if (r->odd_ts != 0)
		finding_add(f, 0,
		    "the %s version lacks the %s's timestamps, on which both "
		    "had agreed: the %s did not send it",
		    version(r->odd_ts), sender(o), sender(o));
	if (o->phase == PHASE_TLS_ASKED || o->phase == PHASE_TLS_READY ||
	    o->phase == PHASE_TLS_HELLO) {
		f->tags |= EVT_DURING_TLS_HANDSHAKE;
		finding_add(
		    f, PLUS_CONFLICT_HANDSHAKE, "while TLS was being set up");
	}
}

static void
add_versions(struct finding *f, const struct obs *o)
{
	const struct obs_conflict *r = &o->u.conflict;
	const char *how = r->masked ? " (masked)" : "";

	finding_add(f, W_CONFLICT,
	    "%u of %u bytes of the %s differ from what was sent before under "
	    "the same numbers",
	    r->diff, r->len, sender(o));
	finding_add(f, 0, "first%s: %s", how, r->first);
	finding_add(f, 0, "then%s: %s", how, r->second);
}

/* Of bodies and TLS only hashes are kept. */
static void
add_hashes(struct finding *f, const struct obs *o)
{
	const struct obs_conflict *r = &o->u.conflict;

	finding_add(f, W_CONFLICT,
	    "%u bytes of the %s were sent twice under the same numbers with "
	    "different content: sequence %u, compared by a keyed hash, so "
	    "which of them differ is not known",
	    r->len, sender(o), r->seq);
	if (o->phase == PHASE_TLS_DONE)
		finding_add(f, LESS_IN_TLS,
		    "within TLS, where a changed record fails its integrity "
		    "check: it can break the connection, not change the mail");
}

void
detect_conflict(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct obs_conflict *r = &o->u.conflict;
	bool again = facts_raised(f, FIND_TCP_CONTENT_CONFLICT) &&
		     f->rare->confidence[FIND_TCP_CONTENT_CONFLICT] < SURE &&
		     !r->csum_bad;
	struct finding *out;

	out = again ? detect_find_again(c, FIND_TCP_CONTENT_CONFLICT)
		    : detect_find(c, FIND_TCP_CONTENT_CONFLICT);
	if (out == NULL)
		return;
	if (r->hashed)
		add_hashes(out, o);
	else
		add_versions(out, o);
	add_circumstances(out, o, again);
}
