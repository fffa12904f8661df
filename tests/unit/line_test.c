/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line reader, the words in lines, bodies and the queue of commands. */
#include "decoders/line.h"

#include "decoders/body.h"
#include "decoders/queue.h"
#include "tests/test.h"

#define CAP 8

static uint8_t store[LINE_ROOM(LINE_KEEP)];
static struct line_buf buf;

static struct slice
str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

static bool
text_is(struct slice s, const char *want)
{
	return s.len == strlen(want) && memcmp(s.p, want, s.len) == 0;
}

struct line_case {
	const char *in, *text, *tail;
	uint64_t total;
	bool overlong, bare_lf;
};

static const struct line_case line_cases[] = {
    {"ab\r\n", "ab", "ab", 2, false, false},
    {"ab\n", "ab", "ab", 2, false, true},
    {"\r\n", "", "", 0, false, false},
    {"\n", "", "", 0, false, true},
    {"\r\r\n", "\r", "\r", 1, false, false},
    {"a\rb\n", "a\rb", "a\rb", 3, false, true},
    {"12345678\r\n", "12345678", "12345678", 8, false, false},
    {"123456789\r\n", "12345678", "123456789", 9, true, false},
    {"123456789\n", "12345678", "123456789", 9, true, true},
    {"abcdefghijklmnopqrstuvwxyz {12}\r\n", "abcdefgh",
	"ijklmnopqrstuvwxyz {12}", 31, true, false},
    {"abcdefghijklmnopqrstuvwxyz {12}\n", "abcdefgh", "ijklmnopqrstuvwxyz {12}",
	31, true, true},
};

static void
check_line(const struct line_case *c, const struct line *l)
{
	CHECK(text_is(l->text, c->text));
	CHECK(text_is(l->tail, c->tail));
	CHECK_INT(l->total, c->total);
	CHECK_INT(l->overlong, c->overlong);
	CHECK_INT(l->bare_lf, c->bare_lf);
}

TEST(lines_come_out_the_same_whole_and_cut_anywhere)
{
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(*line_cases); i++) {
		const struct line_case *c = &line_cases[i];
		struct slice in = str(c->in);

		for (size_t cut = 0; cut < in.len; cut++) {
			struct line l;
			bool done;

			line_init(&buf, store, CAP);
			line_read(&buf, (struct slice){in.p, cut}, &l, &done);
			CHECK(cut == 0 || !done);
			line_read(&buf, slice_from(in, cut), &l, &done);
			CHECK(done);
			check_line(c, &l);
			CHECK(line_is_fresh(&buf));
		}
	}
}

TEST(lines_byte_by_byte)
{
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(*line_cases); i++) {
		const struct line_case *c = &line_cases[i];
		struct slice in = str(c->in);
		struct line l;
		bool done = false;

		line_init(&buf, store, CAP);
		for (; in.len > 0 && !done; in = slice_from(in, 1))
			line_read(&buf, (struct slice){in.p, 1}, &l, &done);
		CHECK(done);
		check_line(c, &l);
	}
}

/* Of letters, LF, CR, NUL and what has their bits: never a line that
 * line_whole() takes for another, and never one that has more than an LF. */
TEST(a_usual_line_is_the_same_line)
{
	static const uint8_t letters[] = "ab \n\r\0\x8a\x80\x8d\x0b\x01\xff";
	uint8_t bytes[LINE_USUAL + 4];
	unsigned seed = 1, usual = 0;
	struct line a, b;

	line_init(&buf, NULL, LINE_KEEP);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned odd = round % 4 == 0 ? sizeof(letters) : 3;
		struct slice in = {bytes, 1 + round % sizeof(bytes)};
		bool one;

		for (size_t i = 0; i < in.len; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = letters[(seed >> 16) % odd];
		}
		bytes[in.len - 1] = '\n';
		if (in.len > 1 && round % 8 != 0)
			bytes[in.len - 2] = '\r';
		one = memchr(in.p, '\n', in.len) == in.p + in.len - 1;
		line_whole(&buf, in, &a);
		if (!line_is_usual(in)) {
			CHECK(!one || a.has_nul || a.bare_lf || in.len < 6 ||
			      in.len > LINE_USUAL);
			continue;
		}
		usual++;
		line_usual(in, &b);
		CHECK(one && a.text.p == b.text.p && a.tail.p == b.tail.p);
		CHECK_INT(a.text.len, b.text.len);
		CHECK_INT(a.tail.len, b.tail.len);
		CHECK_INT(a.total, b.total);
		CHECK(!a.overlong && !a.bare_lf && !a.has_nul);
		CHECK(!b.overlong && !b.bare_lf && !b.has_nul);
	}
	CHECK(usual > 10000);
}

TEST(line_of_a_gibibyte_is_counted_and_survived)
{
	static uint8_t block[1 << 20];
	struct line l;
	bool done;

	memset(block, 'x', sizeof(block));
	line_init(&buf, store, LINE_KEEP);
	for (int i = 0; i < 1024; i++)
		line_read(
		    &buf, (struct slice){block, sizeof(block)}, &l, &done);
	CHECK(!done);
	line_read(&buf, str("\r\n"), &l, &done);
	CHECK(done);
	CHECK(l.overlong);
	CHECK_INT(l.total, 1 << 30);
	CHECK_INT(l.text.len, LINE_KEEP);
}

TEST(lost_bytes_drop_all_to_the_next_lf)
{
	struct line l;
	bool done;

	line_init(&buf, store, LINE_KEEP);
	line_read(&buf, str("beginning"), &l, &done);
	line_lose(&buf);
	CHECK(!line_is_fresh(&buf));
	CHECK_INT(line_read(&buf, str("end\r\nnext\r\n"), &l, &done), 5);
	CHECK(!done);
	line_read(&buf, str("next\r\n"), &l, &done);
	CHECK(done);
	CHECK(text_is(l.text, "next"));
}

TEST(wiped_lines_leave_nothing)
{
	struct line l;
	bool done;

	line_init(&buf, store, LINE_KEEP);
	line_read(&buf, str("PASS hunter2"), &l, &done);
	line_wipe(&buf);
	CHECK(memmem(store, sizeof(store), "hunter2", 7) == NULL);
	CHECK(memmem(&buf, sizeof(buf), "hunter2", 7) == NULL);
}

TEST(words_and_numbers)
{
	struct slice s = str("  EHLO \t a.example  x ");
	uint64_t n;

	CHECK(text_is(slice_word(&s), "EHLO"));
	CHECK(text_is(slice_word(&s), "a.example"));
	CHECK(text_is(slice_trim(s), "x"));
	CHECK(slice_is(str("starttls"), "STARTTLS"));
	CHECK(!slice_is(str("starttl"), "STARTTLS"));
	CHECK(slice_has(str("Must issue a StartTLS command"), "STARTTLS"));
	CHECK(!slice_has(str("START TLS"), "STARTTLS"));
	CHECK_INT(slice_number(str("123x"), &n), 3);
	CHECK_INT(n, 123);
	CHECK_INT(slice_number(str("x"), &n), 0);
	CHECK_INT(slice_number(str("99999999999999999999999999"), &n), 26);
	CHECK(n > (1ull << 57) && n < (1ull << 63));
}

/* ---- bodies ---- */

struct body_case {
	const char *in;
	bool bare; /* the dialogue's lines end in bare LF */
	int end; /* bytes taken, -1 no end */
	uint64_t bytes;
};

static const struct body_case body_cases[] = {
    {".\r\n", false, 3, 0},
    {"a\r\n.\r\nrest", false, 6, 3},
    {"a\r\n..\r\n.\r\n", false, 10, 7},
    {"a.\r\n.b\r\n.\r\n", false, 11, 8},
    {"a\n.\r\n", false, 5, 2},
    {"a\n.\n", false, -1, 4},
    {"a\n.\n", true, 4, 2},
    {".\n", true, 2, 0},
    {"a\r\n.\rx\r\n.\r\n", false, 11, 8},
    {"\n.\n.\r\n", false, 6, 3},
    {"no end", false, -1, 6},
};

TEST(bodies_end_at_the_dot_wherever_they_are_cut)
{
	for (size_t i = 0; i < sizeof(body_cases) / sizeof(*body_cases); i++) {
		const struct body_case *c = &body_cases[i];
		struct slice in = str(c->in);

		for (size_t cut = 0; cut <= in.len; cut++) {
			struct body b;
			bool end;
			size_t n;

			line_init(&buf, store, LINE_KEEP);
			body_start(&b, c->bare);
			n = body_dotted(
			    &b, &buf, (struct slice){in.p, cut}, &end);
			if (!end)
				n += body_dotted(
				    &b, &buf, slice_from(in, cut), &end);
			CHECK_INT(end ? (int)n : -1, c->end);
			CHECK_INT(b.bytes, c->bytes);
		}
	}
}

/* To a strict reader: where it ends, and whether another may end it sooner.
 * All ends of line that SMTP smuggling was tried with (Longin 2023). */
static const struct {
	const char *in;
	int end;
	bool odd;
} strict_cases[] = {
    {"a\r\n.\r\nrest", 6, false},
    {".\r\nrest", 3, false},
    {"a\r\n..\r\n.x\r\n.\r\n", 14, false},
    {"a.\rb.\nc.\r\n.\r\n", 13, false},
    {"\n.\n\r\n.\r\n", 8, true},
    {"\n.\r\nx\r\n.\r\n", 10, true},
    {"\r.\r\nx\r\n.\r\n", 10, true},
    {"\r.\nx\r\n.\r\n", 9, true},
    {"\r.\rx\r\n.\r\n", 9, true},
    {"\n.\rx\r\n.\r\n", 9, true},
    {"\r\n.\rx\r\n.\r\n", 10, true},
    {"\r\n.\nx\r\n.\r\n", 10, true},
    {"\r\r\n.\r\n", 6, false},
    {".\r.\r\nx\r\n.\r\n", 11, true},
    {"a.b.c.d.\r.\r\nx\r\n.\r\n", 18, true},
    {"a.b.c.d.\n.\r\nx\r\n.\r\n", 18, true},
};

TEST(strict_bodies_end_at_crlf_dot_crlf_and_note_the_others)
{
	for (size_t i = 0; i < sizeof(strict_cases) / sizeof(*strict_cases);
	     i++) {
		struct slice in = str(strict_cases[i].in);

		for (size_t cut = 0; cut <= in.len; cut++) {
			struct body b;
			bool end;
			size_t n;

			line_init(&buf, store, LINE_KEEP);
			body_start(&b, false);
			b.strict = 1;
			n = body_dotted(
			    &b, &buf, (struct slice){in.p, cut}, &end);
			if (!end)
				n += body_dotted(
				    &b, &buf, slice_from(in, cut), &end);
			CHECK_INT(end ? (int)n : -1, strict_cases[i].end);
			CHECK_INT(b.odd_dot, strict_cases[i].odd);
		}
	}
}

TEST(bodies_say_whether_they_are_encrypted)
{
	static const struct {
		const char *in;
		enum body_protected want;
	} t[] = {
	    {"Subject: x\r\n\r\ntext\r\n", BODY_CLEAR},
	    {"Content-Type: multipart/encrypted;\r\n"
	     " protocol=\"application/pgp-encrypted\"\r\n\r\nx",
		BODY_PGP},
	    {"content-type: Application/PKCS7-Mime\r\n\r\n", BODY_SMIME},
	    {"A: b\r\n\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n", BODY_PGP},
	    {"A: b\r\n\r\nx\r\n-----BEGIN PGP MESSAGE-----\r\n", BODY_CLEAR},
	    {"A: b\r\n\r\napplication/pkcs7-mime\r\n", BODY_CLEAR},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct body b;

		line_init(&buf, store, LINE_KEEP);
		body_start(&b, false);
		body_counted(&b, &buf, str(t[i].in));
		CHECK_INT(b.protected_, t[i].want);
	}
}

/* ---- the queue ---- */

TEST(queue_keeps_order_and_folds_runs)
{
	struct queue_entry room[QUEUE_MAX];
	struct queue q = {.e = room};

	queue_push(&q, 1, 0, true);
	for (int i = 0; i < 5000; i++)
		CHECK(queue_push(&q, 2, 0, false));
	queue_push(&q, 3, 0, false);
	CHECK_INT(queue_pop(&q).verb, 1);
	for (int i = 0; i < 5000; i++)
		CHECK_INT(queue_pop(&q).verb, 2);
	CHECK_INT(queue_pop(&q).verb, 3);
	CHECK_INT(queue_pop(&q).verb, 0);
}

TEST(queue_holds_one_by_itself)
{
	struct queue_entry room[QUEUE_MAX];
	struct queue q = {0};

	CHECK(!queue_needs_room(&q));
	CHECK(queue_push(&q, 1, 5, true));
	CHECK_INT(queue_head(&q).mark, 5);
	CHECK(queue_seek(&q, 1));
	CHECK_INT(queue_pop(&q).verb, 1);
	CHECK_INT(queue_pop(&q).verb, 0);
	CHECK(queue_push(&q, 2, 0, true));
	CHECK(queue_push(&q, 2, 0, true));
	CHECK(queue_needs_room(&q));
	queue_room(&q, room);
	CHECK(queue_push(&q, 3, 0, true));
	CHECK_INT(queue_pop(&q).verb, 2);
	CHECK_INT(queue_pop(&q).verb, 2);
	CHECK_INT(queue_pop(&q).verb, 3);
	CHECK_INT(q.n, 0);
	q.e = NULL; /* taken away: it holds one again */
	CHECK(queue_push(&q, 4, 0, true));
	CHECK_INT(queue_head(&q).verb, 4);
	CHECK(!queue_push(&q, 5, 0, true)); /* no room was given */
	CHECK(q.unsure);
}

TEST(queue_overflow_is_unsure_until_a_command_follows_a_reply)
{
	struct queue_entry room[QUEUE_MAX];
	struct queue q = {.e = room};

	for (int i = 0; i < QUEUE_MAX; i++)
		CHECK(queue_push(&q, (uint8_t)(1 + i % 2), 0, true));
	CHECK(!queue_push(&q, 9, 0, true));
	CHECK(q.unsure);
	CHECK_INT(queue_head(&q).verb, 0);
	CHECK(!queue_push(&q, 1, 0, true));
	queue_reply(&q);
	CHECK(!queue_push(&q, 2, 0, false)); /* clients send it ahead */
	queue_reply(&q);
	CHECK(queue_push(&q, 3, 0, true));
	CHECK_INT(queue_head(&q).verb, 3);
}

TEST(queue_seek_drops_what_is_before)
{
	struct queue_entry room[QUEUE_MAX];
	struct queue q = {.e = room};

	queue_push(&q, 1, 0, true);
	queue_push(&q, 2, 0, true);
	queue_push(&q, 3, 0, true);
	CHECK(!queue_seek(&q, 7));
	CHECK_INT(queue_head(&q).verb, 1);
	CHECK(queue_seek(&q, 3));
	CHECK_INT(queue_pop(&q).verb, 3);
	CHECK_INT(q.n, 0);
}

TEST_MAIN
