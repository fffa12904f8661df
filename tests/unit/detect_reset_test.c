/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the facts of a reset are worth, and of a conflict: a table of them with
 * the confidence they must give. 0 is silence.
 */
#include "rules/detect.h"

#include "tests/test.h"

static struct obs ob;
static struct facts fa;
static struct facts_rare rare;
static struct detect_ctx dc;

static const struct finding *
ask(detect_fn *fn)
{
	memset(&dc, 0, sizeof(dc));
	dc.o = &ob;
	dc.f = &fa;
	fn(&ob, &fa, &dc);
	for (unsigned i = 0; i < dc.nout; i++)
		if (dc.out[i].confidence > 0)
			return &dc.out[i];
	return NULL;
}

static bool
says(const struct finding *f, const char *words)
{
	for (unsigned i = 0; f != NULL && i < f->nevidence; i++)
		if (strstr(f->evidence[i].text, words) != NULL)
			return true;
	return false;
}

static const struct finding *
ask_rst(uint32_t tests, enum phase phase, int32_t off, uint32_t vis)
{
	facts_init(&fa);
	rare = *fa.rare;
	fa.rare = &rare;
	obs_init(&ob, OBS_RST);
	ob.dir = DIR_S2C;
	ob.time = 2002;
	ob.pkt.time = 1000;
	ob.pkt.ordinal = 7;
	ob.pkt.ip_id = 4711;
	ob.vis = vis;
	ob.u.rst.tests = tests;
	ob.u.rst.first_phase = (uint8_t)phase;
	ob.u.rst.seq_off = off;
	ob.u.rst.count = 1;
	ob.u.rst.ttl_rst = 46;
	ob.u.rst.ttl_base = 49;
	return ask(detect_reset);
}

#define HIGH 85, 100
#define MEDIUM 50, 84
#define SILENT 0, 0
#define SYN PHASE_SYN
#define TEXT PHASE_TEXT
#define READY PHASE_TLS_READY
#define HELLO PHASE_TLS_HELLO
#define DONE PHASE_TLS_DONE
#define CLOSING PHASE_CLOSING

static const struct {
	const char *name;
	uint32_t tests;
	enum phase phase;
	int32_t off;
	uint32_t vis;
	int low, high;
} rsts[] = {
    /* C1 */
    {"data after", RST_DATA_AFTER | RST_EXACT, TEXT, 0, 0, HIGH},
    {"alive", RST_ALIVE | RST_EXACT, DONE, 0, 0, HIGH},
    {"alive after a FIN", RST_ALIVE | RST_AFTER_FIN, DONE, 0, 0, HIGH},
    {"crossing data", RST_CROSSED | RST_EXACT, TEXT, 0, 0, SILENT},
    {"exact and nothing else", RST_EXACT, HELLO, 0, 0, SILENT},
    /* C2 */
    {"behind", RST_BEHIND_DATA, TEXT, -40, 0, MEDIUM},
    {"behind, TTL", RST_BEHIND_DATA | RST_TTL, TEXT, -40, 0, HIGH},
    {"behind, unasked is the same fact", RST_BEHIND_DATA | RST_UNASKED, TEXT,
	-40, 0, MEDIUM},
    {"behind after FIN", RST_BEHIND_DATA | RST_AFTER_FIN, CLOSING, -40, 0,
	SILENT},
    {"behind after QUIT", RST_BEHIND_DATA | RST_AFTER_QUIT, TEXT, -40, 0,
	SILENT},
    {"behind, half seen", RST_BEHIND_DATA, TEXT, -40, VIS_ONE_WAY, SILENT},
    {"behind, with holes", RST_BEHIND_DATA, TEXT, -40, VIS_GAP_S2C, SILENT},
    {"behind, holes of the other", RST_BEHIND_DATA, TEXT, -40, VIS_GAP_C2S,
	MEDIUM},
    {"closed socket", RST_ANSWERS_ACK, TEXT, -40, 0, SILENT},
    {"misrouted old segment", RST_ANSWERS_ACK | RST_ALIVE, TEXT, -40, 0,
	SILENT},
    /* C3, C4, C7 */
    {"upwards", RST_SEQ_CHANGE, TEXT, 0, 0, HIGH},
    {"other ACK", RST_ACK_CHANGE, TEXT, 0, 0, MEDIUM},
    {"train", RST_TRAIN | RST_UNASKED, CLOSING, -900, 0, MEDIUM},
    {"train after FIN, TTL", RST_TRAIN | RST_TTL | RST_AFTER_FIN, CLOSING, -900,
	0, HIGH},
    {"train mid-stream", RST_TRAIN, TEXT, -900, VIS_MIDSTREAM, SILENT},
    /* C5 */
    {"SYN race", RST_SYN_RACE, SYN, 0, 0, HIGH},
    {"closed port", 0, SYN, 0, 0, SILENT},
    /* C6 */
    {"blind", RST_BLIND, DONE, 1000, 0, MEDIUM},
    {"blind, alive", RST_BLIND | RST_ALIVE, DONE, 1000, 0, HIGH},
    {"blind, IP id", RST_BLIND | RST_IP_ID, DONE, 1000, 0, HIGH},
    /* C8, C14 */
    {"two signs in the handshake", RST_TTL | RST_IP_ID, HELLO, 0, 0, MEDIUM},
    {"three", RST_TTL | RST_IP_ID | RST_OLD_TTL, READY, 0, 0, MEDIUM},
    {"all of them are not high",
	RST_TTL | RST_UNASKED | RST_IP_ID | RST_OLD_TTL | RST_SAME_AFTER, READY,
	0, 0, MEDIUM},
    {"one sign", RST_TTL, HELLO, 0, 0, SILENT},
    {"IP id alone", RST_IP_ID | RST_ANSWERS_ACK, READY, 0, 0, SILENT},
    {"two signs in text", RST_TTL | RST_IP_ID, TEXT, 0, 0, MEDIUM},
    {"two signs in text, one of them the TTL's shadow", RST_TTL | RST_OLD_TTL,
	TEXT, 0, 0, SILENT},
    {"two signs in text without the TTL", RST_UNASKED | RST_IP_ID, TEXT, 0, 0,
	SILENT},
    {"two signs in text with a hole", RST_TTL | RST_IP_ID, TEXT, 0, VIS_GAP_C2S,
	SILENT},
    {"three in text", RST_TTL | RST_IP_ID | RST_UNASKED, TEXT, 0, 0, MEDIUM},
    {"two signs, TLS done", RST_TTL | RST_IP_ID, DONE, 0, 0, MEDIUM},
    {"other two signs, TLS done", RST_TTL | RST_OLD_TTL, DONE, 0, 0, SILENT},
    {"NAT after FINs", RST_TTL | RST_IP_ID | RST_UNASKED | RST_AFTER_FIN,
	CLOSING, 0, 0, SILENT},
    {"NAT after FIN in the handshake", RST_TTL | RST_IP_ID | RST_AFTER_FIN,
	HELLO, 0, 0, SILENT},
    {"after QUIT", RST_TTL | RST_IP_ID | RST_UNASKED | RST_AFTER_QUIT, TEXT, 0,
	0, SILENT},
    /* C15 */
    {"idle", RST_IDLE | RST_TTL | RST_IP_ID | RST_UNASKED, TEXT, 0, 0, SILENT},
    {"idle, the host went on", RST_IDLE | RST_DATA_AFTER | RST_TTL, DONE, 0, 0,
	SILENT},
    {"silent", RST_SILENT | RST_TTL | RST_IP_ID | RST_UNASKED, TEXT, 0, 0,
	SILENT},
    {"silent, the host went on", RST_SILENT | RST_DATA_AFTER, TEXT, 0, 0, HIGH},
    {"silent, behind", RST_SILENT | RST_BEHIND_DATA | RST_TTL, TEXT, -12, 0,
	SILENT},
    {"silent in the handshake", RST_SILENT | RST_TTL | RST_IP_ID, HELLO, 0, 0,
	MEDIUM},
    {"idle in the handshake", RST_IDLE | RST_DATA_AFTER, HELLO, 0, 0, HIGH},
};

TEST(resets_by_what_was_seen)
{
	for (unsigned i = 0; i < sizeof(rsts) / sizeof(rsts[0]); i++) {
		const struct finding *f = ask_rst(
		    rsts[i].tests, rsts[i].phase, rsts[i].off, rsts[i].vis);
		int got = f == NULL ? 0 : f->confidence;

		if (got < rsts[i].low || got > rsts[i].high)
			TEST_FAIL("%s: %d, not %d..%d", rsts[i].name, got,
			    rsts[i].low, rsts[i].high);
	}
}

/* No sign decides alone: whatever the phase, whatever tool it looks like, and
 * beside whatever speaks for a lawful reset. */
TEST(no_single_sign_decides)
{
	static const uint32_t signs[] = {
	    RST_TTL, RST_UNASKED, RST_IP_ID, RST_OLD_TTL, RST_SAME_AFTER};
	static const uint32_t beside[] = {0, RST_EXACT, RST_AFTER_FIN,
	    RST_ANSWERS_ACK, RST_IDLE, RST_AFTER_QUIT, RST_CROSSED, RST_SILENT};

	for (unsigned i = 0; i < sizeof(signs) / sizeof(signs[0]) * 8; i++)
		for (int phase = PHASE_SYN; phase <= PHASE_CLOSING; phase++)
			for (unsigned tool = 0; tool <= TOOL_TRAIN_1460;
			     tool++) {
				(void)ask_rst(signs[i / 8] | beside[i % 8],
				    (enum phase)phase, 0, 0);
				ob.u.rst.tool = (uint8_t)tool;
				ob.u.rst.count = 3;
				if (ask(detect_reset) != NULL)
					TEST_FAIL("sign %x, beside %x, "
						  "phase %d, tool %u",
					    signs[i / 8], beside[i % 8], phase,
					    tool);
			}
}

TEST(sentences_say_what_and_why)
{
	const struct finding *f = ask_rst(
	    RST_DATA_AFTER | RST_TTL | RST_EXACT, PHASE_TLS_HELLO, 0, 0);

	CHECK(f != NULL);
	if (f == NULL)
		return;
	CHECK_INT(f->id, FIND_RST_INJECTED);
	CHECK_INT(f->time, 1000); /* when it happened */
	CHECK_INT(f->pkt.ordinal, 7);
	CHECK(says(f, "data followed the reset from the same sender"));
	CHECK(says(f, "TTL 46 where this server has 49"));
	CHECK(says(f, "while TLS was being set up"));
	CHECK_INT(f->tags, EVT_DURING_TLS_HANDSHAKE);
}

TEST(weights_add_up)
{
	static const uint32_t tests[] = {RST_DATA_AFTER,
	    RST_BEHIND_DATA | RST_TTL, RST_TTL | RST_IP_ID | RST_OLD_TTL};

	for (unsigned i = 0; i < 3; i++) {
		const struct finding *f =
		    ask_rst(tests[i], PHASE_TLS_READY, 0, 0);
		int sum = 0;

		CHECK(f != NULL);
		for (unsigned k = 0; f != NULL && k < f->nevidence; k++)
			sum += f->evidence[k].weight;
		if (f != NULL)
			CHECK_INT(f->confidence, sum > 100 ? 100 : sum);
	}
}

TEST(quit_known_to_the_flow_counts)
{
	facts_init(&fa);
	rare = *fa.rare;
	fa.rare = &rare;
	(void)ask_rst(RST_BEHIND_DATA, PHASE_TEXT, -9, 0);
	fa.quit = 900;
	CHECK(ask(detect_reset) == NULL);
	fa.quit = 1100; /* only afterwards */
	CHECK(ask(detect_reset) != NULL);
}

TEST(tool_is_named)
{
	const struct finding *f;

	(void)ask_rst(RST_TRAIN | RST_TTL, PHASE_CLOSING, -900, 0);
	ob.u.rst.tool = TOOL_TCPKILL;
	ob.u.rst.count = 120;
	f = ask(detect_reset);
	CHECK(says(f, "tcpkill"));
	CHECK(says(f, "120 resets"));
	CHECK(f != NULL && (f->tags & EVT_KNOWN_TOOL) != 0);
}

TEST(tool_alone_is_no_finding)
{
	(void)ask_rst(RST_EXACT, PHASE_TEXT, 0, 0);
	ob.u.rst.tool = TOOL_IPS_REJECT;
	CHECK(ask(detect_reset) == NULL);
}

static void
make_conflict(void)
{
	facts_init(&fa);
	rare = *fa.rare;
	fa.rare = &rare;
	obs_init(&ob, OBS_CONFLICT);
	ob.dir = DIR_S2C;
	ob.phase = PHASE_TEXT;
	ob.pkt.ordinal = 3;
	ob.pkt.ttl = ob.u.conflict.other.ttl = 57;
	ob.u.conflict.len = 181;
	ob.u.conflict.diff = 167;
	ob.u.conflict.used_first = 1;
	(void)snprintf(ob.u.conflict.first, 96, "250-AUTH PLAIN");
	(void)snprintf(ob.u.conflict.second, 96, "250-STARTTLS");
}

TEST(conflict_is_high_and_shows_both)
{
	const struct finding *f;

	make_conflict();
	f = ask(detect_conflict);
	CHECK(f != NULL && f->confidence >= 85);
	CHECK(says(f, "167 of 181 bytes"));
	CHECK(says(f, "first: 250-AUTH PLAIN"));
	CHECK(says(f, "then: 250-STARTTLS"));
	CHECK(says(f, "the first is what was read here"));
}

TEST(conflict_that_hosts_drop_is_medium)
{
	const struct finding *f;

	make_conflict();
	ob.u.conflict.csum_bad = 1;
	ob.u.conflict.used_by = USED_FIRST_SUM;
	f = ask(detect_conflict);
	CHECK(f != NULL && f->confidence >= 50 && f->confidence < 85);
}

TEST(conflict_within_tls_is_medium_and_says_why)
{
	const struct finding *f;

	make_conflict();
	ob.phase = PHASE_TLS_DONE;
	ob.u.conflict.hashed = 1;
	ob.u.conflict.diff = 0;
	ob.u.conflict.used_by = USED_FIRST_ACKED;
	f = ask(detect_conflict);
	CHECK(f != NULL && f->confidence >= 50 && f->confidence < 85);
	CHECK(says(f, "181 bytes of the server were sent twice"));
	CHECK(says(f, "compared by a keyed hash"));
	CHECK(says(f, "integrity check"));
	CHECK(says(f, "before the second came: it used the first"));
	CHECK(!says(f, "first: "));
}

TEST(conflict_in_a_body_is_high)
{
	const struct finding *f;

	make_conflict();
	ob.u.conflict.hashed = 1;
	ob.u.conflict.diff = 0;
	f = ask(detect_conflict);
	CHECK(f != NULL && f->confidence >= 85);
	CHECK(!says(f, "integrity check"));
}

/* ---- C12, C13 ---- */

static const struct finding *
ask_answers(bool again, uint8_t ttl)
{
	facts_init(&fa);
	rare = *fa.rare;
	fa.rare = &rare;
	obs_init(&ob, OBS_TWO_ANSWERS);
	ob.dir = DIR_S2C;
	ob.pkt.ttl = 57;
	ob.pkt.time = 5000000;
	ob.u.answers.first.ttl = ttl;
	ob.u.answers.again = again;
	return ask(detect_hijack);
}

TEST(two_answers_are_high_unless_asked_twice)
{
	const struct finding *f = ask_answers(false, 57);

	CHECK(f != NULL && f->confidence >= 85);
	CHECK(says(f, "5 ms apart"));
	f = ask_answers(true, 57);
	CHECK(f != NULL && f->confidence >= 50 && f->confidence < 85);
	f = ask_answers(true, 64);
	CHECK(f != NULL && f->confidence >= 50 && f->confidence < 85);
	CHECK(says(f, "TTL 64 in the first answer, 57 in the second"));
}

TEST(data_beyond_a_fin_is_medium)
{
	const struct finding *f;

	facts_init(&fa);
	rare = *fa.rare;
	fa.rare = &rare;
	obs_init(&ob, OBS_FIN_UNDONE);
	ob.dir = DIR_S2C;
	ob.time = 2000;
	ob.pkt.time = 1000;
	ob.pkt.ttl = 64;
	ob.u.fin.beyond = 20;
	ob.u.fin.data.ordinal = 3;
	ob.u.fin.data.ttl = 57;
	f = ask(detect_fin);
	CHECK(f != NULL && f->confidence >= 50 && f->confidence < 85);
	CHECK(f != NULL && f->time == 1000);
	CHECK(says(f, "20 bytes followed"));
	ob.u.fin.behind = 1;
	CHECK(says(ask(detect_fin), "20 bytes before the end"));
}

/* ---- frames from elsewhere ---- */

static const struct finding *
ask_odd_mac(uint32_t tests, bool odd)
{
	(void)ask_rst(tests, PHASE_TEXT, 0, 0);
	ob.u.rst.has_mac = 1;
	ob.u.rst.odd_mac = odd;
	ob.u.rst.mac[5] = 0x99;
	ob.u.rst.mac_base[5] = 0x11;
	return ask(detect_reset);
}

TEST(another_mac_strengthens_and_is_no_ground)
{
	const struct finding *f;
	int usual;

	CHECK(ask_odd_mac(RST_EXACT, true) == NULL);
	CHECK(ask_odd_mac(RST_EXACT | RST_TTL, true) == NULL);
	f = ask_odd_mac(RST_BLIND, false);
	usual = f != NULL ? f->confidence : 0;
	CHECK(!says(f, "MAC"));
	f = ask_odd_mac(RST_BLIND, true);
	CHECK(f != NULL && f->confidence > usual && f->confidence < 85);
	CHECK(says(f, "MAC address 00:00:00:00:00:99, all else of the "));
	CHECK(says(f, "from 00:00:00:00:00:11"));
}

/* ---- C7: the operator's own ---- */

TEST(resets_of_authorized_devices_are_no_finding)
{
	struct resetters own = {.nmac = 0};

	CHECK_INT(resetters_add(&own, "00:1B:2c:3d:4e:5f"), 0);
	CHECK_INT(resetters_add(&own, "aa-bb-cc-dd-ee-ff"), 0);
	CHECK_INT(resetters_add(&own, "ips-reject"), 0);
	(void)ask_rst(RST_DATA_AFTER, PHASE_TEXT, 0, 0);
	memset(&dc, 0, sizeof(dc));
	dc.o = &ob;
	dc.f = &fa;
	dc.resetters = &own;
	detect_reset(&ob, &fa, &dc);
	CHECK_INT(dc.nout, 1); /* somebody else's */
	CHECK(!dc.authorised);

	dc.nout = 0;
	ob.u.rst.has_mac = 1;
	memcpy(ob.u.rst.mac, "\x00\x1b\x2c\x3d\x4e\x5f", 6);
	detect_reset(&ob, &fa, &dc);
	CHECK_INT(dc.nout, 0);
	CHECK(dc.authorised);
	ob.u.rst.mac[5]++;
	detect_reset(&ob, &fa, &dc);
	CHECK_INT(dc.nout, 1);

	dc.nout = 0;
	ob.u.rst.tool = TOOL_IPS_REJECT;
	detect_reset(&ob, &fa, &dc);
	CHECK_INT(dc.nout, 0);
	ob.u.rst.tool = TOOL_TCPKILL;
	detect_reset(&ob, &fa, &dc);
	CHECK_INT(dc.nout, 1);
}

TEST(words_that_name_no_device)
{
	static const char *const words[] = {"", "none", "00:1b:2c:3d:4e",
	    "00:1b:2c:3d:4e:5g", "00:1b:2c-3d:4e:5f", "00:1b:2c:3d:4e:5f ",
	    "10.0.0.1", "tcpkil", "001b2c3d4e5f"};
	struct resetters own = {.nmac = 0};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK_INT(resetters_add(&own, words[i]), -1);
	CHECK_INT(own.nmac, 0);
	CHECK_INT(own.tools, 0);
	for (unsigned i = 0; i < RESETTERS_MAX; i++)
		CHECK_INT(resetters_add(&own, "00:1b:2c:3d:4e:5f"), 0);
	CHECK_INT(resetters_add(&own, "00:1b:2c:3d:4e:5f"), -1);
}

TEST(what_tells_the_forged_version)
{
	const struct finding *f;

	make_conflict();
	f = ask(detect_conflict);
	CHECK(!says(f, "MAC") && !says(f, "timestamps"));
	ob.u.conflict.odd_mac = 1;
	ob.u.conflict.odd_ts = 2;
	f = ask(detect_conflict);
	CHECK(says(f, "the first version comes from another MAC"));
	CHECK(says(f, "the second version lacks the "));
}

TEST(byte_after_byte_is_no_garbage)
{
	const struct finding *f;

	make_conflict();
	ob.u.conflict.len = ob.u.conflict.diff = 1;
	f = ask(detect_conflict);
	CHECK(f != NULL && f->confidence >= 50 && f->confidence < 85);
	fa.raised |= UINT64_C(1) << FIND_TCP_CONTENT_CONFLICT;
	rare.confidence[FIND_TCP_CONTENT_CONFLICT] = 70;
	f = ask(detect_conflict);
	CHECK(f != NULL && f->confidence >= 85);
	rare.confidence[FIND_TCP_CONTENT_CONFLICT] = 90;
	CHECK(ask(detect_conflict) == NULL);
}

TEST_MAIN
