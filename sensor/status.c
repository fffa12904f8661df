/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer to `stripwire status`: one JSON object, written to whoever
 * connects to the socket, which the folder's owner alone may.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sensor/feeds_status.h"
#include "sensor/supervise.h"
#include "decoders/version.h"

static int
make_address(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return -1;
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

static void
make_folder(const char *path)
{
	char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL;

	if (slash != NULL && slash != copy) {
		*slash = '\0';
		(void)mkdir(copy, 0755);
	}
	free(copy);
}

int
status_listen(const char *path, char *err, size_t errlen)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (make_address(path, &a) == -1) {
		(void)snprintf(err, errlen, "%s: too long for a socket", path);
		goto fail;
	}
	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
		(void)snprintf(err, errlen,
		    "%s: another sensor answers there; choose another with "
		    "run.socket",
		    path);
		goto fail;
	}
	make_folder(path);
	(void)unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    chmod(path, 0660) == -1 || listen(fd, 8) == -1) {
		(void)snprintf(
		    err, errlen, "%s: %s (run.socket)", path, strerror(errno));
		goto fail;
	}
	return fd;
fail:
	if (fd != -1)
		(void)close(fd);
	return -1;
}

static void
set(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

/* Resident memory of a process; 0: it has gone. */
static uint64_t
resident(pid_t pid)
{
	unsigned long long pages = 0;
	char path[40];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%*s %llu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		(void)fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The tables that a process has, and what is left of its size. */
static void
set_memory(json_t *o, const struct table_use memory[MEM_COUNT], pid_t pid)
{
	uint64_t size = resident(pid), sum = 0;
	json_t *tables = json_object(), *row;

	for (unsigned i = 0; i < MEM_COUNT; i++) {
		const struct table_use *u = &memory[i];

		if (u->bytes == 0 && u->max_bytes == 0 && u->max_entries == 0)
			continue;
		row = json_object();
		set(row, "entries", u->entries);
		set(row, "bytes", u->bytes);
		set(row, "max_entries", u->max_entries);
		set(row, "max_bytes", u->max_bytes);
		json_object_set_new(
		    tables, memory_name((enum memory_table)i), row);
		sum += u->bytes;
	}
	set(o, "resident_bytes", size);
	json_object_set_new(o, "memory", tables);
	json_object_set_new(o, "memory_other_bytes",
	    json_integer((json_int_t)size - (json_int_t)sum));
}

static json_t *
worker_json(const struct supervisor *s, const struct child *c)
{
	const struct board *b = c->board;
	const struct frontend_totals *t = &b->totals;
	struct live_counters sum = {0, 0, 0};
	uint64_t observed = 0;
	json_t *o = json_object();

	for (unsigned i = 0; i < s->cfg->ninterfaces; i++) {
		sum.received += b->live[i].received;
		sum.dropped += b->live[i].dropped;
		sum.if_dropped += b->live[i].if_dropped;
	}
	for (unsigned i = 0; i < OBS_KIND_COUNT; i++)
		observed += t->tracker.observed[i];
	set(o, "worker", c->number);
	set(o, "pid", (uint64_t)c->pid);
	json_object_set_new(
	    o, "ready", json_boolean(atomic_load(&b->ready) != 0));
	set(o, "restarts", c->epoch);
	set(o, "packets", t->packets);
	set(o, "bytes", t->bytes);
	set(o, "kernel_received", sum.received);
	set(o, "kernel_dropped", sum.dropped);
	set(o, "interface_dropped", sum.if_dropped);
	set(o, "packets_skipped", b->skipped);
	set(o, "flows", t->tracker.flows);
	set(o, "flows_now", t->flows_now);
	set(o, "mail_now", t->mails_now);
	set(o, "flows_evicted", t->tracker.evicted);
	set(o, "holes", t->tracker.holes);
	set(o, "hole_bytes", t->tracker.hole_bytes);
	set(o, "observations", observed);
	set(o, "observations_shed", board_shed(b));
	set_memory(o, b->memory, c->pid);
	set(o, "queue_bytes", ring_used(c->ring));
	set(o, "queue_size", ring_size(c->ring));
	set(o, "queue_broken", ring_broken(c->ring));
	return o;
}

static json_t *
history_json(const struct history_knowledge *k)
{
	json_t *o = json_object();

	set(o, "servers_known_once", k->once);
	set(o, "servers_known_some", k->some);
	set(o, "servers_known_well", k->well);
	json_object_set_new(
	    o, "since", json_integer((json_int_t)(k->first / 1000000000)));
	return o;
}

/* What the judge says to the feeds; nothing if there are none. */
static struct table_use
events_use(const struct supervisor *s)
{
	uint64_t bytes = s->feeds.pid != 0 ? ring_size(s->events) : 0;

	return (struct table_use){0, 0, bytes, bytes};
}

static json_t *
judge_json(const struct supervisor *s)
{
	const struct judge_board *j = s->judged;
	struct table_use memory[MEM_COUNT];
	json_t *o = json_object(), *alerts = json_object();

	memcpy(memory, j->memory, sizeof(memory));
	memory[MEM_EVENTS] = events_use(s);
	for (int sev = SEV_INFO; sev <= SEV_CRITICAL; sev++)
		set(alerts, severity_name((enum severity)sev),
		    j->totals.alerts[sev]);
	set(o, "pid", (uint64_t)s->judge.pid);
	json_object_set_new(o, "ready", json_boolean(s->ready));
	set_memory(o, memory, s->judge.pid);
	json_object_set_new(o, "history", history_json(&j->known));
	set(o, "observations", j->observations);
	set(o, "observations_refused", j->refused);
	set(o, "findings", j->totals.judge.findings);
	json_object_set_new(o, "alerts", alerts);
	set(o, "alerts_lost", j->totals.lost);
	set(o, "alerts_known", j->totals.known);
	set(o, "alerts_retired", j->totals.retired);
	set(o, "incidents_opened", j->totals.incidents.opened);
	set(o, "incidents_open", j->totals.incidents.open);
	set(o, "alerts_folded", j->totals.incidents.folded);
	set(o, "flows_evicted", j->totals.judge.evicted);
	set(o, "chains", j->chains);
	set(o, "chains_unanswered", j->unanswered);
	json_object_set_new(
	    o, "lag_ms", json_integer((json_int_t)(j->lag / 1000000)));
	return o;
}

static json_t *
feeds_json(const struct supervisor *s)
{
	const struct table_use memory[MEM_COUNT] = {
	    [MEM_EVENTS] = events_use(s)};
	json_t *o = json_object();

	set_memory(o, memory, s->feeds.pid);
	return o;
}

/* It holds what it handed to the workers. */
static json_t *
own_json(const struct supervisor *s)
{
	struct table_use memory[MEM_COUNT] = {
	    [MEM_EVENTS] = events_use(s), [MEM_HEAP_FREE] = memory_heap_free()};
	json_t *o = json_object();

	for (unsigned i = 0; i < s->nworkers; i++) {
		const struct child *c = &s->worker[i];

		for (unsigned n = 0; n < s->cfg->ninterfaces; n++)
			memory[MEM_CAPTURE].bytes += live_buffer(c->live[n]);
		memory[MEM_QUEUE].bytes += ring_size(c->ring);
	}
	memory[MEM_CAPTURE].max_bytes = memory[MEM_CAPTURE].bytes;
	memory[MEM_QUEUE].max_bytes = memory[MEM_QUEUE].bytes;
	set_memory(o, memory, getpid());
	return o;
}

static json_t *
reload_json(const struct reloads *r)
{
	json_t *o = json_object(), *mistakes = json_array();
	json_t *frozen = json_array();

	set(o, "rules", r->rules);
	set(o, "loaded_at", (uint64_t)r->loaded_at);
	set(o, "tried_at", (uint64_t)r->tried_at);
	set(o, "loaded", r->loaded);
	set(o, "failed", r->failed);
	json_object_set_new(o, "pending", json_boolean(r->pending));
	json_object_set_new(o, "last_failed", json_boolean(r->bad));
	for (unsigned i = 0; r->bad && i < r->mistakes && i < RELOAD_SHOWN; i++)
		json_array_append_new(mistakes, json_string(r->shown[i]));
	for (unsigned i = 0; i < r->nfrozen; i++)
		json_array_append_new(frozen, json_string(r->frozen[i]));
	set(o, "mistakes_count", r->bad ? r->mistakes : 0);
	json_object_set_new(o, "mistakes", mistakes);
	json_object_set_new(o, "restart_needed", frozen);
	return o;
}

static json_t *
status_json(const struct supervisor *s)
{
	json_t *o = json_object(), *workers = json_array();
	json_t *names = json_array(), *verifier = json_object();

	for (unsigned i = 0; i < s->nworkers; i++)
		json_array_append_new(workers, worker_json(s, &s->worker[i]));
	for (unsigned i = 0; i < s->cfg->ninterfaces; i++)
		json_array_append_new(names, json_string(s->cfg->interface[i]));
	json_object_set_new(o, "version", json_string(STRIPWIRE_VERSION));
	set(o, "pid", (uint64_t)getpid());
	set(o, "seconds", (uint64_t)(time(NULL) - s->started));
	json_object_set_new(o, "interfaces", names);
	json_object_set_new(o, "filter", json_string(s->cfg->live.filter));
	json_object_set_new(o, "sandbox", json_boolean(!sandbox_is_off()));
	set(o, "restarts", s->restarts);
	set(o, "hangs", s->hangs);
	json_object_set_new(o, "reload", reload_json(&s->reloads));
	json_object_set_new(o, "workers", workers);
	json_object_set_new(o, "judge", judge_json(s));
	set(o, "verifier_pid", (uint64_t)s->verifier.pid);
	set_memory(verifier, s->verified->memory, s->verifier.pid);
	json_object_set_new(o, "verifier", verifier);
	json_object_set_new(o, "supervisor", own_json(s));
	set(o, "feeds_pid", (uint64_t)s->feeds.pid);
	if (s->feeds.pid != 0)
		json_object_set_new(o, "feeds_process", feeds_json(s));
	set(o, "feeds_queue_bytes", ring_used(s->events));
	set(o, "feeds_queue_dropped", atomic_load(&s->feeds_board->dropped));
	json_object_set_new(
	    o, "feeds", feeds_status_json(s->cfg->config, s->feeds_board));
	return o;
}

void
status_answer(struct supervisor *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	json_t *o;
	char *text;

	if (fd == -1)
		return;
	o = status_json(s);
	text = json_dumps(o, JSON_INDENT(1));
	if (text != NULL) /* fits the socket's buffer; else it is cut */
		(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	free(text);
	json_decref(o);
	(void)close(fd);
}
