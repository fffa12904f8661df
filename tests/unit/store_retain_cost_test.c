/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the judge stands still for retention: alerts of 90 days, four a
 * flow, of which two thirds go, by age and by size. FIGURES=N prints what the
 * steps took with N alerts (10^6 for a figure that means something).
 */
#include <sys/stat.h>
#include <time.h>

#include "tests/alert_sample.h"

#define DAY (INT64_C(86400) * 1000 * MS)
#define DAYS 90
#define STEPS_MAX 100000
#define BEARABLE 50 /* ms of work, in a step */

static unsigned number = 12000;
static char dir[PATH_MAX], db[PATH_MAX + 32];

struct figures {
	double took[STEPS_MAX], work[STEPS_MAX]; /* ms, by the clock; of CPU */
	unsigned n;
};

static double
ms_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct store *
filled(void)
{
	struct store *s;

	sample_folder(dir);
	s = sample_open(sample_path(db, dir, "x.db"), false);
	store_run_begin(s, "x", "");
	for (unsigned i = 0; i < number; i++) {
		struct alert a = sample_alert(i);

		a.finding.time = T0 + DAYS * DAY / number * i;
		a.flow.start = a.finding.time;
		if (store_alert(s, &a, NULL) == 0)
			abort();
	}
	store_flush(s);
	return s;
}

static uint64_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void
retain_all(struct store *s, const struct store_retention *r, struct figures *f)
{
	double t, cpu;
	bool more = true;

	for (f->n = 0; more && f->n < STEPS_MAX; f->n++) {
		t = ms_of(CLOCK_MONOTONIC);
		cpu = ms_of(CLOCK_PROCESS_CPUTIME_ID);
		more = store_retain(s, r, T0 + DAYS * DAY) == 1;
		f->took[f->n] = ms_of(CLOCK_MONOTONIC) - t;
		f->work[f->n] = ms_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	}
	CHECK(!more);
}

static void
print(const char *what, struct figures *f, uint64_t before)
{
	double first = f->took[0], sum = first;
	unsigned n = f->n - 1; /* the first makes the index */

	for (unsigned i = 1; i <= n; i++)
		sum += f->took[i];
	qsort(f->took + 1, n, sizeof(f->took[0]), by_value);
	qsort(f->work + 1, n, sizeof(f->work[0]), by_value);
	if (getenv("FIGURES") != NULL)
		printf("%s: %u alerts, %llu MiB, then %llu MiB; %u steps in "
		       "%.1f s, the first %.1f ms, median %.1f, 99 %% %.1f, "
		       "most %.1f ms (%.1f of CPU)\n",
		    what, number, (unsigned long long)before >> 20,
		    (unsigned long long)size_of(db) >> 20, n, sum / 1e3, first,
		    f->took[1 + n / 2], f->took[1 + n * 99 / 100], f->took[n],
		    f->work[n]);
	CHECK(f->work[n] < BEARABLE);
}

TEST(by_age_and_by_size)
{
	static struct figures f;
	struct store_retention r[] = {{.days = DAYS / 3}, {.bytes = 1}};

	if (getenv("FIGURES") != NULL)
		number = (unsigned)strtoul(getenv("FIGURES"), NULL, 10);
	for (unsigned i = 0; i < 2; i++) {
		struct store *s = filled();
		uint64_t before;

		before = (uint64_t)(sample_ask(db, "PRAGMA page_size") *
				    sample_ask(db, "PRAGMA page_count"));
		if (r[i].bytes != 0)
			r[i].bytes = before / 3;
		retain_all(s, &r[i], &f);
		CHECK(store_counters(s)->retired > number / 2 &&
		      store_counters(s)->retired < number / 4 * 3);
		CHECK_INT(store_close(s), 0);
		CHECK(size_of(db) < before / 2);
		print(i == 0 ? "by age" : "by size", &f, before);
		sample_remove(dir);
	}
}

TEST_MAIN
