/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of lines: what has arrived stays, half a line goes, rotation loses
 * nothing, and a disk without room is waited for.
 */
#include "db/transport.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static char folder[PATH_MAX], path[PATH_MAX + 16], err[TRANSPORT_ERROR_MAX];
static struct transport_config config;
static const struct transport_ops *ops;
static int64_t arrived;

static struct transport *
begin(void)
{
	struct transport *t;

	snprintf(folder, sizeof(folder), "/tmp/stripwire-file.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/x", folder);
	config = (struct transport_config){
	    .kind = TRANSPORT_FILE, .path = path, .rotate_keep = 3};
	ops = transport_ops(&config);
	t = ops->open(&config, err);
	CHECK(t != NULL);
	return t;
}

static void
end(struct transport *t)
{
	char cmd[PATH_MAX + 16];

	ops->close(t);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	CHECK_INT(system(cmd), 0);
}

static int
put(struct transport *t, int64_t seq, const char *text)
{
	struct message m = {seq, text, strlen(text), "id", ""};

	return ops->send(t, &m, err);
}

static int
flush(struct transport *t)
{
	return ops->flush(t, 0, &arrived, err);
}

static const char *
content(const char *suffix)
{
	static char buf[4096];
	char name[PATH_MAX + 32];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	fd = open(name, O_RDONLY);
	n = fd != -1 ? read(fd, buf, sizeof(buf) - 1) : 0;
	buf[n > 0 ? n : 0] = '\0';
	if (fd != -1)
		close(fd);
	return fd != -1 ? buf : "(none)";
}

static void
write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

TEST(lines_arrive_when_they_are_synchronised)
{
	struct transport *t = begin();

	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(put(t, 1, "one"), 0);
	CHECK_INT(put(t, 2, "two"), 0);
	CHECK_STR(content(""), "");
	CHECK_INT(flush(t), 0);
	CHECK_INT(arrived, 2);
	CHECK_STR(content(""), "one\ntwo\n");
	/* closed without: the third did not arrive */
	CHECK_INT(put(t, 3, "three"), 0);
	ops->disconnect(t);
	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(flush(t), 0);
	CHECK_INT(arrived, 2);
	end(t);
}

TEST(half_a_line_of_a_crash_is_cut_off)
{
	static const char *const before[] = {
	    "one\ntw", "tw", "one\n", "", "one\ntwo\nthr"};
	static const char *const after[] = {
	    "one\nnew\n", "new\n", "one\nnew\n", "new\n", "one\ntwo\nnew\n"};

	for (unsigned i = 0; i < 5; i++) {
		struct transport *t = begin();

		write_file(before[i]);
		CHECK_INT(ops->connect(t, err), 0);
		CHECK_INT(put(t, 1, "new"), 0);
		CHECK_INT(flush(t), 0);
		CHECK_STR(content(""), after[i]);
		end(t);
	}
}

/* A disk without room, by the limit on the size of files. */
TEST(without_room_it_waits_and_goes_on)
{
	struct transport *t = begin();
	struct rlimit all, few;

	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(put(t, 1, "0123456789"), 0);
	CHECK_INT(flush(t), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &all), 0);
	few = all;
	few.rlim_cur = 15;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &few), 0);
	CHECK_INT(put(t, 2, "abcdefghij"), 0);
	CHECK_INT(flush(t), -1);
	CHECK(strstr(err, path) != NULL);
	CHECK_INT(arrived, 1);
	CHECK_STR(content(""), "0123456789\n"); /* no half line */
	ops->disconnect(t);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &all), 0);
	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(put(t, 2, "abcdefghij"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_INT(arrived, 2);
	CHECK_STR(content(""), "0123456789\nabcdefghij\n");
	end(t);
}

TEST(a_file_that_has_grown_becomes_number_1)
{
	struct transport *t = begin();
	char text[32];

	config.rotate_bytes = 8;
	CHECK_INT(ops->connect(t, err), 0);
	for (int i = 1; i <= 6; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		CHECK_INT(put(t, 2 * i - 1, text), 0);
		CHECK_INT(put(t, 2 * i, text), 0);
		CHECK_INT(flush(t), 0);
		CHECK_INT(arrived, 2 * i);
	}
	CHECK_STR(content(""), "");
	CHECK_STR(content(".1"), "line 6\nline 6\n");
	CHECK_STR(content(".2"), "line 5\nline 5\n");
	CHECK_STR(content(".3"), "line 4\nline 4\n");
	CHECK_STR(content(".4"), "(none)");
	end(t);
}

TEST(a_gap_in_the_numbers_is_no_hindrance)
{
	struct transport *t = begin();
	char cmd[3 * PATH_MAX];

	config.rotate_bytes = 1;
	snprintf(cmd, sizeof(cmd), "echo two >%s.2", path);
	CHECK_INT(system(cmd), 0);
	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(put(t, 1, "new"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_STR(content(".1"), "new\n");
	CHECK_STR(content(".2"), "(none)");
	CHECK_STR(content(".3"), "two\n");
	end(t);
}

TEST(one_that_was_moved_away_is_noticed)
{
	struct transport *t = begin();
	char other[PATH_MAX + 32];

	snprintf(other, sizeof(other), "%s.old", path);
	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(put(t, 1, "one"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_INT(rename(path, other), 0);
	usleep(1100000);
	CHECK_INT(put(t, 2, "two"), 0);
	CHECK_INT(flush(t), 0); /* into the old one, and then it looks */
	CHECK_INT(put(t, 3, "three"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_STR(content(".old"), "one\ntwo\n");
	CHECK_STR(content(""), "three\n");
	/* with SIGHUP at once */
	CHECK_INT(rename(path, other), 0);
	CHECK_INT(put(t, 4, "four"), 0);
	CHECK_INT(ops->reopen(t, err), 0);
	CHECK_INT(put(t, 5, "five"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_INT(arrived, 5);
	CHECK_STR(content(".old"), "three\nfour\n");
	CHECK_STR(content(""), "five\n");
	end(t);
}

/* logrotate's copytruncate: no hole of zeros, whatever fails later. */
TEST(one_that_was_cut_by_others_goes_on_at_its_end)
{
	struct transport *t = begin();

	CHECK_INT(ops->connect(t, err), 0);
	CHECK_INT(put(t, 1, "one and more"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_INT(truncate(path, 0), 0);
	CHECK_INT(put(t, 2, "two"), 0);
	CHECK_INT(flush(t), 0);
	CHECK_STR(content(""), "two\n");
	end(t);
}

TEST(what_cannot_be_a_file_is_said)
{
	struct transport *t = begin();

	config.path = "";
	CHECK(ops->open(&config, err) == NULL);
	CHECK(strstr(err, "path") != NULL);
	config.path = "/dev/null";
	CHECK_INT(ops->connect(t, err), -1);
	CHECK(strstr(err, "regular") != NULL);
	config.path = "/nonexistent/folder/x";
	CHECK_INT(ops->connect(t, err), -1);
	CHECK(strstr(err, "folder does not exist") != NULL);
	CHECK_INT(flush(t), -1);
	config.path = path;
	end(t);
}

TEST_MAIN
