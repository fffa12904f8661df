/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole input through capture_open(): pcapng above all, but whatever its
 * first bytes say it is (pcap, gzip). The file has no name and lives in
 * memory. Every byte of every frame is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKETS_MAX 20000 /* gzip makes much of little */

static volatile uint8_t sink;
static uint64_t packets_of_files;

static void
must(bool true_always)
{
	if (!true_always)
		abort();
}

static void
problem(void *ctx, int severity, const char *sentence)
{
	(void)ctx;
	must((severity == 0 || severity == 1) && strlen(sentence) > 0);
}

static void
file_end(void *ctx, const struct capture_file *f)
{
	(void)ctx;
	packets_of_files += f->packets;
}

static void
read_packets(struct capture *c)
{
	struct packet pkt;
	uint64_t n = 0, done, total;
	int more;

	packets_of_files = 0;
	while ((more = capture_next(c, &pkt)) == 1 && n < PACKETS_MAX) {
		must(pkt.ordinal == ++n && pkt.frame_no == n);
		must(pkt.caplen <= pkt.wirelen && pkt.time >= 0);
		for (uint32_t i = 0; i < pkt.caplen; i++)
			sink ^= pkt.frame[i];
	}
	must(more == 1 || packets_of_files == n);
	capture_progress(c, &done, &total);
	must(more == 1 || done == total);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct capture_config cfg = {
	    .on_problem = problem, .on_file_end = file_end};
	char path[32], err[256] = "";
	const char *paths[] = {path};

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct capture *c = capture_open(paths, 1, &cfg, err, sizeof(err));
	if (c == NULL) {
		must(err[0] != '\0');
		return 0;
	}
	read_packets(c);
	capture_close(c);
	return 0;
}
