/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads captures as `stripwire read` does, and then, with judge, history and
 * tables still alive, looks through all memory it could write to for strings:
 *
 *	memory NEEDLES CAPTURE...
 *
 * NEEDLES holds one string a line, in hex; none is shorter than 5 bytes. Each
 * that is found is printed as "NUMBER ADDRESS MAPPING". The strings lie in a
 * mapping of their own that is not looked at. What libraries gave back to
 * malloc() is not the program's to clear: run this with MALLOC_PERTURB_, and
 * without the caches of threads, which do not heed it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sensor/pipeline.h"

#define NEEDLES_MAX 8192
#define NEEDLE_MIN 5
#define STORE_BYTES (4u << 20)

struct needle {
	uint32_t at, len;
};

struct store { /* in a mapping of its own */
	struct needle needles[NEEDLES_MAX];
	unsigned n;
	uint32_t used;
	uint8_t first[1u << 16]; /* is there one that begins so? */
	uint8_t bytes[STORE_BYTES];
};

static struct store *store;

static int
hex(int c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void
add(FILE *f)
{
	struct needle *s = &store->needles[store->n];
	int c, d;

	s->at = store->used;
	while ((c = getc(f)) != EOF && c != '\n' && (d = getc(f)) != EOF &&
	       store->used < STORE_BYTES)
		store->bytes[store->used++] = (uint8_t)(hex(c) << 4 | hex(d));
	s->len = store->used - s->at;
	if (s->len < NEEDLE_MIN || store->n + 1 == NEEDLES_MAX)
		return;
	store->first[store->bytes[s->at] << 8 | store->bytes[s->at + 1]] = 1;
	store->n++;
}

static int
load(const char *path)
{
	static char buf[4096]; /* cleared below: it held them too */
	FILE *f = fopen(path, "r");

	store = mmap(NULL, sizeof(*store), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f == NULL || store == MAP_FAILED)
		return -1;
	(void)setvbuf(f, buf, _IOFBF, sizeof(buf));
	while (!feof(f))
		add(f);
	fclose(f);
	memset(buf, 0, sizeof(buf));
	return store->n == 0 ? -1 : 0;
}

/* ---- looking ---- */

static unsigned
look_at(const uint8_t *p, size_t left, const char *mapping)
{
	const uint8_t *s = store->bytes;
	unsigned found = 0;

	for (unsigned i = 0; i < store->n; i++) {
		const struct needle *k = &store->needles[i];

		if (k->len > left || memcmp(p, s + k->at, k->len) != 0)
			continue;
		printf("%u %p %s", i, (const void *)p, mapping);
		found++;
	}
	return found;
}

static unsigned
look(const uint8_t *from, const uint8_t *to, const char *mapping)
{
	unsigned found = 0;

	for (const uint8_t *p = from; p + NEEDLE_MIN <= to; p++)
		if (store->first[p[0] << 8 | p[1]])
			found += look_at(p, (size_t)(to - p), mapping);
	return found;
}

static unsigned
look_everywhere(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned found = 0;
	char line[512];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		unsigned long from, to;
		char mode[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 &&
		    strncmp(mode, "rw", 2) == 0 &&
		    !(from <= (unsigned long)store &&
			(unsigned long)store < to))
			found += look(
			    (const uint8_t *)from, (const uint8_t *)to, line);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

static void
on_say(void *ctx, enum say what, const char *text)
{
	(void)ctx;
	if (what == SAY_PROBLEM)
		fprintf(stderr, "memory: %s\n", text);
}

int
main(int argc, char **argv)
{
	struct pipeline_config cfg = {.rules_path = "sensor.rules",
	    .no_system_trust = true,
	    .on_say = on_say};
	struct pipeline_totals t;
	struct pipeline *p;
	char err[700];
	unsigned found;

	if (argc > 3 && strcmp(argv[1], "-r") == 0) {
		cfg.rules_path = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 3 || load(argv[1]) != 0) {
		fprintf(
		    stderr, "usage: memory [-r RULES] NEEDLES CAPTURE...\n");
		return 2;
	}
	tracker_config_default(&cfg.tracker);
	p = pipeline_new(&cfg, err, sizeof(err));
	if (p == NULL) {
		fprintf(stderr, "memory: %s\n", err);
		return 2;
	}
	(void)pipeline_read(
	    p, (const char *const *)argv + 2, (unsigned)argc - 2, NULL);
	pipeline_totals(p, &t);
	found = look_everywhere();
	printf("%u strings, %u found, %llu packets\n", store->n, found,
	    (unsigned long long)t.packets);
	pipeline_free(p);
	return found != 0;
}
