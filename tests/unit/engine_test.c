/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules at work: actions, headers, bits, limits, what is asked of history and
 * incidents, several buffers in one rule, and the change to other rules.
 */
#include "tests/unit/engine_kit.h"

#define SMTP "alert smtp any any -> any any "
#define QUIT "smtp.command; content:\"QUIT\"; "

static struct kit k;

/* ---- what the alert says ---- */

TEST(alert_of_content_brings_its_evidence)
{
	kit_init(&k, SMTP "(msg:\"a scanner\"; smtp.helo; content:\"scan\"; "
			  "classtype:network-scan; sid:7; gid:3; rev:2; "
			  "metadata:a b; target:src_ip;)\n");
	kit_line(&k, LINE_HELO, "scanner.example.org");
	CHECK_INT(k.n, 1);
	CHECK_STR(k.alerts[0].msg, "a scanner");
	CHECK_INT(k.alerts[0].sid, 7);
	CHECK_INT(k.alerts[0].gid, 3);
	CHECK_INT(k.alerts[0].finding.id, FIND_NONE);
	CHECK_STR(k.alerts[0].finding.evidence[0].text,
	    "smtp.helo was \"scanner.example.org\"");
	CHECK_STR(k.alerts[0].category, "Detection of a Network Scan");
	CHECK_INT(k.alerts[0].target, 1);
	CHECK_INT(k.alerts[0].to_client, 0);
	kit_fini(&k);
}

static uint8_t
severity_of(const char *options)
{
	char text[400];
	uint8_t sev;

	(void)snprintf(
	    text, sizeof(text), SMTP "(" QUIT "%s sid:1;)\n", options);
	kit_init(&k, text);
	kit_command(&k, "QUIT");
	CHECK_INT(k.n, 1);
	sev = k.alerts[0].severity;
	kit_fini(&k);
	return sev;
}

TEST(severity_comes_from_severity_priority_or_class)
{
	CHECK_INT(severity_of(""), SEV_LOW);
	CHECK_INT(severity_of("severity:critical;"), SEV_CRITICAL);
	CHECK_INT(severity_of("priority:1;"), SEV_HIGH);
	CHECK_INT(severity_of("priority:2;"), SEV_MEDIUM);
	CHECK_INT(severity_of("priority:3;"), SEV_LOW);
	CHECK_INT(severity_of("priority:4;"), SEV_INFO);
	CHECK_INT(severity_of("classtype:misc-attack;"), SEV_MEDIUM);
	CHECK_INT(severity_of("classtype:trojan-activity;"), SEV_HIGH);
	CHECK_INT(
	    severity_of("classtype:trojan-activity; priority:3;"), SEV_LOW);
	CHECK_INT(
	    severity_of("classtype:trojan-activity; severity:info;"), SEV_INFO);
}

/* ---- buffers of other observations ---- */

static void
hello(const char *sni, bool server)
{
	struct obs o;

	obs_init(&o, server ? OBS_TLS_SERVER_HELLO : OBS_TLS_CLIENT_HELLO);
	o.dir = server ? DIR_S2C : DIR_C2S;
	o.u.hello.version = 0x0302;
	(void)snprintf(o.u.hello.sni, sizeof(o.u.hello.sni), "%s", sni);
	(void)snprintf(o.u.hello.ja3, sizeof(o.u.hello.ja3), "%s",
	    "e7eca2baf4458d095b7f45da28c16c34");
	(void)snprintf(o.u.hello.ja4, sizeof(o.u.hello.ja4), "t13d_a_b");
	(void)snprintf(o.u.hello.alpn, sizeof(o.u.hello.alpn), "imap");
	kit_obs(&k, &o);
}

TEST(buffers_of_tls)
{
	kit_init(&k,
	    "alert tls any any -> any any (tls.sni; content:\"evil\"; sid:1;)\n"
	    "alert tls any any -> any any (ja3.hash; content:\"e7eca2\"; "
	    "startswith; sid:2;)\n"
	    "alert tls any any -> any any (ja4.hash; content:\"t13d\"; "
	    "sid:3;)\n"
	    "alert tls any any -> any any (tls.version:1.1; sid:4;)\n"
	    "alert tls any any -> any any (ja3s.hash; content:\"e7\"; "
	    "sid:5;)\n"
	    "alert tls any any -> any any (tls.alpn; content:\"imap\"; "
	    "bsize:4; sid:6;)\n"
	    "alert tls any any -> any any (tls.version:1.2; sid:7;)\n");
	hello("evil.example", false);
	CHECK_INT(kit_of(&k, 1) + kit_of(&k, 2) + kit_of(&k, 3), 3);
	CHECK_INT(kit_of(&k, 6), 1);
	CHECK_INT(kit_new(&k), 4);
	hello("", true);
	CHECK_INT(kit_of(&k, 4) + kit_of(&k, 5) + kit_of(&k, 6), 3);
	CHECK_INT(kit_new(&k), 3);
	hello("good.example", false);
	CHECK_INT(kit_of(&k, 1), 0);
	kit_fini(&k);
}

static void
certificate(void)
{
	struct obs o;

	obs_init(&o, OBS_TLS_CERT);
	o.dir = DIR_S2C;
	o.u.cert.from_server = 1;
	kit_obs(&k, &o);
}

TEST(buffers_of_certificates)
{
	struct x509_facts *f = &k.verdict.leaf;

	kit_init(&k,
	    "alert tls any any -> any any (tls.cert_issuer; "
	    "content:\"C=US, O=Fortinet, CN=Gate, way\"; bsize:30; sid:1;)\n"
	    "alert tls any any -> any any (tls.subject:\"CN=mx\"; sid:2;)\n"
	    "alert tls any any -> any any (tls.cert_serial; "
	    "content:\"0A:1B:2C\"; sid:3;)\n"
	    "alert tls any any -> any any (tls.cert_fingerprint; "
	    "content:\"aa:00:00:00\"; startswith; bsize:59; sid:4;)\n"
	    "alert tls any any -> any any (tls.cert_sha256; "
	    "content:\"bb:00\"; bsize:95; sid:5;)\n"
	    "alert tls any any -> any any (tls.subjectaltname; "
	    "content:\"b.example\"; startswith; endswith; sid:6;)\n"
	    "alert tls any any -> any any (tls.issuerdn:!\"Fortinet\"; "
	    "sid:7;)\n");
	(void)snprintf(
	    f->issuer, sizeof(f->issuer), "CN=Gate\\, way,O=Fortinet,C=US");
	(void)snprintf(f->subject, sizeof(f->subject), "CN=mx,O=x");
	(void)snprintf(f->serial, sizeof(f->serial), "0a1b2c");
	(void)snprintf(f->names, sizeof(f->names), "a.example\nb.example");
	f->sha1[0] = 0xaa;
	f->sha256[0] = 0xbb;
	certificate();
	for (unsigned sid = 1; sid <= 6; sid++)
		if (kit_of(&k, sid) != 1)
			TEST_FAIL("sid %u did not match once", sid);
	CHECK_INT(kit_of(&k, 7), 0);
	kit_fini(&k);
}

static void
caps(const char *words)
{
	struct obs o;

	obs_init(&o, OBS_CAPS);
	o.dir = DIR_S2C;
	(void)snprintf(o.u.caps.words, sizeof(o.u.caps.words), "%s", words);
	kit_obs(&k, &o);
}

TEST(buffers_of_lists_and_logins)
{
	struct obs o;

	kit_init(&k,
	    "alert smtp any any -> any any (smtp.capability; "
	    "content:\"X-\"; startswith; sid:1;)\n"
	    "alert smtp any any -> any any (smtp.greeting; "
	    "content:\"Postfix\"; sid:2;)\n"
	    "alert mail any any -> any any (auth.user; content:\"admin\"; "
	    "nocase; sid:3;)\n"
	    "alert mail any any -> any any (auth.mechanism; "
	    "content:\"PLAIN\"; sid:4;)\n");
	caps("SIZE\nX-EXPS");
	CHECK_INT(kit_new(&k), 1);
	caps("SIZE\nYX-EXPS");
	CHECK_INT(kit_new(&k), 0);
	obs_init(&o, OBS_GREETING);
	o.dir = DIR_S2C;
	(void)snprintf(o.text, sizeof(o.text), "220 mx ESMTP Postfix");
	kit_obs(&k, &o);
	CHECK_INT(kit_new(&k), 1);
	obs_init(&o, OBS_AUTH);
	(void)snprintf(o.u.auth.user, sizeof(o.u.auth.user), "Admin");
	(void)snprintf(o.u.auth.mech_name, OBS_VERB_MAX, "LOGIN");
	kit_obs(&k, &o);
	CHECK_INT(kit_of(&k, 3), 1);
	CHECK_INT(kit_new(&k), 1);
	kit_fini(&k);
}

/* ---- headers ---- */

TEST(header_names_sender_and_receiver)
{
	kit_init(&k,
	    "alert smtp 10.1.0.10 any -> 10.2.0.20 25 (smtp.command; "
	    "content:\"a\"; sid:1;)\n"
	    "alert smtp 10.2.0.20 25 -> 10.1.0.10 any (smtp.reply; "
	    "content:\"a\"; sid:2;)\n"
	    "alert smtp 10.1.0.10 any -> 10.2.0.20 any (smtp.reply; "
	    "content:\"a\"; sid:3;)\n"
	    "alert smtp 10.1.0.10 any <> 10.2.0.20 any (smtp.reply; "
	    "content:\"a\"; sid:4;)\n"
	    "alert smtp any any -> any 587 (smtp.command; content:\"a\"; "
	    "sid:5;)\n"
	    "alert imap any any -> any any (content:\"a\"; sid:6;)\n"
	    "alert smtp any any -> 10.2.0.20 any (content:\"a\"; sid:7;)\n"
	    "alert smtp any any -> any any (flow:to_client,established; "
	    "content:\"a\"; sid:8;)\n"
	    "alert smtp any any -> any any (flow:from_client; "
	    "content:\"a\"; sid:9;)\n");
	kit_command(&k, "a");
	CHECK_INT(kit_of(&k, 1) + kit_of(&k, 7) + kit_of(&k, 9), 3);
	CHECK_INT(kit_new(&k), 3);
	kit_line(&k, LINE_REPLY, "a");
	CHECK_INT(kit_of(&k, 2) + kit_of(&k, 4) + kit_of(&k, 8), 3);
	CHECK_INT(k.alerts[0].to_client, 1);
	CHECK_INT(kit_new(&k), 3);
	kit_fini(&k);
}

/* ---- several buffers ---- */

TEST(several_buffers_hold_at_one_time)
{
	kit_init(&k, SMTP "(smtp.helo; content:\"h\"; smtp.mail_from; "
			  "content:\"m\"; smtp.rcpt_to; content:\"r\"; "
			  "sid:1;)\n");
	kit_line(&k, LINE_HELO, "h");
	kit_line(&k, LINE_MAIL_FROM, "m");
	CHECK_INT(kit_new(&k), 0);
	kit_line(&k, LINE_RCPT_TO, "x");
	CHECK_INT(kit_new(&k), 0);
	kit_line(&k, LINE_RCPT_TO, "r");
	CHECK_INT(kit_new(&k), 1);
	kit_line(&k, LINE_MAIL_FROM, "x"); /* the next message */
	kit_line(&k, LINE_RCPT_TO, "r");
	CHECK_INT(kit_new(&k), 0);
	kit_line(&k, LINE_MAIL_FROM, "m");
	CHECK_INT(kit_new(&k), 1); /* the recipient held last */
	k.at = 1; /* another connection knows nothing of it */
	kit_line(&k, LINE_RCPT_TO, "r");
	CHECK_INT(kit_new(&k), 0);
	kit_fini(&k);
}

TEST(rules_of_several_buffers_are_bounded)
{
	static char text[20000];
	size_t used = 0;

	for (unsigned i = 0; i < ENGINE_PARTS_MAX + 5; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    SMTP "(smtp.helo; content:\"h\"; smtp.mail_from; "
			 "content:\"m\"; sid:%u;)\n",
		    i + 1);
	kit_init(&k, text);
	kit_line(&k, LINE_HELO, "h");
	kit_line(&k, LINE_MAIL_FROM, "m");
	CHECK_INT(kit_new(&k), ENGINE_PARTS_MAX);
	CHECK(engine_counters(k.e)->parts_full >= 5);
	kit_fini(&k);
}

/* ---- actions ---- */

TEST(pass_silences_a_finding)
{
	kit_init(&k, "alert tcp any any -> any any (sid:1;)\n"
		     "pass tcp any any -> any 25 (finding:rst-injected; "
		     "sid:2;)\n");
	CHECK(kit_finding(&k, FIND_RST_INJECTED) > 0);
	CHECK_INT(kit_new(&k), 0);
	CHECK_INT(kit_finding(&k, FIND_FIN_INJECTED), 1);
	CHECK_INT(kit_new(&k), 1);
	k.who.server_port = 587;
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_new(&k), 1);
	kit_fini(&k);
}

TEST(pass_on_content_silences_the_connection)
{
	kit_init(&k,
	    "alert tcp any any -> any any (sid:1;)\n" SMTP "(" QUIT "sid:2;)\n"
	    "pass smtp any any -> any any (smtp.helo; "
	    "content:\"monitor\"; sid:3;)\n");
	kit_line(&k, LINE_HELO, "monitor.example.org");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_finding(&k, FIND_RST_INJECTED), 1);
	CHECK_INT(kit_new(&k), 0);
	k.at = 1;
	kit_line(&k, LINE_HELO, "other.example.org");
	kit_command(&k, "QUIT");
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_new(&k), 2);
	kit_fini(&k);
}

TEST(log_never_alarms)
{
	kit_init(&k, "log smtp any any -> any any (" QUIT
		     "classtype:trojan-activity; sid:1;)\n");
	kit_command(&k, "QUIT");
	CHECK_INT(k.n, 1);
	CHECK_INT(k.alerts[0].severity, SEV_INFO);
	kit_fini(&k);
}

/* ---- bits ---- */

TEST(flowbits_join_rules_of_a_connection)
{
	kit_init(&k, SMTP
	    "(flowbits:isset,seen; " QUIT "sid:1;)\n" SMTP
	    "(smtp.helo; content:\"x\"; flowbits:set,seen; "
	    "flowbits:noalert; sid:2;)\n" SMTP
	    "(smtp.command; content:\"NOOP\"; flowbits:toggle,seen; "
	    "noalert; sid:3;)\n" SMTP
	    "(smtp.command; content:\"RSET\"; flowbits:unset,seen; "
	    "noalert; sid:4;)\n"
	    "alert tcp any any -> any any (finding:rst-injected; "
	    "flowbits:isset,other|seen; sid:5;)\n"
	    "alert tcp any any -> any any (finding:rst-injected; "
	    "flowbits:isnotset,other|seen; sid:6;)\n" SMTP
	    "(smtp.command; content:\"both\"; flowbits:set,both; "
	    "noalert; sid:7;)\n" SMTP
	    "(smtp.command; content:\"both\"; flowbits:isset,both; sid:8;)\n");
	kit_command(&k, "QUIT");
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_of(&k, 6), 1);
	CHECK_INT(kit_new(&k), 1);
	kit_line(&k, LINE_HELO, "x");
	CHECK_INT(kit_new(&k), 0);
	kit_command(&k, "QUIT");
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_of(&k, 1) + kit_of(&k, 5), 2);
	CHECK_INT(kit_new(&k), 2);
	kit_command(&k, "NOOP");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_new(&k), 0);
	kit_command(&k, "NOOP");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_new(&k), 1);
	kit_command(&k, "RSET");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_new(&k), 0);
	kit_command(&k, "both"); /* set before it is asked for */
	CHECK_INT(kit_new(&k), 1);
	kit_fini(&k);
}

TEST(xbits_join_connections_of_hosts)
{
	kit_init(&k, SMTP
	    "(smtp.helo; content:\"x\"; "
	    "xbits:set,bad,track ip_pair,expire 60; noalert; sid:1;)\n" SMTP
	    "(smtp.helo; content:\"x\"; xbits:set,src,track ip_src; "
	    "noalert; sid:2;)\n" SMTP "(" QUIT
	    "xbits:isset,bad,track ip_pair; sid:3;)\n" SMTP "(" QUIT
	    "xbits:isset,src,track ip_src; sid:4;)\n" SMTP "(" QUIT
	    "xbits:isnotset,src,track ip_src; sid:5;)\n" SMTP
	    "(smtp.command; content:\"RSET\"; "
	    "xbits:unset,bad,track ip_pair; noalert; sid:6;)\n");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 5), 1);
	CHECK_INT(kit_new(&k), 1);
	kit_line(&k, LINE_HELO, "x");
	k.at = 1;
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 3) + kit_of(&k, 4), 2);
	CHECK_INT(kit_new(&k), 2);
	k.now += 31 * KIT_SECOND; /* 30 s where nothing else is said */
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 3) + kit_of(&k, 5), 2);
	(void)kit_new(&k);
	k.now += 30 * KIT_SECOND;
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 3), 0);
	(void)kit_new(&k);
	kit_line(&k, LINE_HELO, "x");
	k.who.server.b[15]++;
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 3), 0);
	CHECK_INT(kit_of(&k, 4), 1);
	k.who.server.b[15]--;
	kit_command(&k, "RSET");
	(void)kit_new(&k);
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 3), 0);
	kit_fini(&k);
}

/* ---- limits ---- */

/* Alerts of so many matches, one a second. */
static unsigned
limited(const char *options, unsigned times, int64_t every)
{
	char text[400];
	unsigned n;

	(void)snprintf(
	    text, sizeof(text), SMTP "(" QUIT "%s sid:1;)\n", options);
	kit_init(&k, text);
	for (unsigned i = 0; i < times; i++) {
		kit_command(&k, "QUIT");
		k.now += every * KIT_SECOND;
	}
	n = kit_new(&k);
	kit_fini(&k);
	return n;
}

TEST(thresholds_count_in_packet_time)
{
	CHECK_INT(limited("", 10, 1), 10);
	CHECK_INT(limited("threshold:type limit, track by_src, count 3, "
			  "seconds 60;",
		      10, 1),
	    3);
	CHECK_INT(limited("threshold:type limit, track by_src, count 1, "
			  "seconds 4;",
		      10, 1),
	    2);
	CHECK_INT(limited("threshold:type threshold, track by_dst, count 3, "
			  "seconds 60;",
		      10, 1),
	    3);
	CHECK_INT(limited("threshold:type threshold, track by_dst, count 3, "
			  "seconds 1;",
		      10, 2),
	    0);
	CHECK_INT(limited("threshold:type both, track by_both, count 3, "
			  "seconds 60;",
		      10, 1),
	    1);
	CHECK_INT(limited("detection_filter:track by_src, count 3, "
			  "seconds 60;",
		      10, 1),
	    7);
	CHECK_INT(limited("detection_filter:track by_src, count 3, "
			  "seconds 1;",
		      10, 2),
	    0);
}

TEST(thresholds_track_hosts)
{
	kit_init(&k, SMTP "(" QUIT "threshold:type limit, track by_src, "
			  "count 1, seconds 60; sid:1;)\n" SMTP "(" QUIT
			  "threshold:type limit, track by_dst, count 1, "
			  "seconds 60; sid:2;)\n" SMTP "(" QUIT
			  "threshold:type limit, track by_both, count 1, "
			  "seconds 60; sid:3;)\n" SMTP "(" QUIT
			  "threshold:type limit, track by_rule, count 1, "
			  "seconds 60; sid:4;)\n");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_new(&k), 4);
	k.who.client.b[15]++;
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 1) + kit_of(&k, 3), 2);
	CHECK_INT(kit_new(&k), 2);
	k.who.server.b[15]++;
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 2) + kit_of(&k, 3), 2);
	CHECK_INT(kit_new(&k), 2);
	CHECK_INT(engine_counters(k.e)->limited, 4 + 0);
	kit_fini(&k);
}

/* A full table forgets, which lets an alert more through, and says so. */
TEST(table_of_limits_is_bounded)
{
	kit_init(&k, SMTP "(" QUIT "threshold:type limit, track by_src, "
			  "count 1, seconds 600000; sid:1;)\n");
	for (unsigned i = 0; i < 66000; i++) {
		memcpy(k.who.client.b + 12, &i, sizeof(i));
		kit_command(&k, "QUIT");
	}
	CHECK_INT(engine_counters(k.e)->states, 65536);
	CHECK_INT(engine_counters(k.e)->states_evicted, 66000 - 65536);
	kit_fini(&k);
}

/* ---- what is known ---- */

TEST(history_is_asked)
{
	kit_init(&k,
	    "alert tcp any any -> any any (history:starttls,seen,>10; "
	    "sid:1;)\n"
	    "alert tcp any any -> any any (history:starttls,never; sid:2;)\n"
	    "alert tcp any any -> any any (history:pair-tls,seen; sid:3;)\n"
	    "alert tcp any any -> any any (history:tls,seen,<=3; "
	    "history:server,seen; sid:4;)\n" SMTP "(" QUIT
	    "history:starttls,seen,11; sid:5;)\n");
	(void)kit_finding(&k, FIND_STARTTLS_STRIPPED);
	CHECK_INT(kit_of(&k, 2), 1);
	CHECK_INT(kit_new(&k), 1);
	k.known = true;
	k.server.offered = 10;
	k.server.sessions = 10;
	k.server.tls_done = 3;
	k.pair.tls = 1;
	(void)kit_finding(&k, FIND_STARTTLS_STRIPPED);
	CHECK_INT(kit_of(&k, 3) + kit_of(&k, 4), 2);
	CHECK_INT(kit_new(&k), 2);
	k.server.offered = 11;
	(void)kit_finding(&k, FIND_STARTTLS_STRIPPED);
	CHECK_INT(kit_of(&k, 1), 1);
	(void)kit_new(&k);
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 5), 1);
	CHECK(engine_wants_history(k.e));
	kit_fini(&k);
}

TEST(incident_is_asked)
{
	kit_init(&k,
	    "alert tcp any any -> any any (incident:new; severity:medium; "
	    "sid:1;)\n"
	    "alert tcp any any -> any any (incident:open; sid:2;)\n"
	    "alert tcp any any -> any any (incident:none; sid:3;)\n"
	    "alert tcp any any -> any any (incident:>=high; sid:4;)\n"
	    "alert tcp any any -> any any (incident:open,>high; sid:5;)\n"
	    "alert tcp any any -> any any (incident:new; severity:low; "
	    "sid:6;)\n");
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_of(&k, 1) + kit_of(&k, 3), 2);
	CHECK_INT(kit_new(&k), 2);
	k.incident = 7;
	k.incident_severity = SEV_CRITICAL;
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_of(&k, 2) + kit_of(&k, 4) + kit_of(&k, 5), 3);
	CHECK_INT(kit_new(&k), 3);
	k.incident_severity = SEV_MEDIUM;
	(void)kit_finding(&k, FIND_RST_INJECTED);
	CHECK_INT(kit_of(&k, 2), 1);
	CHECK_INT(kit_new(&k), 1);
	kit_fini(&k);
}

TEST(visibility_is_asked)
{
	kit_init(&k, SMTP "(" QUIT "visibility:complete; sid:1;)\n" SMTP
			  "(" QUIT "visibility:gap-client; sid:2;)\n");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 1), 1);
	CHECK_INT(kit_new(&k), 1);
	k.vis = VIS_GAP_C2S;
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 2), 1);
	CHECK_INT(kit_new(&k), 1);
	kit_fini(&k);
}

/* ---- other rules ---- */

static void
each_flow(void *ctx, void (*fn)(struct engine *, struct engine_flow *),
    struct engine *e)
{
	struct kit *kit = ctx;

	for (unsigned i = 0; i < 4; i++)
		fn(e, &kit->flow[i]);
}

static void
change_rules(const char *rules)
{
	static struct report r;
	struct ruleset *set = parse(rules, &r), *old = k.set;

	CHECK(set != NULL);
	if (set == NULL)
		return;
	engine_use(k.e, set, each_flow, &k);
	k.set = set;
	ruleset_free(old);
}

TEST(other_rules_keep_what_was_seen)
{
	static const char two[] =
	    SMTP "(smtp.helo; content:\"h\"; smtp.mail_from; content:\"m\"; "
		 "sid:1;)\n" SMTP
		 "(smtp.command; content:\"set\"; flowbits:set,x; noalert; "
		 "sid:2;)\n" SMTP "(" QUIT "flowbits:isset,x; sid:3;)\n" SMTP
		 "(smtp.command; content:\"lim\"; threshold:type limit, track "
		 "by_src, count 1, seconds 60; sid:4;)\n";
	char text[1000];

	kit_init(&k, two);
	kit_line(&k, LINE_HELO, "h");
	kit_command(&k, "set");
	kit_command(&k, "lim");
	CHECK_INT(kit_new(&k), 1);
	(void)snprintf(text, sizeof(text),
	    SMTP "(" QUIT "flowbits:isset,other; sid:9;)\n%s", two);
	change_rules(text);
	kit_line(&k, LINE_MAIL_FROM, "m");
	CHECK_INT(kit_of(&k, 1), 1);
	kit_command(&k, "QUIT");
	CHECK_INT(kit_of(&k, 3), 1);
	CHECK_INT(kit_of(&k, 9), 0);
	(void)kit_new(&k);
	kit_command(&k, "lim");
	CHECK_INT(kit_new(&k), 0);
	CHECK_INT(engine_counters(k.e)->reloads, 1);
	kit_fini(&k);
}

/* A bit whose name is gone is not the next name's. */
TEST(other_rules_begin_with_clear_bits)
{
	kit_init(&k, SMTP "(" QUIT "flowbits:set,a; noalert; sid:1;)\n");
	kit_command(&k, "QUIT");
	change_rules(SMTP "(" QUIT "flowbits:isset,b; sid:1;)\n");
	kit_command(&k, "QUIT");
	CHECK_INT(kit_new(&k), 0);
	kit_fini(&k);
}

TEST(nothing_is_wanted_where_no_rule_looks)
{
	struct obs o;

	kit_init(&k, "alert tcp any any -> any any (sid:1;)\n");
	obs_init(&o, OBS_GREETING);
	CHECK(!engine_wants(k.e, &o));
	for (unsigned p = 0; p < PROTO_COUNT; p++)
		CHECK_INT(ruleset_lines(k.set, (enum proto)p), 0);
	kit_fini(&k);
	kit_init(&k, SMTP "(smtp.mail_from; content:\"a\"; sid:1;)\n"
			  "alert imap any any -> any any (content:\"a\"; "
			  "sid:2;)\n");
	CHECK_INT(ruleset_lines(k.set, PROTO_SMTP), 1u << LINE_MAIL_FROM);
	CHECK_INT(ruleset_lines(k.set, PROTO_IMAP),
	    1u << LINE_COMMAND | 1u << LINE_REPLY);
	CHECK_INT(ruleset_lines(k.set, PROTO_POP3), 0);
	kit_fini(&k);
}

TEST_MAIN
