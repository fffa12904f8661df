/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The progress bar. Clock time, not packet time: it is for the person who
 * waits.
 */
#include "sensor/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_NS 100000000
#define WIDTH 24

static struct {
	bool on, drawn;
	int64_t start, last;
} bar;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void
progress_start(bool wanted)
{
	bar.on = wanted && isatty(STDERR_FILENO);
	bar.drawn = false;
	bar.start = bar.last = now_ns();
}

static void
draw(uint64_t done, uint64_t total, uint64_t packets, double seconds)
{
	char cells[WIDTH + 1];
	double rate = seconds > 0 ? (double)done / seconds : 0;
	unsigned full;
	long left;

	if (total == 0) {
		fprintf(stderr, "\r%.1f MB, %.1f M packets, %.0f MB/s\033[K",
		    (double)done / 1e6, (double)packets / 1e6, rate / 1e6);
		return;
	}
	if (done > total)
		done = total;
	full = (unsigned)((double)done / (double)total * WIDTH);
	memset(cells, '.', WIDTH);
	memset(cells, '#', full);
	cells[WIDTH] = '\0';
	left = rate > 0 ? (long)((double)(total - done) / rate + 0.5) : 0;
	fprintf(stderr,
	    "\r[%s] %3.0f %%  %.1f M packets  %.0f MB/s  %ld:%02ld left\033[K",
	    cells, 100.0 * (double)done / (double)total, (double)packets / 1e6,
	    rate / 1e6, left / 60, left % 60);
}

void
progress_update(uint64_t done, uint64_t total, uint64_t packets)
{
	int64_t now;

	if (!bar.on)
		return;
	now = now_ns();
	if (now - bar.last < REDRAW_NS)
		return;
	bar.last = now;
	bar.drawn = true;
	draw(done, total, packets, (double)(now - bar.start) / 1e9);
}

void
progress_clear(void)
{
	if (bar.drawn)
		fputs("\r\033[K", stderr);
	bar.drawn = false;
}
