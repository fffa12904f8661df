/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/status_memory.h"

#include <stdio.h>
#include <string.h>

#define MB 1e6

/* What is shown of one table in all processes of a kind. */
struct row {
	double entries, max_entries, bytes, max_bytes;
};

static double
number(const json_t *o, const char *name)
{
	return (double)json_integer_value(json_object_get(o, name));
}

static void
add(struct row *sum, const json_t *table)
{
	sum->entries += number(table, "entries");
	sum->max_entries += number(table, "max_entries");
	sum->bytes += number(table, "bytes");
	sum->max_bytes += number(table, "max_bytes");
}

static void
print_count(double n, int width)
{
	if (n > 0)
		printf("%*.0f", width, n);
	else
		printf("%*s", width, "-");
}

static void
print_row(const char *name, const struct row *r)
{
	printf("  %-16s", name);
	print_count(r->entries, 11);
	print_count(r->max_entries, 11);
	printf("%10.1f", r->bytes / MB);
	if (r->max_bytes > 0)
		printf("%10.1f\n", r->max_bytes / MB);
	else
		printf("%10s\n", "-");
}

/* Processes that have the same tables: in the order of the first one's. */
static void
print_tables(const char *who, const json_t *const *process, size_t n)
{
	struct row other = {0, 0, 0, 0};
	double size = 0;
	const char *name;
	json_t *table;

	for (size_t i = 0; i < n; i++) {
		size += number(process[i], "resident_bytes");
		other.bytes += number(process[i], "memory_other_bytes");
	}
	printf("%s: %.1f MB\n", who, size / MB);
	json_object_foreach(json_object_get(process[0], "memory"), name, table)
	{
		struct row sum = {0, 0, 0, 0};

		for (size_t i = 0; i < n; i++)
			add(&sum,
			    json_object_get(
				json_object_get(process[i], "memory"), name));
		print_row(name, &sum);
	}
	print_row("other", &other);
}

void
status_print_memory(const json_t *answer)
{
	const json_t *workers = json_object_get(answer, "workers");
	const json_t *judge = json_object_get(answer, "judge");
	const json_t *verifier = json_object_get(answer, "verifier");
	const json_t *supervisor = json_object_get(answer, "supervisor");
	const json_t *feeds = json_object_get(answer, "feeds_process");
	const json_t *w[64];
	size_t n = json_array_size(workers);
	char who[40];

	if (n > sizeof(w) / sizeof(w[0]))
		n = sizeof(w) / sizeof(w[0]);
	for (size_t i = 0; i < n; i++)
		w[i] = json_array_get(workers, i);
	printf("%-18s%11s%11s%10s%10s\n", "memory by table", "entries", "of",
	    "MB", "of");
	(void)snprintf(who, sizeof(who), "%zu worker%s", n, n == 1 ? "" : "s");
	if (n > 0)
		print_tables(who, w, n);
	print_tables("judge", &judge, 1);
	print_tables("verifier", &verifier, 1);
	print_tables("supervisor", &supervisor, 1);
	if (feeds != NULL)
		print_tables("feeds", &feeds, 1);
}

/* ---- Prometheus ---- */

static void
table_metric(const char *metric, const char *who, const json_t *process,
    const char *field)
{
	const char *name;
	json_t *table;

	json_object_foreach(json_object_get(process, "memory"), name, table)
	    printf("stripwire_%s{process=\"%s\",table=\"%s\"} %.0f\n", metric,
		who, name, number(table, field));
}

static void
process_metric(const char *metric, const char *who, const json_t *process,
    const char *field)
{
	printf("stripwire_%s{process=\"%s\"} %.0f\n", metric, who,
	    number(process, field));
}

static void
each_process(const json_t *answer, const char *metric, const char *field,
    void (*fn)(const char *, const char *, const json_t *, const char *))
{
	static const char *const other[][2] = {{"judge", "judge"},
	    {"verifier", "verifier"}, {"supervisor", "supervisor"},
	    {"feeds", "feeds_process"}};
	const json_t *workers = json_object_get(answer, "workers");
	char who[32];

	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *w = json_array_get(workers, i);

		(void)snprintf(
		    who, sizeof(who), "worker %.0f", number(w, "worker"));
		fn(metric, who, w, field);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		const json_t *p = json_object_get(answer, other[i][1]);

		if (p != NULL)
			fn(metric, other[i][0], p, field);
	}
}

void
status_memory_metrics(const json_t *answer)
{
	static const struct {
		const char *metric, *field, *about;
		void (*fn)(
		    const char *, const char *, const json_t *, const char *);
	} m[] = {{"resident_bytes", "resident_bytes", "Memory of the process.",
		     process_metric},
	    {"memory_other_bytes", "memory_other_bytes",
		"Memory of the process that is no table.", process_metric},
	    {"memory_bytes", "bytes", "Memory by table.", table_metric},
	    {"memory_max_bytes", "max_bytes",
		"What a table can hold at most; 0: only entries are capped.",
		table_metric},
	    {"memory_entries", "entries", "Entries of a table.", table_metric},
	    {"memory_max_entries", "max_entries",
		"How many it can hold at most; 0: only bytes are capped.",
		table_metric}};

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		printf("# HELP stripwire_%s %s\n# TYPE stripwire_%s gauge\n",
		    m[i].metric, m[i].about, m[i].metric);
		each_process(answer, m[i].metric, m[i].field, m[i].fn);
	}
}
