/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Segments held against what was sent before: conflicts, and everything that
 * looks like one and is not.
 */
#include "sensor/evidence_private.h"
#include "tests/unit/evidence_kit.h"

/* One that waits for its receiver's word is told now. */
static const struct obs_conflict *
conflict(unsigned i)
{
	static const struct obs_conflict none;

	evidence_tick(ctx, now + EVIDENCE_USED_WAIT);
	if (i >= nseen || seen[i].kind != OBS_CONFLICT) {
		TEST_FAIL("observation %u is no conflict", i);
		return &none;
	}
	return &seen[i].u.conflict;
}

#define REAL "250-mx\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
#define FAKE "250-mx\r\n250-SIZE 9999\r\n250 8BITMIM\r\n"

TEST(other_bytes_under_the_same_numbers)
{
	start();
	handshake();
	s(0, 0, FAKE);
	c(0, sizeof(FAKE) - 1, NULL);
	s(0, 0, REAL);
	CHECK_INT(hints, EVID_CONFLICT);
	CHECK_INT(nseen, 1);
	CHECK_INT(conflict(0)->seq, S_ISN + 1 + 13);
	CHECK_INT(conflict(0)->len, sizeof(FAKE) - 1);
	CHECK_INT(conflict(0)->used_first, 1);
	CHECK_INT(conflict(0)->acked_between, 1);
	CHECK_INT(conflict(0)->csum_bad, 0);
	CHECK_INT(conflict(0)->masked, 0);
	CHECK_INT(conflict(0)->other.ordinal, ordinal);
	CHECK_INT(seen[0].pkt.ordinal, ordinal - 2);
	CHECK_INT(seen[0].dir, DIR_S2C);
	CHECK_STR(
	    conflict(0)->first, "250-mx\\r\\n250-SIZE 9999\\r\\n250 8BITMIM");
	CHECK_STR(
	    conflict(0)->second, "250-mx\\r\\n250-STARTTLS\\r\\n250 8BITMIME");
	finish();
}

TEST(text_that_is_not_public_is_masked)
{
	start();
	handshake();
	make(DIR_S2C, TCP_ACK, 0, 0, "334 abc+/9=\r\n");
	hints = evidence_packet(ctx, &flow, &pk, &view);
	s(0, 0, "334 xyz+/1=\r\n");
	CHECK_INT(conflict(0)->masked, 1);
	CHECK_STR(conflict(0)->first, "000 xxx+/0=");
	CHECK_STR(conflict(0)->second, "000 xxx+/0=");
	finish();
}

TEST(text_of_clients_is_always_masked)
{
	start();
	handshake();
	c(0, 0, "NOOP 1\r\n");
	c(0, 0, "PASS s3\r\n");
	CHECK_INT(conflict(0)->masked, 1);
	CHECK_STR(conflict(0)->first, "xxxx 0");
	CHECK_STR(conflict(0)->second, "xxxx x0");
	finish();
}

TEST(retransmissions_agree_however_cut)
{
	static const char text[] = REAL;
	char part[8];

	start();
	handshake();
	s(0, 0, text);
	s(0, 0, text);
	for (uint32_t i = 0; i + 5 < sizeof(text); i += 3) {
		memcpy(part, text + i, 5);
		part[5] = '\0';
		s(i, 0, part);
	}
	s((uint32_t)sizeof(text) - 1, 0, REAL);
	s(0, 0, REAL REAL);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(late_segment_fills_a_hole_and_agrees)
{
	start();
	handshake();
	s(20, 0, LINE);
	s(0, 0, LINE);
	s(0, 0, LINE LINE);
	finish();
	CHECK_INT(nseen, 0);
}

TEST(conflict_behind_a_hole)
{
	start();
	handshake();
	s(20, 0, LINE);
	s(20, 0, "12345678901234567XX0");
	CHECK_INT(conflict(0)->diff, 2);
	CHECK_INT(nseen, 1);
	CHECK_INT(conflict(0)->acked_between, 0);
	finish();
}

TEST(one_byte_at_a_time)
{
	start();
	handshake();
	s(0, 0, "2");
	s(1, 0, "2");
	s(1, 0, "5");
	CHECK_INT(conflict(0)->len, 1);
	CHECK_INT(nseen, 1);
	finish();
}

TEST(keepalive_with_a_byte_of_garbage)
{
	start();
	handshake();
	s(0, 0, LINE);
	c(0, 20, NULL);
	now += 7200000 * MS;
	s(19, 0, "\x01");
	c(0, 20, NULL);
	now += 75000 * MS;
	s(19, 0, "\x01");
	CHECK_INT(nseen, 0);
	CHECK_INT(evidence_counters(ctx)->keepalives, 2);
	finish();
}

TEST(zero_window_probe_is_the_next_byte)
{
	start();
	handshake();
	s(0, 0, LINE);
	c(0, 20, NULL);
	now += 5000 * MS;
	s(20, 0, "A");
	now += 5000 * MS;
	s(20, 0, "A");
	c(0, 20, NULL);
	s(20, 0, "ABC");
	finish();
	CHECK_INT(nseen, 0);
}

TEST(segment_spoilt_on_the_wire)
{
	start();
	dialogue();
	make(DIR_S2C, TCP_ACK, 60, 60, "250 uk\r\n");
	pk.flags |= PKT_BAD_TCP_CSUM;
	put();
	CHECK_INT(hints, EVID_DOUBT);
	s(60, 60, "250 ok\r\n");
	s(60, 60, "250 ok\r\n"); /* the right version stays */
	CHECK_INT(nseen, 0);
	CHECK_INT(evidence_counters(ctx)->corrupted, 1);
	finish();
}

TEST(insertion_with_a_wrong_checksum)
{
	start();
	dialogue();
	s(60, 60, LINE);
	make(DIR_S2C, TCP_ACK, 60, 60, "ABCDEFGHIJKLMNOPQRST");
	pk.flags |= PKT_BAD_TCP_CSUM;
	put();
	CHECK_INT(hints, EVID_DOUBT | EVID_CONFLICT);
	CHECK_INT(conflict(0)->csum_bad, 1);
	finish();
}

TEST(wrong_checksums_everywhere_mean_offload)
{
	start();
	handshake();
	for (uint32_t i = 0; i < 8; i++) {
		make(DIR_S2C, TCP_ACK, 20 * i, 0, LINE);
		pk.flags |= PKT_BAD_TCP_CSUM;
		put();
		CHECK_INT(hints & EVID_DOUBT, 0);
	}
	finish();
}

TEST(super_frames_longer_than_the_window)
{
	static char big[20000];

	start();
	handshake();
	for (size_t i = 0; i < sizeof(big) - 1; i++)
		big[i] = (char)('a' + i % 26);
	s(0, 0, big);
	s(0, 0, big);
	big[100] = '!'; /* long since forgotten */
	s(0, 0, big);
	CHECK_INT(nseen, 0);
	big[19000] = '!';
	s(0, 0, big);
	CHECK_INT(conflict(0)->seq, S_ISN + 1 + 19000);
	CHECK_INT(nseen, 1);
	finish();
}

TEST(segment_far_ahead_does_not_blind)
{
	start();
	dialogue();
	s(0x20000000, 60, "far away\r\n");
	s(60, 60, LINE);
	s(60, 60, "ABCDEFGHIJKLMNOPQRST");
	finish();
	CHECK_INT(nseen, 1);
}

TEST(told_only_so_often)
{
	start();
	handshake();
	s(0, 0, LINE);
	for (unsigned i = 0; i < 10; i++)
		s(0, 0, "ABCDEFGHIJKLMNOPQRST");
	CHECK_INT(evidence_counters(ctx)->conflicts, 10);
	finish();
	CHECK_INT(nseen, EVIDENCE_CONFLICTS);
}

TEST(window_goes_back_when_the_text_ends)
{
	start();
	handshake();
	s(0, 0, LINE);
	CHECK(flow.d[DIR_S2C].window != NULL);
	view.phase = PHASE_TLS_DONE;
	evidence_opaque(ctx, &flow);
	CHECK(flow.d[DIR_S2C].window == NULL);
	finish();
}

/* ---- windows of all sizes ---- */

#define STREAM 65536u /* numbers; no test goes further */

static struct { /* what a window of EVIDENCE_WINDOW bytes knows */
	uint8_t byte[STREAM];
	bool has[STREAM];
	uint32_t top;
} model;

/* Returns the bytes that were held against others, *differ those that do. */
static uint32_t
model_take(uint32_t seq, const uint8_t *p, uint32_t len, uint32_t *differ)
{
	uint32_t n = 0, low;

	*differ = 0;
	for (uint32_t i = 0; i < len; i++) {
		if (!model.has[seq + i])
			continue;
		n++;
		*differ += model.byte[seq + i] != p[i];
	}
	if (seq + len > model.top)
		model.top = seq + len;
	low = model.top < EVIDENCE_WINDOW ? 0 : model.top - EVIDENCE_WINDOW;
	memset(model.has, 0, low);
	for (uint32_t i = 0; i < len; i++) {
		if (seq + i < low || model.has[seq + i])
			continue;
		model.has[seq + i] = true;
		model.byte[seq + i] = p[i];
	}
	return n;
}

static uint32_t
chance(uint32_t n)
{
	static uint32_t x = 12345;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % n;
}

/* Next, again (maybe altered), or beyond a hole. */
static void
random_segment(uint32_t most)
{
	static char bytes[2001];
	uint32_t len = 2 + chance(most), seq = model.top, kind = chance(20);
	uint32_t differ, held;
	uint64_t before = evidence_counters(ctx)->compared;

	if (kind < 5)
		seq -= chance(model.top < 6000 ? model.top + 1 : 6000);
	else if (kind == 5)
		seq += chance(chance(2) == 0 ? 50 : 5000);
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (char)('a' + (seq + i) * 7 % 26);
	if (kind < 2)
		bytes[chance(len)] = '!';
	bytes[len] = '\0';
	held = model_take(seq, (const uint8_t *)bytes, len, &differ);
	s(seq, 0, bytes);
	CHECK_INT(evidence_counters(ctx)->compared - before, held);
	CHECK_INT((hints & EVID_CONFLICT) != 0, differ > 0);
}

TEST(windows_grow_and_forget_nothing_too_soon)
{
	for (unsigned turn = 0; turn < 300; turn++) {
		static const uint32_t most[] = {6, 40, 150, 700, 1990};

		start();
		handshake();
		memset(&model, 0, sizeof(model));
		s(0, 0, "220");
		(void)model_take(0, (const uint8_t *)"220", 3, &(uint32_t){0});
		while (model.top < STREAM - 8000 && chance(60) != 0)
			random_segment(most[turn % 5]);
		finish();
	}
}

TEST(what_is_public_stays_so_in_a_larger_window)
{
	start();
	handshake();
	s(0, 0, "250-public\r\n");
	make(DIR_S2C, TCP_ACK, 12, 0, "334 secret\r\n");
	(void)evidence_packet(ctx, &flow, &pk, &view);
	for (uint32_t i = 0; i < 60; i++) /* through all sizes */
		s(24 + i * 20, 0, LINE);
	s(4, 0, "PUBLIC");
	s(16, 0, "SECRET");
	s(1000, 0, "!");
	CHECK_INT(nseen, 2);
	CHECK_STR(conflict(0)->first, "public");
	CHECK_STR(conflict(1)->first, "xxxxxx");
	CHECK_STR(conflict(2)->first, "7");
	finish();
}

/* ---- the pool ---- */

static char full[EVIDENCE_WINDOW + 1];

static unsigned
lend_all(unsigned workers, const char *text)
{
	struct evidence_view v = {DIR_S2C, PHASE_TEXT, 0, 0, 0};
	struct evidence_sink to = {on_emit, on_settled, NULL};
	static struct evidence_flow flows[4096];
	struct table_use windows, resets;
	unsigned lent;

	start();
	evidence_free(ctx);
	ctx = evidence_new(&to, workers);
	for (unsigned i = 0; i < 4096; i++) {
		memset(&flows[i], 0, sizeof(flows[i]));
		evidence_init(&flows[i], 5);
		make(DIR_S2C, TCP_ACK, 0, 0, text);
		(void)evidence_packet(ctx, &flows[i], &pk, &v);
	}
	evidence_use(ctx, &windows, &resets);
	CHECK(windows.bytes <= windows.max_bytes);
	lent = (unsigned)evidence_counters(ctx)->windows;
	CHECK_INT(evidence_counters(ctx)->windows_short, 4096 - lent);
	for (unsigned i = 0; i < 4096; i++)
		evidence_end(ctx, &flows[i], now);
	finish();
	return lent;
}

static void
bounded(unsigned workers, size_t bytes)
{
	unsigned lent = lend_all(workers, full);

	CHECK(lent < 4096);
	CHECK(lent * EVIDENCE_WINDOW <= bytes);
	CHECK(lent * EVIDENCE_WINDOW > bytes / 2);
}

TEST(pool_is_bounded)
{
	memset(full, 'x', EVIDENCE_WINDOW);
	bounded(0, EVIDENCE_POOL_BYTES);
	bounded(4, EVIDENCE_POOL_BYTES / 4); /* a worker's share */
	bounded(64, EVIDENCE_POOL_LEAST);
	CHECK_INT(lend_all(0, LINE), 4096); /* small ones */
}

/* The next n bytes of a text that goes on, and their acknowledgement. */
static uint32_t
go_on(uint32_t at, uint32_t n)
{
	static char letters[64 * 1024];

	for (size_t i = 0; letters[0] == '\0' && i + 1 < sizeof(letters); i++)
		letters[sizeof(letters) - 2 - i] = (char)('z' - i % 26);
	make(DIR_S2C, TCP_ACK, at, 0, NULL);
	pk.payload = (const uint8_t *)letters + (S_ISN + 1 + at) % 26;
	pk.len = pk.wire_len = n;
	put();
	send(DIR_C2S, TCP_ACK, 0, at + n, NULL);
	return at + n;
}

TEST(two_gigabytes_of_text_and_the_same_again)
{
	uint32_t at = 0;

	start();
	handshake();
	while (at < 0x7fff0000u)
		at = go_on(at, 26 * 2000);
	while (at <= 0x80000000u + 3 * 26 * 40) /* numbers turn round */
		at = go_on(at, 26 * 40);
	(void)go_on(at - 26 * 200, 26 * 40); /* no longer kept */
	(void)go_on(at - 26 * 40, 26 * 40);
	CHECK(evidence_counters(ctx)->compared > 0);
	finish();
	CHECK_INT(nseen, 0);
}

/* ---- the packets of a window ---- */

#define ROWS 20
#define ROW 10 /* bytes */

static struct pkt_ref sent[ROWS];

/* The i-th row, where its packet stands in its file or 0. */
static void
row(unsigned i, char letter, uint32_t file, uint32_t frame_no)
{
	char text[ROW + 1];

	memset(text, letter, ROW);
	text[ROW] = '\0';
	make(DIR_S2C, TCP_ACK, i * ROW, 0, text);
	pk.file = file;
	pk.frame_no = frame_no;
	pk.tsval = 1000 + i;
	put();
	if (letter == 'a')
		evidence_ref(&sent[i], &pk, DIR_S2C);
}

/* Fills a window, returns how many rows; then row i again, with other bytes:
 * what was sent first is told as it was, the rows from `known` on. */
static void
are_told(unsigned (*fill)(void), unsigned known)
{
	unsigned n = 1;

	for (unsigned i = 0; i < n; i++) {
		struct pkt_ref want;

		start();
		handshake();
		n = fill();
		want = sent[i];
		row(i, 'b', 0, 0);
		(void)conflict(0);
		if (i < known) {
			want.time = 0;
			want.ordinal = 0;
			want.file = want.frame_no = 0;
		}
		CHECK(memcmp(&seen[0].pkt, &want, sizeof(want)) == 0);
		finish();
	}
}

static unsigned rows;

static unsigned
one_file(void)
{
	for (unsigned i = 0; i < rows; i++)
		row(i, 'a', 0, (uint32_t)ordinal + 1);
	return rows;
}

/* However many there are, and in whatever window. */
TEST(packets_are_told_as_they_were)
{
	for (rows = 1; rows <= 16; rows++)
		are_told(one_file, 0);
}

static unsigned
no_file(void)
{
	for (unsigned i = 0; i < 12; i++) {
		ordinal += UINT32_C(1) << 24;
		row(i, 'a', 0, 0);
	}
	return 12;
}

static unsigned
two_files(void)
{
	for (unsigned i = 0; i < 8; i++)
		row(i, 'a', 3 + i / 4, 1 + i % 4);
	return 8;
}

static unsigned
three_files(void)
{
	(void)two_files();
	row(8, 'a', 5, 1);
	return 9;
}

TEST(packets_of_several_files)
{
	are_told(no_file, 0);
	are_told(two_files, 0);
	are_told(three_files, 4);
}

#define HOUR (3600000 * MS)

static unsigned
a_day_apart(void)
{
	row(0, 'a', 0, 1);
	now += 30 * HOUR;
	row(1, 'a', 0, 2);
	now -= 60 * HOUR;
	row(2, 'a', 0, 3);
	return 3;
}

static unsigned
days_apart(void)
{
	(void)a_day_apart();
	now += 80 * HOUR;
	row(3, 'a', 0, 4);
	return 4;
}

static unsigned
far_apart(void)
{
	row(0, 'a', 0, 0);
	ordinal += UINT64_C(1) << 32;
	row(1, 'a', 0, 0);
	return 2;
}

TEST(packets_far_from_each_other)
{
	are_told(a_day_apart, 0);
	are_told(days_apart, 3);
	are_told(far_apart, 1);
}

TEST_MAIN
