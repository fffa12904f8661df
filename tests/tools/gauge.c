/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a capture as `stripwire read` does, in one process, and says what it
 * has cost until certain packets:
 *
 *	gauge [-d DB] [-f FLOWS] CAPTURE PACKETS...
 *
 * For the start and for each number one line of JSON: the packets read by then
 * (the next multiple of 4096), CPU seconds of the process, bytes of memory that
 * are its own (what is mapped of files is not in them), and entries and bytes
 * of each table. What was read between two lines is measured without all that
 * came before and comes after it. -f: so many connections, sessions and judged
 * flows at most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/pipeline.h"

struct gauge {
	struct pipeline *p;
	char **marks; /* those to come */
	int nmarks;
};

/* Resident, without what is mapped of files: capture, program, libraries. */
static unsigned long long
own_bytes(void)
{
	unsigned long long all = 0, resident = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu %llu", &all, &resident, &shared) != 3)
		resident = shared = 0;
	fclose(f);
	return (resident - shared) * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void
tell(const struct gauge *g, uint64_t packets)
{
	struct table_use memory[MEM_COUNT];
	struct timespec cpu;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("{\"packets\": %llu, \"cpu\": %lld.%09ld, \"own_bytes\": %llu",
	    (unsigned long long)packets, (long long)cpu.tv_sec, cpu.tv_nsec,
	    own_bytes());
	pipeline_memory(g->p, memory);
	for (unsigned i = 0; i < MEM_COUNT; i++)
		if (memory[i].bytes != 0)
			printf(", \"%s\": [%llu, %llu]",
			    memory_name((enum memory_table)i),
			    (unsigned long long)memory[i].entries,
			    (unsigned long long)memory[i].bytes);
	printf("}\n");
}

static void
on_tick(void *ctx, uint64_t done, uint64_t total, uint64_t packets)
{
	struct gauge *g = ctx;

	(void)done;
	(void)total;
	if (g->nmarks == 0 || packets < strtoull(g->marks[0], NULL, 10))
		return;
	tell(g, packets);
	g->marks++;
	g->nmarks--;
}

static void
on_say(void *ctx, enum say what, const char *text)
{
	(void)ctx;
	if (what == SAY_PROBLEM)
		fprintf(stderr, "gauge: %s\n", text);
}

int
main(int argc, char **argv)
{
	struct gauge g = {.nmarks = 0};
	struct pipeline_config cfg = {.rules_path = "sensor.rules",
	    .interceptors_path = "interceptors.list",
	    .no_system_trust = true,
	    .incident_fold = UINT32_MAX, /* every alert is stored */
	    .on_say = on_say,
	    .on_tick = on_tick,
	    .ctx = &g};
	const char *path;
	char err[700];
	int c, status;

	tracker_config_default(&cfg.tracker);
	while ((c = getopt(argc, argv, "d:f:")) != -1) {
		uint32_t flows = (uint32_t)strtoul(optarg, NULL, 10);

		if (c == 'd')
			cfg.db_path = optarg;
		else if (c == 'f')
			cfg.tracker.max_flows = cfg.tracker.max_sessions =
			    cfg.judged_flows = flows;
	}
	if (argc - optind < 2) {
		fputs("usage: gauge [-d DB] [-f FLOWS] CAPTURE PACKETS...\n",
		    stderr);
		return 2;
	}
	path = argv[optind];
	g.marks = argv + optind + 1;
	g.nmarks = argc - optind - 1;
	g.p = pipeline_new(&cfg, err, sizeof(err));
	if (g.p == NULL) {
		fprintf(stderr, "gauge: %s\n", err);
		return 2;
	}
	tell(&g, 0);
	status = pipeline_read(g.p, &path, 1, NULL);
	pipeline_free(g.p);
	return status;
}
