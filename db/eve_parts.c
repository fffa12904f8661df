/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "db/eve_parts.h"

#include "db/addr_text.h"
#include "db/json_set.h"
#include "decoders/tls_hello.h"

void
eve_set_vlan(json_t *o, const struct obs_flow *f)
{
	size_t n = sizeof(f->vlan) / sizeof(f->vlan[0]);
	json_t *list;

	if (f->nvlan == 0)
		return;
	list = json_array();
	for (size_t i = 0; i < n && i < f->nvlan; i++)
		(void)json_array_append_new(list, json_integer(f->vlan[i]));
	(void)json_object_set_new(o, "vlan", list);
}

void
eve_set_endpoint(
    json_t *o, const char *const keys[2], const struct addr *a, uint16_t port)
{
	char buf[ADDR_TEXT_MAX];

	json_set_text(o, keys[0], addr_to_text(buf, a));
	json_set_number(o, keys[1], port);
}

void
eve_set_hash(json_t *o, const char *key, const char *hash)
{
	json_t *in;

	if (hash[0] == '\0')
		return;
	in = json_object();
	json_set_text(in, "hash", hash);
	(void)json_object_set_new(o, key, in);
}

const char *
eve_tls_version(uint16_t v)
{
	static const char *const old[] = {"SSLv3", "TLSv1"};

	if (v == TLS_SSL2)
		return "SSLv2";
	return v >= TLS_SSL3 && v < TLS_11 ? old[v - TLS_SSL3]
					   : tls_version_name(v);
}
