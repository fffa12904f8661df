/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operator's part of the history. Each command reads all of it, changes
 * it, and writes what changed in one transaction; while a capture is being
 * read into the same database they wait, and say so if it takes long.
 */
#include "sensor/cmd_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/addr_text.h"
#include "db/history_json.h"
#include "db/query.h"
#include "db/store.h"
#include "rules/sts_policy.h"
#include "sensor/cmd_servers.h"
#include "sensor/command.h"
#include "sensor/options.h"
#include "sensor/server_arg.h"
#include "sensor/text.h"

#define MATCHES_MAX 16 /* services of one server and port */
#define ERR_MAX 512

static const char usage_text[] =
    "usage: stripwire history list [SERVER]\n"
    "       stripwire history pin SERVER KEY=VALUE...\n"
    "       stripwire history unpin SERVER\n"
    "       stripwire history ack SERVER [NETWORK]\n"
    "       stripwire history forget SERVER\n"
    "       stripwire history export | import FILE\n"
    "       stripwire history policy DOMAIN FILE | policy LIST.json\n"
    "\n"
    "SERVER is 192.0.2.1:25, [2001:db8::1]:25, mx.example.org:25 or\n"
    "*.example.org:25 (one label).\n"
    "\n"
    "pin: starttls=required|offered|none, key=SHA256 (of the public key or\n"
    "the certificate), issuer=TEXT, name=HOST, tls-min=1.2,\n"
    "interceptor=allowed, proto=smtp|imap|pop3|managesieve\n"
    "ack: the server has really stopped offering STARTTLS (to the clients of\n"
    "NETWORK only, e.g. 10.1.0.0/24), or was really replaced by one with\n"
    "another TLS and TCP\n"
    "policy: an MTA-STS policy file (RFC 8461), or a JSON list of {domain,\n"
    "mode, mx, max_age}; only mode enforce obliges, until it expires\n"
    "\n"
    "  -c, --config FILE     the configuration\n"
    "  -d, --db FILE         the database\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0, 1 if something failed, 2 for usage.\n";

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

struct edit { /* one call */
	const char *db;
	int argc; /* what is left behind the options */
	char **argv;
	struct history *h;
	struct store *store; /* NULL: only read */
	char err[ERR_MAX];
};

typedef int edit_fn(struct edit *e); /* 0, or -1 with a sentence in e->err */

static int64_t
wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- matching ---- */

struct matches {
	const struct pin *who;
	unsigned n;
	struct server_key key[MATCHES_MAX];
};

/* The same address or name and port, whatever was spoken there. */
static void
match(void *ctx, const struct server_facts *s)
{
	struct matches *m = ctx;
	const struct server_key *k = &m->who->key;

	if (s->key.of_name != k->of_name || s->key.port != k->port ||
	    m->n == MATCHES_MAX ||
	    memcmp(&s->key.addr, &k->addr, sizeof(k->addr)) != 0)
		return;
	if (k->of_name && strcmp(s->host, m->who->name) != 0)
		return;
	m->key[m->n++] = s->key;
}

static int
find_matches(struct edit *e, struct pin *who, struct matches *m)
{
	if (server_arg_parse(who, e->argv[0], e->err, sizeof(e->err)) == -1)
		return -1;
	memset(m, 0, sizeof(*m));
	m->who = who;
	history_each(e->h, match, NULL, m);
	if (m->n != 0)
		return 0;
	snprintf(
	    e->err, sizeof(e->err), "nothing is known of %.100s", e->argv[0]);
	return -1;
}

/* ---- list ---- */

static void
print_pin(void *ctx, const struct pin *p)
{
	char server[SERVER_ARG_MAX], day[TEXT_TIME_MAX];
	unsigned *n = ctx;

	if ((*n)++ == 0)
		printf("pinned\n");
	printf("  %s", server_arg_print(server, &p->key, p->name));
	if (p->starttls != PIN_NOTHING)
		printf("  starttls=%s", pin_starttls_name(p->starttls));
	if (p->has_key) {
		printf("  key=");
		for (unsigned i = 0; i < sizeof(p->sha256); i++)
			printf("%02x", p->sha256[i]);
	}
	if (p->issuer[0] != '\0')
		printf("  issuer='%s'", p->issuer);
	if (p->cert_name[0] != '\0')
		printf("  name=%s", p->cert_name);
	if (p->tls_min != 0)
		printf("  tls-min=1.%u", p->tls_min - 0x0301u);
	if (p->interceptor)
		printf("  interceptor=allowed");
	if (p->source == PIN_POLICY)
		printf("  policy of %s until %s", p->domain,
		    text_date(day, p->expires / 1000000000));
	printf("\n");
}

struct client_list {
	const struct server_key *one;
	unsigned n;
};

static void
print_client(void *ctx, const struct pair_facts *p)
{
	char client[CLIENT_TEXT_MAX], name[2 * sizeof(p->ehlo_name)];
	struct client_list *l = ctx;
	struct text_style style;

	if (memcmp(&p->key.server.addr, &l->one->addr, sizeof(struct addr)) !=
		0 ||
	    p->key.server.port != l->one->port || l->one->of_name)
		return;
	text_style_init(&style, stdout);
	if (l->n++ == 0)
		printf("\nCLIENT                                         TLS"
		       "   CLEAR  OFFERED  NOT OFFERED  NAME\n");
	printf("%-42s  %6u  %6u  %7u  %11u  %s\n",
	    client_to_text(client, &p->key), p->tls, p->clear, p->offered,
	    p->not_offered,
	    text_clean(name, sizeof(name), p->ehlo_name, &style));
}

static int
do_list(struct edit *e)
{
	struct client_list clients = {0};
	unsigned pins = 0;
	struct pin who;

	if (e->argc == 0) {
		pins_each(history_pins(e->h), print_pin, &pins);
		if (pins != 0)
			printf("\n");
		if (servers_print(stdout, e->h, NULL) == 0)
			printf("nothing is known of any server yet\n");
		return 0;
	}
	if (server_arg_parse(&who, e->argv[0], e->err, sizeof(e->err)) == -1)
		return -1;
	if (servers_print(stdout, e->h, &who.key) == 0)
		printf("nothing is known of %s\n", e->argv[0]);
	clients.one = &who.key;
	history_each(e->h, NULL, print_client, &clients);
	return 0;
}

/* ---- pin, unpin ---- */

static int
do_pin(struct edit *e)
{
	struct pin pin;

	if (server_arg_parse(&pin, e->argv[0], e->err, sizeof(e->err)) == -1)
		return -1;
	for (int i = 1; i < e->argc; i++)
		if (pin_arg_parse(&pin, e->argv[i], e->err, sizeof(e->err)) ==
		    -1)
			return -1;
	if (!proto_is_mail((enum proto)pin.key.proto)) {
		snprintf(e->err, sizeof(e->err),
		    "%.100s: port %u may be anything: say proto=smtp, imap, "
		    "pop3 or managesieve",
		    e->argv[0], pin.key.port);
		return -1;
	}
	if (pins_put(history_pins(e->h), &pin))
		return 0;
	snprintf(e->err, sizeof(e->err),
	    "%u servers are pinned, and there is no room for more", PINS_MAX);
	return -1;
}

static void
collect_pin(void *ctx, const struct pin *p)
{
	struct matches *m = ctx;

	if (p->source == PIN_OPERATOR && m->n < MATCHES_MAX &&
	    p->key.port == m->who->key.port &&
	    p->key.of_name == m->who->key.of_name &&
	    memcmp(&p->key.addr, &m->who->key.addr, sizeof(p->key.addr)) == 0)
		m->key[m->n++] = p->key;
}

static int
do_unpin(struct edit *e)
{
	struct matches m = {0};
	struct pin who;

	if (server_arg_parse(&who, e->argv[0], e->err, sizeof(e->err)) == -1)
		return -1;
	m.who = &who;
	pins_each(history_pins(e->h), collect_pin, &m);
	for (unsigned i = 0; i < m.n; i++)
		(void)pins_drop(history_pins(e->h), &m.key[i]);
	if (m.n != 0)
		return 0;
	snprintf(e->err, sizeof(e->err), "%.100s is not pinned", e->argv[0]);
	return -1;
}

/* ---- ack, forget ---- */

static int
ack_network(struct edit *e, const struct server_key *key)
{
	struct pair_key k, network;
	struct pair_facts *p;

	memset(&k, 0, sizeof(k));
	if (client_from_text(&k, e->argv[1]) == -1) {
		snprintf(e->err, sizeof(e->err),
		    "'%.60s' is no network: 10.1.0.0/24 or 2001:db8:1::/48 is",
		    e->argv[1]);
		return -1;
	}
	k.server = *key;
	pair_key_network(&network, &k);
	p = history_touch_pair(e->h, &network);
	if (p == NULL) {
		snprintf(e->err, sizeof(e->err), "no room");
		return -1;
	}
	if (p->first == 0)
		p->first = p->last = wall_clock();
	p->not_offered += p->absence.sessions == 0 && p->not_offered == 0;
	history_accept_network(p);
	return 0;
}

static void
ack_server(const char *name, struct server_facts *s)
{
	unsigned stacks = history_accept_stacks(s);

	if (stacks > 0)
		printf("%s: how it answers in TLS 1.3 since a short while is "
		       "its own way from now on\n",
		    name);
	if (stacks > 0 && s->absence.since == 0)
		return; /* nothing else was out of the ordinary */
	printf("%s: %u sessions without STARTTLS are the server's own "
	       "way from now on; the %u with it are history\n",
	    name, s->absence.sessions, s->offered);
	history_accept(s, s->absence.last != 0 ? s->absence.last : s->last);
}

static int
do_ack(struct edit *e)
{
	struct server_facts *s;
	struct matches m;
	struct pin who;

	if (find_matches(e, &who, &m) == -1)
		return -1;
	for (unsigned i = 0; i < m.n; i++) {
		if (e->argc > 1) {
			if (ack_network(e, &m.key[i]) == -1)
				return -1;
			continue;
		}
		s = history_touch_server(e->h, &m.key[i]);
		if (s != NULL)
			ack_server(e->argv[0], s);
	}
	return 0;
}

static int
do_forget(struct edit *e)
{
	struct matches m;
	struct pin who;
	unsigned n = 0;

	if (find_matches(e, &who, &m) == -1)
		return -1;
	for (unsigned i = 0; i < m.n; i++) {
		n += history_forget(e->h, &m.key[i]);
		if (store_forget(e->store, &m.key[i], who.name) == -1) {
			snprintf(e->err, sizeof(e->err),
			    "%.200s could not be written", e->db);
			return -1;
		}
	}
	printf("%s: forgotten (%u entries)\n", e->argv[0], n);
	return 0;
}

/* ---- export, import ---- */

static int
do_export(struct edit *e)
{
	json_t *o = history_to_json(e->h);
	int rc = -1;

	if (o != NULL)
		rc = json_dumpf(o, stdout, JSON_INDENT(1));
	printf("\n");
	json_decref(o);
	if (rc == -1)
		snprintf(e->err, sizeof(e->err), "cannot be written");
	return rc;
}

static json_t *
load_json(struct edit *e, const char *path)
{
	json_error_t why;
	json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &why);

	if (o == NULL)
		snprintf(e->err, sizeof(e->err), "%.200s:%d:%d: %.160s", path,
		    why.line, why.column, why.text);
	return o;
}

static int
do_import(struct edit *e)
{
	json_t *o = load_json(e, e->argv[0]);
	struct history_imported n;
	char why[256];
	int rc;

	if (o == NULL)
		return -1;
	rc = history_from_json(e->h, o, &n, why, sizeof(why));
	json_decref(o);
	if (rc == -1) {
		snprintf(e->err, sizeof(e->err), "%.200s: %s", e->argv[0], why);
		return -1;
	}
	printf("%u servers, %u clients and networks, %u pins\n", n.servers,
	    n.pairs, n.pins);
	if (n.refused != 0)
		printf("%u had no room\n", n.refused);
	return 0;
}

/* ---- policies ---- */

static int
apply_policy(struct edit *e, const struct sts_policy *p)
{
	int n = sts_policy_apply(p, history_pins(e->h), wall_clock());

	if (n == -1) {
		snprintf(e->err, sizeof(e->err),
		    "%.100s: no room for its servers", p->domain);
		return -1;
	}
	if (p->mode == STS_ENFORCE)
		printf("%s: enforce, TLS is due on port 25 of %d names for %u "
		       "days\n",
		    p->domain, n, p->max_age / 86400);
	else
		printf("%s: %s, which obliges nobody\n", p->domain,
		    sts_mode_name(p->mode));
	return 0;
}

static int
policy_from_file(struct edit *e)
{
	static uint8_t text[STS_TEXT_MAX + 1];
	struct slice s = {text, 0};
	struct sts_policy p;
	char why[256];
	FILE *in = fopen(e->argv[1], "re");

	if (in == NULL) {
		snprintf(e->err, sizeof(e->err), "%.200s: %s", e->argv[1],
		    strerror(errno));
		return -1;
	}
	s.len = fread(text, 1, sizeof(text), in);
	(void)fclose(in);
	if (sts_policy_parse(&p, s, why, sizeof(why)) == -1) {
		snprintf(e->err, sizeof(e->err), "%.200s: %s", e->argv[1], why);
		return -1;
	}
	if (sts_set_domain(&p, e->argv[0], e->err, sizeof(e->err)) == -1)
		return -1;
	return apply_policy(e, &p);
}

static int
policy_from_json(
    struct sts_policy *p, const json_t *o, char *err, size_t errlen)
{
	const json_t *mx = json_object_get(o, "mx"), *age, *one;
	const char *domain = json_string_value(json_object_get(o, "domain"));
	const char *mode = json_string_value(json_object_get(o, "mode"));
	size_t i;

	memset(p, 0, sizeof(*p));
	age = json_object_get(o, "max_age");
	if (domain == NULL || mode == NULL || !json_is_array(mx) ||
	    !json_is_integer(age) || json_integer_value(age) < 0 ||
	    sts_set_mode(p, mode) == -1) {
		snprintf(err, errlen, "needs domain, mode, mx and max_age");
		return -1;
	}
	if (sts_set_domain(p, domain, err, errlen) == -1)
		return -1;
	p->max_age = json_integer_value(age) > STS_AGE_MAX
			 ? STS_AGE_MAX
			 : (uint32_t)json_integer_value(age);
	json_array_foreach(mx, i, one)
	{
		if (json_is_string(one) &&
		    sts_add_mx(p, json_string_value(one)) == 0)
			continue;
		snprintf(err, errlen, "mx[%zu] is no name of a server", i);
		return -1;
	}
	return 0;
}

static int
policies_from_json(struct edit *e)
{
	json_t *list = load_json(e, e->argv[0]), *o;
	struct sts_policy p;
	char why[256];
	int rc = list != NULL ? 0 : -1;
	size_t i;

	if (list != NULL && !json_is_array(list)) {
		snprintf(
		    e->err, sizeof(e->err), "%.200s: is no list", e->argv[0]);
		rc = -1;
	}
	json_array_foreach(list, i, o)
	{
		if (rc != 0)
			break;
		rc = policy_from_json(&p, o, why, sizeof(why));
		if (rc == 0)
			rc = apply_policy(e, &p);
		else
			snprintf(e->err, sizeof(e->err), "%.200s: [%zu]: %s",
			    e->argv[0], i, why);
	}
	json_decref(list);
	return rc;
}

static int
do_policy(struct edit *e)
{
	return e->argc == 2 ? policy_from_file(e) : policies_from_json(e);
}

/* ---- the command ---- */

struct action {
	const char *name;
	edit_fn *fn;
	int min, max; /* words behind it */
	bool writes;
};

static const struct action actions[] = {{"list", do_list, 0, 1, false},
    {"pin", do_pin, 2, 8, true}, {"unpin", do_unpin, 1, 1, true},
    {"ack", do_ack, 1, 2, true}, {"forget", do_forget, 1, 1, true},
    {"export", do_export, 0, 0, false}, {"import", do_import, 1, 1, true},
    {"policy", do_policy, 1, 2, true}, {NULL, NULL, 0, 0, false}};

static void
on_problem(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "stripwire history: %s\n", sentence);
}

static int
edit_history(struct edit *e, const struct action *a)
{
	struct store_config sc = {.path = e->db, .on_problem = on_problem};
	int rc = -1;

	if (store_open(&e->store, &sc, e->err, sizeof(e->err)) != STORE_OK)
		return -1;
	if (store_load_history(e->store, e->h) == 0)
		rc = a->fn(e);
	else
		snprintf(
		    e->err, sizeof(e->err), "%.200s cannot be read", e->db);
	if (rc == 0 && store_save_history(e->store, e->h) == -1) {
		snprintf(e->err, sizeof(e->err), "%.200s: nothing was changed",
		    e->db);
		rc = -1;
	}
	if (store_close(e->store) == -1)
		rc = -1;
	return rc;
}

static int
look_at_history(struct edit *e, const struct action *a)
{
	struct query *q = query_open(e->db, e->err, sizeof(e->err));
	int rc = -1;

	if (q != NULL && query_history(q, e->h, e->err, sizeof(e->err)) == 0)
		rc = a->fn(e);
	query_close(q);
	return rc;
}

static int
act(struct edit *e, const struct action *a)
{
	int rc;

	e->h = history_new();
	if (e->h == NULL) {
		fprintf(stderr, "stripwire history: out of memory\n");
		return 1;
	}
	history_limit(e->h, UINT32_MAX, UINT32_MAX);
	rc = a->writes ? edit_history(e, a) : look_at_history(e, a);
	history_free(e->h);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "stripwire history: cannot write: %s\n",
		    strerror(errno));
		return 1;
	}
	if (rc == 0)
		return 0;
	fprintf(stderr, "stripwire history: %s\n", e->err);
	return 1;
}

static int
usage(const char *what, const char *word)
{
	fprintf(stderr, "stripwire history: %s%s\n", what, word);
	fputs("stripwire history --help shows what there is\n", stderr);
	return 2;
}

static int
run(struct config *config, int argc, char **argv)
{
	struct edit e = {.db = config->database};
	const struct action *a = actions;
	int c;

	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return 0;
		}
		if (c == 'd')
			e.db = optarg;
		else if (c != 'c')
			return usage("", "an option is wrong");
	}
	if (optind == argc)
		return usage("says not what to do", "");
	while (a->name != NULL && strcmp(a->name, argv[optind]) != 0)
		a++;
	if (a->name == NULL)
		return usage("there is no command ", argv[optind]);
	e.argc = argc - optind - 1;
	e.argv = argv + optind + 1;
	if (e.argc < a->min || e.argc > a->max)
		return usage("too few or too many words for ", a->name);
	return act(&e, a);
}

int
cmd_history(int argc, char **argv)
{
	struct config config = {0};
	int status =
	    options_config(&config, argc, argv, short_options, options);

	if (status == 0)
		status = run(&config, argc, argv);
	config_fini(&config);
	return status;
}
