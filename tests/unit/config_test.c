/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration: what each key takes, and what is said, with which place,
 * of everything else.
 */
#include "sensor/config.h"

#include <unistd.h>

#include "decoders/tls_hello.h"
#include "rules/names.h"
#include "rules/rule_vars.h"
#include "rules/tls_policy.h"
#include "sensor/tracker.h"
#include "tests/test.h"

#define SAID_MAX 16384

struct said {
	unsigned n;
	size_t used;
	char text[SAID_MAX]; /* lines */
};

static void
on_error(void *ctx, const char *line)
{
	struct said *s = ctx;

	s->n++;
	if (s->used + 600 < sizeof(s->text))
		s->used += (size_t)snprintf(
		    s->text + s->used, sizeof(s->text) - s->used, "%s\n", line);
}

static unsigned
parse(struct config *c, const char *text, struct said *s)
{
	struct slice t = {(const uint8_t *)text, strlen(text)};

	s->n = 0;
	s->used = 0;
	s->text[0] = '\0';
	CHECK_INT(config_init(c), 0);
	return config_parse(c, "f", t, true, on_error, s);
}

static struct said said;

TEST(defaults_are_those_of_the_tracker)
{
	struct tracker_config t;
	struct config c;

	tracker_config_default(&t);
	CHECK_INT(parse(&c, "", &said), 0);
	CHECK_INT(c.flows, t.max_flows);
	CHECK_INT(c.sessions, t.max_sessions);
	CHECK_INT(c.pending_bytes, t.max_pending);
	CHECK_INT(c.reassembly, t.reassembly);
	CHECK_INT(TLS_10 + c.tls_min_version, tls_policy_default.min_version);
	CHECK_INT(c.tls_min_dh_bits, tls_policy_default.min_dh_bits);
	CHECK_INT(c.tls_min_curve_bits, tls_policy_default.min_curve_bits);
	CHECK_INT(c.tls_accept, tls_policy_default.accepted);
	CHECK_STR(c.database, "stripwire.db");
	CHECK_STR(c.rules, "");
	CHECK(c.system_trust && c.user_names == NAMES_CLEAR);
	CHECK(c.ntrust == 0 && c.nresetters == 0 && c.vars == NULL);
	config_fini(&c);
}

TEST(every_key_takes_its_values)
{
	static const char text[] = "# all of them\n"
				   "database: /var/lib/x.db\n"
				   "rules: sensor.rules\n"
				   "eve: \"-\"\n"
				   "sensor_name: 'north gate'\n"
				   "user_names: hashed\n"
				   "reassembly: always\n"
				   "authorized_resetters:\n"
				   "  - 00:1b:2c:3d:4e:5f\n"
				   "  - ips-reject\n"
				   "trust: {system: off, files: README.md}\n"
				   "variables:\n"
				   "  HOME_NET: [10.0.0.0/8, 2001:db8::/32]\n"
				   "  EXTERNAL_NET: \"!$HOME_NET\"\n"
				   "  MAIL_PORTS: [25, \"587:\"]\n"
				   "tls:\n"
				   "  min_version: 1.3\n"
				   "  min_dh_bits: 3072\n"
				   "  min_curve_bits: 256\n"
				   "  accept: [anonymous, 3des]\n"
				   "limits:\n"
				   "  flows: 5000\n"
				   "  sessions: 100\n"
				   "  pending_bytes: 3MiB\n"
				   "  tls_bytes: 1048576\n";
	struct config c;

	CHECK_INT(parse(&c, text, &said), 0);
	CHECK_STR(said.text, "");
	CHECK_STR(c.database, "/var/lib/x.db");
	CHECK_STR(c.eve, "-");
	CHECK_STR(c.sensor_name, "north gate");
	CHECK_INT(c.user_names, NAMES_HASHED);
	CHECK_INT(c.reassembly, REASSEMBLY_ALWAYS);
	CHECK(c.nresetters == 2 && c.resetters.nmac == 1);
	CHECK(!c.system_trust && c.ntrust == 1);
	CHECK_INT(c.nvars, 3);
	CHECK_STR(c.var_text[0], "HOME_NET: [10.0.0.0/8,2001:db8::/32]");
	CHECK_INT(c.tls_min_version, 3);
	CHECK_INT(c.tls_min_dh_bits, 3072);
	CHECK_INT(c.tls_min_curve_bits, 256);
	CHECK_INT(c.tls_accept, 1u << WEAK_ANON | 1u << WEAK_3DES);
	CHECK_INT(c.flows, 8192);
	CHECK_INT(c.sessions, 100);
	CHECK_INT(c.pending_bytes, 3 << 20);
	CHECK_INT(c.tls_bytes, 1 << 20);
	config_fini(&c);
}

TEST(empty_sections_and_lists_are_none)
{
	struct config c;

	CHECK_INT(parse(&c,
		      "limits:\ntrust:\n  files: []\nvariables:\n"
		      "authorized_resetters:\n",
		      &said),
	    0);
	config_fini(&c);
	CHECK_INT(parse(&c, "\xef\xbb\xbf# only this\r\n", &said), 0);
	config_fini(&c);
}

TEST(mistakes_and_their_places)
{
	static const struct {
		const char *text, *says;
	} t[] = {
	    /* the language */
	    {"a", "f:1:1: lines of the form `key: value`"},
	    {"- eve: x", "f:1:1: lines of the form"},
	    {"database: x\n\teve: y", "f:2:1: a tab: indent with blanks"},
	    {"database: [x\neve: y\n", "f:2:4: the list is not closed"},
	    {"trust: {system: no\n", "f:2:1: the map is not closed"},
	    {"eve: \"x\n", "f:1:6: a quote is not closed"},
	    {"eve: a: b", "f:1:7: a second ':' in this line"},
	    {"eve: x\ndatabase\n", "':' is missing"},
	    {"tls: {accept: [rcc4]}", "f:1:16: tls.accept: 'rcc4': did you "
				      "mean 'rc4'?"},
	    {"tls: {accept: [\"\"]}", "f:1:16: tls.accept: '' is not in the "
				      "list of null, anonymous"},
	    {"tls: {accept: {rc4: 3}}", "a list is expected"},
	    {"tls: {min_version: ssl3}", "is not 1.0, 1.1, 1.2 or 1.3"},
	    {"tls: {min_dh_bits: 100}", "100 is too small: 512 to 16384 bits"},
	    {"eve: *x", "f:1:6: a word that begins with '*' needs quotes"},
	    {"eve: &x y", "f:1:6: a word that begins with '&' needs quotes"},
	    {"eve: !x", "f:1:6: a word that begins with '!' needs quotes"},
	    {"eve: @x", "f:1:6: a word that begins with '@'"},
	    {"eve: \xff", "f:1:6: a byte that is no text"},
	    {"eve: \"a\\0b\"", "f:1:6: a NUL character"},
	    {"eve: x\n---\neve: y\n", "f:2:1: a second document"},
	    {"limits:\n  flows: 4096\n sessions: 100\n",
		"f:3:2: a key is expected here"},
	    {"eve: [[[[[[[[x]]]]]]]]", "nested more than 6 deep"},
	    /* keys */
	    {"databse: x", "f:1:1: unknown key 'databse': did you mean "
			   "'database'?"},
	    {"limts:\n  flows: 1", "unknown key 'limts': did you mean "
				   "'limits'?"},
	    {"limits:\n  flow: 1", "f:2:3: unknown key 'limits.flow': did you "
				   "mean 'limits.flows'?"},
	    {"sessions: 100", "it belongs below 'limits:'"},
	    {"zzzzzzzz: 1", "f:1:1: unknown key 'zzzzzzzz': stripwire config "
			    "keys"},
	    {"\"\": 1", "f:1:1: unknown key ''"},
	    {"[a]: 1", "f:1:1: a key is one word"},
	    {"eve: a\ndatabase: x\neve: b", "f:3:1: eve is set in line 1"},
	    {"limits: 3", "f:1:9: limits: lines of the form"},
	    /* values */
	    {"eve:", "eve has no value: path of a file"},
	    {"eve: [a]", "f:1:6: eve: one value is expected, not a list"},
	    {"eve: {a: b}", "f:1:6: eve: one value is expected, not a map"},
	    {"eve: |\n  a\n  b\n", "f:1:6: eve: the value must be one line"},
	    {"sensor_name: "
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "a",
		"f:1:14: sensor_name: the value is longer than 64"},
	    {"rules: /no/such", "f:1:8: rules: /no/such cannot be read: No "
				"such file"},
	    {"user_names: hash", "f:1:13: user_names: 'hash': did you mean "
				 "'hashed'?"},
	    {"user_names: secret", "'secret' is not clear, hashed or none"},
	    {"trust:\n  system: perhaps", "f:2:11: trust.system: 'perhaps' is "
					  "not yes or no"},
	    {"trust:\n  files: [/no/a, /no/b]", "f:2:18: trust.files: /no/b"},
	    {"trust:\n  files: {a: b}", "f:2:10: trust.files: a list is"},
	    {"trust:\n  files: [[a]]", "f:2:11: trust.files: the entries"},
	    {"limits:\n  flows: many", "f:2:10: limits.flows: 'many' is not a "
				       "number: 1024 to 16777216 connections"},
	    {"limits:\n  flows: -1", "'-1' is not a number"},
	    {"limits:\n  flows: 4096KiB", "'4096KiB' is not a number"},
	    {"limits:\n  flows: 1023", "1023 is too small: 1024 to"},
	    {"limits:\n  flows: 16777217", "16777217 is too large"},
	    {"limits:\n  flows: 99999999999999999999", "is not a number"},
	    {"limits:\n  tls_bytes: 17GiB", "17GiB is too large: 1MiB to"},
	    {"limits:\n  tls_bytes: 99999999999999GiB", "is not a number"},
	    {"limits:\n  tls_bytes: 5 MB", "'5 MB' is not a number of bytes"},
	    {"authorized_resetters: 10.0.0.1",
		"f:1:23: authorized_resetters: 10.0.0.1 is an IP address"},
	    {"authorized_resetters: [tcpkill, x]",
		"f:1:33: authorized_resetters: 'x' is neither"},
	    /* variables */
	    {"variables: [a]", "f:1:12: variables: lines of the form"},
	    {"variables:\n  home: 1", "f:2:3: variables: home is no name"},
	    {"variables:\n  HOM_NET: any", "f:2:3: unknown variable "
					   "'HOM_NET': did you mean"},
	    {"variables:\n  HOME_NET: any\n  HOME_NET: any",
		"f:3:3: variables.HOME_NET is set in line 2"},
	    {"variables:\n  HOME_NET: 10.0.0.0/99", "f:2:22: "
						    "variables.HOME_NET: '99'"},
	    {"variables:\n  HOME_NET: [any, 'x']", "f:2:20: "
						   "variables.HOME_NET: 'x'"},
	    {"variables:\n  HOME_NET: \"\\x31\\x30.x\"", "f:2:13: variables."},
	    {"variables:\n  MAIL_PORTS: [1024: , 25]", "f:2:16: variables."},
	    {"variables:\n  MAIL_PORTS: {a: b}", "needs quotes"},
	    {"variables:\n  HOME_NET: ", "an address, port or list is"},
	    {"variables:\n  HOME_NET: []", "f:2:13: variables.HOME_NET: "},
	};
	struct config c;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (parse(&c, t[i].text, &said) == 0 ||
		    strstr(said.text, t[i].says) == NULL)
			TEST_FAIL("%s\nsays\n%s\nnot\n%s", t[i].text, said.text,
			    t[i].says);
		config_fini(&c);
	}
}

TEST(all_mistakes_are_told_in_order)
{
	struct config c;

	CHECK_INT(parse(&c,
		      "evee: x\nuser_names: no\nlimits:\n  flows: x\n"
		      "  sessions: 1\nrules: [a\n",
		      &said),
	    6);
	CHECK_STR(said.text,
	    "f:1:1: unknown key 'evee': did you mean 'eve'?\n"
	    "f:2:13: user_names: 'no' is not clear, hashed or none\n"
	    "f:4:10: limits.flows: 'x' is not a number: 1024 to 16777216 "
	    "connections, rounded up to a power of two\n"
	    "f:5:13: limits.sessions: 1 is too small: 64 to 1048576 "
	    "connections\n"
	    "f:6:8: rules: one value is expected, not a list: path of a file "
	    "or "
	    "folder\n"
	    "f:7:1: the list is not closed: ',' or ']' is missing (what begins "
	    "in line 6)\n");
	config_fini(&c);
}

TEST(there_is_an_end_of_mistakes)
{
	static char text[1 << 16];
	struct config c;
	size_t n = 0;

	for (unsigned i = 0; i < 3000; i++)
		n +=
		    (size_t)snprintf(text + n, sizeof(text) - n, "k%u: x\n", i);
	CHECK_INT(parse(&c, text, &said), 3000);
	CHECK_INT(said.n, CONFIG_MISTAKES_MAX + 1);
	CHECK(strstr(said.text, "more than 100 mistakes") != NULL);
	config_fini(&c);
}

TEST(lists_have_an_end)
{
	static char text[1 << 16];
	struct config c;
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "authorized_resetters: [");
	for (unsigned i = 0; i <= RESETTERS_MAX; i++)
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "00:00:00:00:00:%02x, ", i);
	snprintf(text + n, sizeof(text) - n, "]\n");
	CHECK_INT(parse(&c, text, &said), 1);
	CHECK(strstr(said.text, "more than 32 addresses") != NULL);
	config_fini(&c);
	n = (size_t)snprintf(text, sizeof(text), "trust:\n  files: [");
	for (unsigned i = 0; i <= CONFIG_TRUST_MAX; i++)
		n +=
		    (size_t)snprintf(text + n, sizeof(text) - n, "README.md, ");
	snprintf(text + n, sizeof(text) - n, "]\n");
	CHECK_INT(parse(&c, text, &said), 1);
	CHECK(strstr(said.text, "more than 32 files") != NULL);
	config_fini(&c);
}

TEST(files_that_cannot_be_read)
{
	struct config c;

	said.used = 0;
	CHECK_INT(config_init(&c), 0);
	CHECK_INT(config_load(&c, "/no/such.conf", true, on_error, &said), 1);
	CHECK(strstr(said.text, "/no/such.conf: the configuration cannot be "
				"read: No such file") != NULL);
	said.used = 0;
	CHECK_INT(config_load(&c, "/", true, on_error, &said), 1);
	CHECK(strstr(said.text, "it is a folder") != NULL);
	said.used = 0;
	CHECK_INT(config_load(&c, "/dev/zero", true, on_error, &said), 1);
	CHECK(strstr(said.text, "longer than 256 KiB") != NULL);
	CHECK_INT(config_load(&c, "/dev/null", true, on_error, &said), 0);
	config_fini(&c);
}

TEST(values_read_back_are_the_same)
{
	struct config c;
	char buf[64];

	CHECK_INT(parse(&c, "limits:\n  tls_bytes: 1536KiB\n", &said), 0);
	for (unsigned i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		const char *v = config_value(&c, k, 0, buf, sizeof(buf));

		if (strcmp(k->name, "limits.tls_bytes") == 0)
			CHECK_STR(v, "1536KiB");
		else
			CHECK_STR(v != NULL ? v : "", k->initial);
	}
	config_fini(&c);
}

static char frozen[200];

static void
on_frozen(void *ctx, const char *key)
{
	(void)ctx;
	strncat(frozen, key, sizeof(frozen) - strlen(frozen) - 2);
	strcat(frozen, " ");
}

static void
parse_text(struct config *c, const char *text)
{
	CHECK_INT(config_init(c), 0);
	CHECK_INT(config_parse(c, "x",
		      (struct slice){(const uint8_t *)text, strlen(text)},
		      false, NULL, NULL),
	    0);
}

TEST(what_may_change_while_it_runs_does)
{
	struct config c, fresh;

	parse_text(&c,
	    "user_names: none\nrun:\n  user: a\n  log: /x\n"
	    "authorized_resetters: [tcpkill]\ntrust:\n  system: no\n");
	parse_text(&fresh, "database: y.db\nrun:\n  user: b\n  log: /y\n"
			   "  promiscuous: no\nvariables:\n  A: 10.0.0.1\n"
			   "retention:\n  days: 9\ntls:\n  accept: [rc4]\n");
	frozen[0] = '\0';
	config_take_live(&c, &fresh, on_frozen, NULL);
	CHECK_STR(frozen, "database run.promiscuous run.user ");
	CHECK_STR(c.user, "a");
	CHECK_STR(c.log, "/y");
	CHECK_STR(c.database, DB_DEFAULT);
	CHECK_INT(c.user_names, 0);
	CHECK_INT(c.nresetters, 0);
	CHECK_INT(c.nvars, 1);
	CHECK(c.vars != NULL && fresh.vars == NULL);
	CHECK_INT(c.retention_days, 9);
	CHECK(c.tls_accept != 0 && c.system_trust && c.promiscuous);
	config_fini(&fresh);
	config_fini(&c);
}

TEST_MAIN
