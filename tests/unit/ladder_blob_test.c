/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder as BLOB: there and back, cut anywhere, and filled with anything.
 */
#include "db/ladder_blob.h"

#include "tests/alert_sample.h"

TEST(there_and_back)
{
	static uint8_t buf[LADDER_BLOB_MAX];
	struct alert a = sample_alert(3), b;
	size_t n = ladder_encode(buf, &a);

	memset(&b, 0, sizeof(b));
	CHECK_INT(ladder_decode(&b, buf, n), 0);
	CHECK_INT(b.nsteps, a.nsteps);
	CHECK(memcmp(b.steps, a.steps, sizeof(a.steps)) == 0);
	CHECK(
	    memcmp(&b.finding.pkt, &a.finding.pkt, sizeof(b.finding.pkt)) == 0);
	CHECK_INT(b.finding.flow, a.finding.flow);
	/* worth its own format: less than 100 bytes a step and its text */
	CHECK(n < 6 * 100 + 60);
}

TEST(the_largest_fits)
{
	static uint8_t buf[LADDER_BLOB_MAX];
	struct alert a;

	memset(&a, 0xff, sizeof(a));
	for (unsigned i = 0; i < LADDER_STEPS; i++)
		a.steps[i].kind = OBS_TEXT_BEFORE_TLS;
	CHECK(ladder_encode(buf, &a) <= sizeof(buf));
}

TEST(cut_anywhere_it_keeps_what_is_whole)
{
	static uint8_t buf[LADDER_BLOB_MAX];
	struct alert a = sample_alert(3), b;
	size_t n = ladder_encode(buf, &a);
	unsigned steps = 0;

	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *part = malloc(cut + 1); /* so that ASan sees */

		memcpy(part, buf, cut);
		memset(&b, 0, sizeof(b));
		CHECK_INT(ladder_decode(&b, part, cut), -1);
		CHECK(b.nsteps >= steps && b.nsteps < a.nsteps);
		CHECK(memcmp(b.steps, a.steps, b.nsteps * sizeof(a.steps[0])) ==
		      0);
		steps = b.nsteps;
		free(part);
	}
	CHECK_INT(ladder_decode(&b, NULL, 0), -1);
}

TEST(kinds_are_known_by_name)
{
	static uint8_t buf[LADDER_BLOB_MAX];
	struct alert a = sample_alert(3);
	size_t n = ladder_encode(buf, &a);
	char *name = memmem(buf, n, "greeting", 8);

	CHECK(name != NULL);
	memcpy(name, "newthing", 8);
	CHECK_INT(ladder_decode(&a, buf, n), 0);
	CHECK_INT(a.steps[0].kind, OBS_NONE);
	CHECK_INT(a.steps[1].kind, OBS_CAPS);
}

TEST_MAIN
