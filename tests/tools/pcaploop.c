/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The unit of speed: a bare loop over pcap_next_ex that touches the Ethernet,
 * IP and TCP header of each packet and does nothing else.
 *
 *	pcaploop CAPTURE [PACKETS...]
 *
 * For each number a line of JSON: CPU seconds until so many were read.
 */
#include <pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t packets, sum;

/* Until so many have been read, or the end. */
static void
loop(pcap_t *pc, uint64_t end)
{
	struct pcap_pkthdr *h;
	const u_char *p;

	while (packets != end && pcap_next_ex(pc, &h, &p) == 1) {
		packets++;
		if (h->caplen >= 54)
			sum += p[12] + p[23] + (unsigned)(p[14] & 15) + p[47];
	}
}

static void
tell(void)
{
	struct timespec cpu;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("{\"packets\": %llu, \"cpu\": %lld.%09ld}\n",
	    (unsigned long long)packets, (long long)cpu.tv_sec, cpu.tv_nsec);
}

int
main(int argc, char **argv)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *pc;

	if (argc < 2 || (pc = pcap_open_offline(argv[1], err)) == NULL) {
		fprintf(stderr, "pcaploop: %s\n", argc > 1 ? err : "FILE?");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		loop(pc, strtoull(argv[i], NULL, 10));
		tell();
	}
	loop(pc, UINT64_MAX);
	pcap_close(pc);
	fprintf(stderr, "%llu packets %llu\n", (unsigned long long)packets,
	    (unsigned long long)sum);
	return 0;
}
