/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The texts of a policy handed from one process to another: the same rules with
 * the same mistakes come out, and nothing that was made up is believed.
 */
#include "sensor/bundle.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/rule_vars.h"
#include "tests/unit/engine_kit.h"

#define RULE "alert smtp any any -> any any (smtp.command; content:\"QUIT\"; "

static char dir[64];

static const char *
put(const char *name, const char *text)
{
	static char path[4][256];
	static unsigned n;
	char *p = path[n++ % 4];
	FILE *f;

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	if (text == NULL)
		return p;
	f = fopen(p, "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		abort();
	return p;
}

static void
begin(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/bundle_XXXXXX");
	if (mkdtemp(dir) == NULL)
		abort();
}

static void
end(void)
{
	char cmd[100];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd) != 0)
		abort();
}

static struct report r;
static char err[400];

static unsigned
load(struct rule_reader reader, const char *path, bool check_only)
{
	struct rule_sources s = {.path = path,
	    .reader = &reader,
	    .check_only = check_only,
	    .on_error = on_error,
	    .ctx = &r};
	struct ruleset *set;
	unsigned n;
	int sys = 0;

	r.n = 0;
	err[0] = '\0';
	set = ruleset_load(&s, &sys, err, sizeof(err));
	n = set != NULL ? ruleset_count(set) : 0;
	ruleset_free(set);
	return n;
}

/* Through a descriptor, as another process gets it. */
static struct bundle *
sent(struct bundle *b)
{
	int fd = bundle_to_fd(b);
	struct bundle *got = fd != -1 ? bundle_from_fd(fd) : NULL;

	CHECK(got != NULL);
	(void)close(fd);
	bundle_free(b);
	return got;
}

TEST(the_same_rules_without_the_files)
{
	struct bundle *b = bundle_new();
	const char *folder;

	begin();
	put("a.rules", RULE "sid:1;)\ninclude x.inc\n");
	put("b.rules", RULE "sid:2;)\n");
	put("x.inc", RULE "sid:3;)\n" RULE "sid:4;)\n");
	put("empty.rules", "");
	folder = put("", NULL);
	CHECK_INT(bundle_set_path(b, BUNDLE_RULES, folder), 0);
	CHECK_INT(
	    bundle_set_config(b, (struct slice){(uint8_t *)"a: b", 4}), 0);
	CHECK_INT(load(bundle_recorder(b), folder, true), 4);
	end();
	b = sent(b);
	CHECK_STR(bundle_path(b, BUNDLE_RULES), folder);
	CHECK(bundle_path(b, BUNDLE_THRESHOLDS) == NULL);
	CHECK_INT(bundle_config(b).len, 4);
	CHECK_INT(
	    load(bundle_reader(b), bundle_path(b, BUNDLE_RULES), false), 4);
	CHECK_STR(err, "");
	bundle_free(b);
}

TEST(the_same_mistakes)
{
	struct bundle *b = bundle_new();
	char first[200];
	const char *file;

	begin();
	file = put("a.rules", RULE "sid:1;)\n  include self.inc\n");
	put("self.inc", "nonsense\ninclude self.inc\n");
	CHECK_INT(load(bundle_recorder(b), file, true), 0);
	CHECK_INT(r.n, 2);
	CHECK_INT(r.e[1].line, 2);
	(void)snprintf(first, sizeof(first), "%s", r.e[1].message);
	CHECK(strstr(first, "it would include itself") != NULL);
	end();
	b = sent(b);
	CHECK_INT(load(bundle_reader(b), file, false), 0);
	CHECK_INT(r.n, 2);
	CHECK_STR(r.e[1].message, first);
	bundle_free(b);
}

TEST(what_was_not_handed_over)
{
	struct bundle *b = bundle_new();

	begin();
	CHECK_INT(
	    load(bundle_reader(b), put("a.rules", RULE "sid:1;)\n"), false), 0);
	CHECK(strstr(err, "it was not handed over") != NULL);
	CHECK_INT(bundle_config(b).len, 0);
	end();
	bundle_free(b);
}

TEST(nothing_waits)
{
	struct bundle *b = bundle_new();
	const char *pipe;

	begin();
	pipe = put("p.rules", NULL);
	CHECK_INT(mkfifo(pipe, 0600), 0);
	CHECK_INT(load(bundle_recorder(b), pipe, true), 0);
	CHECK(strstr(err, "it is no regular file") != NULL);
	CHECK_INT(load(bundle_recorder(b), put("", NULL), true), 0);
	CHECK(strstr(err, "it is no regular file") != NULL);
	end();
	bundle_free(b);
}

/* A file that is read once is the same text wherever it is included. */
TEST(each_file_once)
{
	struct rule_file f;
	struct bundle *b = bundle_new();
	struct rule_reader reader = bundle_recorder(b);
	const char *file;

	begin();
	file = put("a", "one");
	CHECK_INT(reader.open(reader.ctx, file, &f), 0);
	rule_file_fini(&f);
	put("a", "two and more");
	CHECK_INT(reader.open(reader.ctx, file, &f), 0);
	CHECK_INT(f.len, 3);
	CHECK(f.inode != 0 && !f.folder);
	rule_file_fini(&f);
	end();
	bundle_free(b);
}

TEST(limits)
{
	struct bundle *b = bundle_new();
	struct slice big = {calloc(1, 1u << 23), 1u << 23};
	char name[PATH_MAX + 1];
	unsigned n = 0;

	memset(name, 'x', sizeof(name) - 1);
	name[PATH_MAX] = '\0';
	CHECK_INT(bundle_set_path(b, BUNDLE_RULES, name), -1);
	name[PATH_MAX - 1] = '\0';
	CHECK_INT(bundle_set_path(b, BUNDLE_RULES, name), 0);
	while (bundle_set_config(b, big) == 0)
		n++;
	CHECK_INT(n, 7); /* of 8 MiB; with their heads eight are too much */
	b = sent(b);
	CHECK_STR(bundle_path(b, BUNDLE_RULES), name);
	bundle_free(b);
	free((void *)big.p);
}

/* ---- bytes that nobody of us wrote ---- */

static struct bundle *
from_bytes(const uint8_t *p, size_t len)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	struct bundle *b;

	if (fd == -1 || write(fd, p, len) != (ssize_t)len)
		abort();
	b = bundle_from_fd(fd);
	(void)close(fd);
	return b;
}

static size_t
bytes_of(const struct bundle *b, uint8_t *p, size_t cap)
{
	int fd = bundle_to_fd(b);
	ssize_t n = pread(fd, p, cap, 0);

	(void)close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void
use(struct bundle *b)
{
	struct rule_reader reader = bundle_reader(b);
	struct rule_file f;

	(void)bundle_config(b);
	(void)load(reader, bundle_path(b, BUNDLE_RULES), false);
	if (reader.open(reader.ctx, "/nowhere", &f) == 0)
		rule_file_fini(&f);
}

TEST(cut_or_changed_bytes_are_refused_or_harmless)
{
	static uint8_t good[1 << 16], bad[1 << 16];
	const size_t head = 8 + BUNDLE_PATHS * PATH_MAX;
	struct bundle *b = bundle_new();
	const char *folder;
	unsigned refused = 0;
	size_t len;

	begin();
	put("a.rules", RULE "sid:1;)\ninclude x.inc\n");
	put("x.inc", RULE "sid:3;)\n");
	folder = put("", NULL);
	CHECK_INT(bundle_set_path(b, BUNDLE_RULES, folder), 0);
	CHECK_INT(load(bundle_recorder(b), folder, true), 2);
	len = bytes_of(b, good, sizeof(good));
	CHECK(len > head && len < sizeof(good));
	bundle_free(b);
	for (size_t n = 0; n < len; n += n < head - 1000 ? 997 : 1) {
		b = from_bytes(good, n);
		if (b != NULL)
			use(b); /* whole entries only */
		refused += b == NULL;
		bundle_free(b);
	}
	CHECK(refused > 100);
	for (size_t at = head; at < len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(bad, good, len);
			bad[at] ^= (uint8_t)(1u << bit);
			b = from_bytes(bad, len);
			if (b != NULL)
				use(b);
			bundle_free(b);
		}
	memset(good + 8, 'x', PATH_MAX); /* a path without an end */
	CHECK(from_bytes(good, len) == NULL);
	good[0] ^= 1;
	CHECK(from_bytes(good, len) == NULL);
	CHECK(bundle_from_fd(-1) == NULL);
	end();
}

TEST_MAIN
