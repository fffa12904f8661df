/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole path on one capture: the input is a pcap or pcapng file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/event.h"
#include "sensor/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ruleset *
rules(void)
{
	static const struct rule_sources src = {.path = "sensor.rules"};
	static struct ruleset *r;
	char err[256];
	int sys;

	if (r == NULL)
		r = ruleset_load(&src, &sys, err, sizeof(err));
	if (r == NULL)
		abort();
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pipeline_config cfg = {.rules = rules(),
	    .no_system_trust = true,
	    .eve_path = "/dev/null",
	    .eve_types = (1u << EVENT_TYPES) - 1};
	char path[64], err[512];
	const char *paths[1] = {path};
	struct pipeline *p;
	int fd = memfd_create("capture", 0);

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tracker_config_default(&cfg.tracker);
	cfg.tracker.max_flows = 1024;
	cfg.tracker.max_sessions = 256;
	p = pipeline_new(&cfg, err, sizeof(err));
	if (p == NULL)
		abort();
	(void)pipeline_read(p, paths, 1, NULL);
	pipeline_free(p);
	close(fd);
	return 0;
}
