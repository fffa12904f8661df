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
	/* worth its own format: less than 75 bytes a step and its text */
	CHECK(n < 6 * 75 + 30);
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

/* The numbers are stored: what has one keeps it. */
TEST(kinds_have_numbers_of_their_own)
{
	static uint8_t buf[LADDER_BLOB_MAX];
	struct alert a = sample_alert(3), b;
	uint8_t *at;
	size_t n;

	for (unsigned k = OBS_NONE; k < OBS_KIND_COUNT; k++) {
		a.steps[0].kind = (uint16_t)k;
		n = ladder_encode(buf, &a);
		CHECK_INT(ladder_decode(&b, buf, n), 0);
		CHECK_INT(b.steps[0].kind, k);
		CHECK_INT(b.steps[1].kind, OBS_CAPS);
	}
	a.steps[0].kind = OBS_GREETING;
	n = ladder_encode(buf, &a);
	at = memmem(buf, n, a.steps[0].text, strlen(a.steps[0].text));
	CHECK(at != NULL && at[-2] == 8);
	at[-2] = 255; /* of a newer program */
	CHECK_INT(ladder_decode(&b, buf, n), 0);
	CHECK_INT(b.steps[0].kind, OBS_NONE);
	CHECK_INT(b.steps[1].kind, OBS_CAPS);
}

static size_t
from_hex(uint8_t *blob, const char *hex)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		blob[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

/* Written by the second version, a dialogue of the same kind. */
TEST(version_2_is_read)
{
	static const char hex[] =
	    "020515E0DF89B1F089FCEC31E40500E405C282D95A6C6618B039F501"
	    "EE2F40180009008FEE1F00AF0400AF04A56518B0A682D95A2AF501B0"
	    "25401801086772656574696E6728323230206D7831332E6D61696C36"
	    "2E6578616D706C652E6F72672045534D545020506F73746669780000"
	    "A01F04636170731A45484C4F20636C69656E743839352E6578616D70"
	    "6C652E636F6D09000000040004CF6518B0C282D95A9D01F501B12540"
	    "180104636170736032353020E280A620504950454C494E494E472053"
	    "495A45203532343238383030204554524E204155544820504C41494E"
	    "204C4F47494E20454E48414E434544535441545553434F4445532038"
	    "4249544D494D452044534E20534D5450555446380801C0DE1FCF0FAC"
	    "0400AC04C282D95A6C6618B039F501EE2F40180009636C6561722D75"
	    "7365134155544820504C41494E202A2A2A2A2A2A2A2A080000000200"
	    "026C6618B0FB82D95A25F501B22540180104617574683D504C41494E"
	    "207573657220227573657233373933406578616D706C652E636F6D22"
	    "2070617373776F7264202A2A2A2A2A2A2A2A2C206163636570746564";
	static uint8_t blob[sizeof(hex) / 2], again[LADDER_BLOB_MAX];
	size_t n = from_hex(blob, hex);
	struct alert a, b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	CHECK_INT(ladder_decode(&a, blob, n), 0);
	CHECK_INT(a.nsteps, 5);
	CHECK_INT(a.finding.pkt.ordinal, 370);
	CHECK_INT(a.steps[0].kind, OBS_GREETING);
	CHECK_INT(a.steps[1].kind, OBS_CAPS);
	CHECK_INT(a.steps[3].kind, OBS_CLEAR_USE);
	CHECK_INT(a.steps[4].kind, OBS_AUTH);
	CHECK_STR(a.steps[4].text,
	    "PLAIN user \"user3793@example.com\" password ********, accepted");
	CHECK_INT(ladder_decode(&b, again, ladder_encode(again, &a)), 0);
	CHECK_INT(b.nsteps, 5);
	CHECK(memcmp(a.steps, b.steps, sizeof(a.steps)) == 0);
	CHECK_INT(ladder_decode(&a, blob, n - 1), -1);
	CHECK_INT(a.nsteps, 4);
}

/* Written by the first version: "greeting" .. "auth" of a PLAIN login. */
TEST(version_1_is_read)
{
	static const char hex[] =
	    "0105040000000000000018F60C8327F8EC1846000000000000000000"
	    "000046000000C13EDD938FF6BAE439000000F5011615401800040000"
	    "0000000000384A0C8327F8EC18000100000000384A0C8327F8EC1815"
	    "000000000000000000000015000000C8F5BAE4A43EDD932A000000F5"
	    "01B225401801086772656574696E6728323230206D7833332E6D6169"
	    "6C352E6578616D706C652E6F72672045534D545020506F7374666978"
	    "040000000000000008520C8327F8EC18000000000000000000000000"
	    "00000000000000000000000000000000000000000000000000000000"
	    "00000000000000000004636170731B45484C4F20636C69656E743439"
	    "33362E6578616D706C652E636F6D040000000000000008520C8327F8"
	    "EC1800010000000008520C8327F8EC18170000000000000000000000"
	    "17000000F2F5BAE4C13EDD939D000000F501B3254018010463617073"
	    "6032353020E280A620504950454C494E494E472053495A4520353234"
	    "3238383030204554524E204155544820504C41494E204C4F47494E20"
	    "454E48414E434544535441545553434F44455320384249544D494D45"
	    "2044534E20534D545055544638040000000000000000FA0C8327F8EC"
	    "1801000000000018F60C8327F8EC1846000000000000000000000046"
	    "000000C13EDD938FF6BAE439000000F501161540180009636C656172"
	    "2D757365134155544820504C41494E202A2A2A2A2A2A2A2A04000000"
	    "0000000000FA0C8327F8EC1800000000000000FA0C8327F8EC184700"
	    "00000000000000000000470000008FF6BAE4FA3EDD9325000000F501"
	    "B42540180104617574683D504C41494E207573657220227573657231"
	    "303739406578616D706C652E636F6D222070617373776F7264202A2A"
	    "2A2A2A2A2A2A2C206163636570746564";
	uint8_t blob[sizeof(hex) / 2];
	struct alert a;

	(void)from_hex(blob, hex);
	memset(&a, 0, sizeof(a));
	CHECK_INT(ladder_decode(&a, blob, sizeof(blob)), 0);
	CHECK_INT(a.nsteps, 5);
	CHECK_INT(a.finding.flow, 4);
	CHECK_INT(a.finding.pkt.ordinal, 70);
	CHECK_INT(a.finding.pkt.window, 501);
	CHECK_INT(a.steps[0].kind, OBS_GREETING);
	CHECK_INT(a.steps[0].pkt.ordinal, 21);
	CHECK_INT(a.steps[1].pkt.time, 0);
	CHECK_INT(a.steps[3].mark, STEP_WRONG);
	CHECK_STR(a.steps[4].text,
	    "PLAIN user \"user1079@example.com\" password ********, accepted");
	CHECK_INT(ladder_decode(&a, blob, sizeof(blob) - 1), -1);
	CHECK_INT(a.nsteps, 4);
}

TEST_MAIN
