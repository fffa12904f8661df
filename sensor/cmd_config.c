/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration seen from outside, all of it made from the table of keys.
 * What `show` prints is a configuration file; what `keys` prints is the sample
 * that is installed.
 */
#include "sensor/cmd_config.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "sensor/command.h"
#include "sensor/config_print.h"
#include "sensor/options.h"

#define WRAP 78 /* columns of a comment */
#define VALUE_MAX 64 /* bytes of a number as text */

struct check { /* what there is to say of a file */
	struct config config;
	const char *path; /* NULL: there is none */
	unsigned mistakes;
	json_t *told; /* mistakes, for --json; else NULL */
};

static const char check_help[] =
    "usage: stripwire config check [--json] [FILE]\n"
    "       stripwire config show [--json] [FILE]\n\n"
    "check says what is wrong with a configuration, all mistakes at once, or\n"
    "that nothing is, and then like show which values hold. Without "
    "FILE:\n" CONFIG_PATH ", or the defaults if it is not there.\n\n"
    "      --json   for programs\n"
    "  -h, --help   this text\n\n"
    "Exit status: 0, 2 for usage or a mistake.\n";

static const char keys_help[] =
    "usage: stripwire config keys\n\n"
    "Prints every key with its unit, range and default, as a configuration\n"
    "file in which all of them are commented out.\n";

/* ---- values ---- */

/* Where the part after the section begins. */
static const char *
base_name(const struct config_key *k)
{
	const char *dot = strchr(k->name, '.');

	return dot != NULL ? dot + 1 : k->name;
}

/* Prints the section's line when it begins; says if k is in one. */
static bool
enter_section(unsigned i)
{
	const struct config_key *k = &config_keys[i];
	size_t len = (size_t)(base_name(k) - k->name);

	if (len == 0)
		return false;
	if (i == 0 || strncmp(config_keys[i - 1].name, k->name, len) != 0)
		printf("%.*s:\n", (int)len - 1, k->name);
	return true;
}

void
config_print_text(const char *s)
{
	if (strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789/._-") == strlen(s) &&
	    s[0] != '-' && s[0] != '\0') {
		fputs(s, stdout);
		return;
	}
	putchar('\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			putchar('\'');
		putchar(*s);
	}
	putchar('\'');
}

/* "NAME: [a,b]" */
static void
print_variable(const char *line)
{
	size_t name = strcspn(line, ":");

	printf("  %.*s: ", (int)name, line);
	config_print_text(line + name + 2);
	putchar('\n');
}

static void
print_list(
    const struct config *c, const struct config_key *k, const char *indent)
{
	const char *value = config_value(c, k, 0, NULL, 0);

	if (value == NULL) {
		printf("%s%s: %s\n", indent, base_name(k),
		    k->type == CONFIG_VARIABLES || k->type == CONFIG_FEEDS
			? "{}"
			: "[]");
		return;
	}
	if (k->type == CONFIG_FEEDS) {
		config_feeds_print(c);
		return;
	}
	printf("%s%s:\n", indent, base_name(k));
	for (unsigned i = 0; (value = config_value(c, k, i, NULL, 0)) != NULL;
	     i++) {
		if (k->type == CONFIG_VARIABLES) {
			print_variable(value);
			continue;
		}
		printf("%s  - ", indent);
		config_print_text(value);
		putchar('\n');
	}
}

static void
print_values(const struct config *c)
{
	char buf[VALUE_MAX];

	for (unsigned i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		const char *indent = enter_section(i) ? "  " : "";
		const char *value;

		if (config_is_list(k)) {
			print_list(c, k, indent);
			continue;
		}
		value = config_value(c, k, 0, buf, sizeof(buf));
		if (value[0] == '\0') {
			printf("%s# %s: not set\n", indent, base_name(k));
			continue;
		}
		printf("%s%s: ", indent, base_name(k));
		config_print_text(value);
		putchar('\n');
	}
}

/* ---- values as JSON ---- */

static json_t *
json_value(const struct config *c, const struct config_key *k)
{
	char buf[VALUE_MAX];
	const void *field = (const char *)c + k->at;
	json_t *list;
	const char *s;

	if (k->type == CONFIG_FEEDS)
		return config_feeds_json(c);
	if (k->type == CONFIG_NUMBER || k->type == CONFIG_BYTES)
		return json_integer((json_int_t) * (const uint64_t *)field);
	if (k->type == CONFIG_SWITCH)
		return json_boolean(*(const bool *)field);
	if (!config_is_list(k)) {
		s = config_value(c, k, 0, buf, sizeof(buf));
		return s[0] != '\0' ? json_string(s) : json_null();
	}
	list = json_array();
	for (unsigned i = 0; (s = config_value(c, k, i, NULL, 0)) != NULL; i++)
		json_array_append_new(list, json_string(s));
	return list;
}

static void
print_json(const struct check *k)
{
	json_t *o = json_object(), *values = json_object();

	json_object_set_new(
	    o, "file", k->path != NULL ? json_string(k->path) : json_null());
	json_object_set_new(o, "ok", json_boolean(k->mistakes == 0));
	json_object_set(o, "mistakes", k->told);
	for (unsigned i = 0; k->mistakes == 0 && i < config_key_count; i++)
		json_object_set_new(values, config_keys[i].name,
		    json_value(&k->config, &config_keys[i]));
	if (k->mistakes == 0)
		json_object_set(o, "values", values);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(values);
	json_decref(o);
}

/* ---- check and show ---- */

static void
on_error(void *ctx, const char *line)
{
	struct check *k = ctx;

	if (k->told != NULL)
		json_array_append_new(k->told, json_string(line));
	else
		fprintf(stderr, "%s\n", line);
}

static int
written(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(
	    stderr, "stripwire config: cannot write: %s\n", strerror(errno));
	return 1;
}

/* -1: go on; else the exit status. */
static int
parse_options(struct check *k, int argc, char **argv)
{
	static const struct option options[] = {OPTION_CONFIG,
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	int c;

	optind = 0; /* GNU: start over */
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(check_help, stdout);
			return 0;
		}
		if (c == 'c')
			k->path = optarg;
		else if (c == 'j')
			k->told = json_array();
		else
			break;
	}
	if (c == -1 && optind == argc - 1)
		k->path = argv[optind++];
	if (c == -1 && optind == argc)
		return -1;
	fprintf(stderr, "stripwire config %s --help shows how it is used\n",
	    argv[0]);
	return 2;
}

static int
look(struct check *k, bool check, int argc, char **argv)
{
	int status = parse_options(k, argc, argv);

	if (status != -1)
		return status;
	if (config_init(&k->config) == -1) {
		fputs("stripwire config: out of memory\n", stderr);
		return 2;
	}
	if (k->path == NULL && access(CONFIG_PATH, F_OK) == 0)
		k->path = CONFIG_PATH;
	if (k->path != NULL)
		k->mistakes =
		    config_load(&k->config, k->path, check, on_error, k);
	if (k->told != NULL) {
		print_json(k);
	} else if (k->mistakes == 0) {
		if (check && k->path != NULL)
			printf("# %s: OK\n", k->path);
		else if (k->path == NULL)
			printf("# there is no %s: these are the defaults\n",
			    CONFIG_PATH);
		print_values(&k->config);
	}
	status = written();
	return k->mistakes != 0 ? 2 : status;
}

static int
cmd_look(bool check, int argc, char **argv)
{
	struct check k = {.path = NULL};
	int status = look(&k, check, argc, argv);

	config_fini(&k.config);
	json_decref(k.told);
	return status;
}

static int
cmd_check(int argc, char **argv)
{
	return cmd_look(true, argc, argv);
}

static int
cmd_show_config(int argc, char **argv)
{
	return cmd_look(false, argc, argv);
}

/* ---- keys ---- */

void
config_print_comment(const char *indent, const char *text)
{
	size_t column = 0, len;

	for (; *text != '\0'; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (column != 0 && column + 1 + len > WRAP) {
			putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = (size_t)printf("%s#", indent);
		column += (size_t)printf(" %.*s", (int)len, text);
	}
	putchar('\n');
}

static void
print_key(const struct config_key *k, const char *indent)
{
	char range[160];

	(void)snprintf(range, sizeof(range), "Value: %s", k->range);
	putchar('\n');
	config_print_comment(indent, k->help);
	config_print_comment(indent, range);
	if (k->type == CONFIG_VARIABLES) {
		printf("variables:\n"
		       "#  HOME_NET: [10.0.0.0/8, \"2001:db8::/32\"]\n"
		       "#  EXTERNAL_NET: \"!$HOME_NET\"\n"
		       "#  MAIL_SERVERS: 10.1.0.25\n"
		       "#  MAIL_PORTS: [25, 465, 587]\n");
		return;
	}
	if (k->type == CONFIG_FEEDS) {
		config_feeds_sample();
		return;
	}
	printf("#%s%s:%s%s\n", indent, base_name(k),
	    config_is_list(k)	    ? " []"
	    : k->initial[0] != '\0' ? " "
				    : "",
	    k->initial);
}

static int
cmd_keys(int argc, char **argv)
{
	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(keys_help, stdout);
		return 0;
	}
	if (argc > 1) {
		fputs("stripwire config keys takes no argument\n", stderr);
		return 2;
	}
	puts("# SPDX-License-Identifier: GPL-3.0-or-later\n"
	     "# Stripwire's configuration, in YAML. Every key is here, "
	     "commented out, with\n"
	     "# its default. stripwire config check FILE says whether a file "
	     "is right.");
	for (unsigned i = 0; i < config_key_count; i++) {
		bool nested = base_name(&config_keys[i]) != config_keys[i].name;

		if (nested) {
			if (i == 0 || base_name(&config_keys[i - 1]) ==
					  config_keys[i - 1].name)
				putchar('\n');
			(void)enter_section(i);
		}
		print_key(&config_keys[i], nested ? "  " : "");
	}
	return written();
}

int
cmd_config(int argc, char **argv)
{
	static const struct command commands[] = {
	    {"check", cmd_check, "say what is wrong with a configuration"},
	    {"show", cmd_show_config, "print the values that hold"},
	    {"keys", cmd_keys, "every key with unit, range and default"},
	    {NULL, NULL, NULL},
	};
	static const struct command_group group = {
	    .name = "stripwire config",
	    .about = "the configuration file, by default " CONFIG_PATH,
	    .commands = commands,
	};

	return command_run(&group, argc, argv);
}
