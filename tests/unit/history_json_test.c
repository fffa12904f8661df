/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History as JSON: all of it comes back, and nothing in it is trusted. */
#include "db/history_json.h"

#include "db/addr_text.h"
#include "db/history_fields.h"
#include "tests/test.h"

#define NOW INT64_C(1795341794000000000)
#define SERVER "\"server\":\"192.0.2.1\",\"port\":25,\"proto\":\"smtp\""

/* Every field gets a value of its own. */
static void
fill(const struct history_field *f, size_t n, void *facts, unsigned seed)
{
	uint32_t count;
	int64_t time;

	for (size_t i = 0; i < n; i++) {
		char *p = (char *)facts + f[i].at;

		time = (int64_t)(seed + i);
		count = (uint32_t)(seed + i);
		if (f[i].kind == F_TIME)
			memcpy(p, &time, sizeof(time));
		else if (f[i].kind == F_COUNT)
			memcpy(p, &count, sizeof(count));
		else if (f[i].kind == F_FLAG)
			*p = (char)((seed + i) % 2);
		else if (f[i].kind == F_BYTE)
			*p = (char)(seed % 8);
		else if (f[i].kind == F_TEXT)
			snprintf(p, f[i].size, "text%zu.example.net", i);
		else
			memset(p, (int)(1 + (seed + i) % 100), f[i].size);
	}
}

static void
teach(struct history *h, unsigned n)
{
	struct server_facts *s;
	struct pair_facts *p;
	struct pair_key pk, network;
	struct server_key k;

	memset(&k, 0, sizeof(k));
	memset(&pk, 0, sizeof(pk));
	CHECK_INT(addr_from_text(&k.addr, "2001:db8::9"), 0);
	CHECK_INT(addr_from_text(&pk.client, "10.1.2.3"), 0);
	k.port = (uint16_t)(1000 + n);
	k.proto = PROTO_IMAP;
	k.implicit_tls = n & 1;
	s = history_touch_server(h, &k);
	fill(server_fields, server_nfields, s, n);
	s->ncerts = 2;
	for (unsigned i = 0; i < 2; i++)
		fill(cert_fields, cert_nfields, &s->certs[i], n + 100 * i);
	s->nstacks = HISTORY_STACKS;
	for (unsigned i = 0; i < HISTORY_STACKS; i++)
		fill(stack_fields, stack_nfields, &s->stacks[i], n + 100 * i);
	pk.server = k;
	pair_key_network(&network, &pk);
	p = history_touch_pair(h, n & 1 ? &network : &pk);
	fill(pair_fields, pair_nfields, p, n);
}

TEST(all_of_it_comes_back)
{
	struct history *h = history_new(), *back = history_new();
	struct history_imported n;
	struct pin pin;
	json_t *a, *b;
	char err[256];

	for (unsigned i = 0; i < 50; i++)
		teach(h, i);
	memset(&pin, 0, sizeof(pin));
	CHECK_INT(addr_from_text(&pin.key.addr, "192.0.2.1"), 0);
	pin.key.port = 25;
	pin.key.proto = PROTO_SMTP;
	pin.starttls = PIN_OFFERED;
	pin.has_key = 1;
	memset(pin.sha256, 0xab, sizeof(pin.sha256));
	strcpy(pin.issuer, "Example CA");
	pin.tls_min = 0x0303;
	CHECK(pins_put(history_pins(h), &pin));
	a = history_to_json(h);
	CHECK_INT(history_from_json(back, a, &n, err, sizeof(err)), 0);
	CHECK_INT(n.servers, 50);
	CHECK_INT(n.pairs, 50);
	CHECK_INT(n.pins, 1);
	b = history_to_json(back);
	CHECK(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	history_free(h);
	history_free(back);
}

TEST(a_name_is_a_server_too)
{
	static const char text[] =
	    "{\"stripwire_history\":1,\"servers\":[{\"server\":\"MX.example.net"
	    "\",\"port\":25,\"proto\":\"smtp\",\"offered\":7,\"sessions\":7,"
	    "\"host\":\"else.example.net\"}]}";
	struct history *h = history_new();
	const struct server_facts *s;
	struct history_imported n;
	struct server_key k;
	json_t *o = json_loads(text, 0, NULL);
	char err[256];

	CHECK_INT(history_from_json(h, o, &n, err, sizeof(err)), 0);
	memset(&k, 0, sizeof(k));
	k.port = 25;
	k.proto = PROTO_SMTP;
	s = history_named(h, &k, "mx.example.net", NOW);
	CHECK(s != NULL && s->offered == 7);
	json_decref(o);
	history_free(h);
}

/* One thing wrong, and nothing is imported. */
TEST(what_is_wrong_is_named)
{
	static const struct {
		const char *text, *err;
	} rows[] = {
	    {"[]", "is no history"},
	    {"{\"servers\":[]}", "is no history"},
	    {"{\"stripwire_history\":\"1\"}", "is no history"},
	    {"{\"stripwire_history\":2}", "newer version"},
	    {"{\"stripwire_history\":1,\"servers\":{}}", "servers is no list"},
	    {"{\"stripwire_history\":1,\"servers\":[7]}", "is no object"},
	    {"{\"stripwire_history\":1,\"servers\":[{}]}", "servers[0].proto"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER "},{" SERVER
	     ",\"offered\":-1}]}",
		"servers[1].offered"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"offered\":4294967296}]}",
		"servers[0].offered"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"offered\":\"7\"}]}",
		"servers[0].offered"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER ",\"ttl\":256}]}",
		"servers[0].ttl"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"first\":9223372036854775807}]}",
		"servers[0].first"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"words\":\"\\u001b[31m\"}]}",
		"servers[0].words"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"stacks\":[7]}]}",
		"servers[0].stacks"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"stacks\":[{},{},{},{},{},{},{},{},{},{},{},{},{}]}]}",
		"servers[0].stacks"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"stacks\":[{\"ttl\":256}]}]}",
		"servers[0].ttl"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"absent_nclients\":200}]}",
		"servers[0].absent_nclients"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"absent_clients\":[1,2,3,4,5,6,7,8,9]}]}",
		"servers[0].absent_clients"},
	    {"{\"stripwire_history\":1,\"servers\":[{" SERVER
	     ",\"keys\":[{\"spki\":\"zz\"}]}]}",
		"servers[0].spki"},
	    {"{\"stripwire_history\":1,\"servers\":[{\"server\":\"x\","
	     "\"port\":25,\"proto\":\"smtp\"}]}",
		"servers[0].server"},
	    {"{\"stripwire_history\":1,\"servers\":[{\"server\":\"192.0.2.1\","
	     "\"port\":65536,\"proto\":\"smtp\"}]}",
		"servers[0].port"},
	    {"{\"stripwire_history\":1,\"pairs\":[{" SERVER
	     ",\"client\":\"10.0.0.0/33\"}]}",
		"pairs[0].client"},
	    {"{\"stripwire_history\":1,\"pins\":[{" SERVER
	     ",\"starttls\":\"perhaps\"}]}",
		"pins[0].starttls"},
	};
	struct history_imported n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history *h = history_new();
		json_t *o = json_loads(rows[i].text, 0, NULL);
		char err[256] = "";

		CHECK(o != NULL);
		CHECK_INT(history_from_json(h, o, &n, err, sizeof(err)), -1);
		if (strstr(err, rows[i].err) == NULL)
			TEST_FAIL("%s: %s", rows[i].text, err);
		CHECK_INT(history_counters(h)->servers, 0);
		json_decref(o);
		history_free(h);
	}
}

TEST_MAIN
