/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The EVE feed: the form of a line, hostile strings in it, and outputs that
 * fail.
 */
#include "db/feed_eve.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "db/community_id.h"
#include "db/eve_event.h"
#include "decoders/hash.h"
#include "decoders/utf8.h"
#include "rules/facts.h"
#include "tests/test.h"
#include "tests/unit/addr_help.h"

/* 2026-11-22T10:03:14.512345678 */
#define WHEN (INT64_C(1795341794) * 1000000000 + 512345678)

static struct alert
an_alert(void)
{
	struct alert a = {.sid = 1000001, .gid = 1, .rev = 2};
	struct finding *f = &a.finding;

	a.severity = SEV_CRITICAL;
	a.proto = PROTO_SMTP;
	strcpy(a.msg, "STARTTLS stripped");
	strcpy(a.classtype, "misc-attack");
	a.flow.client = v4(10, 1, 0, 10);
	a.flow.server = v4(10, 2, 0, 20);
	a.flow.client_port = 51514;
	a.flow.server_port = 25;
	a.flow.public_id = 1234567890123;
	f->id = FIND_STARTTLS_STRIPPED;
	f->confidence = 96;
	f->time = WHEN;
	f->pkt.ordinal = 77;
	f->pkt.frame_no = 42;
	f->nevidence = 2;
	strcpy(f->evidence[0].text, "the list lacks it");
	strcpy(f->evidence[1].text, "it was there before");
	strcpy(f->advice, "require TLS");
	strcpy(f->where, "on the path");
	return a;
}

static const char *
line_of(const struct alert *a, const char *host, const char *file)
{
	static char buf[EVE_LINE_MAX];

	CHECK(eve_format(buf, sizeof(buf), a, host, file) == strlen(buf));
	return buf;
}

static json_t *
object_of(const struct alert *a, const char *host, const char *file)
{
	json_error_t err;
	json_t *o = json_loads(line_of(a, host, file), 0, &err);

	if (o == NULL)
		TEST_FAIL("not JSON: %s", err.text);
	return o;
}

static const char *
string_in(json_t *o, const char *outer, const char *key)
{
	json_t *in = outer == NULL ? o : json_object_get(o, outer);
	const char *s = json_string_value(json_object_get(in, key));

	return s == NULL ? "(none)" : s;
}

/* ---- form ---- */

TEST(line_is_what_suricata_writes)
{
	struct alert a = an_alert();

	CHECK_STR(line_of(&a, "sensor1", "x/a.pcap"),
	    "{\"timestamp\":\"2026-11-22T10:03:14.512345+0000\","
	    "\"flow_id\":1234567890123,\"pcap_cnt\":42,"
	    "\"event_type\":\"alert\","
	    "\"src_ip\":\"10.1.0.10\",\"src_port\":51514,"
	    "\"dest_ip\":\"10.2.0.20\",\"dest_port\":25,\"proto\":\"TCP\","
	    "\"community_id\":\"1:+Odiz3mOls/QfR75r/muP1xrTzc=\","
	    "\"alert\":{\"action\":\"allowed\",\"gid\":1,"
	    "\"signature_id\":1000001,\"rev\":2,"
	    "\"signature\":\"STARTTLS stripped\",\"category\":\"Misc "
	    "Attack\",\"severity\":1},\"app_proto\":\"smtp\","
	    "\"stripwire\":{"
	    "\"event_id\":\"023868a9e3f2feb3792dba772ccf067c\","
	    "\"finding\":\"starttls-stripped\","
	    "\"confidence\":96,\"severity\":\"critical\","
	    "\"evidence\":[\"the list lacks it\",\"it was there before\"],"
	    "\"visibility\":\"complete\",\"advice\":\"require TLS\","
	    "\"where\":\"on the path\"},"
	    "\"host\":\"sensor1\",\"pcap_filename\":\"x/a.pcap\"}\n");
}

TEST(optional_keys_come_when_there_is_something)
{
	struct alert a = an_alert();
	json_t *o = object_of(&a, NULL, NULL);

	CHECK(json_object_get(o, "host") == NULL);
	CHECK(json_object_get(o, "pcap_filename") == NULL);
	CHECK(json_object_get(o, "pcap_cnt") == NULL);
	CHECK(json_object_get(o, "vlan") == NULL);
	CHECK_STR(string_in(o, "stripwire", "user"), "(none)");
	json_decref(o);
	a.flow.nvlan = 2;
	a.flow.vlan[0] = 10;
	a.flow.vlan[1] = 4094;
	a.proto = PROTO_UNKNOWN;
	a.finding.vis = VIS_GAP_S2C | VIS_MIDSTREAM;
	strcpy(a.finding.user, "alice");
	strcpy(a.finding.mech, "PLAIN");
	strcpy(a.metadata, "owner me\nowner you\nalone");
	o = object_of(&a, NULL, NULL);
	CHECK(strstr(line_of(&a, NULL, NULL), "\"vlan\":[10,4094]") != NULL);
	CHECK(strstr(line_of(&a, NULL, NULL),
		  "\"metadata\":{\"owner\":[\"me\",\"you\"],"
		  "\"alone\":[\"\"]}") != NULL);
	CHECK_STR(string_in(o, NULL, "app_proto"), "(none)");
	CHECK_STR(string_in(o, "stripwire", "user"), "alice");
	CHECK_STR(string_in(o, "stripwire", "mechanism"), "PLAIN");
	CHECK_STR(
	    string_in(o, "stripwire", "visibility"), "midstream, gap-server");
	json_decref(o);
}

TEST(advice_and_place_come_from_the_table_where_the_finding_has_none)
{
	struct alert a = an_alert();
	const struct finding_info *info = finding_info(a.finding.id);
	json_t *o;

	a.finding.advice[0] = a.finding.where[0] = '\0';
	o = object_of(&a, NULL, NULL);
	CHECK_STR(string_in(o, "stripwire", "advice"), info->advice);
	CHECK_STR(string_in(o, "stripwire", "where"), info->where);
	json_decref(o);
}

TEST(tls_is_told_as_suricata_does)
{
	static const struct {
		uint16_t version;
		const char *want;
	} t[] = {{0x0002, "SSLv2"}, {0x0300, "SSLv3"}, {0x0301, "TLSv1"},
	    {0x0302, "TLS 1.1"}, {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"}};
	struct alert a = an_alert();
	json_t *o = object_of(&a, NULL, NULL), *tls;

	CHECK(json_object_get(o, "tls") == NULL);
	json_decref(o);
	strcpy(a.tls.sni, "mail.example");
	strcpy(a.tls.ja3, "2c4428422b734ef16cdbf05bc5d82e08");
	strcpy(a.tls.ja3s, "b653c251b0ee54c3088fe7bb997cf59d");
	strcpy(a.tls.ja4, "t12d280600_d943125447b4_a44c6288192a");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		a.tls.version = t[i].version;
		o = object_of(&a, NULL, NULL);
		tls = json_object_get(o, "tls");
		CHECK_STR(string_in(o, "tls", "version"), t[i].want);
		CHECK_STR(string_in(o, "tls", "sni"), a.tls.sni);
		CHECK_STR(string_in(o, "tls", "ja4"), a.tls.ja4);
		CHECK_STR(string_in(tls, "ja3", "hash"), a.tls.ja3);
		CHECK_STR(string_in(tls, "ja3s", "hash"), a.tls.ja3s);
		CHECK(json_object_get(tls, "session_resumed") == NULL);
		json_decref(o);
	}
}

/* Nanoseconds since 1970 end in 2262, and begin in 1677. */
TEST(certificates_may_hold_any_year)
{
	static const struct {
		int64_t seconds;
		const char *want; /* NULL: not told */
	} t[] = {{INT64_C(1795341794), "2026-11-22T10:03:14"},
	    {INT64_C(253402300799), "9999-12-31T23:59:59"}, /* RFC 5280 */
	    {INT64_C(253402300800), NULL},
	    {INT64_C(-62135596800), "0001-01-01T00:00:00"}, {INT64_MAX, NULL},
	    {INT64_MIN, NULL}};
	struct facts_tls tls = {.known = 1, .has_chain = 1, .sni = ""};
	struct facts f;
	struct obs done = {.kind = OBS_TLS_DONE};
	struct chain_verdict chain = {.trust = TRUST_OK};
	struct judge_view v = {.o = &done, .f = &f};
	struct eve_seen seen = {EVENT_TLS, &v, &chain};
	struct eve_place at = {.id = "x"};
	char line[EVE_LINE_MAX];

	facts_init(&f);
	f.tls = &tls;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *o;

		chain.leaf.not_before = chain.leaf.not_after = t[i].seconds;
		CHECK(eve_format_event(line, sizeof(line), &seen, &at) != 0);
		o = json_loads(line, 0, NULL);
		if (t[i].want != NULL) {
			CHECK_STR(string_in(o, "tls", "notbefore"), t[i].want);
			CHECK_STR(string_in(o, "tls", "notafter"), t[i].want);
		} else {
			CHECK(strstr(line, "notbefore") == NULL);
		}
		json_decref(o);
	}
}

TEST(severities_map_to_four_grades)
{
	static const int want[] = {4, 3, 2, 1, 1};

	for (int sev = SEV_INFO; sev <= SEV_CRITICAL; sev++) {
		struct alert a = an_alert();
		json_t *o, *alert;

		a.severity = (uint8_t)sev;
		o = object_of(&a, NULL, NULL);
		alert = json_object_get(o, "alert");
		CHECK_INT(
		    json_integer_value(json_object_get(alert, "severity")),
		    want[sev]);
		CHECK_STR(
		    string_in(o, "stripwire", "severity"), severity_name(sev));
		json_decref(o);
	}
}

TEST(flow_id_fits_51_bits)
{
	struct alert a = an_alert();
	json_t *o;

	a.flow.public_id = UINT64_MAX;
	o = object_of(&a, NULL, NULL);
	CHECK_INT(
	    json_integer_value(json_object_get(o, "flow_id")), (1ll << 51) - 1);
	json_decref(o);
}

TEST(times)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00.000000+0000"},
	    {999, "1970-01-01T00:00:00.000000+0000"},
	    {-1, "1969-12-31T23:59:59.999999+0000"},
	    {WHEN, "2026-11-22T10:03:14.512345+0000"},
	    {INT64_MAX, "2262-04-11T23:47:16.854775+0000"},
	    {INT64_MIN, "1677-09-21T00:12:43.145224+0000"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = an_alert();
		json_t *o;

		a.finding.time = rows[i].ns;
		o = object_of(&a, NULL, NULL);
		CHECK_STR(string_in(o, NULL, "timestamp"), rows[i].text);
		json_decref(o);
	}
}

TEST(frame_comes_from_the_ladder_where_the_finding_has_no_packet)
{
	struct alert a = an_alert();

	a.finding.pkt.ordinal = 0;
	a.nsteps = 2;
	a.steps[0].pkt.ordinal = a.steps[0].pkt.frame_no = 5;
	a.steps[1].pkt.ordinal = a.steps[1].pkt.frame_no = 9;
	a.steps[1].mark = STEP_WRONG;
	CHECK(strstr(line_of(&a, NULL, "f"), "\"pcap_cnt\":9,") != NULL);
	a.steps[1].mark = 0;
	CHECK(strstr(line_of(&a, NULL, "f"), "pcap_cnt") == NULL);
}

/* ---- community id: values of the specification's own test data ---- */

TEST(community_ids)
{
	struct obs_flow f = {.client_port = 34855, .server_port = 80};
	char buf[COMMUNITY_ID_MAX];

	f.client = v4(128, 232, 110, 120);
	f.server = v4(66, 35, 250, 204);
	CHECK_STR(community_id(buf, &f), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	f.client = v4(66, 35, 250, 204);
	f.server = v4(128, 232, 110, 120);
	f.client_port = 80;
	f.server_port = 34855;
	CHECK_STR(community_id(buf, &f), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

TEST(community_id_is_the_same_from_both_sides)
{
	struct obs_flow f = {.client_port = 25, .server_port = 51514};
	char a[COMMUNITY_ID_MAX], b[COMMUNITY_ID_MAX];

	f.client.b[0] = f.server.b[0] = 0x20;
	f.client.b[15] = 1;
	f.server.b[15] = 1; /* same address: ports decide */
	community_id(a, &f);
	f.client_port = 51514;
	f.server_port = 25;
	CHECK_STR(community_id(b, &f), a);
	f.server.b[15] = 2;
	CHECK(strcmp(community_id(b, &f), a) != 0);
}

TEST(sha1_of_the_standard)
{
	static const uint8_t want[HASH_SHA1_LEN] = {0xa9, 0x99, 0x3e, 0x36,
	    0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2,
	    0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
	uint8_t got[HASH_SHA1_LEN];
	struct slice s = {(const uint8_t *)"abc", 3};

	CHECK_INT(hash_sha1(s, got), 0);
	CHECK(memcmp(got, want, sizeof(got)) == 0);
}

/* ---- hostile strings ---- */

TEST(utf8_characters)
{
	static const struct {
		const char *s;
		unsigned n;
	} rows[] = {
	    {"a", 1},
	    {"\xc3\xa9", 2},
	    {"\xe2\x82\xac", 3},
	    {"\xf0\x9f\x93\xa7", 4},
	    {"\xef\xbf\xbf", 3},
	    {"\xf4\x8f\xbf\xbf", 4},
	    {"\x80", 0},
	    {"\xbf", 0},
	    {"\xc0\x80", 0}, /* overlong */
	    {"\xc1\xbf", 0},
	    {"\xe0\x9f\xbf", 0},
	    {"\xf0\x8f\xbf\xbf", 0},
	    {"\xed\xa0\x80", 0}, /* surrogate */
	    {"\xf4\x90\x80\x80", 0}, /* beyond the last */
	    {"\xf5\x80\x80\x80", 0},
	    {"\xff", 0},
	    {"\xc3", 0}, /* cut */
	    {"\xe2\x82", 0},
	    {"\xe2\x82z", 0},
	    {"\xc3z", 0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (utf8_char(rows[i].s, strlen(rows[i].s)) != rows[i].n)
			TEST_FAIL("row %u", i);
	CHECK_INT(utf8_char("a", 0), 0);
}

TEST(utf8_copies)
{
	char buf[8];

	CHECK_INT(utf8_copy(buf, sizeof(buf), "a\xff"), 4);
	CHECK_STR(buf, "a\xef\xbf\xbd");
	CHECK_INT(utf8_copy(buf, sizeof(buf), "123456\xc3\xa9"), 6);
	CHECK_STR(buf, "123456");
	CHECK_INT(utf8_copy(buf, sizeof(buf), "12345\xc3\xa9"), 7);
	CHECK_STR(buf, "12345\xc3\xa9");
	CHECK_INT(utf8_copy(buf, 1, "x"), 0);
	CHECK_STR(buf, "");
}

/* Fills each byte of a string with c. */
#define FILL(s, c) memset((s), (c), sizeof(s) - 1)

TEST(any_bytes_give_one_line_of_json)
{
	static char path[4096];

	for (unsigned c = 1; c < 256; c++) {
		struct alert a = an_alert();
		const char *line, *nl;
		json_t *o;

		FILL(a.msg, (int)c);
		FILL(a.metadata, (int)c);
		FILL(a.server_name, (int)c);
		FILL(a.finding.user, (int)c);
		FILL(a.finding.mech, (int)c);
		FILL(a.finding.advice, (int)c);
		FILL(a.finding.where, (int)c);
		FILL(a.finding.cert_sha256, (int)c);
		FILL(path, (int)c);
		a.finding.nevidence = 255;
		a.flow.nvlan = 255;
		a.nsteps = 255;
		a.severity = 200;
		for (unsigned i = 0; i < FINDING_EVIDENCE_MAX; i++)
			FILL(a.finding.evidence[i].text, (int)c);
		line = line_of(&a, path, path);
		nl = strchr(line, '\n');
		CHECK(nl != NULL && nl[1] == '\0');
		o = object_of(&a, path, path);
		json_decref(o);
	}
}

TEST(small_buffers_take_nothing_or_all)
{
	struct alert a = an_alert();
	size_t need = strlen(line_of(&a, "h", "f"));
	char buf[2048];

	for (size_t cap = 0; cap <= need + 1; cap++) {
		size_t n = eve_format(buf, cap, &a, "h", "f");

		if (n != (cap == need + 1 ? need : 0))
			TEST_FAIL("cap %zu gave %zu", cap, n);
	}
}

/* ---- outputs ---- */

static const char *
tmp(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/eve_test.%d", (int)getpid());
	return path;
}

static size_t
slurp(const char *path, char *buf, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0;

	if (f != NULL) {
		n = fread(buf, 1, cap - 1, f);
		(void)fclose(f);
	}
	buf[n] = '\0';
	return n;
}

static struct eve *
must_open(const char *path)
{
	char err[300] = "";
	struct eve *e = eve_open(path, "h", err, sizeof(err));

	if (e == NULL)
		TEST_FAIL("%s", err);
	return e;
}

TEST(file_is_written_anew)
{
	static char got[EVE_LINE_MAX];
	struct alert a = an_alert();
	char err[300] = "";

	for (int round = 0; round < 2; round++) {
		struct eve *e = must_open(tmp());

		if (e == NULL)
			return;
		eve_alert(e, &a, "f");
		CHECK(eve_problem(e) == NULL);
		CHECK_INT(eve_close(e, err, sizeof(err)), 0);
		(void)slurp(tmp(), got, sizeof(got));
		CHECK_STR(got, line_of(&a, "h", "f"));
	}
	(void)unlink(tmp());
}

TEST(many_lines_all_arrive)
{
	struct alert a = an_alert();
	struct eve *e = must_open(tmp());
	size_t one = strlen(line_of(&a, "h", "f"));
	char err[300];
	FILE *f;

	if (e == NULL)
		return;
	for (int i = 0; i < 1000; i++)
		eve_alert(e, &a, "f");
	CHECK_INT(eve_close(e, err, sizeof(err)), 0);
	f = fopen(tmp(), "rb");
	CHECK(f != NULL && fseek(f, 0, SEEK_END) == 0);
	CHECK_INT(ftell(f), 1000 * one);
	(void)fclose(f);
	(void)unlink(tmp());
}

TEST(poll_writes_within_its_time)
{
	static char got[EVE_LINE_MAX];
	struct alert a = an_alert();
	struct eve *e = must_open(tmp());
	char err[300];

	if (e == NULL)
		return;
	eve_alert(e, &a, "f");
	eve_poll(e);
	CHECK_INT(slurp(tmp(), got, sizeof(got)), 0);
	usleep((EVE_FLUSH_MS + 50) * 1000);
	eve_poll(e);
	CHECK(slurp(tmp(), got, sizeof(got)) > 0);
	CHECK_INT(eve_close(e, err, sizeof(err)), 0);
	(void)unlink(tmp());
}

TEST(pipe_gets_each_line_at_once)
{
	static char got[EVE_LINE_MAX];
	struct alert a = an_alert();
	struct eve *e;
	char err[300], path[64];
	int fds[2];
	ssize_t n;

	CHECK_INT(pipe(fds), 0);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fds[1]);
	e = must_open(path);
	if (e == NULL)
		return;
	eve_alert(e, &a, "f");
	n = read(fds[0], got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	CHECK_STR(got, line_of(&a, "h", "f"));
	CHECK_INT(eve_close(e, err, sizeof(err)), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

TEST(full_disk_is_said_once_and_counted)
{
	struct alert a = an_alert();
	struct eve *e = must_open("/dev/full");
	char err[300] = "";
	const char *said;

	if (e == NULL)
		return;
	eve_alert(e, &a, "f");
	said = eve_problem(e);
	CHECK_STR(said == NULL ? "" : said,
	    "alerts cannot be written to /dev/full: No space left on device; "
	    "detection goes on");
	eve_alert(e, &a, "f");
	CHECK(eve_problem(e) == NULL);
	eve_alert(e, &a, "f");
	CHECK_INT(eve_close(e, err, sizeof(err)), -1);
	CHECK_STR(err,
	    "3 alerts could not be written to /dev/full: No space left on "
	    "device");
}

TEST(half_a_line_is_taken_back_and_writing_resumes)
{
	static char got[4 * EVE_LINE_MAX];
	struct rlimit old, small;
	struct alert a = an_alert();
	size_t one = strlen(line_of(&a, "h", "f"));
	struct eve *e = must_open(tmp());
	char err[300];

	if (e == NULL)
		return;
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = one + one / 2; /* one line and a half */
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 3; i++)
		eve_alert(e, &a, "f");
	eve_flush(e);
	CHECK(eve_problem(e) != NULL);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0);
	eve_alert(e, &a, "f");
	eve_flush(e);
	CHECK(eve_problem(e) == NULL);
	CHECK_INT(eve_close(e, err, sizeof(err)), -1);
	CHECK(strncmp(err, "2 alerts could not be written to ", 33) == 0);
	CHECK_INT(slurp(tmp(), got, sizeof(got)), 2 * one);
	CHECK(memcmp(got, got + one, one) == 0);
	(void)unlink(tmp());
}

TEST(outputs_that_cannot_be_opened)
{
	char err[300] = "";

	CHECK(eve_open("/nonexistent/x", NULL, err, sizeof(err)) == NULL);
	CHECK_STR(err, "cannot write alerts to /nonexistent/x: No such file or "
		       "directory");
	CHECK(eve_open("/", NULL, err, sizeof(err)) == NULL);
	CHECK_STR(err, "cannot write alerts to /: Is a directory");
}

TEST_MAIN
