/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plain libnids over a capture, as its manual has it: prints how many bytes it
 * delivered and how many connections it saw end by FIN or RST. What our own
 * stages in front of it are worth is the difference.
 */
#include <nids.h>
#include <stdint.h>
#include <stdio.h>

static uint64_t bytes, closed;

static void
on_tcp(struct tcp_stream *s, void **user)
{
	(void)user;
	switch (s->nids_state) {
	case NIDS_JUST_EST:
		s->client.collect = s->server.collect = 1;
		break;
	case NIDS_DATA:
		bytes += (unsigned)s->client.count_new;
		bytes += (unsigned)s->server.count_new;
		break;
	case NIDS_CLOSE:
	case NIDS_RESET:
		closed++;
		break;
	default: /* timed out, or the input has ended */
		break;
	}
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: nidsalone CAPTURE\n", stderr);
		return 2;
	}
	nids_params.filename = argv[1];
	nids_params.scan_num_hosts = 0; /* a source of crashes, not asked */
	nids_params.n_tcp_streams = 8192;
	if (!nids_init()) {
		fprintf(stderr, "nidsalone: %s\n", nids_errbuf);
		return 1;
	}
	nids_register_tcp(on_tcp);
	nids_run();
	printf("%llu %llu\n", (unsigned long long)bytes,
	    (unsigned long long)closed);
	return 0;
}
