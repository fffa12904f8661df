/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/evidence_mark.h"

static void
set_bits(struct ev_mark *m, unsigned bits)
{
	m->len_bits |= bits << 24;
}

/* Another file is the latest: those of the one before the last are lost. */
static void
next_file(struct ev_base *b, uint64_t file, struct ev_mark *marks, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		set_bits(&marks[i], (ev_mark_bits(&marks[i]) & MARK_OLDER) != 0
					? MARK_LOST
					: MARK_OLDER);
	b->file[1] = b->file[0];
	b->file[0] = file;
}

void
ev_base_move(struct ev_base *b, const struct packet *pkt, struct ev_mark *marks,
    unsigned n)
{
	uint64_t file = ev_file_of(pkt);

	if (file != b->file[0])
		next_file(b, file, marks, n);
	if (ev_base_has(b, pkt))
		return;
	for (unsigned i = 0; i < n; i++)
		set_bits(&marks[i], MARK_LOST);
	ev_base_begin(b, pkt);
}

void
ev_mark_get(struct pkt_ref *r, const struct ev_mark *m, const struct ev_base *b,
    unsigned dir)
{
	unsigned bits = ev_mark_bits(m);
	uint64_t file = b->file[(bits & MARK_OLDER) != 0];
	uint64_t high = (uint64_t)(int16_t)m->time_high;

	*r = (struct pkt_ref){.seq = m->seq,
	    .ack = m->ack,
	    .len = ev_mark_len(m),
	    .window = m->window,
	    .ip_id = m->ip_id,
	    .ttl = m->ttl,
	    .tcp_flags = m->tcp_flags,
	    .dir = (uint8_t)dir};
	if ((bits & MARK_LOST) != 0)
		return;
	r->time = (int64_t)((uint64_t)b->time + (high << 32 | m->time_low));
	r->ordinal = b->ordinal + m->ordinal;
	r->file = (uint32_t)file & ~EV_NO_FRAMES;
	if ((file & EV_NO_FRAMES) == 0)
		r->frame_no = (uint32_t)r->ordinal + (uint32_t)(file >> 32);
}
