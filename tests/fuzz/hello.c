/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies of hellos and of the key exchange, without records around them. First
 * byte: which message; second: the suite's kind. What is promised: strings
 * end, fingerprints have their form or are empty, and the same bytes give the
 * same.
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/tls_fingerprint.h"
#include "decoders/tls_kex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_digits(const char *s, size_t n)
{
	if (strspn(s, "0123456789abcdef") != n)
		abort();
}

static void
check_hello(const struct obs_hello *h)
{
	if (memchr(h->sni, '\0', sizeof(h->sni)) == NULL ||
	    memchr(h->alpn, '\0', sizeof(h->alpn)) == NULL)
		abort();
	if (h->ja3[0] != '\0')
		check_digits(h->ja3, 32);
	if (h->ja4[0] == '\0')
		return;
	if (strlen(h->ja4) != 36 || h->ja4[10] != '_' || h->ja4[23] != '_')
		abort();
	check_digits(h->ja4 + 11, 12);
	check_digits(h->ja4 + 24, 12);
}

static void
read_hello(struct slice body, bool client, struct obs_hello *h)
{
	struct tls_session_id sid;
	enum tls_read how;

	memset(h, 0, sizeof(*h));
	how = client ? tls_read_client_hello(body, h, &sid)
		     : tls_read_server_hello(body, h, &sid);
	if (how == TLS_READ_OK && client)
		tls_fingerprint_client(body, h);
	else if (how == TLS_READ_OK)
		tls_fingerprint_server(body, h);
	check_hello(h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct obs_hello first, again;
	struct slice body;
	struct obs_kex k;

	if (size < 2)
		return 0;
	body = (struct slice){data + 2, size - 2};
	if (data[0] % 3 == 2) {
		(void)tls_read_key_exchange(
		    body, (enum tls_kex)(data[1] % 6), &k);
		return 0;
	}
	read_hello(body, data[0] % 3 == 0, &first);
	read_hello(body, data[0] % 3 == 0, &again);
	if (strcmp(first.ja3, again.ja3) != 0 ||
	    strcmp(first.ja4, again.ja4) != 0)
		abort();
	return 0;
}
