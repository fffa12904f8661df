/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One small function an extension. Lists are vectors of numbers of two bytes,
 * kept up to what an observation holds and counted whole.
 */
#include "decoders/tls_extension.h"

#include <string.h>

#include "decoders/cursor.h"
#include "decoders/tls_hello.h"

#define SNI_HOST_NAME 0

bool
tls_is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* Drafts of TLS 1.3 had numbers of their own (RFC 8446 appendix, 0x7f..). */
static uint16_t
plain_version(uint16_t v)
{
	return v >> 8 == 0x7f || v >> 8 == 0xfb ? TLS_13 : v;
}

static void
read_sni(struct cursor *c, struct obs_hello *h)
{
	struct cursor list;

	cursor_init(&list, cursor_vec16(c));
	while (cursor_ok(&list) && list.left > 0) {
		uint8_t type = cursor_u8(&list);
		struct slice name = cursor_vec16(&list);

		if (type != SNI_HOST_NAME || !cursor_ok(&list) || h->has_sni)
			continue;
		h->has_sni = 1;
		(void)obs_copy_string(h->sni, sizeof(h->sni), name);
	}
	if (!cursor_ok(&list))
		cursor_fail(c);
}

/*
 * Drafts count for the highest version and not for offers_13: a server of the
 * final version does not know them, chooses TLS 1.2, and has to say by its
 * random that it could have done 1.3 (RFC 8446 4.1.3). Nobody lied there.
 */
static void
read_offered_versions(struct cursor *c, struct obs_hello *h)
{
	struct cursor list;
	uint16_t best = 0;

	cursor_init(&list, cursor_vec8(c));
	while (cursor_ok(&list) && list.left > 0) {
		uint16_t v = cursor_u16(&list);

		h->grease |= tls_is_grease(v);
		if (v == TLS_13)
			h->offers_13 = 1;
		v = plain_version(v);
		if (v > best && v <= TLS_13)
			best = v;
	}
	if (!cursor_ok(&list))
		cursor_fail(c);
	if (best != 0)
		h->version = best;
}

static void
read_groups(struct cursor *c, struct obs_hello *h)
{
	struct cursor list;

	cursor_init(&list, cursor_vec16(c));
	while (cursor_ok(&list) && list.left > 0) {
		uint16_t group = cursor_u16(&list);

		h->grease |= tls_is_grease(group);
		if (h->ngroups < OBS_TLS_GROUPS_MAX)
			h->groups[h->ngroups] = group;
		h->ngroups++;
	}
	if (!cursor_ok(&list))
		cursor_fail(c);
}

static void
read_shares(struct cursor *c, struct obs_hello *h)
{
	struct cursor list;

	cursor_init(&list, cursor_vec16(c));
	while (cursor_ok(&list) && list.left > 0) {
		uint16_t group = cursor_u16(&list);

		(void)cursor_vec16(&list);
		if (h->nshares < OBS_TLS_SHARES_MAX)
			h->shares[h->nshares] = group;
		h->nshares++;
	}
	if (!cursor_ok(&list))
		cursor_fail(c);
}

/* The client's first choice, or what the server chose. */
static void
read_alpn(struct cursor *c, struct obs_hello *h)
{
	struct cursor list;
	struct slice first;

	cursor_init(&list, cursor_vec16(c));
	first = cursor_vec8(&list);
	if (!cursor_ok(&list))
		cursor_fail(c);
	else
		(void)obs_copy_string(h->alpn, sizeof(h->alpn), first);
}

/* RFC 6962 3.3: a list of time stamps, each with its length. None of them may
 * be empty, nor may the list. */
static void
read_time_stamps(struct cursor *c, struct obs_hello *h)
{
	struct cursor list;

	cursor_init(&list, cursor_vec16(c));
	if (list.left == 0)
		cursor_fail(c);
	while (cursor_ok(&list) && list.left > 0) {
		if (cursor_vec16(&list).len == 0)
			cursor_fail(c);
		else
			h->scts += h->scts < UINT8_MAX;
	}
	if (!cursor_ok(&list))
		cursor_fail(c);
}

bool
tls_read_client_extension(uint16_t type, struct slice body, struct obs_hello *h)
{
	struct cursor c;

	cursor_init(&c, body);
	switch (type) {
	case TLS_EXT_SERVER_NAME:
		read_sni(&c, h);
		break;
	case TLS_EXT_GROUPS:
		read_groups(&c, h);
		break;
	case TLS_EXT_ALPN:
		read_alpn(&c, h);
		break;
	case TLS_EXT_TICKET:
		h->ticket = body.len > 0 ? TICKET_SENT : TICKET_KNOWN;
		break;
	case TLS_EXT_PRE_SHARED_KEY:
		h->psk = 1;
		break;
	case TLS_EXT_EARLY_DATA:
		h->early_data = 1;
		break;
	case TLS_EXT_VERSIONS:
		read_offered_versions(&c, h);
		break;
	case TLS_EXT_KEY_SHARE:
		read_shares(&c, h);
		break;
	case TLS_EXT_ECH:
	case TLS_EXT_ESNI:
		h->ech = 1;
		break;
	default:
		h->grease |= tls_is_grease(type);
		break;
	}
	return cursor_ok(&c);
}

bool
tls_read_server_extension(uint16_t type, struct slice body, struct obs_hello *h)
{
	struct cursor c;

	cursor_init(&c, body);
	switch (type) {
	case TLS_EXT_ALPN:
		read_alpn(&c, h);
		break;
	case TLS_EXT_TICKET:
		h->ticket = TICKET_KNOWN;
		break;
	case TLS_EXT_PRE_SHARED_KEY:
		h->psk = 1;
		h->resumed = 1;
		break;
	case TLS_EXT_VERSIONS:
		h->version = plain_version(cursor_u16(&c));
		break;
	case TLS_EXT_KEY_SHARE:
		h->group = cursor_u16(&c);
		break;
	case TLS_EXT_SCT:
		read_time_stamps(&c, h);
		break;
	default:
		break;
	}
	return cursor_ok(&c);
}
