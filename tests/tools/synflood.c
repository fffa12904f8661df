/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A capture on standard output: one IMAP session that goes into IDLE, N SYNs
 * from everywhere to everywhere (one microsecond apart, 64 of each 128 to mail
 * ports), and the end of the session.
 *
 *	synflood 10000000 | stripwire read -
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/be.h"

#define FRAME 54 /* Ethernet, IPv4, TCP */

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

static uint64_t now; /* microseconds */
static uint32_t next_seq[2] = {1000, 5000};

static uint32_t
sum16(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static unsigned
fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16)) & 0xffff;
}

static void
write_frame(uint8_t *f, const char *text)
{
	uint32_t n = (uint32_t)strlen(text), head[4];
	uint8_t *ip = f + 14, *tcp = f + 34;

	memcpy(f, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0", 14);
	ip[0] = 0x45;
	be16_put(ip + 2, 40 + n);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	be16_put(ip + 10, fold(sum16(ip, 20)));
	be16_put(
	    tcp + 16, fold(sum16(ip + 12, 8) + 6 + 20 + n + sum16(tcp, 20) +
			   sum16((const uint8_t *)text, n)));
	head[0] = (uint32_t)(1796083200 + now / 1000000);
	head[1] = (uint32_t)(now % 1000000);
	head[2] = head[3] = FRAME + n;
	now++;
	if (fwrite(head, sizeof(head), 1, stdout) != 1 ||
	    fwrite(f, FRAME, 1, stdout) != 1 || fwrite(text, 1, n, stdout) != n)
		exit(1);
}

/* A segment of the session. */
static void
say(int from_server, unsigned flags, const char *text)
{
	uint8_t f[FRAME] = {0};
	uint8_t *ip = f + 14, *tcp = f + 34;

	be32_put(ip + 12, from_server ? 0xc6336401 : 0x0a000001);
	be32_put(ip + 16, from_server ? 0x0a000001 : 0xc6336401);
	be16_put(tcp, from_server ? 143 : 40000);
	be16_put(tcp + 2, from_server ? 40000 : 143);
	be32_put(tcp + 4, next_seq[from_server]);
	be32_put(tcp + 8, flags & ACK ? next_seq[!from_server] : 0);
	tcp[12] = 0x50;
	tcp[13] = (uint8_t)flags;
	be16_put(tcp + 14, 64240);
	write_frame(f, text);
	next_seq[from_server] += (uint32_t)strlen(text);
	next_seq[from_server] += (flags & (SYN | FIN)) != 0;
}

static void
flood(uint64_t n)
{
	uint8_t f[FRAME];
	uint64_t x = 88172645463325252ull; /* xorshift, Marsaglia 2003 */

	for (; n > 0; n--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memset(f, 0, sizeof(f));
		be32_put(f + 26, (uint32_t)x);
		be32_put(f + 30, 0xc6336400 | (uint32_t)(x >> 32 & 255));
		be16_put(f + 34, (unsigned)(x >> 40) & 0xffff);
		be16_put(f + 36, n & 64 ? 25 : (unsigned)(x >> 48) & 0xffff);
		be32_put(f + 38, (uint32_t)(x >> 16));
		f[46] = 0x50;
		f[47] = SYN;
		be16_put(f + 48, 1024);
		write_frame(f, "");
	}
}

int
main(int argc, char **argv)
{
	static const uint32_t file[] = {
	    0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};

	if (argc != 2) {
		fputs("usage: synflood NUMBER\n", stderr);
		return 2;
	}
	if (fwrite(file, sizeof(file), 1, stdout) != 1)
		return 1;
	say(0, SYN, "");
	say(1, SYN | ACK, "");
	say(0, ACK, "");
	say(1, ACK | PSH, "* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n");
	say(0, ACK | PSH, "a1 LOGIN joe secret-1\r\n");
	say(1, ACK | PSH, "a1 OK logged in\r\n");
	say(0, ACK | PSH, "a2 IDLE\r\n");
	say(1, ACK | PSH, "+ idling\r\n");
	say(0, ACK, "");
	now += 1700 * UINT64_C(1000000);
	flood(strtoull(argv[1], NULL, 10));
	say(1, ACK | PSH, "* 5 EXISTS\r\n");
	say(0, ACK | PSH, "DONE\r\n");
	say(1, ACK | PSH, "a2 OK done\r\n");
	say(0, ACK | PSH, "a3 LOGIN joe secret-2\r\n");
	say(1, ACK | PSH, "a3 NO already\r\n");
	say(0, ACK | PSH, "a4 LOGOUT\r\n");
	say(1, ACK | PSH, "* BYE\r\na4 OK bye\r\n");
	say(0, FIN | ACK, "");
	say(1, FIN | ACK, "");
	say(0, ACK, "");
	return fflush(stdout) == 0 ? 0 : 1;
}
