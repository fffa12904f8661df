/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: the texts of a policy as the judge gets them. The input is what
 * lies behind the head of a bundle, whose rules are "r". Oracles are the
 * sanitizers.
 */
#include "sensor/bundle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t *head;
static size_t head_len;

static void
make_head(void)
{
	struct bundle *b = bundle_new();
	struct stat st;
	int fd;

	must(b != NULL && bundle_set_path(b, BUNDLE_RULES, "r") == 0);
	fd = bundle_to_fd(b);
	must(fd != -1 && fstat(fd, &st) == 0);
	head_len = (size_t)st.st_size;
	head = malloc(head_len);
	must(head != NULL && pread(fd, head, head_len, 0) == st.st_size);
	(void)close(fd);
	bundle_free(b);
}

static void
look_at_config(const struct bundle *b)
{
	struct slice config = bundle_config(b);
	uint8_t *copy = malloc(config.len + 1);

	must(copy != NULL);
	if (config.len > 0)
		memcpy(copy, config.p, config.len);
	free(copy);
}

static void
load(struct bundle *b)
{
	const struct rule_reader reader = bundle_reader(b);
	const struct rule_sources src = {.path = bundle_path(b, BUNDLE_RULES),
	    .reader = &reader,
	    .check_only = true};
	char err[400];
	int sys;

	must(src.path != NULL);
	ruleset_free(ruleset_load(&src, &sys, err, sizeof(err)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("policy", 0);
	struct bundle *b;

	if (head == NULL)
		make_head();
	must(fd != -1 && write(fd, head, head_len) == (ssize_t)head_len);
	must(write(fd, data, size) == (ssize_t)size);
	b = bundle_from_fd(fd);
	(void)close(fd);
	if (b != NULL) {
		look_at_config(b);
		load(b);
	}
	bundle_free(b);
	return 0;
}
