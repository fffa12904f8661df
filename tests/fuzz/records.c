/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: what the judge takes out of the queue of a worker that was
 * taken over. The input is a list of records:
 *
 *	0: type (2 bits: observation, chain, staple, another), 0x80: as it comes,
 *	   without the head of an observation being put right and the rest
 *	   packed, or numbers of flows that ended being put right
 *	1: kind of an observation; the other type
 *	2: number of the flow (3 bits)
 *	3, 4: bytes that follow, little endian
 *	5...: these bytes, of the record itself
 *
 * Oracles are the sanitizers, that alerts and events are well-formed, and that an
 * observation which is believed is the same once more packed and unpacked.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "db/event_id.h"
#include "sensor/records.h"
#include "sensor/worker.h"
#include "tests/packed.h"

#define HEAD 5
#define WORKER 2 /* whose queue it is */
#define ALL_EVENTS ((1u << EVENT_TYPES) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
on_alert(void *ctx, const struct alert *a, int64_t id)
{
	(void)ctx;
	(void)id;
	must(a->finding.id > FIND_NONE && a->finding.id < FIND_COUNT);
	must(memchr(a->finding.user, 0, sizeof(a->finding.user)) != NULL);
	must(memchr(a->server_name, 0, sizeof(a->server_name)) != NULL);
	for (unsigned i = 0; i < a->nsteps; i++)
		must(memchr(a->steps[i].text, 0, sizeof(a->steps[i].text)) !=
		     NULL);
}

static void
on_event(void *ctx, const struct event *e, const char *id)
{
	json_t *o = json_loadb(e->eve, e->len, 0, NULL);

	(void)ctx;
	must(json_is_object(o) && memchr(e->eve, '\n', e->len) == NULL);
	must(strlen(id) == EVENT_ID_MAX - 1);
	json_decref(o);
}

static struct backend *
backend(void)
{
	static struct backend *b;
	struct pipeline_config cfg = {.no_system_trust = true,
	    .judged_flows = 64,
	    .on_alert = on_alert,
	    .on_event = on_event,
	    .eve_types = ALL_EVENTS,
	    .stream = ALL_EVENTS,
	    .eve_path = "/dev/null"};
	char err[400];

	if (b != NULL)
		return b;
	cfg.rules = ruleset_parse("fuzz",
	    "alert tcp any any -> any any (msg:\"m\"; severity:medium; "
	    "sid:1;)\n",
	    NULL, NULL, NULL);
	must(cfg.rules != NULL);
	b = backend_new(&cfg, -1, err, sizeof(err));
	must(b != NULL);
	return b;
}

/* So that most observations are believed. */
static void
put_right(uint8_t *bytes, size_t *len, const uint8_t *head)
{
	struct obs o, checked;
	uint8_t *packed;

	memset(&o, 0, sizeof(o));
	memcpy(&o, bytes, *len < sizeof(o) ? *len : sizeof(o));
	o.kind = (uint16_t)(1 + head[1] % (OBS_KIND_COUNT - 1));
	o.size = (uint16_t)obs_size((enum obs_kind)o.kind);
	o.flow = worker_first_flow(WORKER, 0) + (head[2] & 7);
	checked = o;
	must(!obs_check(&checked, o.size) || packed_survives(&checked));
	packed = packed_bytes(&o, len);
	memcpy(bytes, packed, *len);
	free(packed);
}

/* A byte for each flow. */
static void
put_numbers(uint8_t *bytes, size_t *len)
{
	uint64_t flow[64];
	size_t n = *len < 64 ? *len : 64;

	for (size_t i = 0; i < n; i++)
		flow[i] = worker_first_flow(WORKER, 0) + (bytes[i] & 7);
	memcpy(bytes, flow, n * sizeof(flow[0]));
	*len = n * sizeof(flow[0]);
}

static void
one(const uint8_t *head, const uint8_t *body, size_t len)
{
	static uint8_t bytes[RING_RECORD_MAX];
	static const uint32_t types[] = {REC_OBS, REC_CHAIN, REC_STAPLE};
	struct ring_record r = {
	    .type = head[0] % 4 == 3 ? head[1] : types[head[0] % 4]};
	uint8_t *exact;
	struct obs o;

	memcpy(bytes, body, len);
	if (r.type == REC_OBS && (head[0] & 0x80) == 0)
		put_right(bytes, &len, head);
	if (r.type == REC_ENDED && (head[0] & 0x80) == 0)
		put_numbers(bytes, &len);
	r.size = (uint32_t)len;
	exact = malloc(len + 1); /* so that an over-read is seen */
	must(exact != NULL);
	memcpy(exact, bytes, len);
	(void)records_take(backend(), &r, exact, &o, WORKER);
	free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	while (size >= HEAD) {
		size_t len = data[3] | (size_t)data[4] << 8;

		if (len > size - HEAD)
			len = size - HEAD;
		one(data, data + HEAD, len);
		data += HEAD + len;
		size -= HEAD + len;
	}
	backend_flush(backend());
	return 0;
}
