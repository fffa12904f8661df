/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * C1-C6, C8, C14: a reset that the named sender did not send.
 *
 * Resets are the most common lawful oddity of TCP, and this must stay silent
 * on all of them: closing with unread data (RST with ACK at the next number),
 * SO_LINGER 0, also after QUIT; a closed socket that answers late segments
 * (RST without ACK, its number is one the peer acknowledged, perhaps long ago,
 * once per segment); resets after FIN, also of NAT devices with a TTL of their
 * own; data that crosses the other side's reset; segments that overtook or
 * repeat each other; TIME_WAIT; a service just started that answers a SYN sent
 * again; firewalls and load balancers that end idle connections (C15).
 *
 * So there are two kinds of evidence. A ground is something that the sender
 * of a lawful reset does not do: one is enough, and it sets the confidence.
 * A sign is something that a lawful reset seldom shows: it strengthens a
 * ground, and alone it says nothing; two on one reset are a ground while TLS
 * is being set up, elsewhere it takes more (signs_suffice). After Weaver,
 * Sommer, Paxson, "Detecting Forged TCP Reset Packets", NDSS 2009.
 */
#include "rules/detect.h"
#include "rules/rst_truth.h"
#include "rules/weights.h"

_Static_assert(W_SIGNS + 5 * PLUS_LONE_SIGN + PLUS_RST_HANDSHAKE < 85,
    "signs alone are never high");
_Static_assert(W_SIGNS + 2 * PLUS_LONE_SIGN >= 50 && W_BEHIND >= 50,
    "nor a mere suspicion: sensor.rules has no rule for one");

#define SIGNS (RST_TTL | RST_UNASKED | RST_IP_ID | RST_OLD_TTL | RST_SAME_AFTER)
#define PROOFS (RST_DATA_AFTER | RST_ALIVE | RST_SYN_RACE | RST_SEQ_CHANGE)
#define GROUNDS \
	(PROOFS | RST_TRAIN | RST_BLIND | RST_ACK_CHANGE | RST_BEHIND_DATA)
#define LAWFUL_END (RST_AFTER_FIN | RST_AFTER_QUIT)

static const char *
sender(const struct obs *o)
{
	return o->dir == DIR_S2C ? "server" : "client";
}

static const char *
receiver(const struct obs *o)
{
	return o->dir == DIR_S2C ? "client" : "server";
}

static bool
in_handshake(const struct obs *o)
{
	return o->u.rst.first_phase == PHASE_TLS_ASKED ||
	       o->u.rst.first_phase == PHASE_TLS_READY ||
	       o->u.rst.first_phase == PHASE_TLS_HELLO;
}

static unsigned
count_bits(uint32_t v)
{
	return (unsigned)__builtin_popcount(v);
}

/* What may be argued from, after the lawful causes were taken away. */
static uint32_t
usable_tests(const struct obs *o, const struct facts *f)
{
	uint32_t t = o->u.rst.tests;
	uint32_t sender_gap = o->dir == DIR_S2C ? VIS_GAP_S2C : VIS_GAP_C2S;

	if (f->quit != 0 && f->quit <= o->pkt.time)
		t |= RST_AFTER_QUIT;
	/* what was not seen may have been the answer to the riddle */
	if ((o->vis & (VIS_MIDSTREAM | VIS_ONE_WAY)) != 0)
		t &= ~(uint32_t)(RST_BEHIND_DATA | RST_SEQ_CHANGE |
				 RST_ACK_CHANGE | RST_TRAIN | RST_UNASKED);
	if ((o->vis & sender_gap) != 0)
		t &= ~(uint32_t)(RST_BEHIND_DATA | RST_SEQ_CHANGE);
	if ((t & LAWFUL_END) != 0)
		t &= ~(uint32_t)(RST_BEHIND_DATA | RST_ACK_CHANGE);
	/* C15: a middlebox that gave up an idle connection */
	if ((t & RST_IDLE) != 0 && !in_handshake(o))
		t &= ~(uint32_t)(PROOFS | RST_BEHIND_DATA | RST_ACK_CHANGE |
				 RST_BLIND);
	/* likewise, and a host began to speak at the same time */
	if ((t & RST_SILENT) != 0 && !in_handshake(o))
		t &= ~(uint32_t)RST_BEHIND_DATA;
	/* an old segment that went astray to a host that never knew this
	 * connection is answered like this, and nobody minds the answer */
	if ((t & RST_ANSWERS_ACK) != 0 && o->u.rst.seq_off < 0 &&
	    (t & SIGNS & ~(uint32_t)RST_SAME_AFTER) == 0)
		t &= ~(uint32_t)(RST_ALIVE | RST_BLIND);
	return t;
}

/* C14: do the signs stand for themselves? While TLS is being set up two are
 * enough. Elsewhere, where nothing was missed, a foreign TTL and a second sign
 * that is not about the TTL. */
static bool
signs_suffice(const struct obs *o, uint32_t t)
{
	unsigned n = count_bits(t & SIGNS);

	if ((t & LAWFUL_END) != 0)
		return false;
	if (in_handshake(o))
		return n >= 2;
	/* C15 too: a firewall that lost its state answers in a host's name */
	if ((t & (RST_IDLE | RST_SILENT)) != 0 || o->vis != 0)
		return false;
	if ((t & RST_TTL) == 0)
		return false;
	if (o->u.rst.first_phase == PHASE_TEXT)
		return (t & (RST_IP_ID | RST_UNASKED)) != 0;
	return o->u.rst.first_phase == PHASE_TLS_DONE && (t & RST_IP_ID) != 0;
}

struct ground {
	uint32_t test;
	int weight;
	const char *before, *after; /* around the name of the sender */
};

static const struct ground grounds[] = {
    /* strongest first */
    {RST_SYN_RACE, W_SYN_RACE, "the ",
	" answered the same SYN with a SYN/ACK after the reset"},
    {RST_DATA_AFTER, W_DATA_AFTER,
	"data followed the reset from the same sender, the ", ""},
    {RST_ALIVE, W_ALIVE, "the ",
	" went on to acknowledge what was sent to it after its reset"},
    {RST_SEQ_CHANGE, W_SEQ_CHANGE, "resets of the ",
	" jump upwards within 2 s, beyond all it had sent"},
    {RST_TRAIN, W_TRAIN, "a row of resets of the ",
	" with numbers that nobody ever acknowledged"},
    {RST_BLIND, W_BLIND, "a guessed number: not the next one of the ",
	", which went on"},
    {RST_ACK_CHANGE, W_ACK_CHANGE, "resets of the ",
	" acknowledge what was never sent to it"},
    {RST_BEHIND_DATA, W_BEHIND, "its number lies behind data that the ",
	" had already sent"},
};
#define NGROUNDS (sizeof(grounds) / sizeof(grounds[0]))

/* Returns the weight of the strongest one, 0 if there is none. */
static int
add_grounds(struct finding *f, const struct obs *o, uint32_t t)
{
	int first = 0;

	for (unsigned i = 0; i < NGROUNDS; i++) {
		const struct ground *g = &grounds[i];

		if ((t & g->test) == 0)
			continue;
		finding_add(f, first == 0 ? g->weight : PLUS_MORE_GROUND,
		    "%s%s%s", g->before, sender(o), g->after);
		if (first == 0)
			first = g->weight;
	}
	return first;
}

static void
add_sign(struct finding *f, const struct obs *o, uint32_t sign, int w)
{
	const struct obs_rst *r = &o->u.rst;

	if (sign == RST_TTL)
		finding_add(f, w, "TTL %u where this %s has %u", r->ttl_rst,
		    sender(o), r->ttl_base);
	else if (sign == RST_UNASKED)
		finding_add(f, w,
		    "it answers no segment: the %s never acknowledged its "
		    "number",
		    receiver(o));
	else if (sign == RST_IP_ID)
		finding_add(f, w, "IP id %u does not fit the %s's others",
		    o->pkt.ip_id, sender(o));
	else if (sign == RST_OLD_TTL)
		finding_add(f, w,
		    "another reset of the %s has its usual TTL %u", sender(o),
		    r->ttl_base);
	else
		finding_add(f, w, "the %s sent on after its reset", sender(o));
}

/* ground: the weight of the strongest ground, 0 if the signs are all there
 * is. */
static void
add_signs(struct finding *f, const struct obs *o, uint32_t t, int ground)
{
	int w = ground == 0 ? PLUS_LONE_SIGN : PLUS_SIGN;
	bool second = ground != 0 && ground < W_DATA_AFTER;

	for (uint32_t sign = 1; sign != 0 && sign <= RST_SAME_AFTER;
	     sign <<= 1) {
		if ((t & SIGNS & sign) == 0)
			continue;
		/* such a number is one that nobody acknowledged: said */
		if (sign == RST_UNASKED &&
		    (t & (RST_BEHIND_DATA | RST_TRAIN)) != 0)
			continue;
		add_sign(f, o, sign, second ? PLUS_SECOND_SIGN : w);
		second = false;
	}
}

static const char *
tool_name(uint8_t tool)
{
	switch (tool) {
	case TOOL_TCPKILL:
		return "dsniff's tcpkill";
	case TOOL_LIBNIDS_KILL:
		return "libnids (nids_killtcp)";
	case TOOL_IPS_REJECT:
		return "the reject rules of an intrusion prevention system";
	case TOOL_RAE:
		return "devices that copy id and window from the SYN";
	case TOOL_TRAIN_1460:
		return "devices that send a train of resets 1460 bytes apart";
	default:
		return NULL;
	}
}

static void
add_mac(struct finding *f, const struct obs *o, int w)
{
	const uint8_t *a = o->u.rst.mac, *b = o->u.rst.mac_base;

	finding_add(f, w,
	    "it comes from MAC address %02x:%02x:%02x:%02x:%02x:%02x, all "
	    "else of the %s from %02x:%02x:%02x:%02x:%02x:%02x",
	    a[0], a[1], a[2], a[3], a[4], a[5], sender(o), b[0], b[1], b[2],
	    b[3], b[4], b[5]);
}

static void
add_circumstances(struct finding *f, const struct obs *o, int ground)
{
	const struct obs_rst *r = &o->u.rst;
	const char *tool = tool_name(r->tool);

	if (in_handshake(o)) {
		f->tags |= EVT_DURING_TLS_HANDSHAKE;
		finding_add(
		    f, PLUS_RST_HANDSHAKE, "while TLS was being set up");
	}
	if (tool != NULL) {
		f->tags |= EVT_KNOWN_TOOL;
		finding_add(
		    f, ground != 0 ? PLUS_TOOL : 0, "looks like %s", tool);
	}
	if (r->odd_mac)
		add_mac(f, o, ground != 0 ? PLUS_MAC : 0);
	if (r->count > 1)
		finding_add(f, 0, "%u resets of the %s within 2 s", r->count,
		    sender(o));
}

/* Whom the attack works against. */
static void
add_receiver(struct finding *f, const struct obs *o)
{
	char text[FINDING_SENTENCE_MAX];

	finding_add(f, 0, "%s",
	    rst_truth_say(text, sizeof(text), &o->u.rst, receiver(o)));
}

void
detect_reset(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	uint32_t t = usable_tests(o, f);
	struct finding *out;
	int ground;

	if ((t & GROUNDS) == 0 && !signs_suffice(o, t))
		return;
	if (resetters_include(c->resetters, &o->u.rst)) {
		c->authorised = true;
		return;
	}
	out = detect_find(c, FIND_RST_INJECTED);
	if (out == NULL)
		return;
	out->time = o->pkt.time;
	ground = add_grounds(out, o, t);
	if (ground == 0)
		finding_add(out, W_SIGNS,
		    "several things about this reset do not fit its sender");
	add_signs(out, o, t, ground);
	add_receiver(out, o);
	add_circumstances(out, o, ground);
}
