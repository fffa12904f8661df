/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sizes, names and printable forms of observations.
 */
#include "decoders/obs.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define HEADER offsetof(struct obs, u)

static const struct {
	const char *name;
	uint16_t size;
} kinds[OBS_KIND_COUNT] = {
    [OBS_NONE] = {"none", 0},
    [OBS_FLOW_OPEN] = {"flow-open", sizeof(struct obs_flow)},
    [OBS_FLOW_END] = {"flow-end", sizeof(struct obs_end)},
    [OBS_RST] = {"rst", sizeof(struct obs_rst)},
    [OBS_CONFLICT] = {"conflict", sizeof(struct obs_conflict)},
    [OBS_TWO_ANSWERS] = {"two-answers", sizeof(struct obs_answers)},
    [OBS_FIN_UNDONE] = {"fin-undone", sizeof(struct obs_fin)},
    [OBS_PROXY] = {"proxy", sizeof(struct obs_proxy)},
    [OBS_GREETING] = {"greeting", sizeof(struct obs_greeting)},
    [OBS_CAPS] = {"caps", sizeof(struct obs_caps)},
    [OBS_TLS_ASKED] = {"tls-asked", sizeof(struct obs_verb)},
    [OBS_TLS_ANSWERED] = {"tls-answered", sizeof(struct obs_answer)},
    [OBS_TEXT_BEFORE_TLS] = {"text-before-tls", sizeof(struct obs_inject)},
    [OBS_CLEAR_USE] = {"clear-use", sizeof(struct obs_verb)},
    [OBS_AUTH] = {"auth", sizeof(struct obs_auth)},
    [OBS_VERB_UNKNOWN] = {"verb-unknown", sizeof(struct obs_answer)},
    [OBS_TLS_DEMANDED] = {"tls-demanded", sizeof(struct obs_answer)},
    [OBS_MAIL_CONTENT] = {"mail-content", sizeof(struct obs_content)},
    [OBS_IMAP_EARLY] = {"imap-early", sizeof(struct obs_verb)},
    [OBS_IMAP_UNSOLICITED] = {"imap-unsolicited", sizeof(struct obs_verb)},
    [OBS_IMAP_CODE] = {"imap-code", sizeof(struct obs_verb)},
    [OBS_QUIT] = {"quit", sizeof(struct obs_verb)},
    [OBS_TLS_CLIENT_HELLO] = {"tls-client-hello", sizeof(struct obs_hello)},
    [OBS_TLS_SERVER_HELLO] = {"tls-server-hello", sizeof(struct obs_hello)},
    [OBS_TLS_CERT] = {"tls-cert", sizeof(struct obs_cert)},
    [OBS_TLS_ALERT] = {"tls-alert", sizeof(struct obs_alert)},
    [OBS_TLS_DONE] = {"tls-done", sizeof(struct obs_done)},
    [OBS_TLS_APPDATA] = {"tls-appdata", sizeof(struct obs_done)},
    [OBS_TLS_BROKEN] = {"tls-broken", sizeof(struct obs_verb)},
    [OBS_TLS_KEY_EXCHANGE] = {"tls-key-exchange", sizeof(struct obs_kex)},
    [OBS_LINE] = {"line", sizeof(struct obs_line)},
};

uint16_t
obs_size(enum obs_kind kind)
{
	if ((unsigned)kind >= OBS_KIND_COUNT)
		return HEADER;
	return (uint16_t)(HEADER + kinds[kind].size);
}

/* Where the size is known in advance, compilers clear word by word what the
 * library clears by the cache line: they are not to know. */
static inline void
begin(struct obs *o, enum obs_kind kind, size_t size)
{
	__asm__("" : "+r"(o), "+r"(size));
	memset(o, 0, size);
	o->kind = (uint16_t)kind;
	o->size = (uint16_t)size;
}

void
obs_init(struct obs *o, enum obs_kind kind)
{
	begin(o, kind, obs_size(kind));
}

void
obs_init_caps(struct obs *o, const char *words, size_t len)
{
	size_t room = sizeof(o->u.caps.words) - 1;

	if (len > room)
		len = room;
	begin(o, OBS_CAPS, offsetof(struct obs, u.caps.words));
	o->size = (uint16_t)(o->size + len + 1);
	memcpy(o->u.caps.words, words, len);
	o->u.caps.words[len] = '\0';
}

const char *
obs_kind_name(enum obs_kind kind)
{
	return (unsigned)kind < OBS_KIND_COUNT ? kinds[kind].name : "?";
}

const char *
proto_name(enum proto proto)
{
	static const char *const names[PROTO_COUNT] = {
	    "unknown", "smtp", "imap", "pop3", "managesieve", "other"};

	return (unsigned)proto < PROTO_COUNT ? names[proto] : "?";
}

bool
proto_is_mail(enum proto proto)
{
	return proto != PROTO_UNKNOWN && proto < PROTO_OTHER;
}

const char *
phase_name(enum phase phase)
{
	static const char *const names[] = {"syn", "text", "tls-asked",
	    "tls-ready", "tls-hello", "tls-done", "opaque", "closing"};

	return (unsigned)phase < sizeof(names) / sizeof(names[0]) ? names[phase]
								  : "?";
}

static inline bool
is_printable(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* Printable form of one byte; returns its length (1, 2 or 4). */
static unsigned
escape_byte(char out[4], uint8_t c)
{
	static const char hex[] = "0123456789abcdef";

	if (is_printable(c)) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	if (c == '\r' || c == '\n') {
		out[1] = c == '\r' ? 'r' : 'n';
		return 2;
	}
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

#define EACH 0x0101010101010101ull /* times a byte: eight of it */

/* Copies eight bytes; are all of them shown as they are? */
static inline bool
copy_eight(char *dst, const uint8_t *src)
{
	uint64_t w;

	memcpy(&w, src, sizeof(w));
	memcpy(dst, &w, sizeof(w));
	return ((w | (w + EACH) | (w - EACH * 0x20)) & EACH * 0x80) == 0;
}

static inline bool
copy_four(char *dst, const uint8_t *src)
{
	uint32_t each = (uint32_t)EACH, w;

	memcpy(&w, src, sizeof(w));
	memcpy(dst, &w, sizeof(w));
	return ((w | (w + each) | (w - each * 0x20)) & each * 0x80) == 0;
}

/* The same of n: the last ones overlap what is there. */
static inline bool
copy_printable(char *dst, const uint8_t *src, size_t n)
{
	bool all = true;

	if (n >= 8) {
		for (size_t i = 0; i + 8 < n && all; i += 8)
			all = copy_eight(dst + i, src + i);
		return all && copy_eight(dst + n - 8, src + n - 8);
	}
	if (n >= 4)
		return copy_four(dst, src) &&
		       copy_four(dst + n - 4, src + n - 4);
	for (size_t i = 0; i < n; i++) {
		dst[i] = (char)src[i];
		all = all && is_printable(src[i]);
	}
	return all;
}

static __attribute__((noinline)) bool
copy_escaped(char *dst, size_t cap, struct slice s)
{
	size_t used = 0;
	char esc[4];

	for (size_t i = 0; i < s.len; i++) {
		unsigned n;

		if (is_printable(s.p[i]) && used + 1 < cap) {
			dst[used++] = (char)s.p[i];
			continue;
		}
		n = escape_byte(esc, s.p[i]);
		if (used + n + 1 > cap) {
			memset(dst + used, 0, cap - used);
			return false;
		}
		memcpy(dst + used, esc, n);
		used += n;
	}
	dst[used] = '\0';
	return true;
}

bool
obs_copy_string(char *dst, size_t cap, struct slice s)
{
	while (s.len > 0 && (s.p[s.len - 1] == '\n' || s.p[s.len - 1] == '\r'))
		s.len--;
	if (s.len >= cap || !copy_printable(dst, s.p, s.len))
		return copy_escaped(dst, cap, s);
	dst[s.len] = '\0';
	return true;
}

void
obs_set_text(struct obs *o, struct slice s)
{
	(void)obs_copy_string(o->text, sizeof(o->text), s);
}

char *
obs_addr(char *buf, size_t cap, const struct addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool v4 = memcmp(a->b, mapped, sizeof(mapped)) == 0;

	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, buf,
		(socklen_t)cap) == NULL &&
	    cap > 0)
		buf[0] = '\0';
	return buf;
}

/* ---- the number of a connection ---- */

#define PUBLIC_ID_MASK ((1ull << 51) - 1)

/* FNV-1a, whose prime to the power of ten takes ten zeros in one step. */
#define PRIME 0x100000001b3ull
#define PRIME_2 (PRIME * PRIME)
#define PRIME_5 (PRIME_2 * PRIME_2 * PRIME)
#define PRIME_10 (PRIME_5 * PRIME_5)

static inline uint64_t
mix(uint64_t h, const uint8_t *p, size_t len)
{
	while (len-- > 0)
		h = (h ^ *p++) * PRIME;
	return h;
}

/* The n bytes of v, the lowest first. */
static inline uint64_t
mix_number(uint64_t h, uint64_t v, size_t n)
{
	for (; n > 0; n--, v >>= 8)
		h = (h ^ (v & 0xff)) * PRIME;
	return h;
}

static inline uint64_t
mix_addr(uint64_t h, const struct addr *a)
{
	uint64_t first;
	uint16_t next;

	memcpy(&first, a->b, sizeof(first));
	memcpy(&next, a->b + 8, sizeof(next));
	if ((first | next) == 0) /* as of IPv4 */
		return mix(h * PRIME_10, a->b + 10, sizeof(a->b) - 10);
	return mix(h, a->b, sizeof(a->b));
}

uint64_t
obs_flow_id(const struct obs_flow *f)
{
	uint64_t h = 0xcbf29ce484222325ull;

	h = mix_addr(h, &f->client);
	h = mix_addr(h, &f->server);
	h = mix_number(h, (uint64_t)f->start, 8);
	h = mix_number(h, f->client_port >> 8, 1);
	h = mix_number(h, f->client_port, 1);
	h = mix_number(h, f->server_port >> 8, 1);
	h = mix_number(h, f->server_port, 1);
	h = (h ^ h >> 29) & PUBLIC_ID_MASK;
	return h != 0 ? h : 1;
}
