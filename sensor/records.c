/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/records.h"

#include <string.h>

#include "sensor/obs_pack.h"
#include "sensor/worker.h"

static void
shift(struct pkt_ref *r, uint64_t before)
{
	if (r->ordinal != 0)
		r->ordinal += before;
}

/* All packets that it names. */
static void
shift_all(struct obs *o, uint64_t before)
{
	shift(&o->pkt, before);
	switch ((enum obs_kind)o->kind) {
	case OBS_RST:
		shift(&o->u.rst.next, before);
		break;
	case OBS_CONFLICT:
		shift(&o->u.conflict.other, before);
		break;
	case OBS_TWO_ANSWERS:
		shift(&o->u.answers.first, before);
		break;
	case OBS_FIN_UNDONE:
		shift(&o->u.fin.data, before);
		break;
	case OBS_AUTH:
		shift(&o->u.auth.secret_pkt, before);
		break;
	default:
		break;
	}
}

/* before: packets of parts of the input that went before its own. */
static bool
take_obs(struct backend *b, struct slice bytes, struct obs *o, int worker,
    uint64_t before)
{
	if (!obs_unpack(o, bytes.p, bytes.len) ||
	    (worker >= 0 && o->flow >> 56 != (unsigned)worker + 1))
		return false;
	if (before != 0)
		shift_all(o, before);
	backend_obs(b, o);
	return true;
}

bool
records_take_later(
    struct backend *b, const uint8_t *bytes, size_t len, uint64_t before)
{
	struct obs o;

	return take_obs(b, (struct slice){bytes, len}, &o, -1, before);
}

static bool
take_chain(struct backend *b, const uint8_t *bytes, size_t len)
{
	struct record_chain c;
	struct slice der[X509_CHAIN_MAX];

	if (len < sizeof(c))
		return false;
	memcpy(&c, bytes, sizeof(c));
	bytes += sizeof(c);
	len -= sizeof(c);
	if (c.n > X509_CHAIN_MAX)
		return false;
	for (uint32_t i = 0; i < c.n; i++) {
		if (c.len[i] > len)
			return false;
		der[i] = (struct slice){bytes, c.len[i]};
		bytes += c.len[i];
		len -= c.len[i];
	}
	backend_chain(b, c.chain_id, der, c.n);
	return true;
}

static bool
take_staple(struct backend *b, const uint8_t *bytes, size_t len)
{
	struct record_staple s;

	if (len < sizeof(s))
		return false;
	memcpy(&s, bytes, sizeof(s));
	if (s.time < 0 || s.time > OBS_TIME_MAX)
		return false;
	backend_staple(b, s.chain_id,
	    (struct slice){bytes + sizeof(s), len - sizeof(s)}, s.time);
	return true;
}

/* The worker could not say so at the time. */
static bool
take_ended(struct backend *b, const uint8_t *bytes, size_t len, int worker)
{
	uint64_t flow;

	if (worker < 0 || len % sizeof(flow) != 0)
		return false;
	for (size_t at = 0; at < len; at += sizeof(flow)) {
		memcpy(&flow, bytes + at, sizeof(flow));
		if (flow >> 56 != (unsigned)worker + 1)
			return false;
	}
	for (size_t at = 0; at < len; at += sizeof(flow)) {
		memcpy(&flow, bytes + at, sizeof(flow));
		backend_cut(b, flow, flow);
	}
	return true;
}

bool
records_take(struct backend *b, const struct ring_record *r,
    const uint8_t *bytes, struct obs *o, int worker)
{
	o->kind = OBS_NONE;
	switch (r->type) {
	case REC_OBS:
		return take_obs(
		    b, (struct slice){bytes, r->size}, o, worker, 0);
	case REC_CHAIN:
		return take_chain(b, bytes, r->size);
	case REC_STAPLE:
		return take_staple(b, bytes, r->size);
	case REC_ENDED:
		return take_ended(b, bytes, r->size, worker);
	default:
		return false;
	}
}
