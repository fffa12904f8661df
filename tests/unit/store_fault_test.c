/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store when things go wrong: every write of it failing in turn, a disk
 * that is full, kill -9 at random moments, a reader beside the writer.
 *
 * Failing writes are made with the system-call table of SQLite's own file
 * layer, the way SQLite tests itself: the n-th call fails with an errno of our
 * choice, and so do the ones after it until the disk "recovers".
 */
#include "db/store.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/alert_sample.h"

/* ---- failing system calls ---- */

static struct {
	int countdown; /* calls that still work; -1: no fault */
	int error;
	unsigned failed;
} fault = {.countdown = -1};

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);

static bool
fails_now(void)
{
	if (fault.countdown == -1)
		return false;
	if (fault.countdown > 0) {
		fault.countdown--;
		return false;
	}
	fault.failed++;
	errno = fault.error;
	return true;
}

static ssize_t
faulty_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (!fails_now())
		return real_pwrite(fd, p, n, at);
	if (n > 512) { /* some of it still fits */
		ssize_t done = real_pwrite(fd, p, 512, at);

		errno = fault.error;
		return fault.failed % 2 != 0 ? -1 : done;
	}
	return -1;
}

static int
faulty_fsync(int fd)
{
	return fails_now() ? -1 : real_fsync(fd);
}

static void
faults_install(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	static const char *const writes[] = {"pwrite", "pwrite64", "write"};

	if (real_pwrite != NULL)
		return;
	real_pwrite = pwrite;
	real_fsync = fsync;
	for (unsigned i = 0; i < 2; i++)
		vfs->xSetSystemCall(
		    vfs, writes[i], (sqlite3_syscall_ptr)faulty_pwrite);
	(void)vfs->xSetSystemCall(
	    vfs, "fsync", (sqlite3_syscall_ptr)faulty_fsync);
}

/* ---- a run of the store, with a fault in it ---- */

struct told {
	unsigned n, resumed;
	uint64_t lost;
	char last[512];
};

static void
on_problem(void *ctx, const char *sentence)
{
	struct told *t = ctx;

	t->n++;
	snprintf(t->last, sizeof(t->last), "%s", sentence);
}

static void
on_resumed(void *ctx, uint64_t lost, const char *sentence)
{
	struct told *t = ctx;

	t->resumed++;
	t->lost += lost;
	CHECK(strstr(sentence, "can be written again after ") != NULL);
}

static struct store *
open_telling(const char *path, struct told *t)
{
	struct store_config cfg = {.path = path,
	    .on_problem = on_problem,
	    .on_resumed = on_resumed,
	    .ctx = t};
	char err[512];
	struct store *s;

	if (store_open(&s, &cfg, err, sizeof(err)) != STORE_OK)
		return NULL;
	return s;
}

static unsigned
store_many(struct store *s, unsigned from, unsigned n)
{
	unsigned stored = 0;

	for (unsigned i = from; i < from + n; i++) {
		struct alert a = sample_alert(i);

		stored += store_alert(s, &a, "x") != 0;
		if (i % 10 == 0)
			store_flush(s);
	}
	return stored;
}

/* 40 alerts are in the file; 40 more are written with a fault at the nth
 * call. The first 40 must be there afterwards, whatever happened. */
static void
one_fault(const char *path, int nth, int error, unsigned *hits)
{
	struct told t = {.n = 0};
	struct history h = {.nservers = 1};
	char earlier[256];
	struct store *s;
	uint64_t alerts = 0;
	bool ended = false;
	int64_t rows;
	int lost;

	s = open_telling(path, &t);
	store_run_begin(s, "before", "");
	store_many(s, 0, 40);
	CHECK_INT(store_close(s), 0);
	h.servers[0] = sample_server(1);
	fault.countdown = nth;
	fault.error = error;
	fault.failed = 0;
	if ((s = open_telling(path, &t)) != NULL) {
		store_run_begin(s, "during", "");
		store_many(s, 40, 40);
		(void)sample_file_end(s, "x", 1, &h, earlier);
		ended = true;
		store_run_end(s, 1, 2, 3);
		store_flush(s);
		alerts = store_counters(s)->alerts;
		CHECK_INT(alerts + store_counters(s)->lost, 40);
		lost = store_close(s);
		CHECK_INT(lost, alerts == 40 ? 0 : -1);
	}
	*hits += fault.failed != 0;
	fault.countdown = -1;
	if (t.n > 3)
		TEST_FAIL("told %u times", t.n);
	rows = sample_ask(path, "SELECT count(*) FROM alerts");
	if (rows != (int64_t)(40 + alerts))
		TEST_FAIL("call %d: %lld rows, 40 + %llu expected", nth,
		    (long long)rows, (unsigned long long)alerts);
	CHECK(sample_is_whole(path));
	/* complete and learned together, or neither, and never with a loss */
	if (sample_ask(path, "SELECT max(complete) FROM captures") == 1) {
		CHECK_INT(alerts, 40);
		CHECK_INT(sample_ask(path, "SELECT count(*) FROM servers"), 1);
	}
	/* memory holds what the file does */
	CHECK_INT(h.kept + h.dropped, ended);
	CHECK_INT(h.kept,
	    ended ? sample_ask(path, "SELECT count(*) FROM servers") : 0);
	/* and when there is room again, reading again makes it whole */
	s = open_telling(path, &t);
	CHECK(s != NULL);
	store_many(s, 40, 40);
	CHECK_INT(store_close(s), 0);
	CHECK_INT(sample_ask(path, "SELECT count(*) FROM alerts"), 80);
}

static void
fault_everywhere(int error)
{
	char dir[PATH_MAX], path[PATH_MAX + 32], name[32];
	unsigned hits = 0;

	faults_install();
	sample_folder(dir);
	for (int nth = 0; nth < 60; nth++) {
		snprintf(name, sizeof(name), "%d.db", nth);
		one_fault(sample_path(path, dir, name), nth, error, &hits);
	}
	CHECK(hits > 30); /* else nothing was tested */
	sample_remove(dir);
}

TEST(a_full_disk_at_every_write)
{
	fault_everywhere(ENOSPC);
}

TEST(an_input_output_error_at_every_write)
{
	fault_everywhere(EIO);
}

/* What a file system that was mounted anew, read-only, says. */
TEST(a_read_only_disk_at_every_write)
{
	fault_everywhere(EROFS);
}

TEST(a_full_disk_is_told_once_and_storing_resumes)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct told t = {.n = 0};
	struct timespec wait = {.tv_sec = 1, .tv_nsec = 200000000};
	struct store *s;

	faults_install();
	sample_folder(dir);
	s = open_telling(sample_path(path, dir, "x.db"), &t);
	store_run_begin(s, "x", "");
	CHECK_INT(store_many(s, 0, 20), 20);
	store_flush(s);
	fault.error = ENOSPC;
	fault.countdown = 0;
	store_many(s, 20, 200);
	CHECK_INT(t.n, 1);
	CHECK(strstr(t.last, "no room on the disk: make room") != NULL);
	CHECK(strncmp(t.last, path, strlen(path)) == 0);
	CHECK_INT(store_counters(s)->lost, 200);
	CHECK_INT(store_counters(s)->alerts, 20);
	/* it does not hammer on the disk */
	CHECK(fault.failed < 20);
	fault.countdown = -1;
	nanosleep(&wait, NULL);
	CHECK_INT(t.resumed, 0);
	CHECK_INT(store_many(s, 300, 20), 20);
	CHECK_INT(t.resumed, 1);
	CHECK_INT(t.lost, 200);
	CHECK_INT(store_close(s), -1);
	CHECK_INT(t.resumed, 1);
	CHECK_INT(sample_ask(path, "SELECT count(*) FROM alerts"), 40);
	CHECK(sample_is_whole(path));
	sample_remove(dir);
}

TEST(a_disk_that_is_really_full)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];
	struct told t = {.n = 0};
	uint64_t kept;
	struct store *s;

	sample_folder(dir);
	if (mount("none", dir, "tmpfs", 0, "size=1m") == -1) {
		printf("SKIPPED a_disk_that_is_really_full: no tmpfs here "
		       "(%s)\n",
		    strerror(errno));
		sample_remove(dir);
		return;
	}
	s = open_telling(sample_path(path, dir, "x.db"), &t);
	CHECK(s != NULL);
	store_run_begin(s, "x", "");
	for (unsigned n = 0; n < 2000; n += 50) {
		store_many(s, n, 50);
		store_flush(s);
	}
	kept = store_counters(s)->alerts;
	CHECK(kept > 50 && kept < 2000);
	CHECK_INT(kept + store_counters(s)->lost, 2000);
	CHECK_INT(store_close(s), -1);
	CHECK_INT(t.n, 1);
	CHECK(strstr(t.last, "no room on the disk") != NULL);
	CHECK_INT(sample_ask(path, "SELECT count(*) FROM alerts"), kept);
	CHECK(sample_is_whole(path));
	umount(dir);
	sample_remove(dir);
}

/* ---- kill -9 ---- */

/* Writes for ever; says through the pipe how much was committed. */
static void
write_until_killed(const char *path, unsigned round, int say)
{
	struct told t = {.n = 0};
	struct store *s = open_telling(path, &t);
	char earlier[256];
	unsigned n = 0;

	if (s == NULL)
		_exit(1);
	store_run_begin(s, "killed", "");
	for (;; n += 50) {
		uint64_t alerts;

		store_many(s, n, 50);
		/* another file each time: none of them is known */
		(void)sample_file_end(
		    s, "x", (uint64_t)round << 32 | n, NULL, earlier);
		alerts =
		    store_counters(s)->alerts + store_counters(s)->duplicates;
		if (write(say, &alerts, sizeof(alerts)) != sizeof(alerts))
			_exit(1);
	}
}

/* Killed at some moment after its first batch, whenever that comes. */
static uint64_t
kill_once(const char *path, unsigned round)
{
	uint64_t said = 0, n = 0;
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes) == -1)
		abort();
	fflush(NULL);
	if ((pid = fork()) == 0) {
		close(pipes[0]);
		write_until_killed(path, round, pipes[1]);
	}
	close(pipes[1]);
	if (read(pipes[0], &said, sizeof(said)) != sizeof(said))
		TEST_FAIL("round %u: it ended by itself", round);
	usleep(round * 7919 % 40000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status));
	while (read(pipes[0], &n, sizeof(n)) == sizeof(n))
		said = n;
	close(pipes[0]);
	return said;
}

TEST(kill_9_loses_nothing_that_was_committed)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];
	uint64_t most = 0;

	sample_folder(dir);
	sample_path(path, dir, "x.db");
	for (unsigned round = 0; round < 20; round++) {
		uint64_t said = kill_once(path, round);

		if (said > most)
			most = said;
		if (access(path, F_OK) == -1 || most == 0)
			continue;
		CHECK(sample_is_whole(path));
		CHECK(sample_ask(path, "SELECT count(*) FROM alerts") >=
		      (int64_t)most);
		CHECK_INT(
		    sample_ask(path, "SELECT count(*) FROM alerts WHERE "
				     "flow NOT IN (SELECT id FROM flows)"),
		    0);
		CHECK_INT(sample_ask(path, "SELECT count(*)-count(DISTINCT key)"
					   " FROM alerts"),
		    0);
	}
	CHECK(most > 0);
	sample_remove(dir);
}

/* ---- a reader beside the writer ---- */

static int
count_row(void *ctx, const struct query_row *row)
{
	unsigned *n = ctx;

	CHECK(row->alert.nsteps == 6);
	++*n;
	return 0;
}

TEST(a_reader_sees_one_moment_while_the_writer_goes_on)
{
	char dir[PATH_MAX], path[PATH_MAX + 32], err[256] = "";
	struct store *s;
	struct query_filter f;
	struct query *q;
	unsigned n = 0;

	sample_folder(dir);
	s = sample_open(sample_path(path, dir, "x.db"), false);
	store_many(s, 0, 20);
	store_flush(s);
	query_filter_init(&f);
	q = query_open(path, err, sizeof(err));
	CHECK(q != NULL);
	CHECK_INT(query_each(q, &f, count_row, &n, err, sizeof(err)), 20);
	CHECK_INT(store_many(s, 20, 500), 500);
	store_flush(s);
	CHECK_INT(query_each(q, &f, count_row, &n, err, sizeof(err)), 20);
	query_close(q);
	CHECK_INT(query_alerts(path, &f, count_row, &n, err, sizeof(err)), 520);
	CHECK_INT(store_close(s), 0);
	sample_remove(dir);
}

TEST_MAIN
