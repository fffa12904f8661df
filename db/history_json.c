/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * History to JSON and back, by the tables of fields. An import is read twice:
 * the first time only to find what is wrong with it.
 */
#include "db/history_json.h"

#include <stdio.h>
#include <string.h>

#include "db/addr_text.h"
#include "db/history_fields.h"
#include "db/history_sqlite.h"
#include "db/store.h"

#define VERSION 1

/* ---- out ---- */

static json_t *
hex(const uint8_t *p, size_t n)
{
	char text[2 * 32 + 1] = "";

	for (size_t i = 0; i < n && i < 32; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", p[i]);
	return json_string(text);
}

static json_t *
hashes(const void *p, size_t size)
{
	json_t *list = json_array();
	uint32_t v;

	while (size > 0 && ((const char *)p)[size - 1] == '\0')
		size--; /* what is left out is zero */
	for (size_t i = 0; i < size; i += sizeof(v)) {
		memcpy(&v, (const char *)p + i, sizeof(v));
		json_array_append_new(list, json_integer(v));
	}
	return list;
}

static json_t *
field_to_json(const struct history_field *f, const void *facts)
{
	const char *p = (const char *)facts + f->at;
	uint32_t count;
	int64_t time;

	switch (f->kind) {
	case F_TIME:
		memcpy(&time, p, sizeof(time));
		return json_integer(time);
	case F_COUNT:
		memcpy(&count, p, sizeof(count));
		return json_integer(count);
	case F_BYTE:
		return json_integer(*(const uint8_t *)p);
	case F_TEXT:
		return json_string(p);
	default:
		return hashes(p, f->size);
	}
}

static void
put_fields(
    json_t *o, const struct history_field *f, size_t n, const void *facts)
{
	for (size_t i = 0; i < n; i++)
		json_object_set_new(o, f[i].name, field_to_json(&f[i], facts));
}

static json_t *
key_to_json(const struct server_key *k, const char *name)
{
	char addr[ADDR_TEXT_MAX];
	json_t *o = json_object();

	json_object_set_new(o, "server",
	    json_string(k->of_name ? name : addr_to_text(addr, &k->addr)));
	json_object_set_new(o, "port", json_integer(k->port));
	json_object_set_new(
	    o, "proto", json_string(proto_name((enum proto)k->proto)));
	json_object_set_new(o, "implicit_tls", json_boolean(k->implicit_tls));
	return o;
}

static json_t *
cert_to_json(const struct known_cert *c)
{
	json_t *o = json_object();

	json_object_set_new(o, "spki", hex(c->spki, sizeof(c->spki)));
	json_object_set_new(o, "issuer", hex(c->issuer, sizeof(c->issuer)));
	json_object_set_new(o, "first", json_integer(c->first));
	json_object_set_new(o, "last", json_integer(c->last));
	json_object_set_new(o, "trusted", json_boolean(c->trusted));
	json_object_set_new(o, "self_signed", json_boolean(c->self_signed));
	return o;
}

json_t *
server_to_json(const struct server_facts *s)
{
	json_t *o = key_to_json(&s->key, s->host), *certs = json_array();

	put_fields(o, server_fields, server_nfields, s);
	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++)
		json_array_append_new(certs, cert_to_json(&s->certs[i]));
	json_object_set_new(o, "keys", certs);
	return o;
}

json_t *
pin_to_json(const struct pin *p)
{
	json_t *o = key_to_json(&p->key, p->name);

	json_object_set_new(
	    o, "starttls", json_string(pin_starttls_name(p->starttls)));
	json_object_set_new(o, "policy", json_boolean(p->source == PIN_POLICY));
	json_object_set_new(o, "domain", json_string(p->domain));
	json_object_set_new(o, "tls_min", json_integer(p->tls_min));
	json_object_set_new(o, "interceptor", json_boolean(p->interceptor));
	json_object_set_new(o, "sha256",
	    p->has_key ? hex(p->sha256, sizeof(p->sha256)) : json_string(""));
	json_object_set_new(o, "issuer", json_string(p->issuer));
	json_object_set_new(o, "cert_name", json_string(p->cert_name));
	json_object_set_new(o, "expires", json_integer(p->expires));
	return o;
}

struct out {
	json_t *servers, *pairs, *pins;
};

static void
out_server(void *ctx, const struct server_facts *s)
{
	json_array_append_new(((struct out *)ctx)->servers, server_to_json(s));
}

/* A pair of a name is not kept, so the key is always an address. */
static void
out_pair(void *ctx, const struct pair_facts *p)
{
	char client[CLIENT_TEXT_MAX];
	json_t *o = key_to_json(&p->key.server, "");

	json_object_set_new(
	    o, "client", json_string(client_to_text(client, &p->key)));
	put_fields(o, pair_fields, pair_nfields, p);
	json_array_append_new(((struct out *)ctx)->pairs, o);
}

static void
out_pin(void *ctx, const struct pin *p)
{
	json_array_append_new(((struct out *)ctx)->pins, pin_to_json(p));
}

json_t *
history_to_json(const struct history *h)
{
	struct out o = {json_array(), json_array(), json_array()};

	history_each(h, out_server, out_pair, &o);
	pins_each(history_pins(h), out_pin, &o);
	return json_pack("{s:i, s:o, s:o, s:o}", "stripwire_history", VERSION,
	    "servers", o.servers, "pairs", o.pairs, "pins", o.pins);
}

/* ---- in ---- */

struct in {
	struct history *h; /* NULL: only look */
	struct history_imported *n;
	const char *list; /* "servers" ... */
	size_t at; /* in it */
	char *err;
	size_t errlen;
};

static int
wrong(struct in *in, const char *field, const char *what)
{
	snprintf(in->err, in->errlen, "%s[%zu].%s %s", in->list, in->at, field,
	    what);
	return -1;
}

/* 0 if it is not there: then it is 0. */
static int
get_number(
    struct in *in, const json_t *o, const char *name, int64_t max, int64_t *v)
{
	const json_t *j = json_object_get(o, name);

	*v = 0;
	if (j == NULL)
		return 0;
	if (!json_is_integer(j) || json_integer_value(j) < 0 ||
	    json_integer_value(j) > max)
		return wrong(in, name, "is no number that may stand there");
	*v = json_integer_value(j);
	return 0;
}

/* Printable ASCII (and line ends, in lists): what the decoders give. */
static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s != '\n' && (*s < 0x20 || *s > 0x7e))
			return false;
	return true;
}

static int
get_text(
    struct in *in, const json_t *o, const char *name, char *dst, size_t cap)
{
	const json_t *j = json_object_get(o, name);
	const char *s = json_string_value(j);

	memset(dst, 0, cap);
	if (j == NULL)
		return 0;
	if (s == NULL || strlen(s) != json_string_length(j) ||
	    strlen(s) >= cap || !is_printable(s))
		return wrong(in, name, "is no text that may stand there");
	snprintf(dst, cap, "%s", s);
	return 0;
}

static bool
get_flag(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

static int
get_hex(struct in *in, const json_t *o, const char *name, uint8_t dst[32])
{
	const char *s = json_string_value(json_object_get(o, name));
	unsigned byte;

	if (s == NULL || strlen(s) != 64 || strspn(s, "0123456789abcdef") != 64)
		return wrong(in, name, "is no SHA-256 in hex");
	for (unsigned i = 0; i < 32; i++) {
		(void)sscanf(s + 2 * (size_t)i, "%2x", &byte);
		dst[i] = (uint8_t)byte;
	}
	return 0;
}

static int
get_hashes(
    struct in *in, const json_t *o, const struct history_field *f, char *dst)
{
	const json_t *list = json_object_get(o, f->name), *j;
	size_t n = json_array_size(list);
	uint32_t v;

	if (list == NULL)
		return 0;
	if (!json_is_array(list) || n > f->size / sizeof(v))
		return wrong(in, f->name, "is no list of that length");
	for (size_t i = 0; i < n; i++) {
		j = json_array_get(list, i);
		if (!json_is_integer(j) || json_integer_value(j) < 0 ||
		    json_integer_value(j) > UINT32_MAX)
			return wrong(in, f->name, "holds what is no hash");
		v = (uint32_t)json_integer_value(j);
		memcpy(dst + i * sizeof(v), &v, sizeof(v));
	}
	return 0;
}

static int
get_field(
    struct in *in, const json_t *o, const struct history_field *f, void *facts)
{
	char *p = (char *)facts + f->at;
	uint32_t count;
	int64_t v;
	int bad;

	switch (f->kind) {
	case F_TIME:
		bad = get_number(in, o, f->name, INT64_MAX / 2, &v);
		memcpy(p, &v, sizeof(v));
		return bad;
	case F_COUNT:
		bad = get_number(in, o, f->name, UINT32_MAX, &v);
		count = (uint32_t)v;
		memcpy(p, &count, sizeof(count));
		return bad;
	case F_BYTE:
		bad = get_number(in, o, f->name, UINT8_MAX, &v);
		*(uint8_t *)p = (uint8_t)v;
		return bad;
	case F_TEXT:
		return get_text(in, o, f->name, p, f->size);
	default:
		return get_hashes(in, o, f, p);
	}
}

static int
get_fields(struct in *in, const json_t *o, const struct history_field *f,
    size_t n, void *facts)
{
	for (size_t i = 0; i < n; i++)
		if (get_field(in, o, &f[i], facts) == -1)
			return -1;
	return 0;
}

/* Port and protocol into the key, address or name into pin. */
static int
get_key(struct in *in, const json_t *o, struct pin *pin)
{
	char server[SERVER_NAME_MAX], proto[16];
	int64_t port;

	if (get_text(in, o, "server", server, sizeof(server)) == -1 ||
	    get_text(in, o, "proto", proto, sizeof(proto)) == -1 ||
	    get_number(in, o, "port", UINT16_MAX, &port) == -1)
		return -1;
	memset(&pin->key, 0, sizeof(pin->key));
	pin->key.port = (uint16_t)port;
	pin->key.proto = history_proto(proto);
	pin->key.implicit_tls = get_flag(o, "implicit_tls");
	if (!proto_is_mail((enum proto)pin->key.proto))
		return wrong(in, "proto", "is no protocol of mail");
	if (!pin_name_to_key(pin, server))
		return wrong(in, "server", "is neither address nor name");
	return 0;
}

static int
get_cert(struct in *in, const json_t *o, struct known_cert *c)
{
	if (get_hex(in, o, "spki", c->spki) == -1 ||
	    get_hex(in, o, "issuer", c->issuer) == -1 ||
	    get_number(in, o, "first", INT64_MAX / 2, &c->first) == -1 ||
	    get_number(in, o, "last", INT64_MAX / 2, &c->last) == -1)
		return -1;
	c->trusted = get_flag(o, "trusted");
	c->self_signed = get_flag(o, "self_signed");
	return 0;
}

static int
get_certs(struct in *in, const json_t *o, struct server_facts *s)
{
	const json_t *list = json_object_get(o, "keys");
	size_t n = json_array_size(list);

	if (list != NULL && (!json_is_array(list) || n > HISTORY_KEYS))
		return wrong(in, "keys", "is no list of that length");
	for (size_t i = 0; i < n; i++)
		if (get_cert(in, json_array_get(list, i), &s->certs[i]) == -1)
			return -1;
	s->ncerts = (uint8_t)n;
	return 0;
}

static int
in_server(struct in *in, const json_t *o)
{
	struct server_facts s, *to;
	struct pin who;

	memset(&s, 0, sizeof(s));
	memset(&who, 0, sizeof(who));
	if (get_key(in, o, &who) == -1 ||
	    get_fields(in, o, server_fields, server_nfields, &s) == -1 ||
	    get_certs(in, o, &s) == -1)
		return -1;
	if (s.absence.nclients > HISTORY_CLIENTS)
		return wrong(in, "absent_nclients", "is too large");
	s.key = who.key;
	if (who.key.of_name)
		memcpy(s.host, who.name, sizeof(s.host));
	if (in->h == NULL)
		return 0;
	to = history_touch_server(in->h, &s.key);
	if (to == NULL)
		in->n->refused++;
	else
		*to = s;
	in->n->servers += to != NULL;
	return 0;
}

static int
in_pair(struct in *in, const json_t *o)
{
	struct pair_facts p, *to;
	char client[CLIENT_TEXT_MAX];
	struct pin who;

	memset(&p, 0, sizeof(p));
	memset(&who, 0, sizeof(who));
	if (get_key(in, o, &who) == -1 ||
	    get_text(in, o, "client", client, sizeof(client)) == -1 ||
	    get_fields(in, o, pair_fields, pair_nfields, &p) == -1)
		return -1;
	if (who.key.of_name || client_from_text(&p.key, client) == -1)
		return wrong(in, "client", "or server is no address");
	if (p.absence.nclients > HISTORY_CLIENTS)
		return wrong(in, "absent_nclients", "is too large");
	p.key.server = who.key;
	if (in->h == NULL)
		return 0;
	to = history_touch_pair(in->h, &p.key);
	if (to == NULL)
		in->n->refused++;
	else
		*to = p;
	in->n->pairs += to != NULL;
	return 0;
}

static int
get_starttls(struct in *in, const json_t *o, struct pin *p)
{
	char text[16];

	if (get_text(in, o, "starttls", text, sizeof(text)) == -1)
		return -1;
	for (p->starttls = PIN_NOTHING; p->starttls <= PIN_NONE; p->starttls++)
		if (strcmp(text, pin_starttls_name(p->starttls)) == 0)
			return 0;
	return wrong(in, "starttls", "is none of required, offered, none");
}

static int
in_pin(struct in *in, const json_t *o)
{
	const char *sha = json_string_value(json_object_get(o, "sha256"));
	int64_t tls_min;
	struct pin p;

	memset(&p, 0, sizeof(p));
	p.source = get_flag(o, "policy") ? PIN_POLICY : PIN_OPERATOR;
	p.interceptor = get_flag(o, "interceptor");
	p.has_key = sha != NULL && sha[0] != '\0';
	if (get_key(in, o, &p) == -1 || get_starttls(in, o, &p) == -1 ||
	    get_text(in, o, "domain", p.domain, sizeof(p.domain)) == -1 ||
	    get_text(in, o, "issuer", p.issuer, sizeof(p.issuer)) == -1 ||
	    get_text(in, o, "cert_name", p.cert_name, sizeof(p.cert_name)) ==
		-1 ||
	    get_number(in, o, "tls_min", UINT16_MAX, &tls_min) == -1 ||
	    get_number(in, o, "expires", INT64_MAX / 2, &p.expires) == -1 ||
	    (p.has_key && get_hex(in, o, "sha256", p.sha256) == -1))
		return -1;
	p.tls_min = (uint16_t)tls_min;
	if (in->h == NULL)
		return 0;
	if (pins_put(history_pins(in->h), &p))
		in->n->pins++;
	else
		in->n->refused++;
	return 0;
}

static int
each(struct in *in, const json_t *root, const char *list,
    int (*fn)(struct in *, const json_t *))
{
	const json_t *all = json_object_get(root, list), *o;

	in->list = list;
	if (all != NULL && !json_is_array(all)) {
		snprintf(in->err, in->errlen, "%s is no list", list);
		return -1;
	}
	json_array_foreach(all, in->at, o)
	{
		if (!json_is_object(o))
			return wrong(in, "", "is no object");
		if (fn(in, o) == -1)
			return -1;
	}
	return 0;
}

static int
walk(struct in *in, const json_t *root)
{
	if (each(in, root, "servers", in_server) == -1 ||
	    each(in, root, "pairs", in_pair) == -1)
		return -1;
	return each(in, root, "pins", in_pin);
}

int
history_from_json(struct history *h, const json_t *root,
    struct history_imported *n, char *err, size_t errlen)
{
	struct in in = {.n = n, .err = err, .errlen = errlen};
	const json_t *version = json_object_get(root, "stripwire_history");

	memset(n, 0, sizeof(*n));
	if (!json_is_integer(version)) {
		snprintf(err, errlen, "is no history of stripwire");
		return -1;
	}
	if (json_integer_value(version) != VERSION) {
		snprintf(err, errlen, "was written by a newer version");
		return -1;
	}
	if (walk(&in, root) == -1)
		return -1;
	in.h = h;
	return walk(&in, root);
}
