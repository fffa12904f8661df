/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transports, by kind.
 */
#include "db/transport_kinds.h"

const struct transport_ops *
transport_ops(enum transport_kind k)
{
	static const struct transport_ops *const ops[TRANSPORT_COUNT] = {
	    [TRANSPORT_FILE] = &transport_file,
	};

	return k < TRANSPORT_COUNT ? ops[k] : NULL;
}
