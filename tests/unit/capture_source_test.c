/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where captures come from: folders, pipes, several arguments, and the real
 * captures of other projects where those are at hand.
 */
#include "sensor/capture.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture_run.h"
#include "tests/test.h"

static struct bytes b, z;
static char folder[64];

static const char frame[] = "a frame";

static void
folder_new(void)
{
	snprintf(folder, sizeof(folder), "/tmp/stripwire-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		abort();
}

static const char *
in_folder(const char *name)
{
	static char path[4][256];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void
save(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(in_folder(name), "w");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void
folder_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		abort();
}

static void
build(uint32_t sec, unsigned packets)
{
	b.big = false;
	pcap_begin(&b, 0xa1b2c3d4, 65535, 1);
	for (unsigned i = 0; i < packets; i++)
		pcap_record(&b, sec + i, 0, frame, sizeof(frame));
}

static void
save_capture(const char *name, uint32_t sec, unsigned packets)
{
	build(sec, packets);
	save(name, b.d, b.n);
}

static struct seen *
run_one(const char *path)
{
	return run_paths(&path, 1);
}

TEST(folder_is_read_in_order_of_first_packet)
{
	folder_new();
	save_capture("a.pcap", 3000, 2);
	save_capture("b.pcap0", 1000, 1);
	save_capture("c", 2000, 3);
	build(2500, 1);
	z.n = 0;
	put_gzip(&z, b.d, b.n);
	save("d.gz", z.d, z.n);
	save_capture("e.pcap", 500, 0);
	struct seen *s = run_one(folder);
	static const int64_t want[] = {
	    1000, 2000, 2001, 2002, 2500, 3000, 3001};
	static const unsigned file[] = {0, 1, 1, 1, 2, 3, 3};
	static const unsigned no[] = {1, 1, 2, 3, 1, 1, 2};
	CHECK_INT(s->n, 7);
	CHECK_INT(s->files, 5);
	for (unsigned i = 0; i < 7 && i < s->n; i++) {
		CHECK_INT(s->pkt[i].time, want[i] * 1000000000);
		CHECK_INT(s->pkt[i].file, file[i]);
		CHECK_INT(s->pkt[i].frame_no, no[i]);
		CHECK_INT(s->pkt[i].ordinal, i + 1);
	}
	CHECK_STR(s->said, "");
	CHECK_INT(s->done, s->total);
	folder_remove();
}

TEST(folder_with_other_things_in_it)
{
	folder_new();
	save_capture("a.pcap", 1000, 1);
	save("b.txt", "not a capture", 13);
	save("empty", "", 0);
	b.n -= 3;
	save("cut.pcap", b.d, b.n);
	if (mkdir(in_folder("sub"), 0700) != 0 ||
	    mkfifo(in_folder("pipe"), 0600) != 0 ||
	    symlink("nowhere", in_folder("dangling")) != 0)
		abort();
	struct seen *s = run_one(folder);
	CHECK_INT(s->n, 1);
	CHECK_INT(s->files, 2);
	CHECK_INT(s->worst, 1);
	CHECK(strstr(s->said, "dangling: No such file or directory") != NULL);
	CHECK(strstr(s->said, "cut.pcap: cut in the middle") != NULL);
	CHECK(strstr(s->said, "3 files in it are not captures (") != NULL);
	CHECK(strstr(s->said, "b.txt") != NULL);
	CHECK(strstr(s->said, "1 folder in it was not entered") != NULL);
	CHECK_INT(s->sentences, 4);
	folder_remove();
}

TEST(nothing_to_read)
{
	folder_new();
	CHECK(strstr(run_one(folder)->said, "a folder without captures"));
	CHECK(strstr(run_one("/nonexistent")->said,
	    "/nonexistent: No such file or directory"));
	save("x.txt", "hello, world", 12);
	struct seen *s = run_one(in_folder("x.txt"));
	CHECK(s->failed);
	CHECK(
	    strstr(s->said, "x.txt: not a capture (neither pcap nor pcapng)"));
	save("x.txt", "", 0);
	CHECK(strstr(run_one(in_folder("x.txt"))->said, "x.txt: empty"));
	save("x.pcap.xz",
	    "\xfd"
	    "7zXZ\0",
	    6);
	CHECK(strstr(run_one(in_folder("x.pcap.xz"))->said,
	    "compressed with xz: unpack it first"));
	CHECK(run_paths(NULL, 0)->failed);
	const char *two[] = {"/nonexistent", in_folder("x.txt")};
	s = run_paths(two, 2);
	CHECK(s->failed);
	CHECK_INT(s->sentences, 3);
	CHECK(strstr(s->said, "none of the 2 inputs can be read"));
	folder_remove();
}

TEST(one_bad_file_among_several)
{
	folder_new();
	save_capture("a.pcap", 2000, 1);
	save_capture("b.pcap", 1000, 1);
	const char *paths[] = {
	    in_folder("a.pcap"), "/nonexistent", in_folder("b.pcap")};
	struct seen *s = run_paths(paths, 3);
	CHECK_INT(s->n, 2);
	CHECK_INT(s->worst, 1);
	CHECK_INT(s->sentences, 1);
	CHECK_INT(s->pkt[0].time, INT64_C(2000000000000)); /* as given */
	CHECK_INT(s->pkt[1].file, 1);
	folder_remove();
}

TEST(names_with_control_characters_are_masked)
{
	folder_new();
	save_capture("a\n\033[2J.pcap", 1000, 1);
	b.n--;
	save("a\n\033[2J.pcap", b.d, b.n);
	struct seen *s = run_one(folder);
	CHECK_INT(s->worst, 1);
	CHECK(strstr(s->said, "a??[2J.pcap: cut") != NULL);
	folder_remove();
}

/* A child writes to our standard input, a few bytes at a time. */
static struct seen *
run_stdin(const struct bytes *in, size_t step)
{
	int fd[2], saved = dup(STDIN_FILENO);

	if (pipe(fd) != 0)
		abort();
	pid_t child = fork();
	if (child == 0) {
		signal(SIGPIPE, SIG_IGN);
		for (size_t at = 0; at < in->n; at += step) {
			size_t n = in->n - at < step ? in->n - at : step;
			if (write(fd[1], in->d + at, n) != (ssize_t)n)
				break;
		}
		_exit(0);
	}
	close(fd[1]);
	dup2(fd[0], STDIN_FILENO);
	close(fd[0]);
	struct seen *s = run_one("-");
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
	waitpid(child, NULL, 0);
	return s;
}

TEST(standard_input_in_every_format)
{
	static const size_t step[] = {1, 7, 100000};

	for (size_t i = 0; i < 3; i++) {
		build(1000, 3);
		struct seen *s = run_stdin(&b, step[i]);
		CHECK_INT(s->n, 3);
		CHECK_STR(s->said, "");
		CHECK_STR(s->path, "-");
		CHECK_INT(s->done, b.n);
		CHECK_INT(s->total, 0);
		z.n = 0;
		put_gzip(&z, b.d, b.n);
		CHECK_INT(run_stdin(&z, step[i])->n, 3);
		b.n = 0;
		ng_section(&b);
		ng_interface(&b, 1, 0, -1, 0);
		ng_packet(&b, 0, 1, frame, sizeof(frame));
		CHECK_INT(run_stdin(&b, step[i])->n, 1);
	}
}

TEST(standard_input_that_is_no_capture)
{
	b.n = 0;
	CHECK_STR(run_stdin(&b, 1)->said, "standard input: empty");
	put(&b, "hello\n", 6);
	struct seen *s = run_stdin(&b, 2);
	CHECK_STR(
	    s->said, "standard input: not a capture (neither pcap nor pcapng)");
	CHECK_INT(s->worst, 1);
	build(1000, 2);
	b.n -= 2;
	s = run_stdin(&b, 3);
	CHECK_INT(s->n, 1);
	CHECK(strstr(s->said, "begins at byte 48 lacks its end, the file ends "
			      "at byte 70") != NULL);
}

/* id source path sha256 packets link description origin license file */
static void
check_index_line(char *line, const char *dir)
{
	char *field[10], *save = NULL, path[512];
	unsigned n = 0;

	for (char *f = strtok_r(line, "\t\n", &save); f != NULL && n < 10;
	     f = strtok_r(NULL, "\t\n", &save))
		field[n++] = f;
	CHECK_INT(n, 10);
	if (n < 10)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, field[9]);
	struct seen *s = run_one(path);
	CHECK_STR(s->said, "");
	if (s->n != (unsigned)atoi(field[4]))
		TEST_FAIL("%s: %u packets, not %s", field[9], s->n, field[4]);
}

TEST(real_captures_have_the_packets_that_their_index_says)
{
	static const char dir[] = "../shared/pcaps/third-party";
	char line[2048], path[128];
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s/INDEX.tsv", dir);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		printf("SKIPPED real_captures: no %s\n", path);
		return;
	}
	if (fgets(line, sizeof(line), f) == NULL)
		abort();
	while (fgets(line, sizeof(line), f) != NULL) {
		check_index_line(line, dir);
		n++;
	}
	fclose(f);
	CHECK(n > 0);
}

TEST_MAIN
