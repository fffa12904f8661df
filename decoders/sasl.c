/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each mechanism says, and where the secret lies in it:
 *
 *   PLAIN        authzid NUL user NUL secret              (RFC 4616)
 *   LOGIN        user, then secret                        (no RFC)
 *   XOAUTH2      user=... ^A auth=Bearer secret ^A ^A     (Google)
 *   OAUTHBEARER  n,a=user, ^A ... auth=Bearer secret ^A   (RFC 7628)
 *   CRAM-MD5     user SP proof                            (RFC 2195)
 *   DIGEST-MD5   username="user",...,response=proof       (RFC 2831)
 *   NTLM         type 3 message, user in UTF-16           (MS-NLMP)
 *   SCRAM        n,,n=user,r=nonce, then proof            (RFC 5802)
 *
 * Decoding goes into one buffer on the stack that is overwritten before
 * returning; a response that does not decode is a secret all the same, for a
 * client may well send its password as it is.
 */
#include "decoders/sasl.h"

#include <ctype.h>
#include <string.h>

#include "decoders/base64.h"
#include "decoders/line.h"
#include "decoders/siphash.h"

#define DECODED_MAX (LINE_KEEP / 4 * 3 + 3)

struct response { /* one decoded response, alive in sasl_response() only */
	struct slice raw, text;
	bool decoded;
	uint64_t cut; /* bytes of the secret beyond what is kept */
	const uint8_t *key;
};

typedef void (*response_fn)(struct sasl *s, const struct response *r);

static const struct {
	const char *name;
	enum sasl_mech mech;
} mech_names[] = {
    {"PLAIN", MECH_PLAIN},
    {"LOGIN", MECH_LOGIN},
    {"XOAUTH2", MECH_XOAUTH2},
    {"XOAUTH", MECH_XOAUTH2},
    {"OAUTHBEARER", MECH_OAUTHBEARER},
    {"CRAM-MD5", MECH_CRAM_MD5},
    {"DIGEST-MD5", MECH_DIGEST_MD5},
    {"NTLM", MECH_NTLM},
    {"MSN", MECH_NTLM},
    {"APOP", MECH_APOP},
    {"GSSAPI", MECH_GSSAPI},
    {"GSS-SPNEGO", MECH_GSSAPI},
    {"GS2-KRB5", MECH_GSSAPI},
    {"GS2-KRB5-PLUS", MECH_GSSAPI},
    {"KERBEROS_V4", MECH_GSSAPI},
    {"EXTERNAL", MECH_EXTERNAL},
    {"ANONYMOUS", MECH_ANONYMOUS},
};

enum sasl_mech
sasl_mech_parse(struct slice name)
{
	if (name.len == 0)
		return MECH_NONE;
	for (size_t i = 0; i < sizeof(mech_names) / sizeof(mech_names[0]); i++)
		if (slice_is(name, mech_names[i].name))
			return mech_names[i].mech;
	return slice_starts(name, "SCRAM-") ? MECH_SCRAM : MECH_OTHER;
}

const char *
sasl_mech_name(enum sasl_mech mech)
{
	static const char *const names[MECH_COUNT] = {"none", "PLAIN", "LOGIN",
	    "XOAUTH2", "OAUTHBEARER", "CRAM-MD5", "DIGEST-MD5", "NTLM", "APOP",
	    "SCRAM", "GSSAPI", "EXTERNAL", "ANONYMOUS", "USER/PASS",
	    "IMAP-LOGIN", "OTHER"};

	return (unsigned)mech < MECH_COUNT ? names[mech] : "?";
}

/* An unknown word behind AUTH may be a password typed there. */
static bool
name_is_plausible(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isupper(name.p[i]) && !isdigit(name.p[i]) &&
		    name.p[i] != '-' && name.p[i] != '_')
			return false;
	return name.len <= 20; /* RFC 4422 3.1 */
}

void
sasl_start_as(struct sasl *s, enum sasl_mech mech, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->active = 1;
	s->auth.mech = (uint8_t)mech;
	(void)obs_copy_string(s->auth.mech_name, sizeof(s->auth.mech_name),
	    (struct slice){(const uint8_t *)name, strlen(name)});
}

void
sasl_start(struct sasl *s, struct slice name)
{
	enum sasl_mech mech = sasl_mech_parse(name);
	char *out = s->auth.mech_name;

	sasl_start_as(s, mech, OBS_MASK);
	if (mech == MECH_OTHER && !name_is_plausible(name))
		return;
	(void)obs_copy_string(out, sizeof(s->auth.mech_name), name);
	for (; *out != '\0'; out++)
		*out = (char)toupper((unsigned char)*out);
}

/* What follows a control byte is no name: a lone CR does not end a line here,
 * and may be followed by the command that carries the password. */
static struct slice
before_control(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] >= ' ' && s.p[n] != 0x7f)
		n++;
	return (struct slice){s.p, n};
}

void
sasl_user(struct sasl *s, struct slice user)
{
	user = before_control(user);
	(void)obs_copy_string(s->auth.user, sizeof(s->auth.user), user);
}

void
sasl_secret(
    struct sasl *s, struct slice secret, uint64_t total, const uint8_t key[16])
{
	if (secret.len == 0)
		return;
	if (total < secret.len)
		total = secret.len;
	s->auth.secret_sent = 1;
	s->auth.secret_len =
	    total < UINT16_MAX ? (uint16_t)total : (uint16_t)UINT16_MAX;
	s->auth.secret_id = siphash(key, secret);
	if (s->auth.secret_id == 0)
		s->auth.secret_id = 1;
}

static void
secret_of(struct sasl *s, const struct response *r, struct slice secret)
{
	sasl_secret(s, secret, secret.len + r->cut, r->key);
}

/* Up to the next occurrence of c; *s is left behind it. */
static struct slice
field(struct slice *s, uint8_t c)
{
	const uint8_t *p = s->len ? memchr(s->p, c, s->len) : NULL;
	struct slice f = {s->p, p ? (size_t)(p - s->p) : s->len};

	*s = slice_from(*s, f.len + 1);
	return f;
}

static void
response_plain(struct sasl *s, const struct response *r)
{
	struct slice rest = r->text;

	if (!r->decoded || memchr(rest.p, '\0', rest.len) == NULL) {
		secret_of(s, r, r->raw);
		return;
	}
	(void)field(&rest, '\0');
	sasl_user(s, field(&rest, '\0'));
	secret_of(s, r, rest);
}

static void
response_login(struct sasl *s, const struct response *r)
{
	if (s->step > 0)
		secret_of(s, r, r->decoded ? r->text : r->raw);
	else if (r->decoded)
		sasl_user(s, r->text);
}

/* The value of name=value among fields ended by ^A or comma. */
static struct slice
value_of(struct slice s, const char *name, uint8_t sep)
{
	while (s.len > 0) {
		struct slice f = field(&s, sep);

		if (slice_starts(f, name))
			return slice_from(f, strlen(name));
	}
	return (struct slice){NULL, 0};
}

static void
response_oauth(struct sasl *s, const struct response *r)
{
	struct slice token = value_of(r->text, "auth=Bearer ", 1);
	struct slice user = value_of(r->text, "user=", 1);
	struct slice gs2 = r->text;

	if (s->step > 0)
		return; /* the empty answer to an error */
	if (!r->decoded) {
		secret_of(s, r, r->raw);
		return;
	}
	gs2 = field(&gs2, 1);
	if (user.len == 0)
		user = value_of(gs2, "a=", ',');
	sasl_user(s, user);
	secret_of(s, r, token.len > 0 ? token : r->text);
}

static void
response_cram(struct sasl *s, const struct response *r)
{
	size_t n = r->text.len;

	s->auth.response_sent = 1;
	while (n > 0 && r->text.p[n - 1] != ' ')
		n--;
	if (r->decoded && n > 1)
		sasl_user(s, (struct slice){r->text.p, n - 1});
}

static void
response_digest(struct sasl *s, const struct response *r)
{
	struct slice user = value_of(r->text, "username=\"", ',');

	if (s->step > 0)
		return; /* the empty answer to rspauth */
	s->auth.response_sent = 1;
	if (r->decoded && user.len > 0)
		sasl_user(s, field(&user, '"'));
}

static uint32_t
le(const uint8_t *p, unsigned n)
{
	return n == 0 ? 0 : p[0] | le(p + 1, n - 1) << 8;
}

/* MS-NLMP 2.2.1.3: length at 36, offset at 40, Unicode flag in 60. */
static void
response_ntlm(struct sasl *s, const struct response *r)
{
	char user[OBS_NAME_MAX];
	uint32_t len, off, n = 0, width;

	if (!r->decoded || r->text.len < 64 ||
	    memcmp(r->text.p, "NTLMSSP", 8) != 0 || le(r->text.p + 8, 4) != 3)
		return;
	s->auth.response_sent = 1;
	len = le(r->text.p + 36, 2);
	off = le(r->text.p + 40, 4);
	width = le(r->text.p + 60, 4) & 1 ? 2 : 1;
	if (off > r->text.len || len > r->text.len - off)
		return;
	for (uint32_t i = 0; i + width <= len && n < sizeof(user); i += width)
		user[n++] = (char)r->text.p[off + i];
	sasl_user(s, (struct slice){(const uint8_t *)user, n});
}

static void
response_scram(struct sasl *s, const struct response *r)
{
	if (s->step > 0)
		s->auth.response_sent = 1;
	else if (r->decoded)
		sasl_user(s, value_of(r->text, "n=", ','));
}

/* EXTERNAL and ANONYMOUS: the only thing sent is a name. */
static void
response_name(struct sasl *s, const struct response *r)
{
	if (r->decoded)
		sasl_user(s, r->text);
}

static void
response_other(struct sasl *s, const struct response *r)
{
	(void)r;
	s->auth.response_sent = 1;
}

static const struct {
	response_fn fn;
	uint8_t ahead; /* responses a client can send without being asked */
} mechs[MECH_COUNT] = {
    [MECH_NONE] = {response_other, 0},
    [MECH_PLAIN] = {response_plain, 1},
    [MECH_LOGIN] = {response_login, 2},
    [MECH_XOAUTH2] = {response_oauth, 1},
    [MECH_OAUTHBEARER] = {response_oauth, 1},
    [MECH_CRAM_MD5] = {response_cram, 1},
    [MECH_DIGEST_MD5] = {response_digest, 1},
    [MECH_NTLM] = {response_ntlm, 1},
    [MECH_APOP] = {response_other, 0},
    [MECH_SCRAM] = {response_scram, 1},
    [MECH_GSSAPI] = {response_other, 1},
    [MECH_EXTERNAL] = {response_name, 1},
    [MECH_ANONYMOUS] = {response_name, 1},
    [MECH_USERPASS] = {response_other, 0},
    [MECH_IMAP_LOGIN] = {response_other, 0},
    [MECH_OTHER] = {response_other, 1},
};

bool
sasl_takes_line(const struct sasl *s)
{
	if (!s->active || s->cancelled)
		return false;
	return s->challenged || s->step < mechs[s->auth.mech].ahead;
}

static void
response_text(
    struct sasl *s, struct slice line, uint64_t total, const uint8_t key[16])
{
	uint8_t buf[DECODED_MAX];
	struct response r = {.raw = line, .key = key};
	size_t len;

	r.decoded = base64_decode(line, buf, sizeof(buf), &len);
	if (total > line.len) { /* cut anywhere: the last group may be odd */
		r.decoded = r.decoded || line.len % 4 == 1;
		r.cut = (total - line.len) / 4 * 3;
	}
	r.text = (struct slice){buf, len};
	mechs[s->auth.mech].fn(s, &r);
	explicit_bzero(buf, sizeof(buf));
}

void
sasl_response(
    struct sasl *s, struct slice line, uint64_t total, const uint8_t key[16])
{
	line = slice_trim(line);
	s->challenged = 0;
	if (slice_is(line, "*"))
		s->cancelled = 1;
	else if (line.len > 0 && !slice_is(line, "="))
		response_text(s, line, total, key);
	if (s->step < UINT8_MAX)
		s->step++;
}

bool
sasl_happened(const struct sasl *s)
{
	return s->auth.secret_sent || s->auth.response_sent || s->step > 0;
}

void
sasl_finish(struct sasl *s, bool ok, uint16_t code)
{
	bool sent = s->auth.secret_sent || s->auth.response_sent;

	s->active = 0;
	s->auth.code = code;
	if (ok)
		s->auth.outcome = AUTH_OK;
	else if (s->cancelled || !sent)
		s->auth.outcome = AUTH_ABORTED;
	else
		s->auth.outcome = AUTH_FAILED;
}
