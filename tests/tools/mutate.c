/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mutated copies of captures through the whole path, in one process: bytes
 * flipped, lengths changed, pieces cut out, repeated or cut short. Run under
 * sanitizers, where any fault ends the program.
 *
 *	mutate COUNT SEED FILE...
 *
 * Every file is read as it is first. Each copy names itself before it is read
 * (last line of the output), so that a fault can be reproduced: the same
 * arguments make the same copies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/pipeline.h"

#define SIZE_MAX_READ (64u << 20)

struct blob {
	uint8_t *p;
	size_t len;
};

static uint64_t state;

static uint32_t
rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below == 0 ? 0 : (uint32_t)((state >> 11) % below);
}

static struct blob
load(const char *path)
{
	struct blob b = {NULL, 0};
	FILE *f = fopen(path, "rb");
	long n;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 ||
	    n > (long)SIZE_MAX_READ) {
		fprintf(stderr, "mutate: cannot read %s\n", path);
		exit(2);
	}
	rewind(f);
	b.p = malloc((size_t)n + 1);
	b.len = fread(b.p, 1, (size_t)n, f);
	fclose(f);
	return b;
}

static void
flip(struct blob *b)
{
	for (uint32_t i = 1 + rnd(16); i > 0 && b->len > 0; i--)
		b->p[rnd((uint32_t)b->len)] ^= (uint8_t)(1u << rnd(8));
}

static void
odd_number(struct blob *b)
{
	static const uint32_t odd[] = {
	    0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
	uint32_t v = odd[rnd(9)], width = 1u << rnd(3), at;

	if (b->len < 8)
		return;
	at = rnd((uint32_t)b->len - 4);
	memcpy(b->p + at, &v, width);
}

static void
cut_short(struct blob *b)
{
	b->len = rnd((uint32_t)b->len + 1);
}

static void
cut_out(struct blob *b)
{
	uint32_t at, n;

	if (b->len < 64)
		return;
	at = 24 + rnd((uint32_t)b->len - 24);
	n = rnd((uint32_t)(b->len - at) + 1) % 256;
	memmove(b->p + at, b->p + at + n, b->len - at - n);
	b->len -= n;
}

static void
overwrite(struct blob *b)
{
	uint32_t from, to, n;

	if (b->len < 64)
		return;
	from = rnd((uint32_t)b->len - 32);
	to = rnd((uint32_t)b->len - 32);
	n = 1 + rnd(32);
	memmove(b->p + to, b->p + from, n);
}

static void
mutate(struct blob *b)
{
	static void (*const how[])(struct blob *) = {
	    flip, flip, odd_number, odd_number, cut_short, cut_out, overwrite};

	for (uint32_t i = 1 + rnd(4); i > 0; i--)
		how[rnd(7)](b);
}

static uint64_t
run(const struct ruleset *rules, const uint8_t *p, size_t len)
{
	struct pipeline_config cfg = {.rules = rules, .no_system_trust = true};
	struct pipeline_totals t;
	struct pipeline *pl;
	char path[64], err[512];
	const char *paths[1] = {path};
	int fd = memfd_create("capture", 0);

	if (fd == -1 || write(fd, p, len) != (ssize_t)len) {
		perror("mutate: memfd");
		exit(2);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tracker_config_default(&cfg.tracker);
	cfg.tracker.max_flows = 4096;
	cfg.tracker.max_sessions = 512;
	pl = pipeline_new(&cfg, err, sizeof(err));
	if (pl == NULL) {
		fprintf(stderr, "mutate: %s\n", err);
		exit(2);
	}
	(void)pipeline_read(pl, paths, 1, NULL);
	pipeline_totals(pl, &t);
	pipeline_free(pl);
	close(fd);
	return t.packets;
}

static void
on_rule_error(void *ctx, const struct rule_error *e)
{
	char buf[700];

	(void)ctx;
	fprintf(stderr, "%s\n", rule_error_format(buf, sizeof(buf), e));
}

int
main(int argc, char **argv)
{
	struct ruleset *rules;
	char err[512] = "";
	int sys = 0, count;
	uint64_t packets = 0;

	struct rule_sources src = {
	    .path = "sensor.rules", .on_error = on_rule_error};

	if (argc < 4) {
		fputs("usage: mutate COUNT SEED FILE...\n", stderr);
		return 2;
	}
	count = atoi(argv[1]);
	state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
	rules = ruleset_load(&src, &sys, err, sizeof(err));
	if (rules == NULL) {
		fprintf(stderr, "mutate: %s\n", err);
		return 2;
	}
	for (int i = 0; i < argc - 3 + count; i++) {
		const char *path = argv[3 + (unsigned)i % (unsigned)(argc - 3)];
		struct blob b = load(path);

		if (i >= argc - 3)
			mutate(&b);
		printf("\r%d %s\033[K", i, path);
		fflush(stdout);
		packets += run(rules, b.p, b.len);
		free(b.p);
	}
	ruleset_free(rules);
	printf("\n%d captures as they are, %d mutated copies, %llu packets\n",
	    argc - 3, count, (unsigned long long)packets);
	printf("%d passed, 0 failed\n", argc - 3 + count);
	return 0;
}
