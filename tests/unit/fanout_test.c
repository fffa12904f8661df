/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program that shares packets among workers, run here as the kernel runs
 * it: both directions of a connection, in whatever tunnel, and all fragments
 * of a datagram come to the same worker, which is the one that fanout_worker()
 * names; and many connections come to all of them.
 */
#include "sensor/fanout.h"

#include <arpa/inet.h>

#include "tests/test.h"

#define NET 0xfff00000u /* SKF_NET_OFF */

struct net { /* from the network header on */
	uint8_t d[512];
	unsigned n;
};

static void
add(struct net *p, const void *d, size_t n)
{
	memcpy(p->d + p->n, d, n);
	p->n += (unsigned)n;
}

static int
fetch(const struct net *p, const struct sock_filter *s, uint32_t x, uint32_t *a)
{
	unsigned size = BPF_SIZE(s->code) == BPF_W   ? 4
			: BPF_SIZE(s->code) == BPF_H ? 2
						     : 1;
	uint32_t at = s->k + x - NET;

	if (at + size > p->n)
		return -1;
	*a = 0;
	for (unsigned i = 0; i < size; i++)
		*a = *a << 8 | p->d[at + i];
	return 0;
}

static uint32_t
alu(const struct sock_filter *s, uint32_t a, uint32_t x)
{
	uint32_t b = BPF_SRC(s->code) == BPF_X ? x : s->k;

	switch (BPF_OP(s->code)) {
	case BPF_ADD:
		return a + b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b;
	case BPF_MOD:
		return a % b;
	case BPF_XOR:
		return a ^ b;
	case BPF_AND:
		return a & b;
	case BPF_LSH:
		return a << b;
	case BPF_RSH:
		return a >> b;
	default:
		abort();
	}
}

static bool
jumps(const struct sock_filter *s, uint32_t a)
{
	return BPF_OP(s->code) == BPF_JEQ ? a == s->k : (a & s->k) != 0;
}

/* -1: it left the program, or does what is not known here. */
static int
interpret(const struct sock_filter *prog, size_t n, const struct net *p)
{
	uint32_t a = 0, x = 0, m[16] = {0};

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *s = &prog[pc];

		if (BPF_CLASS(s->code) == BPF_ALU)
			a = alu(s, a, x);
		else if (s->code == (BPF_LD | BPF_IMM))
			a = s->k;
		else if (s->code == (BPF_LDX | BPF_IMM))
			x = s->k;
		else if (s->code == (BPF_LD | BPF_MEM))
			a = m[s->k];
		else if (s->code == (BPF_LDX | BPF_MEM))
			x = m[s->k];
		else if (s->code == BPF_ST)
			m[s->k] = a;
		else if (s->code == BPF_STX)
			m[s->k] = x;
		else if (s->code == (BPF_MISC | BPF_TAX))
			x = a;
		else if (s->code == (BPF_MISC | BPF_TXA))
			a = x;
		else if (s->code == (BPF_JMP | BPF_JA))
			pc += s->k;
		else if (BPF_CLASS(s->code) == BPF_JMP)
			pc += jumps(s, a) ? s->jt : s->jf;
		else if (s->code == (BPF_RET | BPF_A))
			return (int)a;
		else if (BPF_MODE(s->code) != BPF_IND)
			return -1;
		else if (fetch(p, s, x, &a) == -1)
			return 0; /* as the kernel does */
	}
	return -1;
}

/* ---- packets ---- */

static void
ipv4(struct net *p, const char *src, const char *dst, unsigned proto)
{
	uint8_t h[20] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, (uint8_t)proto};

	inet_pton(AF_INET, src, h + 12);
	inet_pton(AF_INET, dst, h + 16);
	add(p, h, sizeof(h));
}

static void
ipv6(struct net *p, const char *src, const char *dst, unsigned proto)
{
	uint8_t h[40] = {0x60, 0, 0, 0, 0, 20, (uint8_t)proto, 64};

	inet_pton(AF_INET6, src, h + 8);
	inet_pton(AF_INET6, dst, h + 24);
	add(p, h, sizeof(h));
}

static void
tcp(struct net *p)
{
	static const uint8_t h[20] = {0xc0, 0x01, 0, 25};

	add(p, h, sizeof(h));
}

static void
ether(struct net *p, uint16_t type, bool vlan)
{
	uint8_t h[18] = {0};
	unsigned at = 12;

	if (vlan) {
		h[at] = 0x81;
		at += 4;
	}
	h[at] = (uint8_t)(type >> 8);
	h[at + 1] = (uint8_t)type;
	add(p, h, at + 2);
}

static void
vxlan(struct net *p, unsigned source_port)
{
	uint8_t h[16] = {(uint8_t)(source_port >> 8), (uint8_t)source_port,
	    4789 >> 8, 4789 & 0xff, 0, 0, 0, 0, 8};

	add(p, h, sizeof(h));
}

static void
geneve(struct net *p, unsigned options)
{
	uint8_t h[80] = {0x77, 0, 6081 >> 8, 6081 & 0xff};

	h[8] = (uint8_t)options;
	h[10] = 0x65;
	h[11] = 0x58;
	add(p, h, 16 + 4 * options);
}

static void
gre(struct net *p, unsigned flags, uint16_t type)
{
	uint8_t h[16] = {
	    (uint8_t)flags, 0, (uint8_t)(type >> 8), (uint8_t)type};
	unsigned n = 4;

	for (unsigned bit = 0x10; bit <= 0x80; bit <<= 1)
		n += bit != 0x40 && (flags & bit) ? 4 : 0;
	add(p, h, n);
}

enum wrap {
	PLAIN,
	VXLAN,
	VXLAN_VLAN,
	GENEVE0,
	GENEVE3,
	GRE,
	GRE_KEY,
	GRE_ALL,
	GRE_ETHER,
	IP_IN_IP,
	VXLAN_IN_GRE,
	WRAPS
};

static void
outer(struct net *p, bool back, unsigned proto)
{
	ipv4(p, back ? "192.0.2.2" : "192.0.2.1",
	    back ? "192.0.2.1" : "192.0.2.2", proto);
}

static void
wrap(struct net *p, enum wrap how, bool back, bool v6)
{
	uint16_t type = v6 ? 0x86dd : 0x0800;

	switch (how) {
	case VXLAN:
	case VXLAN_VLAN:
		outer(p, back, 17);
		vxlan(p, back ? 50000 : 60000);
		ether(p, type, how == VXLAN_VLAN);
		break;
	case GENEVE0:
	case GENEVE3:
		outer(p, back, 17);
		geneve(p, how == GENEVE0 ? 0 : 3);
		ether(p, type, false);
		break;
	case GRE:
	case GRE_KEY:
	case GRE_ALL:
		outer(p, back, 47);
		gre(p, how == GRE ? 0 : how == GRE_KEY ? 0x20 : 0xb0, type);
		break;
	case GRE_ETHER:
		outer(p, back, 47);
		gre(p, 0, 0x6558);
		ether(p, type, true);
		break;
	case IP_IN_IP:
		outer(p, back, v6 ? 41 : 4);
		break;
	case VXLAN_IN_GRE:
		outer(p, back, 47);
		gre(p, 0x20, 0x0800);
		outer(p, back, 17);
		vxlan(p, back ? 50000 : 60000);
		ether(p, type, false);
		break;
	default:
		break;
	}
}

static struct addr
address(const char *text)
{
	struct addr a = {{[10] = 0xff, [11] = 0xff}};

	if (inet_pton(AF_INET, text, a.b + 12) != 1)
		inet_pton(AF_INET6, text, a.b);
	return a;
}

static int
worker_of(enum wrap how, const char *src, const char *dst, bool back)
{
	struct sock_filter prog[FANOUT_PROGRAM_MAX];
	size_t n = fanout_program(prog, 7);
	struct net p = {.n = 0};
	bool v6 = strchr(src, ':') != NULL;

	CHECK(n <= FANOUT_PROGRAM_MAX);
	wrap(&p, how, back, v6);
	(v6 ? ipv6 : ipv4)(&p, back ? dst : src, back ? src : dst, 6);
	tcp(&p);
	return interpret(prog, n, &p);
}

TEST(both_directions_in_every_tunnel_as_fanout_worker_says)
{
	char src[40], dst[40];

	for (unsigned i = 0; i < 200; i++) {
		bool v6 = i % 2;

		(void)snprintf(
		    src, sizeof(src), v6 ? "2001:db8::%u:1" : "10.1.%u.7", i);
		(void)snprintf(dst, sizeof(dst),
		    v6 ? "2001:db8:1::%u" : "198.51.100.%u", i * 3 % 251);
		struct addr a = address(src), b = address(dst);
		int want = (int)fanout_worker(&a, &b, 7);

		CHECK_INT(fanout_worker(&b, &a, 7), want);
		for (int how = PLAIN; how < WRAPS; how++) {
			CHECK_INT(
			    worker_of((enum wrap)how, src, dst, false), want);
			CHECK_INT(
			    worker_of((enum wrap)how, src, dst, true), want);
		}
	}
}

TEST(connections_are_spread)
{
	unsigned n[7] = {0};
	char src[40];

	for (unsigned i = 0; i < 7000; i++) {
		(void)snprintf(
		    src, sizeof(src), "10.%u.%u.9", i / 250, i % 250);
		n[worker_of(PLAIN, src, "192.0.2.25", false)]++;
	}
	for (unsigned i = 0; i < 7; i++)
		CHECK(n[i] > 500);
}

/* Whoever hands out gives each about as much, and both directions to the same. */
TEST(what_is_handed_out_is_spread_evenly)
{
	char src[40];

	for (unsigned workers = 1; workers < 7; workers++) {
		unsigned n[7] = {0};

		for (unsigned i = 0; i < 7000; i++) {
			(void)snprintf(
			    src, sizeof(src), "10.%u.%u.9", i / 250, i % 250);
			struct addr a = address(src), b = address("192.0.2.25");
			unsigned w = fanout_reader(&a, &b, workers);

			CHECK(w < workers);
			CHECK_INT(fanout_reader(&b, &a, workers), w);
			n[w]++;
		}
		for (unsigned i = 0; i < workers; i++)
			CHECK(n[i] * workers > 6000 && n[i] * workers < 8000);
	}
}

TEST(fragments_stay_together)
{
	struct sock_filter prog[FANOUT_PROGRAM_MAX];
	size_t n = fanout_program(prog, 5);
	struct net first = {.n = 0}, next = {.n = 0};

	ipv4(&first, "10.0.0.1", "10.0.0.2", 6);
	tcp(&first);
	first.d[6] = 0x20; /* more fragments */
	ipv4(&next, "10.0.0.1", "10.0.0.2", 6);
	next.d[7] = 3;
	add(&next, "rest", 4);
	CHECK_INT(interpret(prog, n, &first), interpret(prog, n, &next));
}

TEST(garbage_of_any_length_is_somebodys)
{
	struct sock_filter prog[FANOUT_PROGRAM_MAX];
	size_t n = fanout_program(prog, 3);

	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		struct net p = {.n = (unsigned)rand() % 120};
		int got;

		for (unsigned b = 0; b < p.n; b++)
			p.d[b] = (uint8_t)rand();
		if (p.n > 0)
			p.d[0] = (uint8_t)(i % 3 ? 0x45 : 0x60);
		got = interpret(prog, n, &p);
		CHECK(got >= 0 && got < 3);
	}
}

TEST_MAIN
