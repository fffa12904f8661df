/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands alerts and show as a person or a script meets them: what they
 * print, where, and with which exit status.
 */
#include "sensor/cmd_show.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/wait.h>

#include "sensor/cmd_alerts.h"
#include "tests/alert_sample.h"

#define OUT_MAX 65536

struct ran {
	int status;
	char out[OUT_MAX], err[OUT_MAX];
};

static char folder[PATH_MAX], db[PATH_MAX + 32];
static struct ran ran;

static void
slurp(const char *path, char *buf)
{
	FILE *f = fopen(path, "rb");
	size_t n = f != NULL ? fread(buf, 1, OUT_MAX - 1, f) : 0;

	buf[n] = '\0';
	if (f != NULL)
		fclose(f);
}

static void
child(int (*cmd)(int, char **), char **argv, const char *out, const char *err)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	if (freopen(out, "wb", stdout) == NULL ||
	    freopen(err, "wb", stderr) == NULL)
		_exit(99);
	argc = cmd(argc, argv);
	fflush(NULL);
	_exit(argc);
}

/* Arguments up to NULL; "-d DB" is added. Fills `ran`. */
static void
run(int (*cmd)(int, char **), const char *locale, const char *const *args)
{
	char out[PATH_MAX + 32], err[PATH_MAX + 32];
	char *argv[16] = {(char *)"cmd", (char *)"-d", db};
	int status = 0;
	pid_t pid;

	for (unsigned i = 0; i < 12 && args[i] != NULL; i++)
		argv[3 + i] = (char *)args[i];
	sample_path(out, folder, "out");
	sample_path(err, folder, "err");
	fflush(NULL);
	if ((pid = fork()) == 0) {
		setenv("LC_ALL", locale, 1);
		child(cmd, argv, out, err);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	ran.status = WEXITSTATUS(status);
	slurp(out, ran.out);
	slurp(err, ran.err);
}

#define SHOW(...) run(cmd_show, "C.UTF-8", (const char *[]){__VA_ARGS__, NULL})
#define ALERTS(...) \
	run(cmd_alerts, "C.UTF-8", (const char *[]){__VA_ARGS__, NULL})

static void
check_says(const char *where, const char *what)
{
	if (strstr(where, what) == NULL)
		TEST_FAIL("'%s' is not in\n%s", what, where);
}

static unsigned
lines(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s++)
		n += *s == '\n';
	return n;
}

/* Five alerts: a forged reset, four others with one thing different. */
static void
make_db(void)
{
	struct alert a;
	struct store *s;

	sample_folder(folder);
	sample_path(db, folder, "x.db");
	s = sample_open(db, false);
	a = sample_alert(0);
	store_alert(s, &a, "caps/x.pcap");
	a = sample_alert(4);
	a.severity = SEV_INFO;
	store_alert(s, &a, "caps/x.pcap");
	a = sample_alert(8);
	a.finding.id = FIND_PLAINTEXT_CREDENTIALS;
	CHECK_INT(addr_from_text(&a.flow.client, "2001:db8::7"), 0);
	CHECK_INT(addr_from_text(&a.flow.server, "2001:db8::19"), 0);
	a.flow.v6 = 1;
	store_alert(s, &a, "caps/x.pcap");
	a = sample_alert(12);
	a.finding.time += INT64_C(86400) * 1000000000;
	a.severity = SEV_CRITICAL;
	store_alert(s, &a, "caps/x.pcap");
	a = sample_alert(16);
	strcpy(
	    a.steps[0].text, "220 \x1b[2J\x1b]0;owned\x07 \xe2\x80\xae evil");
	strcpy(a.server_name, "\x1b[31m");
	store_alert(s, &a, "caps/\x1b[31m.pcap");
	store_close(s);
}

TEST(aaa_make_the_database)
{
	make_db();
}

/* ---- show ---- */

static const char ladder[] =
    "#1  high  a reset that the named sender did not send   "
    "2026-11-22 10:03:14.512 +0000   confidence 96\n"
    "     10.1.0.10:51514  →  10.2.0.20:25 mx.example.net   smtp   bytes of "
    "the client missing\n"
    "\n"
    "     10:03:14.514  ←   220 mx.example.net ESMTP\n"
    "           +0.002  →   EHLO mail-out.example.org\n"
    "           +0.004  →   STARTTLS\n"
    "           +0.006  ←   220 2.0.0 Ready\n"
    "           +0.008  ⇠   RST, TTL 64 where this server has 57 (a reset: "
    "ends the connection at once)\n"
    "                       ◀ not from the server\n"
    "                       in another connection of the two (client port "
    "51520):\n"
    "           +3.010  →   AUTH PLAIN ********\n"
    "\n"
    "     → from the client, ← from the server, ⇠ in the server's name\n"
    "\n"
    "     why    data followed the reset from its sender +45 · it came during "
    "the TLS handshake +20 · TTL\n"
    "            64 where this server has 57\n"
    "     login  user alice, mechanism PLAIN\n";

TEST(show_tells_the_story)
{
	SHOW("1");
	CHECK_INT(ran.status, 0);
	CHECK_STR(ran.err, "");
	if (strncmp(ran.out, ladder, strlen(ladder)) != 0)
		TEST_FAIL("the ladder is\n%s", ran.out);
	check_says(ran.out, "\n     where  on the path");
	check_says(ran.out, "\n     next   ");
	check_says(ran.out, "\n     rule   1:1000001:2 Forged reset\n");
	check_says(ran.out, "\n     file   caps/x.pcap, packet 5\n");
}

TEST(show_keeps_to_ascii_where_the_locale_does)
{
	run(cmd_show, "C", (const char *[]){"#1", NULL});
	CHECK_INT(ran.status, 0);
	for (const char *p = ran.out; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80 || (*p < ' ' && *p != '\n')) {
			TEST_FAIL("byte %02x in\n%s", (unsigned char)*p, p);
			break;
		}
	check_says(ran.out, "           +0.008  <=  RST");
	check_says(ran.out, "<< not from the server");
	check_says(ran.out, "10.1.0.10:51514  ->  10.2.0.20:25");
}

TEST(show_fits_its_lines)
{
	SHOW("1");
	for (char *p = ran.out, *end; *p != '\0'; p = end + 1) {
		unsigned columns = 0;

		end = strchr(p, '\n');
		for (char *c = p; c < end; c++)
			columns += (*c & 0xc0) != 0x80;
		if (columns > 100)
			TEST_FAIL(
			    "%u columns: %.*s", columns, (int)(end - p), p);
	}
}

TEST(show_is_not_steered_by_what_was_on_the_wire)
{
	SHOW("5");
	CHECK_INT(ran.status, 0);
	CHECK(strchr(ran.out, '\033') == NULL);
	CHECK(strchr(ran.out, '\007') == NULL);
	CHECK(strstr(ran.out, "\xe2\x80\xae") == NULL);
	check_says(ran.out, "220 ?[2J?]0;owned? ? evil");
	ALERTS("--host", "10.2.0.20");
	CHECK(strchr(ran.out, '\033') == NULL);
}

TEST(show_writes_json)
{
	json_t *root, *o;

	SHOW("1", "--json");
	CHECK_INT(ran.status, 0);
	CHECK_INT(lines(ran.out), 1);
	o = root = json_loads(ran.out, 0, NULL);
	CHECK_INT(json_integer_value(json_object_get(o, "id")), 1);
	CHECK_STR(json_string_value(json_object_get(o, "timestamp")),
	    "2026-11-22T10:03:14.512000+0000");
	CHECK_STR(json_string_value(json_object_get(o, "src_ip")), "10.1.0.10");
	o = json_object_get(o, "stripwire");
	CHECK_INT(json_array_size(json_object_get(o, "steps")), 6);
	CHECK_INT(json_array_size(json_object_get(o, "evidence")), 3);
	CHECK_STR(json_string_value(json_object_get(o, "severity")), "high");
	json_decref(root);
}

TEST(show_writes_packets)
{
	char pcap[PATH_MAX + 32], cmd[2 * PATH_MAX];
	FILE *f;

	sample_path(pcap, folder, "e.pcap");
	SHOW("1", "--pcap", pcap);
	CHECK_INT(ran.status, 0);
	CHECK_STR(ran.out, "");
	check_says(ran.err, "6 packets of alert 1 written to ");
	f = fopen(pcap, "rb");
	CHECK(f != NULL && getc(f) == 0x4d);
	if (f != NULL)
		fclose(f);
	SHOW("1", "--pcap", "-");
	CHECK_INT(memcmp(ran.out, "\x4d\x3c\xb2\xa1", 4), 0);
	SHOW("1", "--pcap", "/no/such/folder/e.pcap");
	CHECK_INT(ran.status, 1);
	check_says(
	    ran.err, "/no/such/folder/e.pcap: cannot be written: No such");
	SHOW("1", "--pcap", "/dev/full");
	CHECK_INT(ran.status, 1);
	if (system("command -v tshark >/dev/null 2>&1") != 0) {
		printf("SKIPPED tshark on the evidence: not installed\n");
		return;
	}
	snprintf(cmd, sizeof(cmd),
	    "tshark -r '%s' -o tcp.check_checksum:TRUE -o "
	    "ip.check_checksum:TRUE -Y 'ip.checksum.status==1 && "
	    "tcp.checksum.status!=0 && !_ws.malformed' 2>/dev/null | wc -l | "
	    "grep -qx 6",
	    pcap);
	CHECK_INT(system(cmd), 0);
}

TEST(show_says_what_is_wrong)
{
	SHOW("77");
	CHECK_INT(ran.status, 1);
	check_says(ran.err, "there is no alert 77 in ");
	SHOW("x1");
	CHECK_INT(ran.status, 2);
	check_says(ran.err, "'x1' is no ID");
	SHOW("0");
	CHECK_INT(ran.status, 2);
	SHOW("99999999999999999999");
	CHECK_INT(ran.status, 2);
	SHOW("1", "2");
	CHECK_INT(ran.status, 2);
	check_says(ran.err, "one ID at a time");
	SHOW(NULL);
	CHECK_INT(ran.status, 2);
	SHOW("1", "--nonsense");
	CHECK_INT(ran.status, 2);
	SHOW("1", "-d", "/no/such.db");
	CHECK_INT(ran.status, 1);
	check_says(ran.err, "/no/such.db: no such database");
	SHOW("1", "-d", folder);
	CHECK_INT(ran.status, 1);
	SHOW("--help");
	CHECK_INT(ran.status, 0);
	check_says(ran.out, "usage: stripwire show ID");
}

/* ---- alerts ---- */

TEST(alerts_is_a_table)
{
	ALERTS("--limit", "3");
	CHECK_INT(ran.status, 0);
	CHECK_INT(lines(ran.out), 4);
	check_says(ran.out, "id  when (UTC)           finding");
	check_says(ran.out,
	    "\n 3  2026-11-22 10:03:14  plaintext-credentials    96  high      "
	    "[2001:db8::7]:51514 → [2001:db8::19]:25  data followed the reset");
	/* oldest first */
	CHECK(strstr(ran.out, "\n 3  ") < strstr(ran.out, "\n 4  "));
}

TEST(alerts_filters)
{
	ALERTS(NULL);
	CHECK_INT(lines(ran.out), 6);
	ALERTS("--severity", "high");
	CHECK_INT(lines(ran.out), 5);
	ALERTS("--severity", "critical");
	CHECK_INT(lines(ran.out), 2);
	ALERTS("--finding", "plaintext-credentials");
	CHECK_INT(lines(ran.out), 2);
	ALERTS("--host", "2001:DB8:0::7");
	CHECK_INT(lines(ran.out), 2);
	ALERTS("--host", "10.2.0.20", "--json");
	CHECK_INT(lines(ran.out), 4);
	ALERTS("--host", "MX.example.net");
	CHECK_INT(lines(ran.out), 5);
	ALERTS("--since", "2026-11-23", "--json");
	CHECK_INT(lines(ran.out), 1);
	ALERTS("--since", "2026-11-22T11:03:14.521+01:00", "--json");
	CHECK_INT(lines(ran.out), 2);
	ALERTS(
	    "--since", "9000d", "--limit", "1", "--severity", "info", "--json");
	CHECK_INT(lines(ran.out), 1);
	check_says(ran.out, "\"id\":4,");
	ALERTS("--since", "2100-01-01");
	CHECK_INT(ran.status, 0);
	check_says(ran.out, "no alerts of that kind in ");
}

TEST(alerts_says_what_is_wrong)
{
	static const char *const bad[][2] = {{"--since", "yesterday"},
	    {"--since", "2026-02-30"}, {"--since", "2026-11-22x"},
	    {"--finding", "everything"}, {"--severity", "worst"},
	    {"--limit", "0"}, {"--limit", "-1"}, {"--limit", "many"},
	    {"--nonsense", NULL}, {"stray", NULL}};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ALERTS(bad[i][0], bad[i][1]);
		if (ran.status != 2 || ran.err[0] == '\0')
			TEST_FAIL(
			    "%s %s: %d", bad[i][0], bad[i][1], ran.status);
		CHECK_STR(ran.out, "");
	}
	ALERTS("-d", "/dev/null");
	CHECK_INT(ran.status, 1);
	check_says(ran.err, "is not a database");
	ALERTS("--help");
	CHECK_INT(ran.status, 0);
	check_says(ran.out, "--severity LEVEL");
}

TEST(zzz_remove_the_database)
{
	sample_remove(folder);
}

TEST_MAIN
