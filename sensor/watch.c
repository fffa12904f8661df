/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What hangs, and what is lost.
 *
 * A process hangs when it has used much processor time, or much more by the
 * clock, without a sign of life: on a busy machine it may well have to wait
 * for its turn. A worker gives one with each packet and turn; the judge with
 * each round of records, and is given more time, since a disk may be slow and
 * what it holds in memory is lost with it.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "sensor/log.h"
#include "sensor/supervise.h"

#define LOSS_PERCENT 1 /* of packets in LOSS_MS: an alert */
#define LOSS_LEAST 100 /* packets */
#define LOSS_MS 10000
#define LOSS_AGAIN_MS 3600000

struct patience {
	int64_t cpu_ms, clock_ms;
};
static const struct patience of_worker = {700, 10000};
static const struct patience of_judge = {5000, 60000};
/* 100,000 rules take some seconds */
static const struct patience of_loading_judge = {60000, 300000};
#define JUDGE_START_MS 300000 /* it reads its history first */

static int64_t
cpu_ms(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Kills what has shown no sign of life; what follows is that of any death. */
static void
look_at(struct supervisor *s, struct child *c, uint64_t beat,
    const struct patience *p)
{
	int64_t now = supervise_now(), cpu = cpu_ms(c->pid);
	char name[24];

	if (beat != c->beat) {
		c->beat = beat;
		c->beat_at = now;
		c->beat_cpu = cpu;
		return;
	}
	if (cpu - c->beat_cpu < p->cpu_ms && now - c->beat_at < p->clock_ms)
		return;
	s->hangs++;
	log_line(
	    LOG_LEVEL_ERROR, "%s hangs and is killed", child_name(c, name));
	(void)kill(c->pid, SIGKILL);
	c->beat_at = now;
	c->beat_cpu = cpu;
}

static void
look_at_all(struct supervisor *s)
{
	for (unsigned i = 0; i < s->nworkers; i++) {
		struct child *c = &s->worker[i];

		if (c->pid == 0 ||
		    (atomic_load(&c->board->ready) == 0 && c->epoch == 0))
			continue; /* still starting */
		look_at(s, c, atomic_load(&c->board->beat), &of_worker);
	}
	if (s->judge.pid != 0 && s->ready)
		look_at(s, &s->judge, atomic_load(&s->judged->beat),
		    s->reloads.pending ? &of_loading_judge : &of_judge);
	else if (s->judge.pid != 0 &&
		 supervise_now() - s->judge.started > JUDGE_START_MS) {
		s->hangs++;
		log_line(LOG_LEVEL_ERROR, "the judge does not start: killed");
		(void)kill(s->judge.pid, SIGKILL);
	}
	if (s->feeds.pid != 0)
		look_at(s, &s->feeds, atomic_load(&s->feeds_board->beat),
		    &of_judge);
}

static struct live_counters
all_packets(const struct supervisor *s)
{
	struct live_counters sum = s->gone;

	for (unsigned i = 0; i < s->nworkers; i++)
		for (unsigned n = 0; n < s->cfg->ninterfaces; n++)
			live_counters_add(&sum, &s->worker[i].board->live[n]);
	return sum;
}

/* Workers share an interface, and each is told of all that it dropped. */
static uint64_t
interface_drops(const struct supervisor *s)
{
	uint64_t sum = 0;

	for (unsigned n = 0; n < s->cfg->ninterfaces; n++) {
		uint64_t most = 0;

		for (unsigned i = 0; i < s->nworkers; i++)
			if (s->worker[i].board->live[n].if_dropped > most)
				most = s->worker[i].board->live[n].if_dropped;
		sum += most;
	}
	return sum;
}

static bool
is_loss(uint64_t lost, uint64_t seen)
{
	return lost >= LOSS_LEAST && lost * 100 > seen * LOSS_PERCENT;
}

static void
look_for_loss(struct supervisor *s, int64_t now)
{
	static struct live_counters before;
	static int64_t at, said;
	struct live_counters sum = all_packets(s);
	uint64_t seen, lost, by_card;
	char text[240];

	if (now - at < LOSS_MS)
		return;
	sum.if_dropped = interface_drops(s);
	/* a counter that went back is another's: a worker was replaced */
	seen = at != 0 && sum.received > before.received
		   ? sum.received - before.received
		   : 0;
	lost = at != 0 && sum.dropped > before.dropped
		   ? sum.dropped - before.dropped
		   : 0;
	by_card = at != 0 && sum.if_dropped > before.if_dropped
		      ? sum.if_dropped - before.if_dropped
		      : 0;
	if (is_loss(lost + by_card, seen) &&
	    (said == 0 || now - said > LOSS_AGAIN_MS)) {
		(void)snprintf(text, sizeof(text),
		    "%llu packets were dropped by the kernel and %llu by the "
		    "interface within 10 s, %llu were seen: the sensor does "
		    "not keep up",
		    (unsigned long long)lost, (unsigned long long)by_card,
		    (unsigned long long)seen);
		supervise_tell(s, FIND_SENSOR_PACKETS_LOST, text);
		said = now;
	}
	before = sum;
	at = now;
}

static uint64_t
all_observed(const struct supervisor *s, uint64_t *shed)
{
	uint64_t all = 0;

	*shed = 0;
	for (unsigned i = 0; i < s->nworkers; i++) {
		const struct board *b = s->worker[i].board;

		for (unsigned n = 0; n < OBS_KIND_COUNT; n++)
			all += b->totals.tracker.observed[n];
		*shed += board_shed(b);
	}
	return all;
}

/* Workers that the judge does not keep up with: it is told once it does. */
static void
look_for_shed(struct supervisor *s, int64_t now)
{
	static uint64_t seen, lost;
	static int64_t at, said;
	uint64_t shed, all = all_observed(s, &shed);
	char text[240];

	if (now - at < LOSS_MS)
		return;
	/* fewer than before: of a worker that was replaced */
	if (at != 0 && shed > lost &&
	    is_loss(shed - lost, all > seen ? all - seen : 0) &&
	    (said == 0 || now - said > LOSS_AGAIN_MS)) {
		(void)snprintf(text, sizeof(text),
		    "%llu observations were lost within 10 s because the "
		    "queues to the judge were full: what they would have told "
		    "is not found",
		    (unsigned long long)(shed - lost));
		supervise_tell(s, FIND_SENSOR_PACKETS_LOST, text);
		said = now;
	}
	seen = all;
	lost = shed;
	at = now;
}

void
watch(struct supervisor *s, int64_t now)
{
	look_at_all(s);
	look_for_loss(s, now);
	look_for_shed(s, now);
}
