/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tracker takes for the two streams of each connection, as lines:
 *
 *	file PATH
 *	flow N CLIENT-PORT SERVER-PORT	at its first bytes
 *	N c2s BYTES		delivered, in hex
 *	N c2s gap BYTES		so many were lost
 *	N obs KIND		conflict, two answers, undone FIN
 *	N vis VIS		in hex, while nothing was told of the flow
 *	N end VIS		last
 *
 * Each capture is read by a tracker of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decoders/link.h"
#include "decoders/tls_record.h"
#include "sensor/capture.h"
#include "sensor/conn.h"

#define FLOWS 1024

static bool named[FLOWS];

static void (*session)(
    void *user, struct norm *n, const struct norm_piece *piece);

static const struct {
	enum obs_kind kind;
	const char *name;
} told[] = {
    {OBS_CONFLICT, "conflict"},
    {OBS_TWO_ANSWERS, "two-answers"},
    {OBS_FIN_UNDONE, "fin-undone"},
    {OBS_RST, "rst"},
};

static void
on_piece(void *user, struct norm *n, const struct norm_piece *p)
{
	const struct conn *c =
	    (const struct conn *)((char *)n - offsetof(struct conn, norm));
	const char *way = p->dir == DIR_C2S ? "c2s" : "s2c";
	unsigned i = c->number % FLOWS;
	uint32_t one_way = 0;

	if (!named[i])
		printf("flow %" PRIu64 " %u %u\n", c->number, c->port[DIR_C2S],
		    c->port[DIR_S2C]);
	named[i] = true;
	if (c->packets[0] == 0 || c->packets[1] == 0)
		one_way = VIS_ONE_WAY;
	if (!c->opened)
		printf("%" PRIu64 " vis %x\n", c->number, c->vis | one_way);
	if (p->what == NORM_GAP)
		printf(
		    "%" PRIu64 " %s gap %" PRIu64 "\n", c->number, way, p->len);
	if (p->what == NORM_BYTES) {
		printf("%" PRIu64 " %s ", c->number, way);
		for (size_t k = 0; k < p->bytes.len; k++)
			printf("%02x", p->bytes.p[k]);
		putchar('\n');
	}
	session(user, n, p);
}

static void
on_obs(void *ctx, struct obs *o)
{
	(void)ctx;
	for (unsigned i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (o->kind == told[i].kind)
			printf("%" PRIu64 " obs %s\n", o->flow, told[i].name);
	if (o->kind == OBS_FLOW_END)
		printf("%" PRIu64 " end %x\n", o->flow, o->vis);
}

static int
dump(const char *path, enum reassembly how)
{
	struct tracker_config cfg;
	struct mail_env env = {.sink = {.emit = on_obs}};
	struct capture_config cc = {0};
	struct ip_ctx *ip = ip_new();
	struct tracker *t;
	struct capture *cap;
	struct packet pkt;
	char err[256] = "";

	memset(named, 0, sizeof(named));
	tracker_config_default(&cfg);
	cfg.max_flows = FLOWS;
	cfg.max_sessions = FLOWS;
	cfg.reassembly = how;
	env.pool = tls_pool_new(1 << 20);
	cap = capture_open(&path, 1, &cc, err, sizeof(err));
	t = cap == NULL ? NULL : tracker_new(&cfg, &env, ip, err, sizeof(err));
	if (t == NULL) {
		fprintf(stderr, "streamdump: %s\n", err);
		return 1;
	}
	session = t->norm.deliver;
	t->norm.deliver = on_piece;
	printf("file %s\n", path);
	while (capture_next(cap, &pkt) == 1)
		if (link_decode(&pkt) == LINK_IP &&
		    ip_decode(ip, &pkt) == IP_TCP)
			tracker_packet(t, &pkt);
	tracker_flush(t);
	tracker_free(t);
	capture_close(cap);
	tls_pool_free(env.pool);
	ip_free(ip);
	return 0;
}

int
main(int argc, char **argv)
{
	enum reassembly how = REASSEMBLY_ON_DEMAND;
	int first = 1, status = 0;

	if (argc > 1 && strcmp(argv[1], "--always") == 0) {
		how = REASSEMBLY_ALWAYS;
		first = 2;
	}
	if (argc <= first) {
		fputs("usage: streamdump [--always] CAPTURE...\n", stderr);
		return 2;
	}
	for (int i = first; i < argc; i++)
		status |= dump(argv[i], how);
	return status;
}
