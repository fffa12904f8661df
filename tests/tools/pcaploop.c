/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The unit of speed: a bare loop over pcap_next_ex that touches the Ethernet,
 * IP and TCP header of each packet and does nothing else.
 */
#include <pcap.h>
#include <stdint.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	char err[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *p;
	uint64_t packets = 0, sum = 0;
	pcap_t *pc;

	if (argc != 2 || (pc = pcap_open_offline(argv[1], err)) == NULL) {
		fprintf(stderr, "pcaploop: %s\n", argc == 2 ? err : "FILE?");
		return 2;
	}
	while (pcap_next_ex(pc, &h, &p) == 1) {
		packets++;
		if (h->caplen >= 54)
			sum += p[12] + p[23] + (unsigned)(p[14] & 15) + p[47];
	}
	pcap_close(pc);
	printf("%llu packets %llu\n", (unsigned long long)packets,
	    (unsigned long long)sum);
	return 0;
}
