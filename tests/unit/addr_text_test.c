/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as text, and the order of these texts. */
#include "db/addr_text.h"

#include <stdio.h>

#include "tests/test.h"

/* Bytes of each number of digits, in each of the four places. */
static struct addr
sample(unsigned n)
{
	static const uint8_t bytes[] = {
	    0, 1, 9, 10, 19, 99, 100, 109, 191, 199, 200, 255};
	char text[ADDR_TEXT_MAX];
	unsigned b[4] = {10, 10, 10, 10};
	struct addr a;

	b[n / sizeof(bytes) % 4] = bytes[n % sizeof(bytes)];
	snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	CHECK_INT(addr_from_text(&a, text), 0);
	return a;
}

TEST(places_are_in_the_order_of_the_texts)
{
	char one[ADDR_TEXT_MAX], other[ADDR_TEXT_MAX];

	for (unsigned i = 0; i < 48; i++)
		for (unsigned k = 0; k < 48; k++) {
			struct addr a = sample(i), b = sample(k);
			uint64_t p = addr_text_place(&a);
			uint64_t q = addr_text_place(&b);
			int texts = strcmp(
			    addr_to_text(one, &a), addr_to_text(other, &b));

			CHECK_INT((p > q) - (p < q), (texts > 0) - (texts < 0));
			CHECK(p >> 44 == 0);
		}
}

TEST(texts_are_read_back)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1", "::"};
	char buf[ADDR_TEXT_MAX];
	struct addr a;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK_INT(addr_from_text(&a, texts[i]), 0);
		CHECK_STR(addr_to_text(buf, &a), texts[i]);
		CHECK(addr_text_place(&a) >> 44 == 0);
	}
	CHECK_INT(addr_from_text(&a, "192.0.2"), -1);
}

TEST_MAIN
