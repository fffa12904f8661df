/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which alerts are one incident, how grave it is, where it sits, what is
 * folded, when it ends, and that all of it can be taken back. */
#include "rules/incident.h"

#include "db/addr_text.h"
#include "rules/server_key.h"
#include "tests/test.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define T0 (1795320000 * SECOND)

struct heard {
	struct incidents *in;
	unsigned opened, worse, closed;
	struct incident last;
	struct server_facts server;
	bool known, met;
	int64_t flow[4096];
};

static void
on_event(void *ctx, const struct incident *i, enum incident_event e)
{
	struct heard *h = ctx;

	h->opened += e == INCIDENT_OPENED;
	h->worse += e == INCIDENT_WORSE;
	h->closed += e == INCIDENT_CLOSED;
	h->last = *i;
}

static struct heard *
start(uint32_t fold)
{
	struct heard *h = calloc(1, sizeof(*h));
	struct incidents_config cfg = {
	    .event = on_event, .ctx = h, .fold_after = fold};

	if (h == NULL || (h->in = incidents_new(&cfg)) == NULL)
		abort();
	return h;
}

static void
finish(struct heard *h)
{
	incidents_free(h->in);
	free(h);
}

static struct addr
test_addr(const char *text)
{
	struct addr a;

	if (addr_from_text(&a, text) == -1)
		abort();
	return a;
}

static struct alert
make(enum finding_id id, enum severity severity, const char *client,
    const char *server, int64_t time)
{
	struct alert a;

	memset(&a, 0, sizeof(a));
	a.finding.id = (uint16_t)id;
	a.finding.confidence = 90;
	a.finding.time = time;
	a.severity = (uint8_t)severity;
	a.flow.client = test_addr(client);
	a.flow.server = test_addr(server);
	a.flow.server_port = 25;
	a.proto = PROTO_SMTP;
	snprintf(a.msg, sizeof(a.msg), "message");
	finding_add(&a.finding, 1, "evidence");
	return a;
}

static bool
knows_network(void *ctx)
{
	return ((const struct heard *)ctx)->met;
}

/* On connection `flow`; returns its incident. */
static int64_t
raise_on(struct heard *h, struct alert *a, unsigned flow, bool *passed)
{
	struct incident_known k = {.server = h->known ? &h->server : NULL,
	    .knows_network = h->met ? knows_network : NULL,
	    .ctx = h,
	    .of_flow = &h->flow[flow]};
	bool pass = incidents_add(h->in, a, &k);

	incidents_tell(h->in);
	if (passed != NULL)
		*passed = pass;
	return a->incident;
}

static int64_t
raise_alert(struct heard *h, enum finding_id id, enum severity severity,
    const char *client, const char *server, int64_t time)
{
	static unsigned flow;
	struct alert a = make(id, severity, client, server, time);

	flow = (flow + 1) % 4096;
	h->flow[flow] = 0;
	return raise_on(h, &a, flow, NULL);
}

static void
keep_last(void *ctx, const struct incident *i)
{
	memcpy(ctx, i, sizeof(*i));
}

static struct incident
only(struct heard *h)
{
	struct incident i;

	memset(&i, 0, sizeof(i));
	incidents_each(h->in, keep_last, &i);
	return i;
}

#define C1 "10.1.0.10"
#define C2 "10.7.0.99"
#define S1 "192.0.2.25"
#define S2 "198.51.100.7"

/* ---- joining ---- */

TEST(a_reset_the_plaintext_and_the_password_are_one_story)
{
	struct heard *h = start(0);
	int64_t id = raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0);

	CHECK(id != 0);
	CHECK_INT(h->opened, 1);
	CHECK_INT(h->last.severity, SEV_HIGH);
	CHECK_INT(raise_alert(h, FIND_PLAINTEXT_FALLBACK, SEV_MEDIUM, C1, S1,
		      T0 + 3 * SECOND),
	    id);
	CHECK_INT(h->worse, 0); /* it was high before */
	CHECK_INT(raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, C1, S1,
		      T0 + 4 * SECOND),
	    id);
	CHECK_INT(h->worse, 1);
	CHECK_INT(h->last.severity, SEV_CRITICAL);
	CHECK_INT(h->last.stages,
	    STAGE_INTERFERED | STAGE_UNPROTECTED | STAGE_EXPOSED);
	CHECK_INT(h->last.nsteps, 3);
	CHECK_INT(h->last.sessions, 3);
	CHECK_INT(h->last.alerts, 3);
	CHECK_INT(h->opened, 1);
	finish(h);
}

TEST(other_hosts_are_another_story)
{
	struct heard *h = start(0);
	int64_t id = raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0);

	CHECK(raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C2, S2, T0) != id);
	CHECK_INT(h->opened, 2);
	/* another client's password at that server is not about the reset */
	CHECK(raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, C2, S1,
		  T0 + SECOND) != id);
	finish(h);
}

TEST(info_opens_nothing_and_joins)
{
	struct heard *h = start(0);

	CHECK_INT(raise_alert(h, FIND_PLAINTEXT_MAIL, SEV_INFO, C1, S1, T0), 0);
	CHECK_INT(
	    raise_alert(h, FIND_CERT_INCOMPLETE_CHAIN, SEV_LOW, C1, S1, T0), 0);
	CHECK_INT(h->opened, 0);
	CHECK(
	    raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0) != 0);
	CHECK(raise_alert(h, FIND_PLAINTEXT_MAIL, SEV_INFO, C1, S1, T0) != 0);
	CHECK_INT(only(h).alerts, 2);
	CHECK_INT(only(h).nsteps, 1);
	CHECK_INT(only(h).stages, STAGE_INTERFERED);
	finish(h);
}

TEST(ports_do_not_matter_and_minutes_do)
{
	struct heard *h = start(0);
	struct alert a = make(FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0);
	int64_t id;

	a.flow.server_port = 993;
	id = raise_on(h, &a, 0, NULL);
	CHECK_INT(raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, C1, S1,
		      T0 + 9 * MINUTE),
	    id);
	CHECK(raise_alert(h, FIND_CERT_EXPIRED, SEV_MEDIUM, C1, S1,
		  T0 + 20 * MINUTE) != id);
	finish(h);
}

TEST(what_repeats_joins_for_a_day)
{
	struct heard *h = start(0);
	int64_t id =
	    raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C1, S1, T0);

	CHECK_INT(raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C2, S1,
		      T0 + 20 * HOUR),
	    id);
	CHECK_INT(raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C1, S1,
		      T0 + 43 * HOUR),
	    id);
	CHECK(raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C1, S1,
		  T0 + 68 * HOUR) != id);
	finish(h);
}

TEST(an_old_capture_read_later_does_not_join)
{
	struct heard *h = start(0);
	int64_t id =
	    raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C1, S1, T0);

	CHECK(raise_alert(
		  h, FIND_STARTTLS_MANGLED, SEV_HIGH, C1, S1, T0 - HOUR) != id);
	finish(h);
}

TEST(a_known_name_makes_two_addresses_one_server)
{
	struct heard *h = start(0);
	int64_t id;

	h->known = true;
	snprintf(h->server.host, sizeof(h->server.host), "mx.example.org");
	id = raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0);
	CHECK_INT(raise_alert(h, FIND_PLAINTEXT_FALLBACK, SEV_HIGH, C1, S2,
		      T0 + SECOND),
	    id);
	CHECK_INT(only(h).nservers, 2);
	CHECK_INT(only(h).nsites, 1);
	finish(h);
	/* a name that only the server itself claims is none */
	h = start(0);
	id = raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0);
	CHECK(raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, C1, S2,
		  T0 + SECOND) != id);
	finish(h);
}

TEST(a_known_network_is_the_client)
{
	struct heard *h = start(0);
	int64_t id = raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0);

	/* nothing known of the network: another client */
	CHECK(raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, "10.1.0.77",
		  S1, T0 + SECOND) != id);
	h->met = true;
	CHECK_INT(raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH,
		      "10.1.0.78", S1, T0 + SECOND),
	    id);
	finish(h);
}

/* ---- gravity ---- */

TEST(a_password_shown_before_is_not_made_graver)
{
	struct heard *h = start(0);

	raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_MEDIUM, C1, S1, T0);
	CHECK_INT(only(h).severity, SEV_MEDIUM);
	CHECK_INT(only(h).story, STORY_CLEAR);
	raise_alert(h, FIND_RST_INJECTED, SEV_HIGH, C1, S1, T0 + MINUTE);
	CHECK_INT(h->opened, 1);
	CHECK_INT(only(h).severity, SEV_HIGH);
	CHECK_INT(only(h).story, STORY_BROKEN);
	raise_alert(
	    h, FIND_PLAINTEXT_CREDENTIALS, SEV_MEDIUM, C1, S1, T0 + 2 * MINUTE);
	CHECK_INT(only(h).severity, SEV_CRITICAL);
	finish(h);
}

TEST(passwords_without_interference_stay_what_they_are)
{
	struct heard *h = start(0);

	for (int i = 0; i < 10; i++)
		raise_alert(h, FIND_PLAINTEXT_CREDENTIALS, SEV_MEDIUM, C1, S1,
		    T0 + i * MINUTE);
	CHECK_INT(h->opened, 1);
	CHECK_INT(h->worse, 0);
	CHECK_INT(only(h).severity, SEV_MEDIUM);
	CHECK_INT(only(h).place, PLACE_NONE);
	finish(h);
}

/* ---- where ---- */

static void
fine(struct heard *h, const char *client, const char *server, int64_t time)
{
	static struct facts f;
	struct facts_tls tls = {.known = 1, .done.time = time, .sni = ""};

	facts_init(&f);
	f.tls = &tls;
	f.who.client = test_addr(client);
	f.who.server = test_addr(server);
	f.last = time;
	incidents_fine(h->in, &f);
}

TEST(one_client_and_nobody_else_says_nothing)
{
	struct heard *h = start(0);

	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);
	CHECK_INT(only(h).place, PLACE_UNKNOWN);
	/* the same client had TLS elsewhere, or itself later: no comparison */
	fine(h, C2, S2, T0 + SECOND);
	fine(h, C1, S1, T0 + SECOND);
	CHECK_INT(only(h).place, PLACE_UNKNOWN);
	fine(h, C2, S1, T0 + SECOND);
	CHECK_INT(only(h).place, PLACE_CLIENT);
	finish(h);
}

TEST(all_clients_of_a_server)
{
	struct heard *h = start(0);
	char text[STORY_TEXT_MAX];
	struct incident i;

	raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C1, S1, T0);
	raise_alert(h, FIND_STARTTLS_MANGLED, SEV_HIGH, C2, S1, T0 + SECOND);
	raise_alert(
	    h, FIND_STARTTLS_MANGLED, SEV_HIGH, "203.0.113.5", S1, T0 + MINUTE);
	i = only(h);
	CHECK_INT(h->opened, 1);
	CHECK_INT(i.place, PLACE_SERVER);
	CHECK(strstr(incident_where(text, &i), "all 3 clients") != NULL);
	CHECK(strstr(incident_title(text, &i), "overwritten") != NULL);
	fine(h, "203.0.113.200", S1, T0 + MINUTE);
	CHECK_INT(only(h).place, PLACE_MIXED);
	finish(h);
}

TEST(clients_of_one_network)
{
	struct heard *h = start(0);

	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);
	raise_alert(
	    h, FIND_STARTTLS_STRIPPED, SEV_HIGH, "10.1.0.11", S1, T0 + SECOND);
	CHECK_INT(only(h).place, PLACE_UNKNOWN);
	fine(h, C2, S1, T0 + MINUTE);
	CHECK_INT(only(h).place, PLACE_NETWORK);
	finish(h);
}

TEST(one_client_at_several_servers)
{
	struct heard *h = start(0);

	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);
	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S2, T0 + SECOND);
	CHECK_INT(h->opened, 1);
	CHECK_INT(only(h).place, PLACE_CLIENT);
	finish(h);
	/* two servers with bad certificates are two stories */
	h = start(0);
	raise_alert(h, FIND_CERT_EXPIRED, SEV_MEDIUM, C1, S1, T0);
	raise_alert(h, FIND_CERT_EXPIRED, SEV_MEDIUM, C1, S2, T0 + SECOND);
	CHECK_INT(h->opened, 2);
	finish(h);
}

/* ---- folding ---- */

static bool
password(struct heard *h, const char *user, unsigned n)
{
	struct alert a = make(FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, C1, S1,
	    T0 + (int64_t)n * SECOND);
	bool passed;

	snprintf(a.finding.user, sizeof(a.finding.user), "%s", user);
	(void)raise_on(h, &a, n % 4096, &passed);
	return passed;
}

TEST(alike_ones_are_counted_and_news_pass)
{
	struct heard *h = start(5);
	unsigned passed = 0;

	for (unsigned n = 0; n < 1000; n++)
		passed += password(h, "alice", n);
	CHECK_INT(passed, 5);
	CHECK(password(h, "bob", 1000));
	CHECK(!password(h, "bob", 1001));
	CHECK_INT(only(h).alerts, 1002);
	CHECK_INT(only(h).folded, 996);
	CHECK_INT(only(h).count[FIND_PLAINTEXT_CREDENTIALS].alerts, 1002);
	CHECK_INT(only(h).nusers, 2);
	CHECK_INT(only(h).sessions, 1002);
	CHECK_INT(incidents_counters(h->in)->folded, 996);
	finish(h);
}

TEST(a_graver_one_passes)
{
	struct heard *h = start(2);
	struct alert a;
	bool passed;

	for (unsigned n = 0; n < 10; n++)
		(void)password(h, "alice", n);
	a = make(FIND_PLAINTEXT_CREDENTIALS, SEV_CRITICAL, C1, S1, T0 + MINUTE);
	snprintf(a.finding.user, sizeof(a.finding.user), "alice");
	(void)raise_on(h, &a, 11, &passed);
	CHECK(passed);
	finish(h);
}

TEST(nothing_is_folded_if_so_wished)
{
	struct heard *h = start(UINT32_MAX);
	unsigned passed = 0;

	for (unsigned n = 0; n < 300; n++)
		passed += password(h, "alice", n);
	CHECK_INT(passed, 300);
	finish(h);
}

/* 10,000 sessions of 5,000 clients: one incident, a bounded number. */
TEST(an_attack_on_everybody_is_one_incident)
{
	struct heard *h = start(0);
	unsigned passed = 0;
	char client[32];

	for (unsigned n = 0; n < 10000; n++) {
		static const enum finding_id ids[] = {FIND_STARTTLS_STRIPPED,
		    FIND_PLAINTEXT_FALLBACK, FIND_PLAINTEXT_CREDENTIALS};
		unsigned c = n % 5000;

		snprintf(
		    client, sizeof(client), "10.9.%u.%u", c / 250, c % 250);
		h->flow[n % 4096] = 0;
		for (unsigned i = 0; i < 3; i++) {
			struct alert a = make(ids[i], SEV_HIGH, client, S1,
			    T0 + (int64_t)n * SECOND / 10);
			bool pass;

			(void)raise_on(h, &a, n % 4096, &pass);
			passed += pass;
		}
	}
	CHECK_INT(h->opened, 1);
	CHECK(passed <= 3 * INCIDENT_FOLD + INCIDENT_HOSTS);
	CHECK_INT(only(h).sessions, 10000);
	CHECK_INT(only(h).alerts, 30000);
	CHECK_INT(only(h).folded, 30000 - passed);
	CHECK_INT(only(h).nclients, INCIDENT_HOSTS);
	CHECK_INT(only(h).more & MORE_CLIENTS, MORE_CLIENTS);
	CHECK_INT(only(h).nsteps, INCIDENT_STEPS);
	CHECK_INT(only(h).place, PLACE_SERVER);
	finish(h);
}

/* ---- ends ---- */

TEST(a_quiet_day_ends_it)
{
	struct heard *h = start(0);

	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);
	incidents_advance(h->in, T0 + 24 * HOUR);
	CHECK_INT(h->closed, 0);
	incidents_advance(h->in, T0 + 24 * HOUR + 2);
	CHECK_INT(h->closed, 1);
	CHECK_INT(h->last.state, INCIDENT_ENDED);
	CHECK_INT(h->last.end_reason, INCIDENT_END_QUIET);
	CHECK_INT(incidents_counters(h->in)->open, 0);
	raise_alert(
	    h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0 + 24 * HOUR + 3);
	CHECK_INT(h->opened, 2);
	finish(h);
}

TEST(the_operator_ends_it)
{
	struct heard *h = start(0);
	int64_t id =
	    raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);

	incidents_close(h->in, id + 1);
	CHECK_INT(h->closed, 0);
	incidents_close(h->in, id);
	CHECK_INT(h->closed, 1);
	CHECK(raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1,
		  T0 + SECOND) != id);
	finish(h);
}

TEST(the_table_has_an_end)
{
	struct heard *h = start(0);
	char server[32];

	for (unsigned n = 0; n < INCIDENTS_MAX + 10; n++) {
		snprintf(
		    server, sizeof(server), "10.200.%u.%u", n / 200, n % 200);
		raise_alert(
		    h, FIND_CERT_EXPIRED, SEV_MEDIUM, C1, server, T0 + n);
	}
	CHECK_INT(incidents_counters(h->in)->open, INCIDENTS_MAX);
	CHECK_INT(incidents_counters(h->in)->evicted, 10);
	CHECK_INT(h->closed, 10);
	CHECK_INT(h->last.end_reason == INCIDENT_END_FULL ||
		      h->last.state == INCIDENT_OPEN,
	    1);
	finish(h);
}

/* ---- taking back ---- */

static void
count_one(void *ctx, const struct incident *i)
{
	(void)i;
	++*(unsigned *)ctx;
}

static unsigned
dirty(struct heard *h)
{
	unsigned n = 0;

	incidents_each_dirty(h->in, count_one, &n);
	return n;
}

TEST(a_capture_taken_back_leaves_no_trace)
{
	struct heard *h = start(0);
	struct incident before, after;
	int64_t id =
	    raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);

	CHECK_INT(dirty(h), 1);
	incidents_keep(h->in);
	CHECK_INT(dirty(h), 0);
	incidents_mark(h->in);
	before = only(h);
	raise_alert(
	    h, FIND_PLAINTEXT_CREDENTIALS, SEV_HIGH, C1, S1, T0 + SECOND);
	raise_alert(h, FIND_CERT_EXPIRED, SEV_MEDIUM, C2, S2, T0 + SECOND);
	raise_alert(
	    h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C2, S1, T0 + 2 * SECOND);
	CHECK_INT(dirty(h), 2);
	incidents_advance(h->in, T0 + 100 * HOUR);
	CHECK_INT(incidents_counters(h->in)->open, 0);
	incidents_drop(h->in);
	CHECK_INT(incidents_counters(h->in)->open, 1);
	CHECK_INT(dirty(h), 0);
	after = only(h);
	CHECK(memcmp(&after, &before, sizeof(after)) == 0);
	/* it is found by its hosts again, and by no others */
	CHECK_INT(raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1,
		      T0 + 3 * SECOND),
	    id);
	CHECK(raise_alert(h, FIND_CERT_EXPIRED, SEV_MEDIUM, C2, S2,
		  T0 + 3 * SECOND) != 0);
	finish(h);
}

TEST(what_was_open_goes_on)
{
	struct heard *h = start(0), *again = start(0);
	struct incident i;
	int64_t id;

	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);
	id = raise_alert(h, FIND_CERT_EXPIRED, SEV_MEDIUM, C2, S2, T0);
	i = only(h);
	CHECK_INT(i.id, id);
	CHECK_INT(incidents_load(again->in, &i), 0);
	CHECK_INT(dirty(again), 0);
	CHECK_INT(raise_alert(
		      again, FIND_CERT_EXPIRED, SEV_MEDIUM, C2, S2, T0 + HOUR),
	    id);
	CHECK(raise_alert(again, FIND_CERT_EXPIRED, SEV_MEDIUM, C1, S1,
		  T0 + HOUR) > id);
	finish(h);
	finish(again);
}

TEST(rules_may_ask_before)
{
	struct heard *h = start(0);
	struct incident_known k = {.server = NULL};
	struct alert a = make(FIND_CERT_EXPIRED, SEV_INFO, C1, S1, T0 + SECOND);

	incidents_peek(h->in, &a, &k);
	CHECK_INT(a.incident, 0);
	raise_alert(h, FIND_STARTTLS_STRIPPED, SEV_HIGH, C1, S1, T0);
	incidents_peek(h->in, &a, &k);
	CHECK(a.incident != 0);
	CHECK_INT(a.incident_severity, SEV_HIGH);
	CHECK_INT(a.incident_new, 0);
	CHECK_INT(only(h).alerts, 1);
	finish(h);
}

/* Every finding has its part. */
TEST(no_finding_is_without_a_story)
{
	struct finding f;

	for (unsigned id = 1; id < FIND_COUNT; id++) {
		memset(&f, 0, sizeof(f));
		f.id = (uint16_t)id;
		if (id == FIND_SENSOR_RESTARTED ||
		    id == FIND_SENSOR_PACKETS_LOST ||
		    id == FIND_SENSOR_ALERTS_LOST)
			CHECK_INT(story_of(&f), STORY_NONE);
		else if (story_of(&f) == STORY_NONE)
			TEST_FAIL("%s has no story",
			    finding_info((enum finding_id)id)->name);
	}
	for (unsigned s = 1; s < STORY_COUNT; s++)
		CHECK_INT(story_by_name(story_name((enum incident_story)s)), s);
}

TEST_MAIN
