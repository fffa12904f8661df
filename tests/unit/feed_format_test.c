/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The formats of the feeds: what the fields of one alert become, times, keys,
 * and names of invalid bytes all the way from the alert. Schemas and grammars
 * are checked by tests/feeds.py.
 */
#include "db/feed_format.h"

#include <jansson.h>

#include "db/feed_eve.h"
#include "db/feed_map.h"
#include "decoders/utf8.h"
#include "tests/test.h"
#include "tests/unit/addr_help.h"

static const struct feed_identity me = {"sensor1", 4711, 16, false};
static const struct feed_identity headed = {"sensor1", 4711, 16, true};
static char out[FEED_MESSAGE_MAX];

static const char *
made(enum feed_format f, bool header, const char *eve)
{
	const struct event e = {.eve = eve, .len = strlen(eve)};
	size_t n = feed_format(out, sizeof(out), f, &e, header ? &headed : &me);

	if (n == 0)
		return "(refused)";
	CHECK(n == strlen(out));
	return out;
}

static const char *
key_of(const char *eve)
{
	static char key[128];
	const struct event e = {.eve = eve, .len = strlen(eve)};

	return feed_key(key, sizeof(key), &e);
}

static const char small[] =
    "{\"timestamp\":\"2026-11-22T10:03:14.512345+0000\","
    "\"event_type\":\"alert\",\"src_ip\":\"10.1.0.10\",\"src_port\":51514,"
    "\"dest_ip\":\"10.2.0.20\",\"dest_port\":25,\"proto\":\"TCP\","
    "\"alert\":{\"gid\":1,\"signature_id\":1000001,\"rev\":2,"
    "\"signature\":\"a|b=c\",\"severity\":1},\"app_proto\":\"smtp\","
    "\"stripwire\":{\"severity\":\"high\",\"user\":\"x\\\"]\\\\=y\"}}";

TEST(eve_stays_as_it_is)
{
	CHECK_STR(made(FORMAT_EVE, false, small), small);
}

TEST(cef_escapes_header_and_extension)
{
	CHECK_STR(made(FORMAT_CEF, false, small),
	    "CEF:0|Stripwire|Stripwire|0.1.0|1:1000001|a\\|b=c|8|"
	    "rt=1795341794512 cat=alert src=10.1.0.10 spt=51514 "
	    "dst=10.2.0.20 dpt=25 proto=TCP app=smtp duser=x\"]\\\\\\=y "
	    "cs6=2026-11-22T10:03:14.512345Z cs6Label=timestamp "
	    "msg=a|b\\=c (10.1.0.10:51514 to 10.2.0.20:25, smtp)");
}

TEST(syslog_escapes_its_parameters)
{
	CHECK_STR(made(FORMAT_SYSLOG, false, small),
	    "<131>1 2026-11-22T10:03:14.512345Z sensor1 stripwire 4711 alert "
	    "[stripwire@32473 event_type=\"alert\" src_ip=\"10.1.0.10\" "
	    "src_port=\"51514\" dest_ip=\"10.2.0.20\" dest_port=\"25\" "
	    "app_proto=\"smtp\" gid=\"1\" sid=\"1000001\" rev=\"2\" "
	    "signature=\"a|b=c\" severity=\"high\" user=\"x\\\"\\]\\\\=y\"]"
	    "[origin software=\"Stripwire\" swVersion=\"0.1.0\"] "
	    "a|b=c (10.1.0.10:51514 to 10.2.0.20:25, smtp)");
}

TEST(header_stands_before_any_format)
{
	static const char head[] = "<131>1 2026-11-22T10:03:14.512345Z sensor1 "
				   "stripwire 4711 alert - {\"timestamp\"";

	CHECK(strncmp(made(FORMAT_EVE, true, small), head, strlen(head)) == 0);
}

TEST(header_of_nobody_has_dashes_and_of_odd_names_underscores)
{
	const struct feed_identity nobody = {NULL, 0, 0, true};
	const struct feed_identity odd = {"a b\xc3\xbc", 0, 400, true};
	const struct event e = {.eve = "{}", .len = 2};
	static const char none[] = "<6>1 - - stripwire - - - {}";
	static const char some[] = "<134>1 - a_b__ stripwire - - - {}";

	CHECK(feed_format(out, sizeof(out), FORMAT_EVE, &e, &nobody) ==
	      strlen(none));
	CHECK_STR(out, none);
	CHECK(feed_format(out, sizeof(out), FORMAT_EVE, &e, &odd) > 0);
	CHECK_STR(out, some);
}

TEST(what_does_not_fit_is_refused_whole)
{
	const struct event e = {.eve = small, .len = strlen(small)};

	for (int f = 0; f < FORMAT_COUNT; f++) {
		size_t n =
		    feed_format(out, sizeof(out), (enum feed_format)f, &e, &me);

		CHECK(n > 0);
		for (size_t cap = 0; cap <= n; cap++)
			CHECK(feed_format(
				  out, cap, (enum feed_format)f, &e, &me) == 0);
		CHECK(
		    feed_format(out, n + 1, (enum feed_format)f, &e, &me) == n);
	}
}

TEST(keys_name_the_server)
{
	CHECK_STR(key_of(small), "10.2.0.20:25");
	CHECK_STR(key_of("{\"dest_ip\":\"2001:db8::1\",\"dest_port\":993}"),
	    "[2001:db8::1]:993");
	CHECK_STR(key_of("{\"direction\":\"to_client\",\"src_ip\":\"10.9.0.1\","
			 "\"src_port\":25,\"dest_ip\":\"10.0.0.1\"}"),
	    "10.9.0.1:25");
	CHECK_STR(key_of("{\"dest_ip\":\"10.2.0.20\",\"stripwire\":{"
			 "\"timeline\":[{\"dest_port\":143}]}}"),
	    "10.2.0.20:143");
	CHECK_STR(key_of("{\"dest_ip\":\"10.2.0.20\"}"), "10.2.0.20");
	CHECK_STR(key_of("{\"event_type\":\"stats\"}"), "");
	CHECK_STR(key_of("not JSON"), "");
}

TEST(times_of_eve_are_read_exactly)
{
	static const struct {
		const char *eve, *rfc3339;
		int64_t ns;
	} times[] = {
	    {"2026-11-22T10:03:14.512345+0000", "2026-11-22T10:03:14.512345Z",
		INT64_C(1795341794512345000)},
	    {"2026-11-22T10:03:14.5+0000", "2026-11-22T10:03:14.500000Z",
		INT64_C(1795341794500000000)},
	    {"2026-11-22T12:03:14.512345+0200",
		"2026-11-22T12:03:14.512345+02:00",
		INT64_C(1795341794512345000)},
	    {"2026-11-22T04:33:14.512345-0530",
		"2026-11-22T04:33:14.512345-05:30",
		INT64_C(1795341794512345000)},
	    {"2024-02-29T00:00:00", "2024-02-29T00:00:00.000000Z",
		INT64_C(1709164800000000000)},
	    {"2026-11-22T10:03:14.512345Z", NULL, -1},
	    {"2026-11-22T10:03:14.512345+00:00", NULL, -1},
	    {"2026-11-22T10:03:14.+0000", NULL, -1},
	    {"2026-11-22 10:03:14", NULL, -1},
	    {"2026-11-22T10:03", NULL, -1},
	    {"", NULL, -1},
	    {"9999-12-31T23:59:59", "9999-12-31T23:59:59.000000Z", -1},
	    {"1969-12-31T23:59:59", "1969-12-31T23:59:59.000000Z", -1},
	};
	char buf[RFC3339_MAX];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const char *got = map_rfc3339(buf, times[i].eve);

		CHECK_STR(got == NULL ? "-" : got,
		    times[i].rfc3339 == NULL ? "-" : times[i].rfc3339);
		CHECK(map_ns(times[i].eve) == times[i].ns);
	}
}

static struct alert
alert_of_bytes(const char *bytes)
{
	struct alert a = {.sid = 1, .gid = 1, .rev = 1};

	a.finding.id = FIND_PLAINTEXT_CREDENTIALS;
	a.finding.time = INT64_C(1795341794512345678);
	a.finding.nevidence = 1;
	a.severity = SEV_HIGH;
	a.proto = PROTO_IMAP;
	a.flow.client = v4(10, 1, 0, 10);
	a.flow.server = v4(10, 2, 0, 20);
	snprintf(a.msg, sizeof(a.msg), "%s", bytes);
	snprintf(a.metadata, sizeof(a.metadata), "k%s %s", bytes, bytes);
	snprintf(a.server_name, sizeof(a.server_name), "%s", bytes);
	snprintf(a.finding.user, sizeof(a.finding.user), "%s", bytes);
	snprintf(a.finding.advice, sizeof(a.finding.advice), "%s", bytes);
	snprintf(a.finding.evidence[0].text, FINDING_SENTENCE_MAX, "%s", bytes);
	snprintf(a.tls.sni, sizeof(a.tls.sni), "%s", bytes);
	return a;
}

/* Overlong, surrogate, cut, beyond Unicode, Latin-1; with what ends fields. */
TEST(no_byte_of_a_name_ends_anything)
{
	static const char *const names[] = {"\xff\xfe", "\xc0\x80",
	    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\xbc", "m\xfcller",
	    "\"]\\|=\n\r\x01\x1b[0m\x7f\x80", "\xc2\x85\xe2\x80\xa8"};
	char eve[EVE_LINE_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct alert a = alert_of_bytes(names[i]);

		CHECK(eve_format(eve, sizeof(eve), &a, names[i], names[i]) > 0);
		for (int f = 0; f < FORMAT_COUNT; f++) {
			const char *s = made((enum feed_format)f, true, eve);

			CHECK(strpbrk(s, "\n\r\x01\x1b") == NULL);
			for (size_t at = 0; s[at] != '\0';) {
				unsigned n = utf8_char(s + at, strlen(s + at));

				CHECK(n > 0);
				at += n == 0 ? 1 : n;
			}
		}
	}
}

TEST(byte_order_mark_only_before_more_than_ascii)
{
	CHECK(
	    strstr(made(FORMAT_SYSLOG, false, small), "\xef\xbb\xbf") == NULL);
	CHECK(strstr(made(FORMAT_SYSLOG, false,
			 "{\"event_type\":\"tls\",\"src_ip\":\"1.2.3.4\","
			 "\"stripwire\":{\"server_name\":\"m\xc3\xbcller\"}}"),
		  "] \xef\xbb\xbftls 1.2.3.4 to m\xc3\xbcller ") != NULL);
}

TEST(names_of_formats_and_types)
{
	CHECK_STR(feed_format_name(FORMAT_OCSF), "ocsf");
	CHECK_STR(feed_format_name(FORMAT_COUNT), "?");
	CHECK_STR(event_type_name(EVENT_POP3), "pop3");
	CHECK_STR(event_type_name(EVENT_TYPES), "?");
}

TEST_MAIN
