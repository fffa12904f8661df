/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Classifications: the table that Suricata ships is built in, a file in its
 * format adds to it or changes it:
 *
 *	config classification: misc-attack,Misc Attack,2
 */
#include "rules/rule_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule_file.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct rule_class builtin[] = {
    {"not-suspicious", "Not Suspicious Traffic", 3},
    {"unknown", "Unknown Traffic", 3},
    {"bad-unknown", "Potentially Bad Traffic", 2},
    {"attempted-recon", "Attempted Information Leak", 2},
    {"successful-recon-limited", "Information Leak", 2},
    {"successful-recon-largescale", "Large Scale Information Leak", 2},
    {"attempted-dos", "Attempted Denial of Service", 2},
    {"successful-dos", "Denial of Service", 2},
    {"attempted-user", "Attempted User Privilege Gain", 1},
    {"unsuccessful-user", "Unsuccessful User Privilege Gain", 1},
    {"successful-user", "Successful User Privilege Gain", 1},
    {"attempted-admin", "Attempted Administrator Privilege Gain", 1},
    {"successful-admin", "Successful Administrator Privilege Gain", 1},
    {"rpc-portmap-decode", "Decode of an RPC Query", 2},
    {"shellcode-detect", "Executable code was detected", 1},
    {"string-detect", "A suspicious string was detected", 3},
    {"suspicious-filename-detect", "A suspicious filename was detected", 2},
    {"suspicious-login",
	"An attempted login using a suspicious username was detected", 2},
    {"system-call-detect", "A system call was detected", 2},
    {"tcp-connection", "A TCP connection was detected", 4},
    {"trojan-activity", "A Network Trojan was detected", 1},
    {"unusual-client-port-connection", "A client was using an unusual port", 2},
    {"network-scan", "Detection of a Network Scan", 3},
    {"denial-of-service", "Detection of a Denial of Service Attack", 2},
    {"non-standard-protocol", "Detection of a non-standard protocol or event",
	2},
    {"protocol-command-decode", "Generic Protocol Command Decode", 3},
    {"web-application-activity",
	"access to a potentially vulnerable web application", 2},
    {"web-application-attack", "Web Application Attack", 1},
    {"misc-activity", "Misc activity", 3},
    {"misc-attack", "Misc Attack", 2},
    {"icmp-event", "Generic ICMP event", 3},
    {"inappropriate-content", "Inappropriate Content was Detected", 1},
    {"policy-violation", "Potential Corporate Privacy Violation", 1},
    {"default-login-attempt",
	"Attempt to login by a default username and password", 2},
    {"targeted-activity", "Targeted Malicious Activity was Detected", 1},
    {"exploit-kit", "Exploit Kit Activity Detected", 1},
    {"external-ip-check", "Device Retrieving External IP Address Detected", 2},
    {"domain-c2", "Domain Observed Used for C2 Detected", 1},
    {"pup-activity", "Possibly Unwanted Program Detected", 2},
    {"credential-theft", "Successful Credential Theft Detected", 1},
    {"social-engineering", "Possible Social Engineering Attempted", 2},
    {"coin-mining", "Crypto Currency Mining Activity Detected", 2},
    {"command-and-control", "Malware Command and Control Activity Detected", 1},
};

struct rule_classes {
	struct rule_class own[RULE_CLASSES_MAX];
	unsigned n;
};

static const struct rule_class *
find(const struct rule_class *c, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(c[i].name, name) == 0)
			return &c[i];
	return NULL;
}

const struct rule_class *
rule_class_find(const struct rule_classes *own, const char *name)
{
	const struct rule_class *c = NULL;

	if (own != NULL)
		c = find(own->own, own->n, name);
	return c != NULL ? c : find(builtin, COUNT(builtin), name);
}

const char *
classtype_description(const char *name)
{
	const struct rule_class *c = rule_class_find(NULL, name);

	return c != NULL ? c->description : NULL;
}

void
rule_class_nearest(const struct rule_classes *own, struct nearest *near)
{
	for (unsigned i = 0; own != NULL && i < own->n; i++)
		nearest_try(near, own->own[i].name);
	for (size_t i = 0; i < COUNT(builtin); i++)
		nearest_try(near, builtin[i].name);
}

static bool
copy(char *to, size_t cap, struct lex_word w)
{
	if (w.len == 0 || w.len >= cap)
		return false;
	memcpy(to, w.p, w.len);
	to[w.len] = '\0';
	return true;
}

static void
read_class(struct rule_classes *c, struct lex *l)
{
	struct lex_word all = {l->rule, l->len, 0}, head, name, text;
	struct rule_class *k = &c->own[c->n];
	unsigned long priority;

	head = lex_split(&all, ':');
	name = lex_split(&all, ',');
	text = lex_split(&all, ',');
	all = lex_trim(all);
	if (head.len < 6 || memcmp(head.p, "config", 6) != 0 ||
	    memmem(head.p, head.len, "classification", 14) == NULL)
		lex_error(l, 0,
		    "expected config classification: name,description,"
		    "priority");
	else if (!copy(k->name, sizeof(k->name), name))
		lex_error(l, name.at, "the name is missing or too long");
	else if (!copy(k->description, sizeof(k->description), text))
		lex_error(l, text.at, "the description is missing or too long");
	else if (!lex_word_number(all, 255, &priority) || priority == 0)
		lex_error(l, all.at, "the priority is a number from 1 to 255");
	else if (c->n == RULE_CLASSES_MAX - 1)
		lex_error(l, 0, "more than %u classes", RULE_CLASSES_MAX - 1);
	else {
		k->priority = (uint8_t)priority;
		c->n++;
	}
}

struct rule_classes *
rule_classes_parse(
    const char *file, struct slice text, rule_error_fn *on_error, void *ctx)
{
	struct rule_classes *c = calloc(1, sizeof(*c));
	struct lex l = {0};

	if (c == NULL || lex_init(&l, file, text) == -1) {
		free(c);
		return NULL;
	}
	l.on_error = on_error;
	l.ctx = ctx;
	while (lex_next_rule(&l))
		read_class(c, &l);
	if (l.errors > 0) {
		free(c);
		c = NULL;
	}
	lex_fini(&l);
	return c;
}

void
rule_classes_free(struct rule_classes *c)
{
	free(c);
}
