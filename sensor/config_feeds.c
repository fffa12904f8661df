/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The map `feeds`: each entry is a map whose keys have a table of their own.
 * Which of them may stand there depends on `type`, wherever that stands, so
 * it is checked when all are read.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "db/feed_format.h"
#include "rules/rule_vars.h"
#include "sensor/config_private.h"

#define AT(field) offsetof(struct config_feed, field)
#define KIND(k) (1u << TRANSPORT_##k)
#define SYSLOG (KIND(UDP) | KIND(TCP) | KIND(TLS))
#define ALL ((1u << TRANSPORT_COUNT) - 1)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define NAME_LONGEST 32
#define OPTION_LONGEST 64 /* of its name */
#define OWN_OPTIONS 4 /* left for those that are made from other keys */
#define SHOWN 80

static const char *const type_words[] = {[TRANSPORT_FILE] = "file",
    [TRANSPORT_UNIX] = "unix",
    [TRANSPORT_UDP] = "udp",
    [TRANSPORT_TCP] = "tcp",
    [TRANSPORT_TLS] = "tls",
    [TRANSPORT_KAFKA] = "kafka",
    NULL};
static const char *const socket_words[] = {"stream", "datagram", NULL};
static const char *const framing_words[] = {"octet-counting", "newline", NULL};
static const char *const header_words[] = {"auto", "no", "yes", NULL};

const struct config_feed_key config_feed_keys[] = {
    {{.name = "type",
	 .type = CONFIG_WORD,
	 .at = AT(type),
	 .range = "file, unix, udp, tcp, tls or kafka",
	 .initial = "",
	 .words = type_words,
	 .help = "How events leave: lines of a file, a Unix socket, syslog "
		 "over UDP, TCP or TLS, Kafka."},
	ALL, true},
    {{.name = "format",
	 .type = CONFIG_WORD,
	 .at = AT(format),
	 .range = "eve, ecs, ocsf, cef or syslog",
	 .initial = "eve",
	 .words = feed_format_words,
	 .help = "Their form: Suricata's EVE, Elastic Common Schema 8, OCSF "
		 "(all JSON), ArcSight's CEF, or RFC 5424 structured data "
		 "with a sentence."},
	ALL, false},
    {{.name = "events",
	 .type = CONFIG_WORDS,
	 .at = AT(events),
	 .range = "list of alert, incident, flow, tls, smtp, imap, pop3, "
		  "stats",
	 .initial = "[alert, incident]",
	 .words = event_type_words,
	 .help = "Which of them. Alerts and incidents arrive at least once; "
		 "the others are sent as they happen, and those that find no "
		 "room are counted."},
	ALL, false},
    {{.name = "path",
	 .type = CONFIG_PATHNAME,
	 .at = AT(path),
	 .range = "path of a file, or of a socket",
	 .initial = "",
	 .help = "The file, which is made if it is missing; or the socket of "
		 "the receiver."},
	KIND(FILE) | KIND(UNIX), true},
    {{.name = "rotate_size",
	 .type = CONFIG_BYTES,
	 .at = AT(rotate_size),
	 .range = "0 to 1024GiB",
	 .initial = "0",
	 .max = 1024 * GIB,
	 .help = "A file that has grown to that becomes PATH.1, PATH.1 "
		 "becomes PATH.2 and so on. 0: not for its size."},
	KIND(FILE), false},
    {{.name = "rotate_hours",
	 .type = CONFIG_NUMBER,
	 .at = AT(rotate_hours),
	 .range = "0 to 8760 hours",
	 .initial = "0",
	 .max = 8760,
	 .help = "The same of one that is so old. 0: not for its age."},
	KIND(FILE), false},
    {{.name = "rotate_keep",
	 .type = CONFIG_NUMBER,
	 .at = AT(rotate_keep),
	 .range = "1 to 1000 files",
	 .initial = "7",
	 .min = 1,
	 .max = 1000,
	 .help = "So many files are kept besides the current one."},
	KIND(FILE), false},
    {{.name = "socket",
	 .type = CONFIG_WORD,
	 .at = AT(socket),
	 .range = "stream or datagram",
	 .initial = "stream",
	 .words = socket_words,
	 .help = "stream: lines. datagram: one event each, as /dev/log takes "
		 "them."},
	KIND(UNIX), false},
    {{.name = "address",
	 .type = CONFIG_TEXT,
	 .at = AT(address),
	 .range = "HOST:PORT or HOST; an IPv6 address in brackets: "
		  "[2001:db8::1]:514",
	 .initial = "",
	 .max = 300,
	 .help = "The receiver. Without a port: 514 (udp), 601 (tcp), 6514 "
		 "(tls)."},
	SYSLOG, true},
    {{.name = "framing",
	 .type = CONFIG_WORD,
	 .at = AT(framing),
	 .range = "octet-counting or newline",
	 .initial = "octet-counting",
	 .words = framing_words,
	 .help = "What separates messages: their length before each (RFC "
		 "6587, RFC 5425), or a newline behind it."},
	KIND(TCP) | KIND(TLS), false},
    {{.name = "header",
	 .type = CONFIG_WORD,
	 .at = AT(header),
	 .range = "auto, no or yes",
	 .initial = "auto",
	 .words = header_words,
	 .help = "Put a syslog header (RFC 5424) before each message. auto: "
		 "yes for udp, tcp, tls and datagram sockets. The format "
		 "syslog always has one."},
	ALL, false},
    {{.name = "facility",
	 .type = CONFIG_NUMBER,
	 .at = AT(facility),
	 .range = "0 to 23",
	 .initial = "13",
	 .max = 23,
	 .help = "Of the syslog header; 13 is log audit, 16 is local0."},
	ALL, false},
    {{.name = "ca_file",
	 .type = CONFIG_INPUT,
	 .at = AT(ca_file),
	 .range = "path of a file",
	 .initial = "",
	 .help = "Certificate authorities (PEM) of the server. Default: those "
		 "that the system trusts."},
	KIND(TLS), false},
    {{.name = "cert_file",
	 .type = CONFIG_INPUT,
	 .at = AT(cert_file),
	 .range = "path of a file",
	 .initial = "",
	 .help = "Own certificate (PEM, with its chain), for a server that "
		 "asks for one."},
	KIND(TLS), false},
    {{.name = "key_file",
	 .type = CONFIG_INPUT,
	 .at = AT(key_file),
	 .range = "path of a file",
	 .initial = "",
	 .help = "Its key (PEM)."},
	KIND(TLS), false},
    {{.name = "server_name",
	 .type = CONFIG_TEXT,
	 .at = AT(server_name),
	 .range = "name or address",
	 .initial = "",
	 .max = 253,
	 .help = "The name that the server's certificate has to be for. "
		 "Default: the host of address."},
	KIND(TLS), false},
    {{.name = "brokers",
	 .type = CONFIG_TEXT,
	 .at = AT(brokers),
	 .range = "HOST:PORT, commas between several",
	 .initial = "",
	 .max = 1000,
	 .help = "Kafka's bootstrap servers."},
	KIND(KAFKA), true},
    {{.name = "topic",
	 .type = CONFIG_TEXT,
	 .at = AT(topic),
	 .range = "name of a topic",
	 .initial = "",
	 .max = 249,
	 .help = "Where events go; keyed by the server's address and port."},
	KIND(KAFKA), true},
    {{.name = "sasl_password_file",
	 .type = CONFIG_INPUT,
	 .at = AT(sasl_password_file),
	 .range = "path of a file",
	 .initial = "",
	 .help = "Its first line is the password for SASL (sasl.password)."},
	KIND(KAFKA), false},
    {{.name = "sasl_password",
	 .type = CONFIG_SECRET,
	 .at = AT(sasl_password),
	 .range = "text",
	 .initial = "",
	 .max = 1000,
	 .help = "The password itself; the configuration must then be "
		 "readable for root only. It is never shown."},
	KIND(KAFKA), false},
    {{.name = "options",
	 .type = CONFIG_OPTIONS,
	 .at = AT(option),
	 .range = "map of at most 60 names to texts",
	 .initial = "",
	 .help = "Configuration of librdkafka, passed through: "
		 "security.protocol, sasl.mechanism, sasl.username, "
		 "ssl.ca.location, compression.type and so on."},
	KIND(KAFKA), false},
    {{.name = "timeout",
	 .type = CONFIG_NUMBER,
	 .at = AT(timeout),
	 .range = "1 to 300 seconds",
	 .initial = "10",
	 .min = 1,
	 .max = 300,
	 .help = "A receiver that makes no progress for so long is given up, "
		 "and tried again."},
	ALL & ~KIND(FILE), false},
    {{.name = "resend_size",
	 .type = CONFIG_BYTES,
	 .at = AT(resend_size),
	 .range = "0 to 1GiB",
	 .initial = "8MiB",
	 .max = GIB,
	 .help = "A receiver without acknowledgements may have lost what it "
		 "was sent last: after a break so much is sent again. 0: "
		 "nothing."},
	KIND(UNIX) | KIND(TCP) | KIND(TLS), false},
    {{.name = "resend_seconds",
	 .type = CONFIG_NUMBER,
	 .at = AT(resend_seconds),
	 .range = "0 to 3600 seconds",
	 .initial = "60",
	 .max = 3600,
	 .help = "But no more than what was sent in that time before the "
		 "break, and until it was noticed: three times timeout. 0: "
		 "nothing."},
	KIND(UNIX) | KIND(TCP) | KIND(TLS), false},
    {{.name = "queue_size",
	 .type = CONFIG_BYTES,
	 .at = AT(queue_size),
	 .range = "64KiB to 1GiB",
	 .initial = "4MiB",
	 .min = 65536,
	 .max = GIB,
	 .help = "Memory for flow, tls, smtp, imap, pop3 and stats events "
		 "that wait; when it is full, they are dropped and counted."},
	ALL, false},
};
const unsigned config_feed_key_count =
    sizeof(config_feed_keys) / sizeof(config_feed_keys[0]);

#define KEYS (sizeof(config_feed_keys) / sizeof(config_feed_keys[0]))

struct reading { /* one feed */
	struct config_feed *f;
	const struct config_node *name; /* its node */
	const struct config_node *key[KEYS]; /* of each key, NULL: not set */
	bool no_type; /* the one that stands there is none */
};

/* ---- memory, values ---- */

static bool
is_text(const struct config_key *k)
{
	return k->type == CONFIG_TEXT || k->type == CONFIG_PATHNAME ||
	       k->type == CONFIG_INPUT || k->type == CONFIG_SECRET;
}

void
config_feed_free(struct config_feed *f)
{
	if (f == NULL)
		return;
	for (unsigned i = 0; i < KEYS; i++)
		if (is_text(&config_feed_keys[i].key))
			free(*(char **)config_field(
			    f, &config_feed_keys[i].key));
	for (unsigned i = 0; i < f->noptions; i++)
		free(f->option[i]);
	free(f->host);
	free(f->name);
	free(f);
}

bool
config_option_is_secret(const char *name)
{
	static const char *const part[] = {
	    "password", "secret", ".pem", "oauthbearer.config", "jaas"};

	for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (strstr(name, part[i]) != NULL)
			return true;
	return false;
}

const char *
config_feed_value(const struct config_feed *f, const struct config_key *k,
    unsigned i, char *buf, size_t cap)
{
	const char *text;

	if (k->type == CONFIG_WORDS)
		return config_word(f, k, i);
	if (k->type == CONFIG_OPTIONS)
		return i < f->noptions ? f->option[i] : NULL;
	if (i > 0)
		return NULL;
	text = config_scalar(f, k, buf, cap);
	if (k->type == CONFIG_SECRET && text[0] != '\0')
		return "(set, not shown)";
	return text;
}

static bool
feed_is_same(const struct config_feed *a, const struct config_feed *b)
{
	char x[64], y[64];

	if (strcmp(a->name, b->name) != 0 || a->noptions != b->noptions ||
	    a->events != b->events)
		return false;
	for (unsigned i = 0; i < a->noptions; i++)
		if (strcmp(a->option[i], b->option[i]) != 0)
			return false;
	for (unsigned i = 0; i < KEYS; i++) {
		const struct config_key *k = &config_feed_keys[i].key;

		if (!config_is_list(k) &&
		    strcmp(config_scalar(a, k, x, sizeof(x)),
			config_scalar(b, k, y, sizeof(y))) != 0)
			return false;
	}
	return true;
}

bool
config_feeds_are_same(const struct config *a, const struct config *b)
{
	if (a->nfeeds != b->nfeeds)
		return false;
	for (unsigned i = 0; i < a->nfeeds; i++)
		if (!feed_is_same(a->feed[i], b->feed[i]))
			return false;
	return true;
}

/* ---- options ---- */

static bool
option_ok(struct config_reader *r, const struct config_feed *f,
    const struct config_node *key)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._";
	size_t len = key->kind == NODE_TEXT ? strlen(key->text) : 0;

	if (len == 0 || len > OPTION_LONGEST ||
	    strspn(key->text, letters) != len || key->next->kind != NODE_TEXT)
		config_mistake(r, key,
		    "options: lines of the form `name: value` are expected, "
		    "with names of librdkafka such as security.protocol");
	else if (strcmp(key->text, "sasl.password") == 0)
		config_mistake(r, key,
		    "options: sasl.password has keys of its own: "
		    "sasl_password_file or sasl_password");
	else if (f->noptions == TRANSPORT_OPTIONS_MAX - OWN_OPTIONS)
		config_mistake(r, key, "options: more than %u",
		    TRANSPORT_OPTIONS_MAX - OWN_OPTIONS);
	else if (strcspn(key->next->text, "\r\n") != strlen(key->next->text) &&
		 !config_option_is_secret(key->text))
		config_mistake(
		    r, key->next, "options: the value must be one line");
	else
		return true;
	return false;
}

static void
set_options(struct config_reader *r, struct config_feed *f,
    const struct config_node *map)
{
	size_t room;

	if (map->kind == NODE_TEXT && map->text[0] == '\0')
		return;
	if (map->kind != NODE_MAP) {
		config_mistake(r, map,
		    "options: lines of the form `name: value` are expected "
		    "below it, indented");
		return;
	}
	for (const struct config_node *key = map->first;
	     key != NULL && key->next != NULL; key = key->next->next) {
		if (!option_ok(r, f, key))
			continue;
		room = strlen(key->text) + strlen(key->next->text) + 2;
		f->option[f->noptions] = malloc(room);
		if (f->option[f->noptions] == NULL) {
			config_mistake(r, key, "out of memory");
			return;
		}
		(void)snprintf(f->option[f->noptions++], room, "%s=%s",
		    key->text, key->next->text);
	}
}

/* ---- a feed ---- */

/* HOST, HOST:PORT, [V6], [V6]:PORT. False: it is none of them. */
static bool
take_address(struct config_feed *f)
{
	static const uint16_t usual[TRANSPORT_COUNT] = {[TRANSPORT_UDP] = 514,
	    [TRANSPORT_TCP] = 601,
	    [TRANSPORT_TLS] = 6514};
	const char *a = f->address, *colon = strrchr(a, ':');
	bool bracket = a[0] == '[';
	const char *end = bracket ? strchr(a, ']') : colon;
	unsigned long port = usual[f->type];
	char *rest = NULL;

	if (bracket && (end == NULL || end == a + 1))
		return false;
	if (!bracket && colon != NULL && strchr(a, ':') != colon)
		return false; /* an IPv6 address without brackets */
	if (bracket && end[1] != '\0' && end[1] != ':')
		return false;
	if (!bracket && end == NULL)
		end = a + strlen(a);
	colon = bracket ? end + 1 : end;
	if (*colon == ':') {
		port = isdigit((unsigned char)colon[1])
			   ? strtoul(colon + 1, &rest, 10)
			   : 0;
		if (rest == NULL || *rest != '\0' || port > UINT16_MAX)
			port = 0;
	}
	a += bracket;
	if (end == a || port == 0 || strcspn(a, " /@") < (size_t)(end - a))
		return false;
	f->port = (uint16_t)port;
	f->host = strndup(a, (size_t)(end - a));
	return f->host != NULL;
}

static const struct config_node *
node_of(const struct reading *g, const char *name)
{
	for (unsigned i = 0; i < KEYS; i++)
		if (strcmp(config_feed_keys[i].key.name, name) == 0)
			return g->key[i];
	return NULL;
}

/* Now that its type is known. */
static void
check_keys(struct config_reader *r, const struct reading *g)
{
	const struct config_node *n = node_of(g, "type");
	unsigned kind = 1u << g->f->type;

	if (n == NULL) {
		config_mistake(r, g->name, "feed %s has no type: %s",
		    g->f->name, config_feed_keys[0].key.range);
		return;
	}
	for (unsigned i = 0; i < KEYS; i++) {
		const struct config_feed_key *k = &config_feed_keys[i];

		if (g->key[i] != NULL && (k->kinds & kind) == 0)
			config_mistake(r, g->key[i],
			    "feed %s: %s has no meaning with type %s",
			    g->f->name, k->key.name, type_words[g->f->type]);
		else if (g->key[i] == NULL && k->needed &&
			 (k->kinds & kind) != 0)
			config_mistake(r, g->name,
			    "feed %s of type %s needs %s: %s", g->f->name,
			    type_words[g->f->type], k->key.name, k->key.range);
	}
}

static void
check_feed(struct config_reader *r, const struct reading *g)
{
	const struct config_node *n;
	struct config_feed *f = g->f;

	if (!g->no_type)
		check_keys(r, g);
	n = node_of(g, "address");
	if (n != NULL && f->address[0] != '\0' && !take_address(f))
		config_mistake(r, n->next,
		    "address: %s is expected, with a port from 1 to 65535",
		    "HOST:PORT, HOST or [IPv6]:PORT");
	n = node_of(g, "cert_file");
	if ((n != NULL) != (node_of(g, "key_file") != NULL))
		config_mistake(r, n != NULL ? n : node_of(g, "key_file"),
		    "feed %s: cert_file and key_file go together", f->name);
	n = node_of(g, "sasl_password");
	if (n != NULL && node_of(g, "sasl_password_file") != NULL)
		config_mistake(r, n,
		    "feed %s: sasl_password or sasl_password_file, not both",
		    f->name);
	n = node_of(g, "events");
	if (n != NULL && f->events == 0)
		config_mistake(r, n->next,
		    "events: the list is empty, so the feed would send "
		    "nothing");
}

static void
unknown_key(struct config_reader *r, const struct config_node *key)
{
	struct lex_word w = {key->text, strlen(key->text), 0};
	char shown[SHOWN];
	struct nearest near;

	nearest_init(&near, w);
	for (unsigned i = 0; i < KEYS; i++)
		nearest_try(&near, config_feed_keys[i].key.name);
	config_show(shown, sizeof(shown), key);
	if (near.name != NULL)
		config_mistake(r, key,
		    "unknown key '%s' of a feed: did you mean '%s'?", shown,
		    near.name);
	else
		config_mistake(r, key,
		    "unknown key '%s' of a feed: stripwire config keys lists "
		    "them all",
		    shown);
}

static void
one_key(
    struct config_reader *r, struct reading *g, const struct config_node *key)
{
	const struct config_key *k = NULL;
	unsigned i, before = r->mistakes;

	for (i = 0; i < KEYS && k == NULL; i++)
		if (strcmp(config_feed_keys[i].key.name, key->text) == 0)
			k = &config_feed_keys[i].key;
	if (k == NULL) {
		unknown_key(r, key);
		return;
	}
	if (g->key[--i] != NULL) {
		config_mistake(r, key, "%s is set in line %u already", k->name,
		    g->key[i]->line);
		return;
	}
	g->key[i] = key;
	if (k->type == CONFIG_WORDS)
		*(unsigned *)config_field(g->f, k) = 0;
	if (k->type == CONFIG_OPTIONS)
		set_options(r, g->f, key->next);
	else
		config_set(r, k, key->next);
	g->no_type |= i == 0 && r->mistakes != before;
}

/* All defaults; NULL: no memory. */
static struct config_feed *
feed_new(const char *name)
{
	struct config_feed *f = calloc(1, sizeof(*f));
	struct config_reader r = {.fields = f, .file = "default"};
	struct config_node n = {.kind = NODE_TEXT};
	bool failed = f == NULL || (f->name = strdup(name)) == NULL;

	for (unsigned i = 0; i < KEYS && !failed; i++) {
		const struct config_key *k = &config_feed_keys[i].key;

		n.text = k->initial;
		if (is_text(k))
			failed =
			    (*(char **)config_field(f, k) = strdup("")) == NULL;
		else if (!config_is_list(k) && k->initial[0] != '\0')
			config_set(&r, k, &n);
	}
	if (!failed && r.mistakes == 0) {
		f->events = 1u << EVENT_ALERT | 1u << EVENT_INCIDENT;
		return f;
	}
	config_feed_free(f);
	return NULL;
}

static bool
name_ok(struct config_reader *r, const struct config_node *key,
    const struct config_node *first)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_-";
	size_t len = key->kind == NODE_TEXT ? strlen(key->text) : 0;
	char shown[SHOWN];

	if (len == 0 || len > NAME_LONGEST ||
	    strspn(key->text, letters) != len || key->text[0] == '-') {
		config_mistake(r, key,
		    "feeds: %s is no name: 1 to %u letters, digits, _ and -",
		    len != 0 ? config_show(shown, sizeof(shown), key) : "this",
		    NAME_LONGEST);
		return false;
	}
	for (const struct config_node *n = first; n != key; n = n->next->next)
		if (n->kind == NODE_TEXT && strcmp(n->text, key->text) == 0) {
			config_mistake(r, key,
			    "feed %s stands in line %u already: give it "
			    "another name",
			    key->text, n->line);
			return false;
		}
	return true;
}

static void
one_feed(struct config_reader *r, const struct config_node *name)
{
	struct reading g = {.name = name};
	struct config *c = r->c;

	if (name->next->kind != NODE_MAP) {
		config_mistake(r, name->next,
		    "feed %s: lines of the form `key: value` are expected "
		    "below it, indented",
		    name->text);
		return;
	}
	if (c->nfeeds == CONFIG_FEEDS_MAX) {
		config_mistake(
		    r, name, "feeds: more than %u", CONFIG_FEEDS_MAX);
		return;
	}
	g.f = c->feed[c->nfeeds] = feed_new(name->text);
	if (g.f == NULL) {
		config_mistake(r, name, "out of memory");
		return;
	}
	c->nfeeds++;
	r->fields = g.f;
	for (const struct config_node *key = name->next->first;
	     key != NULL && key->next != NULL; key = key->next->next) {
		if (key->kind == NODE_TEXT)
			one_key(r, &g, key);
		else
			config_mistake(r, key, "a key is one word");
	}
	r->fields = c;
	check_feed(r, &g);
}

void
config_set_feeds(struct config_reader *r, const struct config_node *map)
{
	if (map->kind == NODE_TEXT && map->text[0] == '\0')
		return; /* all of it is commented out */
	if (map->kind != NODE_MAP) {
		config_mistake(r, map,
		    "feeds: lines of the form `NAME:` are expected below it, "
		    "indented, and below each its keys");
		return;
	}
	for (const struct config_node *key = map->first;
	     key != NULL && key->next != NULL; key = key->next->next)
		if (name_ok(r, key, map->first))
			one_feed(r, key);
}
