/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Both ways through the tracker, straight and always through libnids, give the
 * same observations on every capture there is: same text, times, packets and
 * order. Captures are those of pcaps/ and, where it is there, ../shared/pcaps.
 * Each is read as it is, with every frame twice, with neighbours exchanged,
 * with one frame in nine lost, and cut to 96 bytes.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "decoders/link.h"
#include "decoders/tls_record.h"
#include "sensor/capture.h"
#include "sensor/tracker.h"

#include "tests/test.h"

#define FILES_MAX 4096
#define CHUNK 64 /* frames kept to change their order */

enum change { AS_IS, TWICE, EXCHANGED, LOSSY, SHORT, CHANGES };

static const char *const change_names[CHANGES] = {
    "as it is", "twice", "exchanged", "lossy", "short"};

struct run {
	FILE *out;
	char *text;
	size_t len;
	struct ip_ctx *ip;
	struct tracker *tracker;
	struct mail_env env;
	uint64_t ordinal, obs;
	int64_t last[2]; /* flow and time of the one before */
};

static char *files[FILES_MAX];
static size_t nfiles;

static void
on_obs(void *ctx, struct obs *o)
{
	struct run *r = ctx;
	char line[8192];

	r->obs++;
	fprintf(r->out, "%" PRIu64 " %s pkt=%" PRIu64 "/%" PRIi64 "/%u/%u\n",
	    o->flow, obs_format(line, sizeof(line), o, true), o->pkt.ordinal,
	    o->pkt.time, o->pkt.seq, o->pkt.len);
}

static void
run_begin(struct run *r, enum reassembly how)
{
	struct tracker_config cfg;
	char err[256] = "";

	memset(r, 0, sizeof(*r));
	r->out = open_memstream(&r->text, &r->len);
	r->env.sink.emit = on_obs;
	r->env.sink.ctx = r;
	r->env.pool = tls_pool_new(16u << 20);
	r->ip = ip_new();
	tracker_config_default(&cfg);
	cfg.max_flows = 16384;
	cfg.max_sessions = 4096;
	cfg.reassembly = how;
	r->tracker = tracker_new(&cfg, &r->env, r->ip, err, sizeof(err));
	CHECK_STR(err, "");
}

static void
run_end(struct run *r)
{
	tracker_flush(r->tracker);
	tracker_free(r->tracker);
	ip_free(r->ip);
	tls_pool_free(r->env.pool);
	fclose(r->out);
}

static void
one(struct run *r, struct packet pkt, enum change change)
{
	pkt.ordinal = ++r->ordinal;
	if (change == LOSSY && r->ordinal % 9 == 5)
		return;
	if (change == SHORT && pkt.caplen > 96)
		pkt.caplen = 96;
	if (link_decode(&pkt) == LINK_IP && ip_decode(r->ip, &pkt) == IP_TCP)
		tracker_packet(r->tracker, &pkt);
}

/* Frames of a chunk in a fixed disorder; each is a copy. */
static void
flush_chunk(struct run *r, struct packet *chunk, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = i ^ 1;

		if (k >= n)
			k = i;
		one(r, chunk[k], EXCHANGED);
	}
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)chunk[i].frame);
}

static void
read_file(struct run *r, const char *path, enum change change)
{
	struct capture_config cc = {0};
	struct packet pkt, chunk[CHUNK];
	char err[512];
	size_t n = 0;
	struct capture *c = capture_open(&path, 1, &cc, err, sizeof(err));

	if (c == NULL)
		return;
	while (capture_next(c, &pkt) == 1) {
		if (change != EXCHANGED) {
			one(r, pkt, change);
			if (change == TWICE)
				one(r, pkt, change);
			continue;
		}
		chunk[n] = pkt;
		chunk[n].frame = malloc(pkt.caplen + 1);
		memcpy(
		    (void *)(uintptr_t)chunk[n].frame, pkt.frame, pkt.caplen);
		if (++n == CHUNK) {
			flush_chunk(r, chunk, n);
			n = 0;
		}
	}
	flush_chunk(r, chunk, n);
	capture_close(c);
}

static void
tell_difference(
    const char *path, enum change change, const char *a, const char *b)
{
	const char *line_a = a, *line_b = b;

	while (*a != '\0' && *a == *b) {
		if (*a == '\n') {
			line_a = a + 1;
			line_b = b + 1;
		}
		a++;
		b++;
	}
	TEST_FAIL("%s (%s):\n  straight %.*s\n  always   %.*s", path,
	    change_names[change], (int)strcspn(line_a, "\n"), line_a,
	    (int)strcspn(line_b, "\n"), line_b);
}

static uint64_t
compare(const char *path, enum change change)
{
	struct run a, b;
	const char *dump = getenv("DUMP");

	run_begin(&a, REASSEMBLY_ON_DEMAND);
	read_file(&a, path, change);
	run_end(&a);
	run_begin(&b, REASSEMBLY_ALWAYS);
	read_file(&b, path, change);
	run_end(&b);
	if (dump != NULL)
		printf("%s (%s)\n%s", path, change_names[change], a.text);
	if (strcmp(a.text, b.text) != 0)
		tell_difference(path, change, a.text, b.text);
	free(a.text);
	free(b.text);
	return a.obs;
}

static void
add_folder(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *dot = strrchr(e->d_name, '.');
		char path[1024];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			add_folder(path);
		else if (dot != NULL && strncmp(dot, ".pcap", 5) == 0 &&
			 nfiles < FILES_MAX)
			files[nfiles++] = strdup(path);
	}
	if (d != NULL)
		closedir(d);
}

TEST(both_ways_are_the_same)
{
	const char *only = getenv("ONLY");

	add_folder("pcaps");
	add_folder("../shared/pcaps");
	for (size_t i = 0; i < nfiles; i++) {
		if (only != NULL && strstr(files[i], only) == NULL)
			continue;
		for (int c = 0; c < CHANGES; c++)
			if (compare(files[i], (enum change)c) == 0 &&
			    c == AS_IS && getenv("DUMP") != NULL)
				printf("%s: nothing seen\n", files[i]);
	}
	printf("%zu captures\n", nfiles);
	for (size_t i = 0; i < nfiles; i++)
		free(files[i]);
}

TEST_MAIN
