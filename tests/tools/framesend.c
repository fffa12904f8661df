/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends the frames of captures out of an interface, at a rate:
 *
 *	framesend [-r FRAMES_PER_SECOND] [-n ROUNDS] IF FILE...
 *
 * Rate 0 (the default): as they came, by their times, but no pause is longer
 * than 50 ms. Prints frames, bytes and seconds.
 */
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/capture.h"

#define PAUSE_MAX 50000000LL

struct sender {
	int fd;
	double rate;
	int64_t start, due, last;
	uint64_t frames, bytes, failed;
};

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

static int
send_all(struct sender *s, const char *const *paths, unsigned n)
{
	struct capture_config cc = {
	    .on_problem = on_problem, .on_file_end = on_file_end};
	struct packet pkt;
	char err[300];
	struct capture *c = capture_open(paths, n, &cc, err, sizeof(err));

	if (c == NULL) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
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

	while ((c = getopt(argc, argv, "r:n:")) != -1) {
		if (c == 'r')
			s.rate = strtod(optarg, NULL);
		else if (c == 'n')
			rounds = strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind < 2) {
		fputs("usage: framesend [-r FPS] [-n ROUNDS] IF FILE...\n",
		    stderr);
		return 2;
	}
	s.fd = open_interface(argv[optind]);
	if (s.fd == -1)
		return 1;
	s.start = s.due = now();
	while (rounds-- > 0 && status == 0)
		status = send_all(&s, (const char *const *)argv + optind + 1,
		    (unsigned)(argc - optind - 1));
	printf("%llu frames, %llu bytes, %.3f s, %llu not sent\n",
	    (unsigned long long)s.frames, (unsigned long long)s.bytes,
	    (double)(now() - s.start) / 1e9, (unsigned long long)s.failed);
	close(s.fd);
	return status;
}
