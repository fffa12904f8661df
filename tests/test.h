/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The unit tests' few words. A test program is a list of test functions:
 *
 *	TEST(line_splits_on_bare_lf) { CHECK_INT(n, 2); }
 *	TEST_MAIN
 *
 * A failed check is printed with file and line and fails its test; the rest
 * of the tests go on. The last line is `N passed, N failed`.
 */
#ifndef STRIPWIRE_TEST_H
#define STRIPWIRE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_CAP 1024

struct test_case {
	const char *name;
	void (*fn)(void);
};

static struct test_case test_cases[TEST_CAP];
static unsigned test_count, test_bad_checks;

#define TEST(id)                                                     \
	static void test_##id(void);                                 \
	__attribute__((constructor)) static void test_add_##id(void) \
	{                                                            \
		if (test_count == TEST_CAP)                          \
			abort();                                     \
		test_cases[test_count].name = #id;                   \
		test_cases[test_count++].fn = test_##id;             \
	}                                                            \
	static void test_##id(void)

#define TEST_FAIL(...)                                          \
	do {                                                    \
		test_bad_checks++;                              \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
		fprintf(stderr, __VA_ARGS__);                   \
		fputc('\n', stderr);                            \
	} while (0)

#define CHECK(cond)                             \
	do {                                    \
		if (!(cond))                    \
			TEST_FAIL("%s", #cond); \
	} while (0)

#define CHECK_INT(got, want)                                                  \
	do {                                                                  \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_)                                            \
			TEST_FAIL("%s is %lld, not %lld", #got, got_, want_); \
	} while (0)

#define CHECK_STR(got, want)                                              \
	do {                                                              \
		const char *got_ = (got), *want_ = (want);                \
		if (strcmp(got_, want_) != 0)                             \
			TEST_FAIL(                                        \
			    "%s is\n  %s\nnot\n  %s", #got, got_, want_); \
	} while (0)

#define TEST_MAIN                                                        \
	int main(int argc, char **argv)                                  \
	{                                                                \
		unsigned passed = 0, failed = 0;                         \
		for (unsigned i = 0; i < test_count; i++) {              \
			if (argc > 1 &&                                  \
			    strstr(test_cases[i].name, argv[1]) == NULL) \
				continue;                                \
			test_bad_checks = 0;                             \
			test_cases[i].fn();                              \
			if (test_bad_checks != 0)                        \
				printf("FAIL %s\n", test_cases[i].name); \
			test_bad_checks ? failed++ : passed++;           \
		}                                                        \
		printf("%u passed, %u failed\n", passed, failed);        \
		return failed != 0;                                      \
	}

#endif
