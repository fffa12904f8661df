/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends the frames of captures out of an interface, at a rate:
 *
 *	framesend [-r FRAMES_PER_SECOND] [-n ROUNDS] [-s SECONDS] [-c] IF FILE...
 *
 * Rate 0 (the default): as they came, by their times, but no pause is longer
 * than 50 ms. With -c all is sent from memory and each round has other
 * clients (hosts of 10.0.0.0/8, IPv4 without VLAN tags), with checksums that are
 * as right as they were: new connections for ever. -s ends it after so long,
 * SIGTERM with the round. Prints frames, bytes and seconds.
 */
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "decoders/be.h"
#include "sensor/capture.h"

#define PAUSE_MAX 50000000LL
#define BURST 64 /* frames a system call */
#define ETHER 14

static volatile sig_atomic_t ended;

struct sender {
	int fd;
	double rate;
	int64_t start, due, last;
	uint64_t frames, bytes, failed;
	int64_t until; /* 0: the rounds say */
};

struct frame {
	uint8_t *bytes;
	uint32_t len;
};

struct world { /* all frames of the input, in memory */
	struct frame *frame;
	size_t n, room;
};

static void
on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
wait_until(int64_t due)
{
	int64_t left = due - now();
	struct timespec t = {left / 1000000000, left % 1000000000};

	if (left > 50000)
		nanosleep(&t, NULL);
}

static void
pace(struct sender *s, const struct packet *pkt)
{
	int64_t gap = s->last == 0 ? 0 : pkt->time - s->last;

	if (s->rate > 0)
		s->due =
		    s->start + (int64_t)(1e9 * (double)s->frames / s->rate);
	else
		s->due += gap < 0 ? 0 : gap > PAUSE_MAX ? PAUSE_MAX : gap;
	s->last = pkt->time;
	wait_until(s->due);
}

static void
on_problem(void *ctx, int severity, const char *sentence)
{
	(void)ctx;
	(void)severity;
	fprintf(stderr, "%s\n", sentence);
}

static void
on_file_end(void *ctx, const struct capture_file *f)
{
	(void)ctx;
	(void)f;
}

static struct capture *
open_capture(const char *const *paths, unsigned n)
{
	struct capture_config cc = {
	    .on_problem = on_problem, .on_file_end = on_file_end};
	char err[300];
	struct capture *c = capture_open(paths, n, &cc, err, sizeof(err));

	if (c == NULL)
		fprintf(stderr, "%s\n", err);
	return c;
}

static int
send_all(struct sender *s, const char *const *paths, unsigned n)
{
	struct packet pkt;
	struct capture *c = open_capture(paths, n);

	if (c == NULL)
		return 1;
	s->last = 0;
	while (capture_next(c, &pkt) == 1) {
		pace(s, &pkt);
		if (send(s->fd, pkt.frame, pkt.caplen, 0) == -1)
			s->failed++;
		s->frames++;
		s->bytes += pkt.caplen;
	}
	capture_close(c);
	return 0;
}

/* ---- other addresses every round ---- */

static int
load(struct world *w, const char *const *paths, unsigned n)
{
	struct capture *c = open_capture(paths, n);
	struct packet pkt;

	if (c == NULL)
		return -1;
	while (capture_next(c, &pkt) == 1) {
		if (w->n == w->room) {
			w->room = w->room == 0 ? 4096 : w->room * 2;
			w->frame =
			    realloc(w->frame, w->room * sizeof(*w->frame));
		}
		if (w->frame == NULL)
			return -1;
		w->frame[w->n].bytes = malloc(pkt.caplen);
		w->frame[w->n].len = pkt.caplen;
		if (w->frame[w->n].bytes == NULL)
			return -1;
		memcpy(w->frame[w->n++].bytes, pkt.frame, pkt.caplen);
	}
	capture_close(c);
	return 0;
}

/* RFC 1624: of a sum in which one word became another. */
static void
mend_sum(uint8_t *at, uint16_t was, uint16_t is)
{
	uint32_t sum = (uint16_t)~be16(at) + (uint16_t)~was + is;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

static void
change_word(uint8_t *ip, size_t tcp, unsigned at, uint16_t change)
{
	uint16_t was = be16(ip + at);

	be16_put(ip + at, was ^ change);
	mend_sum(ip + 10, was, be16(ip + at));
	if (ip[9] == 6)
		mend_sum(ip + tcp + 16, was, be16(ip + at));
}

/* The middle bytes of addresses in 10.0.0.0/8; the same change again undoes
 * it. */
static void
readdress(const struct frame *f, uint16_t change)
{
	uint8_t *ip = f->bytes + ETHER;
	size_t tcp;

	if (f->len < ETHER + 40 || be16(f->bytes + 12) != 0x0800)
		return;
	tcp = (ip[0] & 15u) * 4u;
	if (tcp < 20 || tcp + 20 > f->len - ETHER)
		return;
	for (unsigned at = 12; at <= 16; at += 4) {
		if (ip[at] != 10)
			continue;
		change_word(ip, tcp, at, change >> 8);
		change_word(ip, tcp, at + 2, (uint16_t)(change << 8));
	}
}

/* -1: the interface has gone. */
static int
send_burst(struct sender *s, const struct frame *f, size_t n)
{
	struct mmsghdr m[BURST];
	struct iovec io[BURST];
	size_t done = 0;

	memset(m, 0, sizeof(m));
	for (size_t i = 0; i < n; i++) {
		io[i] = (struct iovec){f[i].bytes, f[i].len};
		m[i].msg_hdr.msg_iov = &io[i];
		m[i].msg_hdr.msg_iovlen = 1;
		s->bytes += f[i].len;
	}
	while (done < n) {
		int sent = sendmmsg(s->fd, m + done, (unsigned)(n - done), 0);

		if (sent == -1 && errno != ENOBUFS && errno != EMSGSIZE)
			return -1;
		s->failed += sent == -1;
		done += sent == -1 ? 1 : (size_t)sent;
	}
	s->frames += n;
	return 0;
}

static int
send_round(struct sender *s, const struct world *w)
{
	for (size_t i = 0; i < w->n; i += BURST) {
		size_t n = w->n - i < BURST ? w->n - i : BURST;

		if (send_burst(s, w->frame + i, n) == -1)
			return -1;
		if (s->rate > 0)
			wait_until(
			    s->start +
			    (int64_t)(1e9 * (double)s->frames / s->rate));
		if (s->until != 0 && now() > s->until)
			return 1;
	}
	return 0;
}

static int
send_changing(struct sender *s, long rounds, char **paths, unsigned n)
{
	struct world w = {NULL, 0, 0};
	int status;

	if (load(&w, (const char *const *)paths, n) == -1)
		return 1;
	s->start = now();
	for (long r = 0; !ended && (r < rounds || s->until != 0); r++) {
		for (size_t i = 0; i < w.n; i++)
			readdress(&w.frame[i], (uint16_t)r);
		status = send_round(s, &w);
		for (size_t i = 0; i < w.n; i++)
			readdress(&w.frame[i], (uint16_t)r);
		if (status != 0)
			return status == -1;
	}
	return 0;
}

static int
open_interface(const char *name)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET};
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW, 0);

	a.sll_ifindex = (int)if_nametoindex(name);
	if (fd == -1 || a.sll_ifindex == 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1) {
		perror(name);
		return -1;
	}
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	return fd;
}

int
main(int argc, char **argv)
{
	struct sender s = {.fd = -1};
	long rounds = 1;
	int c, status = 0;
	bool changing = false;

	while ((c = getopt(argc, argv, "r:n:s:c")) != -1) {
		if (c == 'c')
			changing = true;
		else if (c == 's')
			s.until =
			    now() + strtol(optarg, NULL, 10) * 1000000000LL;
		else if (c == 'r')
			s.rate = strtod(optarg, NULL);
		else if (c == 'n')
			rounds = strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind < 2) {
		fputs("usage: framesend [-r FPS] [-n ROUNDS] [-s SECONDS] [-c] "
		      "IF FILE...\n",
		    stderr);
		return 2;
	}
	s.fd = open_interface(argv[optind]);
	if (s.fd == -1)
		return 1;
	(void)signal(SIGTERM, on_term);
	s.start = s.due = now();
	if (changing)
		status = send_changing(&s, rounds, argv + optind + 1,
		    (unsigned)(argc - optind - 1));
	while (!changing && !ended && rounds-- > 0 && status == 0)
		status = send_all(&s, (const char *const *)argv + optind + 1,
		    (unsigned)(argc - optind - 1));
	printf("%llu frames, %llu bytes, %.3f s, %llu not sent\n",
	    (unsigned long long)s.frames, (unsigned long long)s.bytes,
	    (double)(now() - s.start) / 1e9, (unsigned long long)s.failed);
	close(s.fd);
	return status;
}
