/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * D16: a service in clear on a port that is for TLS from the first byte, and
 * the reverse (RFC 8314). A matter of the operator's rules, not an attack.
 *
 * Benign causes, which is why the rules call it information: a server set up
 * by hand, STARTTLS on 465 as some had it before RFC 8314 gave that port back
 * to TLS, servers that take both on one port. Silent: a client that tries it
 * and gets nowhere, mail on ports of its own.
 */
#include "rules/detect.h"
#include "rules/weights.h"

static bool
is_for_tls(uint16_t port)
{
	return port == 465 || port == 993 || port == 995;
}

static bool
is_for_starttls(uint16_t port)
{
	return port == 25 || port == 110 || port == 143 || port == 587 ||
	       port == 4190;
}

void
detect_port(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	uint16_t port = f->who.server_port;
	bool greeted = o->kind == OBS_GREETING;
	struct finding *fi;

	if (greeted ? !is_for_tls(port) || f->implicit_tls
		    : !is_for_starttls(port) || !f->implicit_tls)
		return;
	fi = detect_find(c, FIND_TLS_PORT_MISMATCH);
	if (fi == NULL)
		return;
	if (greeted)
		finding_add(fi, W_PORT,
		    "the server greets in clear on port %u, which is for TLS "
		    "from the first byte (RFC 8314)",
		    port);
	else
		finding_add(fi, W_PORT,
		    "TLS from the first byte on port %u, where a greeting in "
		    "clear and STARTTLS are usual",
		    port);
}
