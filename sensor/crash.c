/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker had in its hands when it died: shown to people as a capture
 * with one packet, to the workers as a hash to skip. Addresses and ports stay,
 * letters and digits behind the headers are masked by class unless the
 * operator wants the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "decoders/link.h"
#include "sensor/log.h"
#include "sensor/supervise.h"

#define FILES 16 /* the oldest is written over */
#define SEEN 64 /* fingerprints remembered */
#define DEADLY 2 /* deaths before a packet is skipped */

struct crash {
	const char *folder; /* "": save nothing */
	bool whole;
	unsigned next_file, next_seen;
	uint8_t key[16];
	uint64_t seen[SEEN];
	uint8_t deaths[SEEN];
};

struct crash *
crash_new(const char *folder, bool whole)
{
	struct crash *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->folder = folder;
	c->whole = whole;
	if (getrandom(c->key, sizeof(c->key), 0) != (ssize_t)sizeof(c->key)) {
		free(c);
		return NULL;
	}
	return c;
}

void
crash_free(struct crash *c)
{
	free(c);
}

void
crash_init_board(struct crash *c, struct board *b)
{
	memcpy(b->poison_key, c->key, sizeof(c->key));
}

/* How often it has killed, this time included. */
static unsigned
count_death(struct crash *c, uint64_t print)
{
	unsigned i;

	for (i = 0; i < SEEN && c->deaths[i] != 0; i++)
		if (c->seen[i] == print)
			return ++c->deaths[i];
	i = c->next_seen++ % SEEN;
	c->seen[i] = print;
	c->deaths[i] = 1;
	return 1;
}

static void
skip_from_now_on(struct supervisor *s, uint64_t print)
{
	for (unsigned i = 0; i < s->nworkers; i++) {
		struct board *b = s->worker[i].board;
		uint32_t n = atomic_load(&b->npoison);

		if (n >= POISON_MAX)
			continue;
		b->poison[n] = print;
		atomic_store(&b->npoison, n + 1);
	}
}

static void
mask(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z')
			p[i] = 'x';
		else if (p[i] >= '0' && p[i] <= '9')
			p[i] = '0';
		else if (p[i] >= 0x80)
			p[i] = 0xff;
	}
}

static void
put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* pcap: nanoseconds, this machine's byte order. */
static int
write_capture(int fd, const struct board *b, const uint8_t *frame, uint32_t len)
{
	uint8_t h[40] = {0};

	put32(h, 0xa1b23c4d);
	h[4] = 2; /* version 2.4 */
	h[6] = 4;
	put32(h + 16, 262144);
	put32(h + 20, (uint32_t)b->linktype);
	put32(h + 24, (uint32_t)(b->time / 1000000000));
	put32(h + 28, (uint32_t)(b->time % 1000000000));
	put32(h + 32, len);
	put32(h + 36, b->wirelen > len ? b->wirelen : len);
	if (write(fd, h, sizeof(h)) != (ssize_t)sizeof(h) ||
	    write(fd, frame, len) != (ssize_t)len)
		return -1;
	return 0;
}

static void
save(struct crash *c, const struct board *b, const uint8_t *frame, uint32_t len,
    char path[300])
{
	int fd;

	(void)snprintf(path, 300, "%.250s/crash-%02u.pcap", c->folder,
	    c->next_file++ % FILES);
	(void)unlink(path);
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 || write_capture(fd, b, frame, len) == -1) {
		log_line(LOG_LEVEL_WARN, "%s: the packet is not saved: %s",
		    path, strerror(errno));
		path[0] = '\0';
	}
	if (fd != -1)
		(void)close(fd);
}

void
crash_note(struct crash *c, struct supervisor *s, struct board *b, char *text,
    size_t textlen)
{
	uint8_t frame[BOARD_FRAME];
	uint32_t len = atomic_load(&b->len);
	uint32_t headers = b->linktype == LINK_EN10MB ? 54 : 40;
	char path[300] = "";
	unsigned deaths;
	uint64_t print;

	if (len == 0 || len > BOARD_FRAME) {
		(void)snprintf(text, textlen, "between two packets");
		return;
	}
	memcpy(frame, b->frame, len);
	atomic_store(&b->len, 0);
	print = worker_fingerprint(c->key, frame, len);
	deaths = count_death(c, print);
	if (deaths == DEADLY)
		skip_from_now_on(s, print);
	if (!c->whole && len > headers)
		mask(frame + headers, len - headers);
	if (c->folder[0] != '\0')
		save(c, b, frame, len, path);
	(void)snprintf(text, textlen, "in a packet of %u bytes%s%s%s",
	    b->wirelen, path[0] != '\0' ? ", saved as " : "", path,
	    deaths >= DEADLY ? "; its like is skipped from now on" : "");
}
