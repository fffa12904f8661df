/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates and chains. Input: certificates with a length of two bytes
 * before each; the first is read by itself too.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
split(const uint8_t *data, size_t size, struct slice *der, unsigned max)
{
	unsigned n = 0;

	while (size >= 2 && n < max) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		der[n++] = (struct slice){data, len};
		data += len;
		size -= len;
	}
	return n;
}

static void
check_facts(const struct x509_facts *f)
{
	/* strings end, and matching them ends */
	if (strlen(f->names) >= sizeof(f->names) ||
	    strlen(f->subject) >= sizeof(f->subject))
		abort();
	(void)x509_speaks_for(f, "mail.example.org");
	(void)x509_speaks_for(f, "192.0.2.1");
	(void)x509_speaks_for(f, f->common_name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verifier *v;
	struct slice der[4];
	struct x509_facts facts;
	uint8_t id[32] = {0};
	char err[200];
	unsigned n = split(data, size, der, 4);

	if (v == NULL)
		v = verifier_new(NULL, 0, true, err, sizeof(err));
	if (v == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		id[i % 32] = (uint8_t)(id[i % 32] * 31 + data[i]);
	if (n > 0 && x509_read(der[0], &facts) == 0)
		check_facts(&facts);
	if (verifier_chain(v, id, der, n) == NULL)
		abort();
	return 0;
}
