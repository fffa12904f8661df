/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads an input to its end and keeps what came: the first packets with their
 * bytes, the sentences, the last file's account.
 */
#ifndef STRIPWIRE_CAPTURE_RUN_H
#define STRIPWIRE_CAPTURE_RUN_H

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture_build.h"
#include "sensor/capture.h"

#define SEEN_PACKETS 64
#define SEEN_BYTES 64

struct seen {
	unsigned n; /* packets */
	struct packet pkt[SEEN_PACKETS];
	uint8_t data[SEEN_PACKETS][SEEN_BYTES];
	unsigned sentences;
	int worst; /* severity, -1 none */
	char said[4096]; /* all sentences, newline between */
	bool failed; /* capture_open() did; said is its error */
	unsigned files;
	struct capture_file file; /* the last one */
	char path[256]; /* its path, which the capture owned */
	uint64_t done, total; /* at the end */
};

static inline void
seen_say(struct seen *s, const char *sentence)
{
	size_t used = strlen(s->said);

	snprintf(s->said + used, sizeof(s->said) - used, "%s%s",
	    used == 0 ? "" : "\n", sentence);
}

static inline void
seen_problem(void *ctx, int severity, const char *sentence)
{
	struct seen *s = ctx;

	s->sentences++;
	if (severity > s->worst)
		s->worst = severity;
	seen_say(s, sentence);
}

static inline void
seen_file_end(void *ctx, const struct capture_file *f)
{
	struct seen *s = ctx;

	s->files++;
	s->file = *f;
	s->file.path = NULL;
	snprintf(s->path, sizeof(s->path), "%s", f->path);
}

static inline void
seen_packet(struct seen *s, const struct packet *p)
{
	if (s->n < SEEN_PACKETS) {
		s->pkt[s->n] = *p;
		memcpy(s->data[s->n], p->frame,
		    p->caplen < SEEN_BYTES ? p->caplen : SEEN_BYTES);
	}
	s->n++;
}

/* The result lives until the next call. */
static inline struct seen *
run_paths(const char *const *paths, unsigned n)
{
	static struct seen s;
	struct capture_config cfg = {.on_problem = seen_problem,
	    .on_file_end = seen_file_end,
	    .ctx = &s};
	struct packet pkt;
	char err[512] = "";

	memset(&s, 0, sizeof(s));
	s.worst = -1;
	struct capture *c = capture_open(paths, n, &cfg, err, sizeof(err));
	if (c == NULL) {
		s.failed = true;
		seen_problem(&s, 1, err);
		return &s;
	}
	memset(&pkt, 0xa5, sizeof(pkt));
	while (capture_next(c, &pkt))
		seen_packet(&s, &pkt);
	capture_progress(c, &s.done, &s.total);
	capture_close(c);
	return &s;
}

/* A file without a name, made anew for each call. */
static inline struct seen *
run_bytes(const struct bytes *b)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	char path[32];
	const char *paths[] = {path};

	if (fd < 0 || write(fd, b->d, b->n) != (ssize_t)b->n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct seen *s = run_paths(paths, 1);
	close(fd);
	return s;
}

#endif
