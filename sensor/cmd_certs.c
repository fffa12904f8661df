/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table for people; with a fingerprint, all about those certificates.
 */
#include "sensor/cmd_certs.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/idn.h"
#include "decoders/x509.h"
#include "sensor/cert_text.h"
#include "sensor/options.h"

#define ERR_MAX 512
#define SHORT_HEX 12 /* digits in the table: enough to tell them apart */

enum form { FORM_TABLE, FORM_FULL, FORM_JSON, FORM_PEM };

struct certs_options {
	struct config config;
	const char *db;
	struct query_cert_filter filter;
	enum form form;
	char sha256[65], host[IDN_NAME_MAX];
	/* while printing */
	struct text_style style;
	uint64_t printed, without; /* certificates; those not kept */
};

static const char usage_text[] =
    "usage: stripwire certs [options] [SHA256]\n"
    "\n"
    "Lists the certificates that servers and clients showed, those of their\n"
    "issuers too.\n"
    "With the beginning of a fingerprint: all that is known of them.\n"
    "\n"
    "  -c, --config FILE  configuration, which may name the database\n"
    "  -d, --db FILE      the database (default: " DB_DEFAULT ")\n"
    "      --host HOST    only of this server: its address, or a name in the\n"
    "                     certificate\n"
    "      --servers      neither those of clients nor those of issuers\n"
    "      --json         one JSON object a line, with everything\n"
    "      --pem          the certificates themselves, for other programs\n"
    "  -h, --help         this text\n"
    "\n"
    "In TLS 1.3 certificates are encrypted and resumed sessions have none:\n"
    "they are not in the list.\n"
    "Exit status: 0, 1 if there is none or it cannot be read, 2 for usage.\n";

/* ---- rows ---- */

static void
print_head(const struct text_style *style)
{
	printf("%s%-*s  %-6s  %-10s  %-16s  %-19s  %-22s  subject%s\n",
	    text_on(style, COLOUR_BOLD), SHORT_HEX, "sha256", "role", "until",
	    "trust", "last seen (UTC)", "at", text_off(style));
}

static void
print_row(struct certs_options *o, const struct query_cert *c)
{
	char text[TEXT_TIME_MAX], clean[512];

	if (o->printed == 0)
		print_head(&o->style);
	printf("%-*.*s  %-6s  ", SHORT_HEX, SHORT_HEX, c->sha256,
	    cert_role_name(c));
	printf("%-10s  %-16s  ", text_date(text, c->not_after),
	    cert_trust_name(c));
	text_time_seconds(text, c->last);
	text[19] = '\0'; /* the zone stands in the head */
	printf("%-19s  ", text);
	printf("%s  ",
	    text_fit(clean, sizeof(clean), c->last_server, 22, &o->style));
	printf("%s\n", text_clean(clean, sizeof(clean), c->subject, &o->style));
}

static void
print_pem(struct certs_options *o, const struct query_cert *c)
{
	char *pem = c->der.len > 0 ? x509_to_pem(c->der) : NULL;
	char clean[512];

	if (pem == NULL) {
		o->without++;
		return;
	}
	printf("# %s\n%s",
	    text_clean(clean, sizeof(clean), c->subject, &o->style), pem);
	free(pem);
}

static int
on_cert(void *ctx, const struct query_cert *c)
{
	struct certs_options *o = ctx;

	switch (o->form) {
	case FORM_TABLE:
		print_row(o, c);
		break;
	case FORM_FULL:
		if (o->printed > 0)
			putchar('\n');
		cert_print(stdout, &o->style, c);
		break;
	case FORM_JSON:
		if (cert_print_json(stdout, c) == -1)
			return 1;
		break;
	case FORM_PEM:
		print_pem(o, c);
		break;
	}
	o->printed++;
	return ferror(stdout);
}

/* ---- the command ---- */

static const char short_options[] = "c:d:h";
static const struct option options[] = {OPTION_CONFIG,
    {"db", required_argument, NULL, 'd'},
    {"host", required_argument, NULL, 'H'}, {"servers", no_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'}, {"pem", no_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static int
parse_option(struct certs_options *o, int c)
{
	switch (c) {
	case 'c':
		return 0; /* read already */
	case 'd':
		o->db = optarg;
		return 0;
	case 'H':
		o->filter.host = o->host;
		if (idn_to_ascii(o->host, optarg))
			return 0;
		fprintf(
		    stderr, "stripwire certs: --host %s: is no name\n", optarg);
		return -1;
	case 's':
		o->filter.servers_only = true;
		return 0;
	case 'j':
		o->form = FORM_JSON;
		return 0;
	case 'p':
		o->form = FORM_PEM;
		return 0;
	default:
		return -1;
	}
}

/* Colons and capitals as other programs print them are welcome. */
static int
parse_sha256(struct certs_options *o, const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == ':')
			continue;
		if (!isxdigit((unsigned char)*p) || n == 64) {
			fprintf(stderr,
			    "stripwire certs: %s: is no SHA-256 fingerprint, "
			    "nor how one begins\n",
			    text);
			return -1;
		}
		o->sha256[n++] = (char)tolower((unsigned char)*p);
	}
	o->filter.sha256 = o->sha256;
	if (o->form == FORM_TABLE)
		o->form = FORM_FULL;
	return 0;
}

/* 0: go on; else the exit status plus 1. */
static int
parse(struct certs_options *o, int argc, char **argv)
{
	int c;

	while (
	    (c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return 1;
		}
		if (parse_option(o, c) == -1)
			break;
	}
	if (c == -1 && optind == argc - 1 &&
	    parse_sha256(o, argv[optind++]) == -1)
		return 3;
	if (c == -1 && optind == argc)
		return 0;
	if (c == -1)
		fputs("stripwire certs: takes one fingerprint\n", stderr);
	fputs("stripwire certs --help shows the options\n", stderr);
	return 3;
}

static int
list(struct certs_options *o)
{
	char err[ERR_MAX] = "";
	struct query *q = query_open(o->db, err, sizeof(err));
	int64_t n = -1;

	if (q != NULL)
		n = query_certs(q, &o->filter, on_cert, o, err, sizeof(err));
	query_close(q);
	if (n == -1) {
		fprintf(stderr, "stripwire certs: %s\n", err);
		return 1;
	}
	if (n == 0)
		fprintf(stderr, "stripwire certs: no certificates%s in %s\n",
		    o->filter.sha256 != NULL || o->filter.host != NULL
			? " of that kind"
			: "",
		    o->db);
	if (o->without > 0)
		fprintf(stderr,
		    "stripwire certs: of %llu the facts are known, the "
		    "certificate was not kept\n",
		    (unsigned long long)o->without);
	return n == 0 ? 1 : 0;
}

static int
run(struct certs_options *o, int argc, char **argv)
{
	int status;

	o->db = o->config.database;
	text_style_init(&o->style, stdout);
	if ((status = parse(o, argc, argv)) != 0)
		return status - 1;
	status = list(o);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "stripwire certs: cannot write: %s\n",
		    strerror(errno));
		return 1;
	}
	return status;
}

int
cmd_certs(int argc, char **argv)
{
	struct certs_options o = {0};
	int status =
	    options_config(&o.config, argc, argv, short_options, options);

	if (status == 0)
		status = run(&o, argc, argv);
	config_fini(&o.config);
	return status;
}
