/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * File after file, packet after packet: numbering, accounting, and the few
 * sentences worth saying about a file when it ends. Formats are the reader's
 * business (capture_reader.c, pcapng.c), order is capture_order.c's.
 */
#include "sensor/capture.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/link.h"
#include "sensor/capture_plan.h"
#include "sensor/capture_reader.h"

#define NS_PER_S INT64_C(1000000000)
#define STEP_SAID NS_PER_S /* smaller steps back are only counted */
#define UNKNOWN_MAX 8 /* link types named for one file */
#define HASH_START UINT64_C(0x6a09e667f3bcc909)
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define LINKTYPE_NONE (-1)

struct unknown_link {
	int linktype;
	uint64_t packets;
};

struct capture {
	struct reader r;
	bool open; /* r reads file.file[next - 1] */
	struct capture_file f;
	int64_t last; /* time of the packet before */
	int64_t step; /* the largest step back of the clock */
	uint64_t step_at; /* frame number behind it */
	uint64_t hash;
	uint64_t ordinal, before; /* of the last packet; before this file */
	uint32_t file, frame_no;
	int linktype; /* the last one found to be known */
	uint32_t nunknown;
	struct unknown_link unknown[UNKNOWN_MAX];
	struct capture_config cfg;
	const struct file_list *files; /* own, or another's plan */
	struct capture_plan own;
	uint32_t next, end; /* file to open, and behind the last one */
	bool apart, part_begins; /* at the next packet; at the last one */
	uint64_t done; /* bytes of the files that are finished */
};

static void
init(struct capture *c, const struct capture_config *cfg)
{
	if (cfg != NULL)
		c->cfg = *cfg;
	reader_init(&c->r);
	c->r.in.on_wait = c->cfg.on_wait;
	c->r.in.room = c->cfg.room;
	c->r.in.ctx = c->cfg.ctx;
}

struct capture *
capture_open(const char *const *paths, unsigned n,
    const struct capture_config *cfg, char *err, size_t errlen)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	init(c, cfg);
	if (capture_plan_make(&c->own, paths, n, &c->cfg, &c->r, err, errlen) ==
	    0) {
		c->files = &c->own.files;
		c->end = c->files->n;
		return c;
	}
	capture_close(c);
	return NULL;
}

struct capture *
capture_open_part(const struct capture_plan *p, unsigned part,
    const struct capture_config *cfg)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	init(c, cfg);
	c->files = &p->files;
	capture_plan_part(p, part, &c->next, &c->end);
	return c;
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	reader_fini(&c->r);
	capture_plan_fini(&c->own);
	free(c);
}

static void
file_begin(struct capture *c, const struct input_file *in)
{
	c->f = (struct capture_file){.path = in->path, .file_bytes = in->bytes};
	c->open = true;
	c->file = c->next - 1;
	c->frame_no = 0;
	c->before = c->ordinal;
	c->hash = HASH_START;
	c->last = INT64_MIN;
	c->step = 0;
	c->linktype = LINKTYPE_NONE;
	c->nunknown = 0;
	c->apart |= in->apart && c->ordinal > 0;
}

/* Opens the next file that can be opened; false when there is none. */
static bool
open_next(struct capture *c)
{
	while (c->next < c->end) {
		const struct input_file *in = &c->files->file[c->next++];
		if (reader_open(&c->r, in->path) == READER_OPEN) {
			file_begin(c, in);
			return true;
		}
		capture_say(&c->cfg, 1, "%s: %s", capture_path_name(in->path),
		    c->r.error);
		reader_close(&c->r);
		c->done += in->bytes;
	}
	return false;
}

static void
say_damage(struct capture *c)
{
	c->f.broken = true;
	capture_say(&c->cfg, 1, "%s: %s; %" PRIu64 " packet%s read",
	    capture_path_name(c->f.path), c->r.error, c->f.packets,
	    c->f.packets == 1 ? " was" : "s were");
}

static void
say_remarks(const struct capture *c)
{
	const char *name = capture_path_name(c->f.path);

	for (uint32_t i = 0; i < c->nunknown; i++)
		capture_say(&c->cfg, 0,
		    "%s: %" PRIu64
		    " packet%s of a link type that is not known, "
		    "%s, skipped",
		    name, c->unknown[i].packets,
		    c->unknown[i].packets == 1 ? "" : "s",
		    link_name(c->unknown[i].linktype));
	if (c->step > STEP_SAID)
		capture_say(&c->cfg, 0,
		    "%s: the clock steps back by %.1f s at packet %" PRIu64
		    " (steps back in this file: %" PRIu64 ")",
		    name, (double)c->step / (double)NS_PER_S, c->step_at,
		    c->f.time_backwards);
}

static void
file_end(struct capture *c, enum reader_result r)
{
	c->f.packets = c->ordinal - c->before;
	c->f.last = c->f.packets > 0 ? c->last : 0;
	if (r == READER_BROKEN)
		say_damage(c);
	if (reader_damage(&c->r))
		say_damage(c);
	say_remarks(c);
	c->f.fingerprint = c->hash ^ c->hash >> 32;
	if (c->f.file_bytes > 0)
		c->done += c->f.file_bytes;
	else
		c->done += reader_consumed(&c->r);
	reader_close(&c->r);
	c->open = false;
	if (c->cfg.on_file_end != NULL)
		c->cfg.on_file_end(c->cfg.ctx, &c->f);
}

/* A link type that is not the last known one. Each is looked up once in a
 * row; what is not known is counted by type, as far as we keep them apart. */
static __attribute__((noinline)) void
other_link(struct capture *c, int linktype)
{
	uint32_t i = 0;

	if (link_known(linktype)) {
		c->linktype = linktype;
		return;
	}
	while (i < c->nunknown && c->unknown[i].linktype != linktype)
		i++;
	if (i == UNKNOWN_MAX)
		i = UNKNOWN_MAX - 1;
	else if (i == c->nunknown)
		c->unknown[c->nunknown++] = (struct unknown_link){linktype, 0};
	c->unknown[i].packets++;
}

static __attribute__((noinline)) void
stepped_back(struct capture *c, int64_t now)
{
	int64_t step = c->last - now;

	c->f.time_backwards++;
	if (step <= c->step)
		return;
	c->step = step;
	c->step_at = c->frame_no + UINT64_C(1);
}

static inline void
account(struct capture *c, const struct packet *pkt)
{
	if (pkt->time < c->last)
		stepped_back(c, pkt->time);
	c->last = pkt->time;
	c->f.bytes += pkt->caplen;
	c->hash = (c->hash ^ (uint64_t)pkt->time ^
		      (uint64_t)pkt->wirelen << 32 ^ pkt->caplen) *
		  HASH_FACTOR;
	c->hash ^= c->hash >> 47;
	if (pkt->linktype != c->linktype)
		other_link(c, pkt->linktype);
}

/* In pieces of a size that compilers turn into plain vector stores: in one
 * piece it becomes a string instruction, which alone took 40 cycles. */
static inline void
clear_decoded(struct packet *pkt)
{
	enum {
		FROM = offsetof(struct packet, interface) + sizeof(uint32_t),
		SIZE = sizeof(struct packet) - FROM,
		PIECE = 64
	};
	uint8_t *p = (uint8_t *)pkt + FROM;

	static_assert(SIZE > 2 * PIECE && SIZE <= 3 * PIECE, "pieces");
	memset(p, 0, PIECE);
	memset(p + PIECE, 0, PIECE);
	memset(p + 2 * PIECE, 0, SIZE - 2 * PIECE);
}

static inline void
number(struct capture *c, struct packet *pkt)
{
	clear_decoded(pkt);
	pkt->ordinal = ++c->ordinal;
	pkt->file = c->file;
	pkt->frame_no = ++c->frame_no;
}

int
capture_next(struct capture *c, struct packet *pkt)
{
	for (;;) {
		if (!c->open && !open_next(c))
			return 0;
		enum reader_result r = reader_next(&c->r, pkt);
		if (r == READER_PACKET) {
			if (c->ordinal == c->before)
				c->f.first = pkt->time;
			c->part_begins = c->apart;
			c->apart = false;
			account(c, pkt);
			number(c, pkt);
			return 1;
		}
		file_end(c, r);
	}
}

int
capture_more(struct capture *c, struct packet *pkt)
{
	if (!c->open || !reader_more(&c->r, pkt))
		return 0;
	account(c, pkt);
	number(c, pkt);
	return 1;
}

bool
capture_part_begins(const struct capture *c)
{
	return c->part_begins;
}

void
capture_progress(const struct capture *c, uint64_t *done, uint64_t *total)
{
	*done = c->done + (c->open ? reader_consumed(&c->r) : 0);
	*total = 0;
	if (c->files->unsized)
		return;
	for (uint32_t i = 0; i < c->files->n; i++)
		*total += c->files->file[i].bytes;
}

const char *
capture_file_path(const struct capture *c, uint32_t file)
{
	return file < c->files->n ? c->files->file[file].path : NULL;
}
