/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor's side of the process of the feeds. It is started when the
 * judge is ready, so that the database is there and of this version; its death
 * costs nothing but that some events are sent twice.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/log.h"
#include "sensor/supervise.h"

#define PAUSE_MS 1000 /* between two that died */

static volatile int reopen;

struct entering {
	struct sandbox box;
	pid_t parent;
	int control; /* to the supervisor, -1 none */
};

static void
on_hup(int sig)
{
	(void)sig;
	reopen++;
}

static void
on_say(void *ctx, bool bad, const char *text)
{
	(void)ctx;
	log_line(bad ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTE, "%s", text);
}

static int
enter(void *ctx, char *err, size_t errlen)
{
	struct entering *e = ctx;

	if (sandbox_user(&e->box, err, errlen) == -1)
		return -1;
	child_end_with_parent(e->parent, SIGTERM);
	return sandbox_enter(&e->box, err, errlen);
}

/* What is said goes to the log that there is now. */
static void
take_log(void *ctx)
{
	const struct entering *e = ctx;
	struct control c;
	int fd;

	while (e->control != -1 && control_receive(e->control, &c, &fd) == 1) {
		if (fd == -1)
			continue;
		if (c.what == CONTROL_REOPEN)
			(void)dup2(fd, STDERR_FILENO);
		(void)close(fd);
	}
}

/* The folders of the database and of the files that feeds write. */
static void
set_folders(struct supervisor *s, struct sandbox *box)
{
	const struct config *c = s->cfg->config;

	box->nfolders = 0;
	box->folder[box->nfolders++] = sandbox_folder_of(s->cfg->cfg->db_path);
	for (unsigned i = 0; i < c->nfeeds; i++)
		if (c->feed[i]->type == TRANSPORT_FILE)
			box->folder[box->nfolders++] =
			    sandbox_folder_of(c->feed[i]->path);
}

/* Certificates and keys of librdkafka, which reads them when it connects. */
static void
set_readable(struct supervisor *s, struct sandbox *box)
{
	const struct config *c = s->cfg->config;

	for (unsigned i = 0; i < c->nfeeds; i++)
		for (unsigned n = 0; n < c->feed[i]->noptions; n++) {
			const char *value = strchr(c->feed[i]->option[n], '=');

			if (value != NULL && value[1] == '/' &&
			    box->nreadable < SANDBOX_FOLDERS_MAX)
				box->readable[box->nreadable++] = value + 1;
		}
}

int
feeds_child_main(struct supervisor *s, pid_t parent)
{
	struct entering e = {
	    .box = s->sandbox, .parent = parent, .control = s->feeds_end};
	struct sigaction sa = {.sa_handler = on_hup};
	struct feeds_process p = {.config = s->cfg->config,
	    .db_path = s->cfg->cfg->db_path,
	    .host = s->cfg->cfg->host,
	    .events = s->events,
	    .board = s->feeds_board,
	    .enter = enter,
	    .ctx = &e,
	    .stop = &child_stopped,
	    .reopen = &reopen,
	    .turn = take_log,
	    .say = on_say};

	(void)sigaction(SIGHUP, &sa, NULL);
	e.box.role = SANDBOX_FEEDS;
	set_folders(s, &e.box);
	set_readable(s, &e.box);
	memset(s->feeds_board->slot, 0, sizeof(s->feeds_board->slot));
	return feeds_process_run(&p);
}

static void
replace(struct supervisor *s)
{
	if (s->feeds.pid == 0 || s->feeds_restart)
		return;
	s->feeds_restart = true;
	(void)kill(s->feeds.pid, SIGTERM);
}

/* Of the folder of a feed's file; 0: it is missing, or the feed has none. */
static uint64_t
folder_inode(const struct config_feed *f)
{
	char *folder =
	    f->type == TRANSPORT_FILE ? sandbox_folder_of(f->path) : NULL;
	struct stat st;
	uint64_t inode =
	    folder != NULL && stat(folder, &st) == 0 ? st.st_ino : 0;

	free(folder);
	return inode;
}

/* Landlock knows folders, not paths: one that was made, or made anew, since
 * the process was started is closed to it. */
static void
look_at_folders(struct supervisor *s, int64_t now, bool start)
{
	const struct config *c = s->cfg->config;
	uint64_t inode;

	if (!start && now - s->feeds_looked < PAUSE_MS)
		return;
	s->feeds_looked = now;
	for (unsigned i = 0; i < c->nfeeds; i++) {
		inode = folder_inode(c->feed[i]);
		if (!start && inode != 0 && inode != s->feeds_folder[i])
			replace(s);
		if (start || inode != 0)
			s->feeds_folder[i] = inode;
	}
}

/* Without one, SIGHUP takes a new process. */
static void
make_control(struct supervisor *s)
{
	int pair[2];

	if (s->feeds_control != -1)
		(void)close(s->feeds_control);
	s->feeds_control = s->feeds_end = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return;
	s->feeds_control = pair[0];
	s->feeds_end = pair[1];
}

void
feeds_look(struct supervisor *s, int64_t now)
{
	if (s->feeds.pid != 0)
		look_at_folders(s, now, false);
	if (s->feeds.pid != 0 || s->cfg->config->nfeeds == 0 || !s->ready ||
	    (s->feeds.started != 0 && !s->feeds_restart &&
		now - s->feeds.started < PAUSE_MS))
		return;
	s->feeds.role = ROLE_FEEDS;
	s->feeds_restart = false;
	look_at_folders(s, now, true);
	make_control(s);
	(void)child_start(s, &s->feeds); /* said; tried again */
	s->feeds.started = now;
	if (s->feeds_end != -1)
		(void)close(s->feeds_end);
	s->feeds_end = -1;
}

void
feeds_died(struct supervisor *s, const char *how, int status)
{
	s->feeds.pid = 0;
	if (s->ending || (s->feeds_restart && WIFEXITED(status)))
		return;
	s->restarts++;
	s->feeds.epoch++;
	supervise_tell(s, FIND_SENSOR_RESTARTED, how);
}

void
feeds_reopen(struct supervisor *s)
{
	struct control c = {.what = CONTROL_REOPEN};

	if (s->feeds.pid == 0)
		return;
	if (s->cfg->log[0] != '\0' &&
	    control_send(s->feeds_control, &c, STDERR_FILENO) == -1)
		replace(s);
	else
		(void)kill(s->feeds.pid, SIGHUP);
}

void
feeds_reload(struct supervisor *s)
{
	if (s->cfg->feeds_changed || atomic_load(&s->feeds_board->off) > 0)
		replace(s);
	s->cfg->feeds_changed = false;
}
