/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields, in the order of the schema. */
#include "db/history_fields.h"

/* clang-format off */
#define FIELD(type, member, name, how) \
	{name, offsetof(struct type, member), \
	    sizeof(((struct type *)0)->member), how}
#define S(member, how) FIELD(server_facts, member, #member, how)
#define P(member, how) FIELD(pair_facts, member, #member, how)
#define C(member, how) FIELD(known_cert, member, #member, how)
#define K(member, how) FIELD(known_stack, member, #member, how)
#define ABSENCE(type) \
	FIELD(type, absence.since, "absent_since", F_TIME), \
	FIELD(type, absence.last, "absent_last", F_TIME), \
	FIELD(type, absence.sessions, "absent_sessions", F_COUNT), \
	FIELD(type, absence.clients, "absent_clients", F_HASHES), \
	FIELD(type, absence.nclients, "absent_nclients", F_BYTE), \
	FIELD(type, absence.told, "absent_told", F_BYTE)

const struct history_field server_fields[] = {
	S(first, F_TIME),
	S(last, F_TIME),
	S(sessions, F_COUNT),
	S(days, F_COUNT),
	S(offered, F_COUNT),
	S(not_offered, F_COUNT),
	S(offered_days, F_COUNT),
	S(first_offer, F_TIME),
	S(last_offer, F_TIME),
	S(last_absence, F_TIME),
	S(tls_done, F_COUNT),
	S(first_tls, F_TIME),
	S(demanded, F_COUNT),
	S(logindisabled, F_COUNT),
	S(capa_ok, F_COUNT),
	S(capa_refused, F_COUNT),
	S(ehlo_ok, F_COUNT),
	S(helo_only, F_COUNT),
	S(greeting_ok, F_COUNT),
	S(greeting_preauth, F_COUNT),
	S(tls_failed, F_COUNT),
	S(mechs, F_COUNT),
	S(tls_versions, F_COUNT),
	S(ttl, F_BYTE),
	S(host, F_TEXT),
	S(words, F_TEXT),
	S(name_from, F_BYTE),
	S(mechs_safe, F_COUNT),
	S(mechs_clear_only, F_COUNT),
	S(rtt, F_COUNT),
	S(greeting_shape, F_COUNT),
	S(greeting_same, F_COUNT),
	S(syn_signature, F_COUNT),
	S(offered_to, F_COUNT),
	S(alert_texts, F_HASHES),
	S(offered_sides, F_BYTE),
	S(before_offer, F_COUNT),
	S(changed, F_TIME),
	ABSENCE(server_facts),
	S(members, F_HASHES),
	S(tickets_taken, F_COUNT),
	S(tickets_refused, F_COUNT)
};

const struct history_field cert_fields[] = {
	C(spki, F_SHA256),
	C(issuer, F_SHA256),
	C(first, F_TIME),
	C(last, F_TIME),
	C(trusted, F_FLAG),
	C(self_signed, F_FLAG),
	C(key_type, F_BYTE),
	C(not_before, F_TIME),
	C(not_after, F_TIME),
	C(domains, F_HASHES)
};

const struct history_field stack_fields[] = {
	K(client, F_COUNT),
	K(ja3s, F_COUNT),
	K(flight, F_COUNT),
	K(syn, F_COUNT),
	K(ttl, F_BYTE),
	K(first, F_TIME),
	K(last, F_TIME),
	K(sessions, F_COUNT),
	K(pending, F_FLAG),
	K(contradicted, F_FLAG),
	K(told, F_BYTE),
	K(nclients, F_BYTE),
	K(clients, F_HASHES)
};

const struct history_field pair_fields[] = {
	P(first, F_TIME),
	P(last, F_TIME),
	P(tls, F_COUNT),
	P(clear, F_COUNT),
	P(tls_days, F_COUNT),
	P(tls_failed_then_clear, F_COUNT),
	P(offered, F_COUNT),
	P(not_offered, F_COUNT),
	P(ehlo, F_HASHES),
	P(syn_signature, F_COUNT),
	P(client_ttl, F_BYTE),
	P(ehlo_name, F_TEXT),
	/* from here on: of few, see pair_nusual */
	ABSENCE(pair_facts),
	P(hellos, F_HASHES)
};
/* clang-format on */

const size_t server_nfields = sizeof(server_fields) / sizeof(server_fields[0]);
const size_t pair_nfields = sizeof(pair_fields) / sizeof(pair_fields[0]);
const size_t pair_nusual = sizeof(pair_fields) / sizeof(pair_fields[0]) - 7;
const size_t cert_nfields = sizeof(cert_fields) / sizeof(cert_fields[0]);
const size_t stack_nfields = sizeof(stack_fields) / sizeof(stack_fields[0]);
