/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program is classic BPF, written here as a list of steps with forward
 * labels: X holds the offset of the IP header that is looked at (relative to
 * SKF_NET_OFF, where the kernel counts from the network header). It looks into
 * up to TUNNELS layers: IP in IP, IPv6 in IP, GRE (RFC 2784, 2890) with IP or
 * Ethernet, VXLAN (RFC 7348) and Geneve (RFC 8926, options skipped). What it
 * does not know is spread by the outer addresses, which are the same two for
 * both directions of what they carry.
 *
 * An address is folded to 32 bits by exclusive or of its words, the two of a
 * packet are added and multiplied; both sums are symmetric.
 */
#include "sensor/fanout.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#define NET ((uint32_t)SKF_NET_OFF)
#define TUNNELS 2
#define LABELS 16
#define NEXT 255 /* jump target: the next instruction */
#define MIX 0x9e3779b1u /* 2^32 / golden ratio, Knuth 6.4 */

/* Scratch memory */
enum { M_IP = 0, M_SUM, M_PROTO };

/* Labels of one layer */
enum {
	L_V4 = 0,
	L_V6,
	L_PROTO,
	L_IP4,
	L_IP6,
	L_GRE,
	L_UDP,
	L_ETHER,
	L_OUT,
	L_GENEVE,
	L_VLAN
};

struct fixup {
	unsigned at;
	uint8_t yes, no; /* labels, or NEXT */
};

struct asm
{
	struct sock_filter *prog;
	unsigned n;
	unsigned place[LABELS]; /* of the layer; 0: not there yet */
	struct fixup fix[64];
	unsigned nfix;
};

static void
op(struct asm *a, uint16_t code, uint32_t k)
{
	a->prog[a->n++] = (struct sock_filter){code, 0, 0, k};
}

/* Conditional, to labels that come later. */
static void
jump(struct asm *a, uint16_t how, uint32_t k, uint8_t yes, uint8_t no)
{
	a->fix[a->nfix++] = (struct fixup){a->n, yes, no};
	op(a, (uint16_t)(BPF_JMP | how | BPF_K), k);
}

static void
go(struct asm *a, uint8_t label)
{
	a->fix[a->nfix++] = (struct fixup){a->n, label, NEXT};
	op(a, BPF_JMP | BPF_JA, 0);
}

static void
label(struct asm *a, uint8_t l)
{
	a->place[l] = a->n;
}

/* The labels of the layer are known now. */
static void
resolve(struct asm *a)
{
	for (unsigned i = 0; i < a->nfix; i++) {
		const struct fixup *f = &a->fix[i];
		struct sock_filter *s = &a->prog[f->at];
		unsigned from = f->at + 1;

		if (s->code == (BPF_JMP | BPF_JA)) {
			s->k = a->place[f->yes] - from;
			continue;
		}
		s->jt = f->yes == NEXT ? 0 : (uint8_t)(a->place[f->yes] - from);
		s->jf = f->no == NEXT ? 0 : (uint8_t)(a->place[f->no] - from);
	}
	a->nfix = 0;
}

static void
load(struct asm *a, uint16_t size, uint32_t at)
{
	op(a, (uint16_t)(BPF_LD | size | BPF_IND), NET + at);
}

/* X += k */
static void
forward(struct asm *a, uint32_t k)
{
	op(a, BPF_MISC | BPF_TXA, 0);
	op(a, BPF_ALU | BPF_ADD, k);
	op(a, BPF_MISC | BPF_TAX, 0);
}

/* M_SUM = the words at `at` folded, `words` each, of both addresses. */
static void
sum_addresses(struct asm *a, uint32_t at, unsigned words)
{
	for (unsigned side = 0; side < 2; side++) {
		op(a, BPF_LD | BPF_IMM, 0);
		op(a, BPF_ST, side == 0 ? M_PROTO : M_PROTO + 1);
		for (unsigned w = 0; w < words; w++) {
			uint16_t m = (uint16_t)(M_PROTO + side);

			load(a, BPF_W, at + (side * words + w) * 4);
			op(a, BPF_ST, M_PROTO + 3);
			/* A ^= M[m], by way of X, which is kept in M_IP */
			op(a, BPF_LDX | BPF_MEM, m);
			op(a, BPF_LD | BPF_MEM, M_PROTO + 3);
			op(a, BPF_ALU | BPF_XOR | BPF_X, 0);
			op(a, BPF_ST, m);
			op(a, BPF_LDX | BPF_MEM, M_IP);
		}
	}
	op(a, BPF_LDX | BPF_MEM, M_PROTO);
	op(a, BPF_LD | BPF_MEM, M_PROTO + 1);
	op(a, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(a, BPF_ST, M_SUM);
	op(a, BPF_LDX | BPF_MEM, M_IP);
}

/* An IP header at X of which A has the first byte: its addresses count. What
 * follows is in A, X behind the header, at L_PROTO. */
static void
ip_layer(struct asm *a)
{
	op(a, BPF_STX, M_IP);
	op(a, BPF_ALU | BPF_RSH | BPF_K, 4);
	jump(a, BPF_JEQ, 4, L_V4, NEXT);
	jump(a, BPF_JEQ, 6, L_V6, L_OUT);
	label(a, L_V4);
	sum_addresses(a, 12, 1);
	load(a, BPF_H, 6); /* not the first fragment: no header follows */
	jump(a, BPF_JSET, 0x1fff, L_OUT, NEXT);
	load(a, BPF_B, 9);
	op(a, BPF_ST, M_PROTO);
	load(a, BPF_B, 0);
	op(a, BPF_ALU | BPF_AND | BPF_K, 15);
	op(a, BPF_ALU | BPF_LSH | BPF_K, 2);
	op(a, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(a, BPF_MISC | BPF_TAX, 0);
	go(a, L_PROTO);
	label(a, L_V6);
	sum_addresses(a, 8, 4);
	load(a, BPF_B, 6);
	op(a, BPF_ST, M_PROTO);
	forward(a, 40);
	label(a, L_PROTO);
	op(a, BPF_LD | BPF_MEM, M_PROTO);
}

/* What is in the header that was stepped over; A is its protocol. Leaves with
 * the first byte of another IP header at X in A, or at L_OUT. */
static void
tunnel_layer(struct asm *a)
{
	jump(a, BPF_JEQ, 4, L_IP4, NEXT);
	jump(a, BPF_JEQ, 41, L_IP4, NEXT);
	jump(a, BPF_JEQ, 47, L_GRE, NEXT);
	jump(a, BPF_JEQ, 17, L_UDP, L_OUT);
	label(a, L_GRE);
	load(a, BPF_H, 2);
	op(a, BPF_ST, M_PROTO);
	load(a, BPF_B, 0); /* C, K and S: four bytes each */
	op(a, BPF_ALU | BPF_AND | BPF_K, 0xb0);
	op(a, BPF_ST, M_PROTO + 1);
	forward(a, 4);
	for (unsigned bit = 0x10; bit <= 0x80; bit <<= 1) {
		if (bit == 0x40)
			continue;
		/* X += (flags & bit) != 0 ? 4 : 0, without a jump */
		op(a, BPF_LD | BPF_MEM, M_PROTO + 1);
		op(a, BPF_ALU | BPF_AND | BPF_K, bit);
		op(a, BPF_ALU | BPF_DIV | BPF_K, bit / 4);
		op(a, BPF_ALU | BPF_ADD | BPF_X, 0);
		op(a, BPF_MISC | BPF_TAX, 0);
	}
	op(a, BPF_LD | BPF_MEM, M_PROTO);
	jump(a, BPF_JEQ, 0x6558, L_ETHER, NEXT);
	jump(a, BPF_JEQ, 0x0800, L_IP4, NEXT);
	jump(a, BPF_JEQ, 0x86dd, L_IP4, L_OUT);
	label(a, L_UDP);
	load(a, BPF_H, 2);
	jump(a, BPF_JEQ, 6081, L_GENEVE, NEXT);
	op(a, BPF_ST, M_PROTO);
	forward(a, 16);
	op(a, BPF_LD | BPF_MEM, M_PROTO);
	jump(a, BPF_JEQ, 4789, L_ETHER, NEXT);
	jump(a, BPF_JEQ, 8472, L_ETHER, L_OUT); /* Linux before the RFC */
	label(a, L_GENEVE);
	load(a, BPF_B, 8);
	op(a, BPF_ALU | BPF_AND | BPF_K, 0x3f);
	op(a, BPF_ALU | BPF_LSH | BPF_K, 2);
	op(a, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(a, BPF_MISC | BPF_TAX, 0);
	forward(a, 16);
	label(a, L_ETHER);
	load(a, BPF_H, 12);
	jump(a, BPF_JEQ, 0x8100, L_VLAN, NEXT);
	forward(a, 14);
	go(a, L_IP4);
	label(a, L_VLAN);
	forward(a, 18);
	label(a, L_IP4);
	load(a, BPF_B, 0);
}

size_t
fanout_program(struct sock_filter prog[FANOUT_PROGRAM_MAX], unsigned workers)
{
	struct asm a = {.prog = prog};
	unsigned out[TUNNELS + 1];

	/* frames that are no IP, and what is cut, go to the first worker: a
	 * load beyond the end returns 0 */
	op(&a, BPF_LD | BPF_IMM, 0);
	op(&a, BPF_ST, M_SUM);
	op(&a, BPF_LDX | BPF_IMM, 0);
	load(&a, BPF_B, 0);
	for (unsigned layer = 0; layer <= TUNNELS; layer++) {
		ip_layer(&a);
		if (layer < TUNNELS)
			tunnel_layer(&a);
		/* over the way out of this layer */
		op(&a, BPF_JMP | BPF_JA, 1);
		label(&a, L_OUT);
		out[layer] = a.n;
		op(&a, BPF_JMP | BPF_JA, 0);
		resolve(&a);
	}
	for (unsigned layer = 0; layer <= TUNNELS; layer++)
		prog[out[layer]].k = a.n - out[layer] - 1;
	op(&a, BPF_LD | BPF_MEM, M_SUM);
	op(&a, BPF_ALU | BPF_MUL | BPF_K, MIX);
	op(&a, BPF_ALU | BPF_RSH | BPF_K, 16);
	op(&a, BPF_ALU | BPF_MOD | BPF_K, workers);
	op(&a, BPF_RET | BPF_A, 0);
	return a.n;
}

/* IPv4 addresses are held as IPv4-mapped ones: their last word is all that the
 * program sees of them. */
static uint32_t
folded(const struct addr *a)
{
	uint32_t w[4];

	memcpy(w, a->b, sizeof(w));
	if ((w[0] | w[1]) == 0 && w[2] == htonl(0xffff))
		return ntohl(w[3]);
	return ntohl(w[0] ^ w[1] ^ w[2] ^ w[3]);
}

static uint32_t
mixed(const struct addr *src, const struct addr *dst)
{
	return (folded(src) + folded(dst)) * MIX;
}

unsigned
fanout_worker(const struct addr *src, const struct addr *dst, unsigned workers)
{
	return (mixed(src, dst) >> 16) % workers;
}

unsigned
fanout_reader(const struct addr *src, const struct addr *dst, unsigned workers)
{
	return (unsigned)((uint64_t)mixed(src, dst) * workers >> 32);
}

int
fanout_join(int fd, unsigned id, unsigned workers)
{
	struct sock_filter prog[FANOUT_PROGRAM_MAX];
	struct sock_fprog p = {.filter = prog};
	uint32_t how =
	    (uint32_t)(PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_DEFRAG) << 16 |
	    (id & 0xffff);

	p.len = (unsigned short)fanout_program(prog, workers);
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &how, sizeof(how)) == -1)
		return -1;
	return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &p, sizeof(p));
}
